"""Asking for prices: what one refusal, all refusals and a lost connection mean, and how many questions there are."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from rhflow.app.runs.quotes import AT_ONCE, Quote, ask
from rhflow.core.cost import UNKNOWN, Estimate
from rhflow.core.errors import Problem, RefusedError, RhflowError, StepError
from rhflow.core.kinds import Model
from rhflow.core.plan.calls import StepCall
from rhflow.core.values import Artifact, Money
from rhflow.runninghub.operations import prices
from rhflow.steps.kinds import all_kinds
from tests.fakes import artifact

LISTED = Estimate(Decimal("0.2"), Decimal("0.2"))


def told(amount: str, *, free: bool = False, currency: str = "CNY") -> prices.Quote:
    return prices.Quote(Money(Decimal(amount), currency), free, None, f"{amount} a call")


class Service:
    """Answers by endpoint, and counts how many questions are open at once."""

    def __init__(self, answers: Mapping[str, prices.Quote | RhflowError]) -> None:
        self.answers, self.asked, self.open, self.most = answers, list[Any](), 0, 0

    async def price_preview(self, endpoint: str, inputs: Mapping[str, Any]) -> prices.Quote:
        self.asked.append(inputs)
        self.open += 1
        self.most = max(self.most, self.open)
        await asyncio.sleep(0)
        self.open -= 1
        answer = self.answers[endpoint]
        if isinstance(answer, RhflowError):
            raise answer
        return answer


class Vault:
    """Has a link for one file, and uploads any."""

    def known_link(self, file: Artifact) -> str | None:
        return "https://kept" if file.name == "kept.png" else None

    async def link(self, file: Artifact) -> str:
        return self.known_link(file) or "https://uploaded"


def call(endpoint: str, **inputs: Any) -> tuple[StepCall, Estimate]:
    model = Model(endpoint, endpoint, endpoint, ("text-to-image",), "image", ())
    return StepCall("s", all_kinds()["text-to-image"], model, inputs, "", {}), LISTED


async def quotes(
    service: Service, *calls: tuple[StepCall, Estimate], upload: bool = False
) -> list[tuple[str, str | None]]:
    tools: Any = SimpleNamespace(hub=service, vault=Vault())
    return [(str(each.price), each.why) for each in await ask(calls, tools, upload=upload)]


NO_PREVIEW = StepError(Problem("api-1001", "the service has no such price"))
REFUSED = RefusedError(Problem("api-806", "the key is refused"))
LOST = StepError(Problem("api-unreachable", "no answer"))


async def test_what_goes_wrong_with_one_is_told_of_that_one() -> None:
    service = Service({"a": told("0.2"), "b": NO_PREVIEW, "c": REFUSED})
    assert await quotes(service, call("a"), call("b"), call("c")) == [
        ("0.2 CNY", None),
        ("None", "the service has no such price"),
        ("None", "the key is refused"),
    ]


@pytest.mark.parametrize("error", [REFUSED, LOST])
async def test_what_goes_wrong_with_all_ends_it(error: RhflowError) -> None:
    with pytest.raises(RhflowError) as raised:
        await quotes(Service({"a": error}), *[call("a")] * 30)
    assert raised.value is error


async def test_nobody_is_asked_once_the_connection_is_lost_and_never_too_much_at_once() -> None:
    service = Service({"a": LOST})
    with pytest.raises(StepError):
        await quotes(service, *[call("a")] * 100)
    assert len(service.asked) == AT_ONCE
    service = Service({"a": told("1")})
    await quotes(service, *[call("a")] * 100)
    assert (len(service.asked), service.most) == (100, AT_ONCE)


async def test_files_are_sent_as_links_and_only_uploaded_when_that_is_wanted() -> None:
    service, new, kept = Service({"a": told("1")}), artifact("new.png"), artifact("kept.png")
    [(_, why)] = await quotes(service, call("a", images=[kept, new]))
    assert why == "`new.png` is not uploaded yet (`--upload` does that)"
    assert service.asked == []
    await quotes(service, call("a", images=[kept], named={"x": kept}))
    await quotes(service, call("a", images=[kept, new]), upload=True)
    assert service.asked == [
        {"images": ["https://kept"], "named": {"x": "https://kept"}},
        {"images": ["https://kept", "https://uploaded"]},
    ]


async def test_nothing_is_only_a_price_where_the_service_says_so() -> None:
    service = Service({"a": told("0"), "b": told("0.3", free=True)})
    assert await quotes(service, call("a"), call("b")) == [
        ("None", "the service names a price only afterwards"),
        ("0 CNY", None),
    ]


@pytest.mark.parametrize(
    ("expected", "amount", "currency", "differs"),
    [
        (LISTED, "0.2", "CNY", False),
        (LISTED, "0.20", "CNY", False),
        (LISTED, "0.21", "CNY", True),
        (LISTED, "0.2", "USD", True),
        (Estimate(Decimal(1), Decimal(2), learnt=3), "1.5", "CNY", False),
        (Estimate(Decimal(1), Decimal(2), learnt=3), "0.9", "CNY", True),
        (Estimate(Decimal(1), None), "7", "CNY", False),
        (Estimate(Decimal(1), None), "0.5", "CNY", True),
        (UNKNOWN, "7", "USD", False),
    ],
)
def test_a_difference(expected: Estimate, amount: str, currency: str, differs: bool) -> None:
    assert Quote(expected, Money(Decimal(amount), currency)).differs is differs

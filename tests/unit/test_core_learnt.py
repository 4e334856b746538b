"""Prices from experience: by what they are learnt, what range is told, and what plans and sums make of them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from rhflow.core.cost import UNKNOWN, Estimate, total
from rhflow.core.kinds import Field, Model, Price
from rhflow.core.learnt import label_of, learnt
from rhflow.core.plan.budget import judge
from rhflow.core.plan.plan import Run, Wait
from rhflow.core.values import Money, Pending
from rhflow.steps.kinds import all_kinds
from tests.fakes import MemoryCache, artifact
from tests.support import Bench

KINDS = all_kinds()
ONE = Estimate(Decimal(1), Decimal(1))
CLIP = Model(
    "clip", "Clip", "test/clip", ("text-to-video",), "video",
    (
        Field("prompt", "string", required=True, alias="prompt"),
        Field("firstImageUrl", "image", alias="first_frame"),
        Field("videoUrl", "video", alias="video"),
        Field("seed", "integer", alias="seed"),
        Field("resolution", "enum", default="720p", enum=("720p", "1080p"), alias="resolution"),
        Field("sound", "boolean", default=False, alias="with_audio"),
    ),
)  # fmt: skip


def money(*amounts: str, currency: str = "CNY") -> list[Money]:
    return [Money(Decimal(each), currency) for each in amounts]


def of_model(inputs: dict[str, Any], price: Price | None = None, model: Model = CLIP) -> str | None:
    return label_of(KINDS["text-to-video"], replace(model, price=price), inputs)


def test_what_is_paid_with_two_kinds_of_money_is_learnt_in_both() -> None:
    both = [Money(Decimal(each), also=(Money(Decimal(coins), "coins"),)) for each, coins in (("0.2", 5), ("0.3", 4))]
    found = learnt([*money("9"), *both])
    assert found is not None
    assert str(found) == "~0.2 to 0.3 CNY + ~4 to 5 coins"
    assert str(total([found, found])) == "~0.4 to 0.6 CNY and ~8 to 10 coins"
    assert str(found.or_nothing()) == "at most ~0.3 CNY + at most ~5 coins"


def test_bills_are_kept_as_older_stores_hold_them() -> None:
    old = ["0.20", "CNY"]
    assert Money.from_json(old) == Money(Decimal("0.20"))
    assert Money.from_json(old).to_json() == old
    both = Money(Decimal("0.20"), also=(Money(Decimal(5), "coins"),))
    assert Money.from_json(both.to_json()) == both
    assert [str(each) for each in both.parts] == ["0.2 CNY", "5 coins"]


# --- by what it is learnt --------------------------------------------------------------------------------------------


def test_settings_count_and_texts_files_and_seeds_do_not() -> None:
    plain = of_model({"prompt": "a"})
    assert plain == "clip resolution=720p sound=false"
    assert plain == of_model({"prompt": "b", "seed": 7, "firstImageUrl": artifact("a.png"), "resolution": "720p"})
    assert of_model({"prompt": "a", "resolution": "1080p"}) == "clip resolution=1080p sound=false"


def test_the_length_of_the_clip_that_goes_in_counts_where_none_is_asked_for() -> None:
    clip = artifact("a.mp4", duration=4.2)
    assert of_model({"prompt": "a", "videoUrl": clip}) == "clip resolution=720p sound=false 5s"


@pytest.mark.parametrize(
    ("price", "learns"),
    [
        (None, True),
        (Price("call", fixed=Decimal(1)), False),
        (Price("second", fixed=Decimal(1)), False),  # told once the length is known
        (Price("second", lowest=Decimal(1)), True),
        (Price("call", fixed=Decimal(1), floor=True), True),
        (Price("call", rules=(({"resolution": "720p"}, Decimal(1)),)), False),
        (Price("call", rules=(({"resolution": "1080p"}, Decimal(1)),)), True),
    ],
)
def test_only_what_the_list_leaves_open_is_learnt(price: Price | None, learns: bool) -> None:
    assert (of_model({"prompt": "a"}, price) is not None) == learns


def test_a_setting_to_come_leaves_it_open_and_a_text_to_come_does_not() -> None:
    assert of_model({"prompt": Pending(), "videoUrl": Pending("video")}) == "clip resolution=720p sound=false"
    assert of_model({"prompt": "a", "resolution": Pending()}) is None


def test_of_a_workflow_the_machine_and_the_graph_count() -> None:
    kind, graph = KINDS["comfyui"], artifact("graph.json")
    assert label_of(kind, None, {"workflow": "7", "nodes": {"6.text": "a"}}) == "comfyui workflow=7"
    told = label_of(kind, None, {"workflow": "7", "instance_type": "plus", "graph": graph, "password": "sesame"})
    assert told == f"comfyui graph={graph.digest[:16]} instance_type=plus workflow=7"
    assert label_of(KINDS["quick-create"], None, {"app": "7", "code": "002"}) == "quick-create app=7 code=002"
    assert label_of(KINDS["upload"], None, {"file": graph}) is None


# --- what is told ----------------------------------------------------------------------------------------------------


def test_the_range_of_the_bills() -> None:
    found = learnt(money("0.42", "0.31", "0.4"))
    assert found == Estimate(Decimal("0.31"), Decimal("0.42"), "CNY", 3)
    assert (str(found), str(learnt(money("0.4")))) == ("~0.31 to 0.42 CNY", "~0.4 CNY")
    assert found is not None and str(found.or_nothing()) == "at most ~0.42 CNY"


def test_money_of_two_kinds_is_never_one_range_and_nothing_is_learnt_from_nothing() -> None:
    mixed = [*money("9"), *money("5", "7", currency="coins"), *money("0")]
    assert str(learnt(mixed)) == "~5 to 7 coins"
    assert learnt([]) is None
    assert learnt(money("0", "0")) is None


@pytest.mark.parametrize(
    ("estimates", "text", "basis"),
    [
        ([Estimate(), Estimate()], "0", "list"),
        ([Estimate(Decimal(1), Decimal(2)), ONE], "2 to 3 CNY", "list"),
        ([ONE, learnt(money("2", "3"))], "~3 to 4 CNY", "learnt"),
        ([ONE, learnt(money("6", currency="coins"))], "1 CNY and ~6 coins", "learnt"),
        ([ONE, learnt(money("6", currency="coins")), UNKNOWN], "at least 1 CNY and 6 coins", "unknown"),
        ([UNKNOWN, Estimate(Decimal(0), Decimal(5))], "unknown", "unknown"),
    ],
)  # fmt: skip
def test_sums_keep_currencies_apart_and_say_where_they_come_from(
    estimates: list[Estimate], text: str, basis: str
) -> None:
    assert (str(total(estimates)), total(estimates).basis) == (text, basis)


# --- plans -----------------------------------------------------------------------------------------------------------

FLOWS = """
budget: {max_cost: CAP}
steps:
  draw: {uses: comfyui, foreach: [a, b], with: {workflow: "7", nodes: {6.text: "${{ item }}"}}}
  more: {uses: comfyui, with: {workflow: "7", nodes: {6.text: "${{ steps.draw.files[0].name }}"}}}
"""
LABEL = "comfyui workflow=7"


def flows(cap: str, *bills: Money) -> Bench:
    return Bench(FLOWS.replace("CAP", cap), cache=MemoryCache(billed={LABEL: [*bills]} if bills else {}))


def test_a_plan_reads_what_was_learnt_once_and_only_where_the_list_is_silent() -> None:
    bench = flows("1 CNY", *money("0.2", "0.3"))
    decisions = bench.plan().decisions
    prices = [str(each.estimate) for each in decisions.values() if isinstance(each, Run | Wait)]
    assert prices == ["~0.2 to 0.3 CNY", "~0.2 to 0.3 CNY", "at most ~0.3 CNY"]
    assert bench.log.count("bills") == 1
    listed = Bench("steps: {a: {uses: text-to-image, with: {prompt: x}}}")
    listed.plan()
    assert "bills" not in listed.log


def refusals(bench: Bench, *, allow_unknown: bool = False) -> list[str]:
    return [each.message for each in judge(bench.pipeline, bench.plan(), allow_unknown=allow_unknown).problems]


def test_a_budget_holds_a_plan_to_the_dearest_of_the_last_calls() -> None:
    bills = money("0.2", "0.3")
    assert refusals(flows("0.9 CNY", *bills)) == []
    said = ["the plan may cost 0.9 CNY (judging by the last calls), more than 0.8 CNY"]
    assert refusals(flows("0.8 CNY", *bills)) == said
    assert refusals(flows("0.8 CNY", *bills), allow_unknown=True) == said


def test_what_was_never_billed_or_in_other_money_is_not_known() -> None:
    assert refusals(flows("9 CNY")) == ["what the plan costs is not known"]
    assert refusals(flows("9 CNY", *money("5", currency="coins"))) == [
        "the plan may cost 15 coins (judging by the last calls), and the budget names no coins"
    ]
    assert refusals(flows("15 coins", *money("5", currency="coins"))) == []

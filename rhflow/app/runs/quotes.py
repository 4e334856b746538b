"""What the service itself says that the calls of a plan cost: asked for free, before anything is paid.

Only calls of models can be asked about, and only those whose inputs are known. A file that the service cannot read yet
leaves its call out, unless the user wants it uploaded: asking for a price must not send anybody's files anywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rhflow.app.account.account import open_account
from rhflow.app.recipes.load import Recipe
from rhflow.app.request import Request
from rhflow.app.runs.preflight import check_here
from rhflow.app.runs.prepare import Prepared, prepared
from rhflow.core.cost import Estimate
from rhflow.core.errors import RefusedError, RhflowError
from rhflow.core.plan.calls import StepCall
from rhflow.core.plan.dry_run import dry_run
from rhflow.core.plan.plan import Later, Plan, Run, Wait
from rhflow.core.values import Artifact, Money
from rhflow.steps.context import Tools
from rhflow.steps.model import linked

AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Quote:
    """What the service says that a call costs, beside what is ``expected``.

    ``price`` is None where it names none, and ``why`` says why. ``text`` is in its own words; ``free`` where this one
    call costs nothing.
    """

    expected: Estimate
    price: Money | None = None
    free: bool = False
    text: str = ""
    why: str | None = None

    @property
    def differs(self) -> bool:
        """Whether it is another price than the one expected, as far as both are known."""
        price, expected = self.price, self.expected
        if price is None or (not expected.known and not expected.low):
            return False
        if price.currency != expected.currency:
            return True
        return price.amount < expected.low or (expected.high is not None and price.amount > expected.high)


def make_quoted_plan(request: Request, *, upload: bool) -> tuple[Plan, Recipe, Mapping[str, Quote]]:
    """Return what a run would do, the recipe, and by node what the service says of its paid calls, equal ones once.

    Raises RhflowError, also when the service cannot be asked at all.
    """
    with prepared(request) as ready:
        plan = dry_run(ready.planner)
        check_here(plan)
        return plan, ready.recipe, asyncio.run(_quotes(ready, plan, upload=upload))


async def _quotes(ready: Prepared, plan: Plan, *, upload: bool) -> dict[str, Quote]:
    calls: dict[str, tuple[StepCall, Estimate]] = {}
    found: dict[str, Quote] = {}
    seen: set[str] = set()
    for node, decision in plan.decisions.items():
        match decision:
            case Run(call, _, estimate) if call.kind.paid and call.key not in seen:
                seen.add(call.key)
                found[node] = Quote(estimate, why="the service quotes models only")
                if call.model is not None:
                    calls[node] = call, estimate
            case Wait(draft, on, estimate) if draft.kind.paid:
                found[node] = Quote(estimate, why=f"what `{on[0]}` gives is not known yet")
            case Later(_, estimate) if estimate.high != 0:
                found[node] = Quote(estimate, why="how many there will be is not known yet")
    if calls:
        async with open_account(ready.request, ready.store, ready.recipe.catalog) as account:
            answers = await ask([*calls.values()], account.tools, upload=upload)
        found |= zip(calls, answers, strict=True)
    return found


async def ask(calls: Sequence[tuple[StepCall, Estimate]], tools: Tools, *, upload: bool) -> list[Quote]:
    """Return what the service says of calls of models beside what is expected, one question each.

    Raises RhflowError when there is no way to it, or when it refuses all of them: that is about the account.
    """
    gate = asyncio.Semaphore(AT_ONCE)
    lost: list[RhflowError] = []
    refused: list[RhflowError] = []

    async def one(call: StepCall, expected: Estimate) -> Quote:
        async with gate:
            if lost:
                return Quote(expected)
            try:
                return await _ask_one(call, expected, tools, upload=upload)
            except RhflowError as error:
                if any(each.code == "api-unreachable" for each in error.problems):
                    lost.append(error)
                if isinstance(error, RefusedError):
                    refused.append(error)
                return Quote(expected, why=error.problems[0].message)

    quotes = await asyncio.gather(*(one(*each) for each in calls))
    if lost or len(refused) == len(calls):
        raise (lost or refused)[0]
    return quotes


class _NotUploadedError(Exception):
    """A file is not where the service could read it."""


async def _ask_one(call: StepCall, expected: Estimate, tools: Tools, *, upload: bool) -> Quote:
    async def known_link(artifact: Artifact) -> str:
        if (link := tools.vault.known_link(artifact)) is None:
            raise _NotUploadedError(artifact.name)
        return link

    assert call.model is not None
    try:
        link = tools.vault.link if upload else known_link
        inputs: dict[str, Any] = {name: await linked(value, link) for name, value in call.inputs.items()}
    except _NotUploadedError as error:
        return Quote(expected, why=f"`{error}` is not uploaded yet (`--upload` does that)")
    told = await tools.hub.price_preview(call.model.endpoint, inputs)
    if told.free:
        return Quote(expected, Money(Decimal(0), told.price.currency), free=True, text=told.text)
    if not told.price.amount:
        return Quote(expected, text=told.text, why="the service names a price only afterwards")
    return Quote(expected, told.price, text=told.text)

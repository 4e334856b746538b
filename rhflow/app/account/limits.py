"""How much of an account a run may use at once, and how long its steps are likely to take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rhflow.app.request import Request
from rhflow.core import canonical
from rhflow.core.errors import RhflowError
from rhflow.core.graph.graph import Node
from rhflow.core.kinds import KindSpec
from rhflow.core.plan.plan import InDoubt, Later, Plan, Resume, Run, Wait
from rhflow.core.recipe.document import Step
from rhflow.runninghub.client import RunningHub
from rhflow.settings import read_pools

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rhflow.core.plan.calls import Draft, StepCall

DEFAULT_LIMIT = 8
"""Tasks at once on an account that does not tell its limit."""
_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Limit:
    """How many tasks the account may run at once; ``why`` says why that is only assumed, None when it was told."""

    count: int
    why: str | None = None


UNASKED = Limit(DEFAULT_LIMIT)
"""For who is not about to pay."""


async def limit_of(hub: RunningHub) -> Limit:
    """Ask the service for the account's limit. It is assumed when it cannot be had within ten seconds."""
    try:
        async with asyncio.timeout(_PATIENCE):
            told = (await hub.queue_status()).limit
    except TimeoutError:
        return Limit(DEFAULT_LIMIT, "no answer in time")
    except RhflowError as error:
        return Limit(DEFAULT_LIMIT, error.problems[0].message)
    return Limit(told) if told else Limit(DEFAULT_LIMIT, "the service does not tell it")


def most_of(request: Request, limit: Limit) -> int:
    """Return how many tasks a run may have at once: what the user wants, at most what the account may.

    An assumed limit holds nobody back who asks for more.
    """
    pools = {**read_pools(Path.cwd()), **dict(request.pools)}
    wanted = [each for each in (request.jobs, pools.get("account")) if each is not None]
    return min(wanted if wanted and limit.why is not None else [*wanted, limit.count])


def name_of(site: str, key: str) -> str:
    """Return what an account is called in the store: its key cannot be told from it."""
    return canonical.digest("account", {"site": site, "key": key})


def makes_paid_calls(plan: Plan) -> bool:
    """Whether carrying a plan out means, or may mean, to pay."""
    found = (_made(each) for each in plan.decisions.values())
    return any(each is not None and each.kind.paid for each in found) or any(
        isinstance(each, Later) for each in plan.decisions.values()
    )


def asks_the_service(plan: Plan, kinds: Mapping[str, KindSpec]) -> bool:
    """Whether carrying a plan out takes, or may take, the service at all, and so a key."""
    found = (_made(each) for each in plan.decisions.values())
    later = (plan.graph.nodes[node].step for node, each in plan.decisions.items() if isinstance(each, Later))
    return any(each is not None and each.kind.pool != "local" for each in found) or not all(
        _stays_here(step, kinds) for step in later
    )


def _stays_here(step: Step, kinds: Mapping[str, KindSpec]) -> bool:
    """Whether this machine carries a step out by itself; of a recipe that is a step, all that is in it."""
    if step.child is not None:
        return all(_stays_here(each, kinds) for each in step.child.steps.values())
    return kinds[step.kind].pool == "local"


def seconds_by(
    plan: Plan, kinds: Mapping[str, KindSpec], expected: Callable[[str, float], float]
) -> Callable[[Node], float]:
    """Return what says how long a node is likely to take, in seconds of the service."""

    def seconds(node: Node) -> float:
        usual = kinds[node.step.kind].typical_seconds
        made = _made(plan.decisions.get(node.id))
        return usual if made is None or made.model is None else expected(made.model.id, usual)

    return seconds


def _made(decision: object) -> StepCall | Draft | None:
    match decision:
        case Run(call) | Resume(call) | InDoubt(call):
            return call
        case Wait(draft):
            return draft
        case _:
            return None

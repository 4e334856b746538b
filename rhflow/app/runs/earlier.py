"""What a run does about calls that earlier runs of its recipe left open: ask about doubtful ones, fetch the others."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rhflow.app.account.account import Account, open_account
from rhflow.app.account.leftovers import collect
from rhflow.app.account.open_calls import left_open, realm_of
from rhflow.app.report import Doubt, Leftover
from rhflow.core.errors import RhflowError
from rhflow.core.plan.plan import Plan, Resume
from rhflow.steps.context import Tools
from rhflow.store.submissions import Submission

if TYPE_CHECKING:
    from rhflow.app.runs.prepare import Prepared
    from rhflow.app.runs.run import Watcher

_EVIDENCE_TIMEOUT = 5.0


def left_over(ready: Prepared, *, but: Collection[str] = (), also: Collection[str] = ()) -> list[Submission]:
    """Return what ended runs of the recipe left open in this realm, but for the calls that this run makes itself.

    ``also`` are keys of calls that may be open of whatever recipe's run.
    """
    found = left_open(ready.store, recipe=os.fspath(ready.request.recipe.absolute()))
    if also:
        known = {each.key for each in found}
        found += [each for each in left_open(ready.store) if each.key in also and each.key not in known]
    return [each for each in found if each.key not in but and realm_of(each) == ready.request.realm]


async def decided(ready: Prepared, account: Account, watcher: Watcher) -> Account:
    """Return the account with what to do about calls whose outcome nobody knows, asked where somebody can answer.

    How many tasks the account has is told to the person who answers, and decides nothing by itself: a call that was
    accepted and has ended is not counted any more, one that is still on its way is not counted yet, and other programs
    may use the account.
    """
    tools = account.tools
    if tools.closed or not ready.request.ask_unknown:
        return account
    doubtful = [each for each in left_over(ready) if each.task_id is None and each.site == tools.site]
    if not doubtful:
        return account
    shown = [Doubt(each.node or "", each.run, each.at, str((each.call or {}).get("price", ""))) for each in doubtful]
    choice = watcher.ask(shown, await _tasks_now(tools))
    ready.planner.told(choice)
    return replace(account, tools=replace(tools, on_unknown=choice))


async def _tasks_now(tools: Tools) -> int | None:
    """Return how many tasks the account runs or queues; None when that cannot be told."""
    try:
        async with asyncio.timeout(_EVIDENCE_TIMEOUT):
            return (await tools.hub.queue_status()).total
    except (RhflowError, TimeoutError):
        return None


async def fetch(ready: Prepared, account: Account, calls: Sequence[Submission], *, wait: bool) -> list[Leftover]:
    """Bring home what was left over; a Ctrl-C ends the waiting, not the run, which is over.

    What is in doubt stays so, whatever was answered: "pay for a new one" speaks of calls that this run makes. Given up
    here, a call of other parameters would be paid for again by their next run, unasked.
    """
    if account.tools.closed:
        return await _fetch_alone(ready, calls, wait=wait)
    try:
        return await collect(ready.store, replace(account.tools, on_unknown="wait"), calls, wait=wait)
    except asyncio.CancelledError:
        return [Leftover(each.run, each.node or "", "under-way", each.task_id) for each in calls]


async def fetch_alone(ready: Prepared) -> list[Leftover]:
    """Bring home what was left over although nothing has to run, as far as it is there."""
    return await _fetch_alone(ready, left_over(ready), wait=ready.request.wait_for_earlier)


async def fetch_paid(ready: Prepared, plan: Plan) -> list[Leftover]:
    """Bring home what was paid for although the run may not begin: that costs nothing new."""
    taken_up = {each.call.key for each in plan.decisions.values() if isinstance(each, Resume)}
    return await _fetch_alone(ready, left_over(ready, also=taken_up), wait=ready.request.wait_for_earlier)


async def _fetch_alone(ready: Prepared, calls: Sequence[Submission], *, wait: bool) -> list[Leftover]:
    if not calls:
        return []
    try:
        async with open_account(ready.request, ready.store, ready.recipe.catalog) as account:
            return await fetch(ready, account, calls, wait=wait)
    except RhflowError as error:  # no key, for one: what is delivered is told all the same
        return [Leftover(each.run, each.node or "", "under-way", each.task_id, str(error)) for each in calls]

"""A run told to stop from outside, and its tasks at the service cancelled.

What is cancelled was paid for, at least in part: so a task is looked at before and after, and one that has ended in the
meantime is kept like any other result.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rhflow.app.account.open_calls import lives
from rhflow.app.account.sites import at_each_site
from rhflow.app.past.history import PastRun, past_run
from rhflow.app.report import Leftover
from rhflow.core.errors import Problem, UsageError
from rhflow.settings import Settings
from rhflow.store.stops import FINISH, LEAVE
from rhflow.store.store import Store

PATIENCE = 15.0
"""Seconds that a run gets to leave: it looks for such requests every second, and waits up to three for a reply."""
_LOOK_EVERY = 0.1


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What came of it: ``level`` is what the run was asked for (None: it was not running), ``tasks`` its open calls."""

    run: str
    level: int | None
    tasks: Sequence[Leftover] = ()


async def cancel(settings: Settings, name: str, *, remote: bool) -> Cancelled:
    """Ask a run to stop, more urgently each time; ``remote`` also cancels its tasks at the service.

    Raises UsageError when there is no such run, or nothing to stop.
    """
    with Store.open(settings.store) as store:
        past = past_run(store, name)
        level = None
        if past.running:
            asked = store.stops.ask(past.record.id, at_least=LEAVE if remote else FINISH)
            level = await asyncio.wrap_future(asked)
        elif not remote or not past.open:
            raise _nothing_to_stop(past)
        if not remote:
            return Cancelled(past.record.id, level)
        if past.running:
            await _gone(store, past.record.id)
        calls = store.journal.open_of(run=past.record.id)
        tasks = await at_each_site(settings, store, calls, lambda each: each.cancel())
        return Cancelled(past.record.id, level, tasks)


def _nothing_to_stop(past: PastRun) -> UsageError:
    run, tasks = past.record.id, len(past.open)
    hint = f"`rhflow resume {run}` goes on with it" if past.record.status != "succeeded" else None
    if tasks:
        hint = f"`rhflow cancel {run} --remote` cancels what it has open ({tasks}), `rhflow resume {run}` fetches it"
    return UsageError(Problem("not-running", f"run `{run}` is not running: it {_ended(past)}", hint=hint))


def _ended(past: PastRun) -> str:
    return "died" if past.record.status == "died" else f"ended, {past.record.status}"


async def _gone(store: Store, run: str) -> None:
    """Wait until a run has left, so that it can send nothing more. Raises UsageError when it does not."""
    deadline = time.monotonic() + PATIENCE
    while lives(store, run):
        if time.monotonic() > deadline:
            message = f"run `{run}` does not leave, so its tasks are not cancelled: it might send more"
            hint = f"end its process, then type `rhflow cancel {run} --remote`"
            raise UsageError(Problem("still-running", message, hint=hint))
        await asyncio.sleep(_LOOK_EVERY)

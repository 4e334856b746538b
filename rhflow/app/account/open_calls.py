"""Which paid calls are open and whose they are; light, as listing runs asks for no more than this."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rhflow.core.plan.former import OpenCall
from rhflow.store.journal import run_lock
from rhflow.store.store import Store
from rhflow.store.submissions import Submission

IN_PROCESS = "http://simulator.rhflow.internal"
"""The address of a simulator that lives and dies with its run; what follows it tells one from another."""
_LOOKS = 3
_BETWEEN_LOOKS = 0.005


def lives(store: Store, run: str) -> bool:
    """Whether the process of a run is still there: it holds the run's lock, which the kernel frees.

    To look means to take the lock for a moment, so that another who looks may be in the way: hence more than one look.
    """
    for _ in range(_LOOKS):
        if store.locks.try_acquire(run_lock(run)):
            store.locks.release(run_lock(run))
            return False
        time.sleep(_BETWEEN_LOOKS)
    return True


def left_open(store: Store, *, recipe: str | None = None, run: str | None = None) -> list[Submission]:
    """Return the open calls of runs that have ended or died: of one run, of a recipe (its absolute path), or of all."""
    found = store.journal.open_of(recipe=recipe, run=run)
    alive = {each: lives(store, each) for each in {call.run for call in found}}
    return [each for each in found if not alive[each.run]]


def open_by_key(store: Store, keys: Sequence[str], *, but: str) -> dict[str, OpenCall]:
    """Return the open calls among ``keys`` as a plan is told of them, those of run ``but`` left out: it is at them."""
    found = {key: call for key, call in store.journal.open_submissions(keys).items() if call.run != but}
    alive = {run: lives(store, run) for run in {call.run for call in found.values()}}
    return {
        key: OpenCall(call.run, call.at, call.task_id, call.site, running=alive[call.run])
        for key, call in found.items()
    }


def realm_of(call: Submission) -> str:
    """Return the realm of a call, ``live`` where it was not told: what may be real money is never given up."""
    return str((call.call or {}).get("ingredients", {}).get("realm", "live"))


def died_with_its_run(call: Submission) -> bool:
    """Whether a call was made on a simulator that is no more once the run is not."""
    return call.site is not None and call.site.startswith(IN_PROCESS)

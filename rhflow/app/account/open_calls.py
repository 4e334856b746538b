"""Which paid calls are open and whose they are; light, as listing runs asks for no more than this."""

from __future__ import annotations

import time

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


def realm_of(call: Submission) -> str:
    """Return the realm of a call, ``live`` where it was not told: what may be real money is never given up."""
    return str((call.call or {}).get("ingredients", {}).get("realm", "live"))


def died_with_its_run(call: Submission) -> bool:
    """Whether a call was made on a simulator that is no more once the run is not."""
    return call.site is not None and call.site.startswith(IN_PROCESS)

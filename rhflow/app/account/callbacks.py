"""What a listener on the same store notes while a run lives: it ends waiting early, and settles what is in doubt.

Nobody signs callbacks, so one never says how a task ended: it makes the poller ask at once, and a task that only a
callback has told of counts when the service knows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

from rhflow.core.errors import RhflowError, StoreError
from rhflow.runninghub.waiting.poller import Poller
from rhflow.steps.context import OpenTask
from rhflow.steps.submit import call_name
from rhflow.store.callbacks import LISTENER
from rhflow.store.store import Store

Known: TypeAlias = Callable[[str], Awaitable[bool]]
"""Says whether the service knows a task. Raises RhflowError."""
LOOK_EVERY = 0.5
"""Seconds between two looks; one look reads a number, and what there is only when that has changed."""


@asynccontextmanager
async def heeding(store: Store, poller: Poller, *, every: float = LOOK_EVERY) -> AsyncIterator[None]:
    """Hurry the poller for every task whose end was called back while it waits for it."""
    looking = asyncio.create_task(_heed(store, poller, every))
    try:
        yield
    finally:
        looking.cancel()


async def _heed(store: Store, poller: Poller, every: float) -> None:
    version, heeded = -1, set[tuple[str, float]]()
    while True:
        await asyncio.sleep(every)
        if not poller.watching:
            continue
        try:
            if (now := store.callbacks.version()) == version:
                continue
            told = store.callbacks.of_open_calls()
        except StoreError:
            continue  # polling goes on without; if it stays, the run meets it when it writes
        heeded |= {each for each in told - heeded if poller.hurry(each[0])}
        version = now if told <= heeded else -1  # one that is not waited for yet may be so at the next look


def is_listened(store: Store) -> bool:
    """Whether somebody notes callbacks in this store. One who looks at the same moment counts as such, for a moment."""
    if not store.locks.try_acquire(LISTENER):
        return True
    store.locks.release(LISTENER)
    return False


async def find(store: Store, call: OpenTask, *, known: Known) -> str | None:
    """Return the task that a call became whose reply was lost, if a callback has told of one and it is ``known``."""
    for task in store.callbacks.tasks_of(call_name(call.key), since=call.at):
        if await known(task):
            return task
    return None


async def wait_for(
    store: Store,
    call: OpenTask,
    *,
    known: Known,
    seconds: float,
    on_wait: Callable[[], Awaitable[None]],
    every: float = LOOK_EVERY,
) -> str | None:
    """Return the same as soon as it is told; None after ``seconds``, or when nobody is there who notes callbacks.

    ``on_wait`` is called before the waiting begins.
    """
    until = asyncio.get_running_loop().time() + seconds
    if is_listened(store):
        await on_wait()
    while True:
        listened = is_listened(store)
        try:
            if (task := await find(store, call, known=known)) is not None:
                return task
        except RhflowError:
            pass  # it cannot be looked up now, and is asked about again
        if not listened or asyncio.get_running_loop().time() >= until:
            return None
        await asyncio.sleep(every)

"""Single flight: equal calls in one run, in two runs, in two processes become one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

FIRST_WAIT = 0.02
LONGEST_WAIT = 1.0


class KeyLocks(Protocol):
    """Locks by key that the kernel frees when their holder dies."""

    def try_acquire(self, key: str) -> bool: ...
    def release(self, key: str) -> None: ...


class SingleFlight:
    """Waits without a thread per waiter: first for this process, then, with growing gaps, for the others."""

    def __init__(self, locks: KeyLocks) -> None:
        self._locks = locks
        self._here: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def hold(self, key: str) -> AsyncIterator[None]:
        """Hold ``key`` on the whole machine."""
        lock, users = self._here.get(key, (asyncio.Lock(), 0))
        self._here[key] = (lock, users + 1)
        try:
            async with lock:
                await self._acquire(key)
                try:
                    yield
                finally:
                    self._locks.release(key)
        finally:
            lock, users = self._here[key]
            if users == 1:
                del self._here[key]
            else:
                self._here[key] = (lock, users - 1)

    async def _acquire(self, key: str) -> None:
        wait = FIRST_WAIT
        while not self._locks.try_acquire(key):
            await asyncio.sleep(wait)
            wait = min(wait * 1.5, LONGEST_WAIT)

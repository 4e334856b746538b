"""Answers that hold for a whole run: what cannot change meanwhile is asked for once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """Remembers answers by key; those who ask at the same time wait for one. A failure is not remembered."""

    def __init__(self) -> None:
        self._answers: dict[str, T] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def get(self, key: str, ask: Callable[[], Awaitable[T]]) -> T:
        """Return the answer for ``key``, from ``ask`` when there is none yet."""
        async with self._locks.setdefault(key, asyncio.Lock()):
            if key not in self._answers:
                self._answers[key] = await ask()
            return self._answers[key]

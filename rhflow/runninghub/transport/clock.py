"""How the client measures and spends time, as arguments: a test brings its own, the simulator runs faster."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

_SLOW_MACHINE = 120.0


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as the client sees it.

    ``scale`` is real seconds per second of the service: 1 for the real one, 1/20 for a simulator that runs at speed
    20. ``now`` and ``sleep`` count real seconds, ``wall`` those since 1970, which all processes share; ``jitter``
    gives a number from 0 to 1.
    """

    scale: float = 1.0
    now: Callable[[], float] = _loop_time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    wall: Callable[[], float] = time.time
    jitter: Callable[[], float] = random.random

    def patience(self, seconds: float) -> float:
        """Return for how many real seconds to wait for a task that may take so many of the service's.

        A simulator computes what it makes, and a slow machine does so no faster because its clock runs fast.
        """
        return max(seconds * self.scale, min(seconds, _SLOW_MACHINE))

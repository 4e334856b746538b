"""How the client measures and spends time, as arguments: a test brings its own, the simulator runs faster."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as the client sees it.

    ``scale`` is real seconds per second of the service: 1 for the real one, 1/20 for a simulator that runs at speed
    20. ``now`` and ``sleep`` count real seconds; ``jitter`` gives a number from 0 to 1.
    """

    scale: float = 1.0
    now: Callable[[], float] = _loop_time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random

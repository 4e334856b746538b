"""Too many requests: one such answer slows every call of the account down, in this process and in all others.

For as long as the service asks, or for a time that doubles with every such answer in a row, nothing is sent at all but
what is on its way already; then the calls come back spread out over as long again.
"""

from __future__ import annotations

from collections.abc import Callable

from rhflow.runninghub.transport.clock import Clock
from rhflow.runninghub.transport.retry import Backoff, wait_for

SLOWER = Backoff(first=2, factor=2, longest=60)
LOOK = 1.0
"""Real seconds between two looks at what other processes found out."""
SPREAD = 10.0
"""Real seconds over which waiting calls come back at most."""


class Pace:
    """The pace of one account. ``shared()`` gives until when (seconds since 1970) another process wants it slow, and
    ``share(until)`` tells them."""

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        shared: Callable[[], float] = lambda: 0.0,
        share: Callable[[float], object] = lambda until: None,
    ) -> None:
        self._clock, self._shared, self._share = clock or Clock(), shared, share
        self._until = self._looked = 0.0
        self._length = 0.0
        self._in_a_row = 0

    async def turn(self) -> None:
        """Return when a request may be sent: at once, unless things are slow."""
        self._look()
        waited_for = 0.0
        while self._until > waited_for and (left := self._until - self._clock.wall()) > 0:
            waited_for = self._until
            await self._clock.sleep(left + self._clock.jitter() * min(self._length, SPREAD))

    def slow_down(self, asked: float | None = None) -> None:
        """Take in that the service wants fewer requests; ``asked`` is for how many seconds."""
        now = self._clock.wall()
        if now < self._until:
            return  # sent before that was known
        self._in_a_row += 1
        self._length = wait_for(SLOWER, self._in_a_row, clock=self._clock, asked=asked)
        self._until = now + self._length
        self._share(self._until)

    def answered(self) -> None:
        """Take in that a request was answered as it should be."""
        if self._in_a_row and self._clock.wall() >= self._until:
            self._in_a_row = 0

    def _look(self) -> None:
        now = self._clock.wall()
        if now >= self._looked + LOOK:
            self._looked = now
            if (until := self._shared()) > max(self._until, now):
                self._until, self._length = until, until - now

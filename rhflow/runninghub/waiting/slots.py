"""The account's limit: a call takes a place before it is submitted and gives it back when its task has ended.

An account runs so many tasks at a time and refuses more. All runs on this machine share the places through a ledger;
whoever waits asks it a few times a second, once for all calls of the run, and is woken at once by a place that comes
free in its own process. What other programs take shows in refusals: then nobody tries for a while, and fewer places
are used until the service takes more again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from types import TracebackType
from typing import NamedTuple, Protocol, Self

from rhflow.core.errors import NotBegun, RhflowError
from rhflow.runninghub.transport.clock import Clock
from rhflow.runninghub.transport.retry import FULL, wait_for

FIRST_LOOK = 0.03
LONGEST_LOOK = 0.3
"""Real seconds between two looks at the ledger."""
MOMENT = 0.25
"""Real seconds of waiting that nobody needs to be told of."""
COURTESY = 2.0
"""Real seconds for which a place is left to those who come first by right."""
LOWERED = 300.0
"""Seconds of the service for which a refusal is remembered."""
FIRST_CHECK = 2.0
LONGEST_CHECK = 60.0
"""Seconds of the service between two questions whether abandoned tasks have ended."""


class Offer(NamedTuple):
    """What the ledger gives: leases. Where they are fewer than wanted: whether there is room that other runs go
    before, and the tasks that take places but that nobody waits for."""

    leases: list[int]
    outranked: bool
    orphans: list[str]


class Ledger(Protocol):
    """The places of the account as all runs on this machine see them. Times are seconds since 1970."""

    def take(self, want: int, *, limit: int, rude: bool) -> Future[tuple[list[int], bool, list[str]]]: ...
    def withdraw(self) -> object: ...
    def sending(self, lease: int, key: str) -> object: ...
    def adopt(self, task: str) -> Future[int]: ...
    def accepted(self, lease: int, task: str) -> object: ...
    def ended(self, lease: int) -> object: ...
    def unused(self, lease: int) -> object: ...
    def left(self, lease: int) -> object: ...
    def gone(self, task: str) -> object: ...
    def refused(self, lease: int, *, pause_until: float, lowered_until: float) -> object: ...


class Slots:
    """The places of one run. ``limit`` is the account's, ``most`` what this run may take of it.

    ``has_ended`` says whether a task has ended, for tasks that nobody waits for; it may raise RhflowError.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        limit: int,
        most: int,
        clock: Clock,
        has_ended: Callable[[str], Awaitable[bool]],
    ) -> None:
        self.limit, self.most = max(limit, most), most
        self._ledger, self._clock = ledger, clock
        self._orphans = Orphans(ledger, clock, has_ended)
        self._tasks: dict[str, int] = {}
        self._taken = 0
        self._waiting: deque[asyncio.Future[int]] = deque()
        self._serving: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._refusals, self._pause_until = 0, 0.0
        self._queued = False
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)

    def turn(self, key: str) -> Turn:
        """Return what the call of this key takes a place with."""
        return Turn(self, key)

    @asynccontextmanager
    async def occupied(self, task_id: str) -> AsyncIterator[None]:
        """Hold the place that a task has while it is waited for; it is left to the task should that end early."""
        if task_id not in self._tasks:  # an earlier run's
            self._tasks[task_id] = await asyncio.wrap_future(self._ledger.adopt(task_id))
            self._taken += 1
        try:
            yield
        except BaseException:
            self._ledger.left(self._tasks.pop(task_id))
            self._freed()
            raise
        self._ledger.ended(self._tasks.pop(task_id))
        self._freed()

    def close(self) -> None:
        """Give out no more places: who waits for one gets NotBegun."""
        self._closed = True
        self._disappoint(NotBegun())
        self._news.set()

    # -- what turns do --

    async def take(self, key: str, on_wait: Callable[[], Awaitable[None]]) -> int:
        """Return a lease for a call when there is one; ``on_wait`` is called when that takes more than a moment."""
        if self._closed:
            raise NotBegun
        waiter: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        if self._serving is None or self._serving.done():
            self._serving = asyncio.create_task(self._serve())
        self._news.set()
        try:
            await asyncio.wait([waiter], timeout=MOMENT)
            if not waiter.done():
                await on_wait()
            lease = await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self.unused(waiter.result())
            waiter.cancel()
            raise
        self._ledger.sending(lease, key)
        return lease

    def accepted(self, lease: int, task_id: str) -> None:
        """Note the task that a place is for."""
        self._refusals = 0
        self._tasks[task_id] = lease
        self._ledger.accepted(lease, task_id)

    def unused(self, lease: int) -> None:
        """Give a place back."""
        self._ledger.unused(lease)
        self._freed()

    def refused(self, lease: int, asked: float | None) -> float:
        """Give a place back that the service did not have; returns the seconds for which nobody tries."""
        now = self._clock.wall()
        if now >= self._pause_until:  # else it belongs to the same burst
            self._refusals += 1
            self._pause_until = now + wait_for(FULL, self._refusals, clock=self._clock, asked=asked)
        lowered_until = self._pause_until + LOWERED * self._clock.scale
        self._ledger.refused(lease, pause_until=self._pause_until, lowered_until=lowered_until)
        self._freed()
        return self._pause_until - now

    def _freed(self) -> None:
        self._taken -= 1
        self._news.set()

    # -- the one who asks for all --

    async def _serve(self) -> None:
        """Give places to those who wait, first come, first served; ends when nobody does."""
        gap, blocked = FIRST_LOOK, 0.0
        try:
            while self._count_waiting():
                self._news.clear()
                offer = await self._bid(rude=blocked >= COURTESY)
                if offer is not None and offer.leases:
                    gap, blocked = FIRST_LOOK, 0.0
                    continue
                pause = gap * (0.5 + self._clock.jitter() / 2)
                blocked = blocked + pause if offer is not None and offer.outranked else 0.0
                if offer is not None:
                    await self._orphans.look_after(offer.orphans)
                woken = await self._nap(None if offer is None else pause)
                gap = FIRST_LOOK if woken else min(gap * 1.5, LONGEST_LOOK)
        except Exception as error:  # nobody may wait for ever: whoever waits hears of it
            self._disappoint(error)
        finally:
            self._withdraw()

    def _disappoint(self, error: Exception) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_exception(error)

    def _withdraw(self) -> None:
        """Let the others know that this run waits for nothing, if they think it does."""
        if self._queued:
            self._queued = False
            self._ledger.withdraw()

    def _count_waiting(self) -> int:
        while self._waiting and self._waiting[0].done():
            self._waiting.popleft()
        return sum(not each.done() for each in self._waiting)

    async def _bid(self, *, rude: bool) -> Offer | None:
        """Ask for as many places as are wanted and hand them out; None when this run may take no more."""
        want = min(self._count_waiting(), self.most - self._taken)
        if want <= 0:
            self._withdraw()
            return None
        self._taken += want
        offer = Offer(*await asyncio.wrap_future(self._ledger.take(want, limit=self.limit, rude=rude)))
        self._taken -= want - len(offer.leases)
        self._queued = len(offer.leases) < want
        for lease in offer.leases:
            if self._count_waiting():
                self._waiting.popleft().set_result(lease)
            else:
                self.unused(lease)
        return offer

    async def _nap(self, seconds: float | None) -> bool:
        """Sleep so long (None: without end) or until something changes here; says whether it did."""
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return False
        return True


class Turn:
    """One call on its way to a task: it may take a place more than once, as the service may refuse it."""

    def __init__(self, slots: Slots, key: str) -> None:
        self._slots, self._key = slots, key
        self._lease: int | None = None

    async def take(self, on_wait: Callable[[], Awaitable[None]]) -> None:
        """Wait for a place, without end. Raises NotBegun when the run starts nothing more."""
        if self._lease is None:
            self._lease = await self._slots.take(self._key, on_wait)

    def accepted(self, task_id: str) -> None:
        """Leave the place to the task."""
        assert self._lease is not None
        self._slots.accepted(self._lease, task_id)
        self._lease = None

    def refused(self, asked: float | None) -> float:
        """Give the place back that the service did not have; returns the seconds for which nobody tries.

        ``asked`` is what the service asks to wait.
        """
        assert self._lease is not None
        lease, self._lease = self._lease, None
        return self._slots.refused(lease, asked)

    def give_back(self) -> None:
        """Give the place back if it is still held."""
        if self._lease is not None:
            self._slots.unused(self._lease)
            self._lease = None


class Orphans:
    """Asks after tasks that take places but that nobody waits for, with growing gaps."""

    def __init__(self, ledger: Ledger, clock: Clock, has_ended: Callable[[str], Awaitable[bool]]) -> None:
        self._ledger, self._clock, self._has_ended = ledger, clock, has_ended
        self._next = float("-inf")
        self._gap = FIRST_CHECK

    async def look_after(self, tasks: Sequence[str]) -> None:
        """Take note of those that have ended; does nothing when the last look was not long ago."""
        if not tasks or self._clock.now() < self._next:
            return
        for task in tasks:
            try:
                if await self._has_ended(task):
                    self._ledger.gone(task)
                    self._gap = FIRST_CHECK
            except RhflowError:
                pass  # not to be had now: the place stays taken, and the question is asked again
        self._next = self._clock.now() + self._gap * self._clock.scale
        self._gap = min(self._gap * 1.5, LONGEST_CHECK)

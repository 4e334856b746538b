"""Waiting for tasks: one poller per account asks about all of them, rarely and never all at once.

Every watch is a coroutine that sleeps until its next question, so the event loop's own timer heap is the schedule: a
thousand waiting tasks are a thousand timers and no connection. A heap and a background task of our own did the same
with more to go wrong (its life, its errors, removal on cancel). What the watches share is the gate: so many questions
in flight, so many per second.

Who hears from elsewhere that a task may have ended hurries its watch: it asks at once. Only the answer counts.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from rhflow.core.errors import RefusedError, StepError
from rhflow.runninghub.transport.clock import Clock
from rhflow.runninghub.wire.states import Status, TaskState

OnState = Callable[[TaskState], Awaitable[None] | None]

FIRST_LOOK = 0.5
GROWTH = 0.12
SHORTEST_GAP = 0.2
LONGEST_GAP = 15.0
LONG_TASK_GAP = 1 / 12
PATIENCE = 5
PER_TASK = 0.2
CHECK_AGAIN = 1.0
_SHORTEST_REAL_GAP = 0.01


def next_poll(elapsed: float, expected: float, polls: int) -> float:
    """Return the seconds until the next question about a task, given its age and what such tasks usually take.

    The first comes at half of what is expected, at once for an older task; then an eighth of the age, from 0.2 s up to
    15 s or, for long tasks, a twelfth of what is expected. So a task's end is noticed late by about a sixteenth of its
    duration, after about eight questions, whether it takes seconds or an hour.
    """
    if polls == 0:
        return max(expected * FIRST_LOOK - elapsed, SHORTEST_GAP)
    longest = max(LONGEST_GAP, expected * LONG_TASK_GAP)
    return min(max(elapsed * GROWTH, SHORTEST_GAP), longest)


@dataclass(eq=False, slots=True)
class _Watch:
    """One watch: whether it is to hurry, when it asked last, and how often it has asked again after a hurry."""

    task_id: str
    hurried: asyncio.Event = field(default_factory=asyncio.Event)
    asked: float = float("-inf")
    checks: int | None = None


class Poller:
    """Asks ``query`` about tasks until they end.

    ``per_second`` is the pace over time, in seconds of the service (see ``Clock.scale``), or else a fifth of the number
    of tasks where that is more; after a quiet while up to ``burst`` questions go out at once, so that two hundred short
    tasks do not wait for each other.
    """

    def __init__(
        self,
        query: Callable[[str], Awaitable[TaskState]],
        *,
        clock: Clock | None = None,
        max_in_flight: int = 32,
        per_second: float = 25.0,
        burst: int = 200,
    ) -> None:
        self._query = query
        self._clock = clock or Clock()
        self._gate = asyncio.Semaphore(max_in_flight)
        self._per_second, self._burst = per_second, burst
        self._watches: dict[str, list[_Watch]] = {}
        self._next_turn = float("-inf")

    @property
    def watching(self) -> bool:
        """Whether any task is waited for."""
        return bool(self._watches)

    def hurry(self, task_id: str) -> bool:
        """Ask about a task at once, as somebody says that it may have ended; says whether anybody waits for it.

        However often it is said before the question is sent, it is one question. If the task turns out to go on, it is
        asked about after 1, 2, 4 … s of the service, until that is longer than the usual gap: the service may tell of
        an end before its own books do.
        """
        found = self._watches.get(task_id, ())
        for watch in found:
            watch.hurried.set()
        return bool(found)

    async def watch(
        self, task_id: str, *, expected_seconds: float, on_state: OnState | None = None, age_seconds: float = 0.0
    ) -> TaskState:
        """Return the final state of a task.

        ``on_state`` is called, and awaited, for every new status, the final one included. ``age_seconds`` is how long
        the task has existed already. Raises the query's error after five failed queries in a row; the task goes on
        without us. Cancelling ends the watch and nothing else.
        """
        watch = _Watch(task_id)
        self._watches.setdefault(task_id, []).append(watch)
        try:
            return await self._watch(watch, expected_seconds, on_state, age_seconds)
        finally:
            self._watches[task_id].remove(watch)
            if not self._watches[task_id]:
                del self._watches[task_id]

    async def _watch(
        self, watch: _Watch, expected_seconds: float, on_state: OnState | None, age_seconds: float
    ) -> TaskState:
        started = self._clock.now() - age_seconds * self._clock.scale
        polls = failures = 0
        seen: Status | None = None
        while True:
            elapsed = (self._clock.now() - started) / self._clock.scale
            polls += await self._pause(watch, next_poll(elapsed, expected_seconds, polls))
            try:
                state = await self._ask(watch)
            except (StepError, RefusedError):  # a good key, too, is refused now and then
                failures += 1
                watch.checks = None  # the usual gaps are the patience
                if failures >= PATIENCE:
                    raise
                continue
            failures = 0
            if state.status != seen:
                seen = state.status
                await _tell(on_state, state)
            if state.ended:
                return state

    async def _pause(self, watch: _Watch, seconds: float) -> bool:
        """Wait so long (of the service) or less, if the watch is hurried or was lately; says whether it was so long.

        Two questions about a task are never closer than the shortest gap.
        """
        if watch.checks is not None and (soon := CHECK_AGAIN * 2**watch.checks) < seconds:
            seconds = soon
        else:
            watch.checks = None
        delay = max(seconds * self._clock.scale, _SHORTEST_REAL_GAP)
        try:
            async with asyncio.timeout(delay):
                await watch.hurried.wait()
        except TimeoutError:
            return watch.checks is None
        early = watch.asked + max(SHORTEST_GAP * self._clock.scale, _SHORTEST_REAL_GAP) - self._clock.now()
        if early > 0:
            await self._clock.sleep(early)
        return False

    async def _ask(self, watch: _Watch) -> TaskState:
        await self._turn()
        async with self._gate:
            if watch.hurried.is_set():
                watch.hurried.clear()
                watch.checks = 0
            elif watch.checks is not None:
                watch.checks += 1
            watch.asked = self._clock.now()
            return await self._query(watch.task_id)

    async def _turn(self) -> None:
        """Wait for a moment of one's own: questions are spaced, first come, first served."""
        now = self._clock.now()
        spacing = self._clock.scale / max(self._per_second, len(self._watches) * PER_TASK)
        turn = max(now - self._burst * spacing, self._next_turn)
        self._next_turn = turn + spacing
        if turn > now:
            await self._clock.sleep(turn - now)


async def _tell(on_state: OnState | None, state: TaskState) -> None:
    told = on_state(state) if on_state else None
    if inspect.isawaitable(told):
        await told

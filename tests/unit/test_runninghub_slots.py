"""Places of the account within one run: in order, woken at once, cheap to wait for, and closed when the run stops."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from itertools import pairwise
from typing import Any, TypeVar

import pytest

from rhflow.core.errors import NotBegun, Problem, StepError
from rhflow.runninghub.transport.clock import Clock
from rhflow.runninghub.transport.retry import FULL
from rhflow.runninghub.waiting.slots import COURTESY, LONGEST_LOOK, Slots
from tests.virtual import run

T = TypeVar("T")


def done(value: T) -> Future[T]:
    future: Future[T] = Future()
    future.set_result(value)
    return future


class MemoryLedger:
    """The places of an account in memory, as one run sees them; ``others`` are taken by other runs."""

    def __init__(self, places: int) -> None:
        self.places, self.others = places, 0
        self.held: dict[int, str | None] = {}
        self.orphans: list[str] = []
        self.rivals = False
        self.log: list[str] = []
        self.keys: dict[int, str] = {}
        self.looks = 0
        self.pause_until = self.lowered_until = 0.0
        self._ids = 0

    def take(self, want: int, *, limit: int, rude: bool) -> Future[tuple[list[int], bool, list[str]]]:
        self.looks += 1
        now = asyncio.get_running_loop().time()
        room = 0 if now < self.pause_until else min(limit, self.places)
        free = max(0, room - len(self.held) - self.others - len(self.orphans))
        if free and self.rivals and not rude:
            return done(([], True, []))
        leases = [self._new() for _ in range(min(want, free))]
        return done((leases, False, [] if len(leases) == want else list(self.orphans)))

    def _new(self) -> int:
        self._ids += 1
        self.held[self._ids] = None
        return self._ids

    def withdraw(self) -> None:
        self.log.append("withdraw")

    def sending(self, lease: int, key: str) -> None:
        self.keys[lease] = key

    def adopt(self, task: str) -> Future[int]:
        if task in self.orphans:
            self.orphans.remove(task)
        lease = self._new()
        self.held[lease] = task
        return done(lease)

    def accepted(self, lease: int, task: str) -> None:
        self.held[lease] = task

    def ended(self, lease: int) -> None:
        del self.held[lease]

    def unused(self, lease: int) -> None:
        assert self.held.pop(lease) is None

    def left(self, lease: int) -> None:
        self.orphans.append(str(self.held.pop(lease)))

    def gone(self, task: str) -> None:
        self.orphans.remove(task)

    def refused(self, lease: int, *, pause_until: float, lowered_until: float) -> None:
        del self.held[lease]
        self.pause_until, self.lowered_until = pause_until, lowered_until


class Desk:
    """Slots over such a ledger, and calls that use them for so many seconds."""

    def __init__(self, places: int, *, most: int = 99, ended: Callable[[str], Awaitable[bool]] | None = None) -> None:
        loop = asyncio.get_running_loop()

        async def never(task: str) -> bool:
            return False

        self.ledger = MemoryLedger(places)
        clock = Clock(wall=loop.time, jitter=lambda: 1.0)
        self.slots = Slots(self.ledger, limit=places, most=most, clock=clock, has_ended=ended or never)
        self.order: list[str] = []
        self.told: list[str] = []
        self.most = 0

    async def call(self, name: str, seconds: float = 10.0) -> None:
        turn = self.slots.turn(f"key of {name}")

        async def waiting() -> None:
            self.told.append(name)

        await turn.take(waiting)
        self.order.append(name)
        turn.accepted(name)
        async with self.slots.occupied(name):
            self.most = max(self.most, len(self.ledger.held))
            await asyncio.sleep(seconds)

    def start(self, *names: str, seconds: float = 10.0) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(self.call(name, seconds)) for name in names]


def test_places_go_first_come_first_served() -> None:
    async def main() -> None:
        desk = Desk(2)
        async with desk.slots:
            await asyncio.gather(*desk.start(*"abcdef"))
        assert desk.order == list("abcdef")
        assert desk.most == 2
        assert desk.told == list("cdef")
        assert desk.ledger.held == {}
        assert asyncio.get_running_loop().time() == pytest.approx(30, abs=0.01)  # woken at once, not by looking

    run(main)


def test_a_place_at_once_is_not_waited_for() -> None:
    async def main() -> None:
        desk = Desk(20)
        async with desk.slots:
            await asyncio.gather(*desk.start(*(str(each) for each in range(20))))
        assert desk.told == []
        assert list(desk.ledger.keys.values()) == [f"key of {each}" for each in range(20)]
        assert desk.ledger.looks == 1

    run(main)


def test_a_run_takes_no_more_than_it_may() -> None:
    async def main() -> None:
        desk = Desk(20, most=3)
        async with desk.slots:
            await asyncio.gather(*desk.start(*"abcdefgh"))
        assert desk.most == 3
        assert desk.ledger.looks < 20

    run(main)


def test_waiting_for_another_run_costs_a_few_looks_a_second() -> None:
    async def main() -> None:
        desk = Desk(4)
        desk.ledger.others = 4
        async with desk.slots:
            tasks = desk.start(*(str(each) for each in range(500)))
            await asyncio.sleep(60)
            assert desk.ledger.looks <= 60 / LONGEST_LOOK + 20
            assert len(desk.told) == 500
            desk.ledger.others = 0
            await asyncio.sleep(LONGEST_LOOK + 0.01)
            assert desk.order == ["0", "1", "2", "3"]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    run(main)


def test_who_comes_first_by_right_is_left_the_place_for_a_moment() -> None:
    async def main() -> None:
        desk = Desk(1)
        desk.ledger.rivals = True
        async with desk.slots:
            await asyncio.gather(*desk.start("a", seconds=0))
            assert COURTESY <= asyncio.get_running_loop().time() < COURTESY + 1

    run(main)


def test_a_cancelled_call_leaves_no_place_taken() -> None:
    async def main() -> None:
        desk = Desk(1)
        async with desk.slots:
            first, second, third = desk.start(*"abc")
            await asyncio.sleep(1)
            second.cancel()
            first.cancel()
            await asyncio.gather(first, second, return_exceptions=True)
            assert desk.ledger.orphans == ["a"]  # its task goes on at the service
            desk.ledger.orphans.clear()
            await third
        assert desk.order == ["a", "c"]
        assert desk.ledger.held == {}

    run(main)


def test_cancelled_in_the_moment_it_gets_its_place() -> None:
    async def main() -> None:
        desk = Desk(1)
        async with desk.slots:
            [task] = desk.start("a")
            while not desk.ledger.held:  # noqa: ASYNC110
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await asyncio.sleep(0)
        assert desk.ledger.held == {}

    run(main)


def test_when_the_run_stops_nobody_waits_on() -> None:
    async def main() -> None:
        desk = Desk(1)
        async with desk.slots:
            running, waiting = desk.start(*"ab")
            await asyncio.sleep(1)
            desk.slots.close()
            with pytest.raises(NotBegun):
                await waiting
            with pytest.raises(NotBegun):
                await desk.call("c")
            await running
        assert desk.order == ["a"]
        assert desk.ledger.log == ["withdraw"]

    run(main)


def test_a_ledger_that_fails_fails_those_who_wait() -> None:
    async def main() -> None:
        desk = Desk(1)

        def take(want: int, **_: Any) -> Future[tuple[list[int], bool, list[str]]]:
            raise StepError(Problem("store-full", "no space"))

        desk.ledger.take = take  # type: ignore[method-assign]
        async with desk.slots:
            with pytest.raises(StepError, match="no space"):
                await desk.call("a")

    run(main)


# --- tasks of earlier runs -------------------------------------------------------------------------------------------


def test_a_task_taken_up_again_waits_for_no_place() -> None:
    async def main() -> None:
        desk = Desk(1)
        desk.ledger.orphans = ["old"]
        async with desk.slots:
            async with desk.slots.occupied("old"):
                assert list(desk.ledger.held.values()) == ["old"]
                [waiting] = desk.start("new")
                await asyncio.sleep(5)
                assert desk.order == []
            await waiting
        assert desk.order == ["new"]

    run(main)


def test_what_nobody_waits_for_is_asked_after_until_it_has_ended() -> None:
    async def main() -> None:
        loop, asked = asyncio.get_running_loop(), list[float]()

        async def ended(task: str) -> bool:
            asked.append(loop.time())
            if len(asked) == 1:
                raise StepError(Problem("api-unreachable", "no answer"))
            return loop.time() > 100

        desk = Desk(1, ended=ended)
        desk.ledger.orphans = ["old"]
        async with desk.slots:
            await desk.call("new")
        assert desk.order == ["new"]
        assert 100 < asked[-1] < 160
        assert len(asked) < 15

    run(main)


# --- refusals --------------------------------------------------------------------------------------------------------


def test_after_a_refusal_all_wait_and_longer_each_time() -> None:
    async def main() -> None:
        desk = Desk(5)
        loop, turn, tried = asyncio.get_running_loop(), desk.slots.turn("key"), list[float]()

        async def waiting() -> None:
            return None

        async with desk.slots:
            for _ in range(12):
                await turn.take(waiting)
                tried.append(loop.time())
                assert turn.refused(None) == pytest.approx(FULL.delay(len(tried), 1.0))
            gaps = [after - before for before, after in pairwise(tried)]
            assert gaps == pytest.approx([FULL.delay(at, 1.0) for at in range(1, 12)], abs=LONGEST_LOOK + 0.01)
            await turn.take(waiting)
            turn.accepted("7")
            async with desk.slots.occupied("7"):
                pass
            await turn.take(waiting)
            assert turn.refused(60.0) == pytest.approx(66)  # what the service asks for goes before

    run(main)


def test_refusals_of_one_burst_count_once() -> None:
    async def main() -> None:
        desk = Desk(5)
        turns = [desk.slots.turn("key") for _ in range(5)]

        async def waiting() -> None:
            return None

        async with desk.slots:
            await asyncio.gather(*(turn.take(waiting) for turn in turns))
            assert [turn.refused(None) for turn in turns] == pytest.approx([5.0] * 5)
            assert desk.ledger.pause_until == pytest.approx(5)
            assert desk.ledger.lowered_until == pytest.approx(305)
            turns[0].give_back()  # there is nothing to give back any more
        assert desk.ledger.held == {}

    run(main)

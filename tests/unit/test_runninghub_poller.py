"""Tasks are noticed soon after they end, with few questions, whatever their number; no real second is slept."""

import asyncio
import bisect
import itertools
import math
import random
import statistics
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhflow.core.errors import Problem, StepError, UsageError
from rhflow.runninghub.transport.clock import Clock
from rhflow.runninghub.waiting.durations import Durations
from rhflow.runninghub.waiting.poller import LONGEST_GAP, PATIENCE, SHORTEST_GAP, Poller, next_poll
from rhflow.runninghub.wire.states import Status, TaskState
from tests.virtual import run


class Service:
    """Tasks that end at known times; counts what it is asked."""

    def __init__(self, durations: dict[str, float], *, latency: float = 0.05, scale: float = 1.0) -> None:
        self.loop = asyncio.get_running_loop()
        self.began = self.loop.time()
        self.durations = durations
        self.latency = latency
        self.scale = scale
        self.asked: Counter[str] = Counter()
        self.moments: list[float] = []
        self.noticed: dict[str, float] = {}
        self.now = self.most = 0

    async def query(self, task_id: str) -> TaskState:
        self.asked[task_id] += 1
        self.moments.append(self.loop.time())
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(self.latency * self.scale)
        finally:
            self.now -= 1
        age = (self.loop.time() - self.began) / self.scale
        status: Status = "SUCCESS" if age >= self.durations[task_id] else "RUNNING" if age > 1 else "QUEUED"
        if status == "SUCCESS":
            self.noticed[task_id] = age
        return TaskState(task_id, status)


def simulate(duration: float, expected: float) -> tuple[float, int]:
    """Return how late the end of a task is noticed, and after how many questions."""
    elapsed, polls = 0.0, 0
    while polls == 0 or elapsed < duration:
        elapsed += next_poll(elapsed, expected, polls)
        polls += 1
    return elapsed - duration, polls


@pytest.mark.parametrize("expected", [5, 20, 90, 300, 600, 1800])
@pytest.mark.parametrize("spread", [0.15, 0.35])
def test_ends_are_noticed_soon_and_with_few_questions(expected, spread):
    chance = random.Random(7)
    durations = [expected * math.exp(chance.gauss(0, spread)) for _ in range(3000)]
    found = [(simulate(duration, expected), duration) for duration in durations]
    assert statistics.mean(late / duration for (late, _), duration in found) < 0.10
    assert statistics.median(polls for (_, polls), _ in found) < 12


@given(st.floats(0, 1e6), st.floats(0, 1e5), st.integers(0, 1000))
def test_gaps_are_always_sane(elapsed, expected, polls):
    gap = next_poll(elapsed, expected, polls)
    assert SHORTEST_GAP <= gap <= max(LONGEST_GAP, expected / 2)


def test_gaps_grow_with_age():
    gaps = [next_poll(age, 100, 1) for age in (0, 1, 5, 20, 60, 100, 1000)]
    assert gaps == sorted(gaps)
    assert gaps == pytest.approx([0.2, 0.2, 0.6, 2.4, 7.2, 12, 15])


def test_an_old_task_is_asked_about_at_once():
    assert next_poll(500, 100, 0) == SHORTEST_GAP
    assert next_poll(0, 100, 0) == 50


def test_a_watch_reports_every_new_status_and_returns_the_last():
    async def main():
        service, seen = Service({"1": 20}), []
        state = await Poller(service.query).watch("1", expected_seconds=0, on_state=seen.append)
        assert state.status == "SUCCESS"
        assert [each.status for each in seen] == ["QUEUED", "RUNNING", "SUCCESS"]

    run(main)


def test_a_listener_may_be_a_coroutine_and_its_error_is_the_watchers():
    async def main():
        async def listen(state: TaskState) -> None:
            await asyncio.sleep(0)
            raise LookupError(state.status)

        with pytest.raises(LookupError, match="RUNNING"):
            await Poller(Service({"1": 20}).query).watch("1", expected_seconds=30, on_state=listen)

    run(main)


def test_a_thousand_tasks_share_the_gate():
    async def main():
        chance = random.Random(3)
        durations = {str(number): 100 * math.exp(chance.gauss(0, 0.2)) for number in range(1000)}
        service = Service(durations, latency=0.4)
        poller = Poller(service.query)
        await asyncio.gather(*(poller.watch(task, expected_seconds=100) for task in durations))
        assert set(service.noticed) == set(durations)
        assert service.most <= 32
        moments = sorted(service.moments)
        most_in_ten_seconds = max(bisect.bisect_right(moments, moment + 10) - at for at, moment in enumerate(moments))
        assert most_in_ten_seconds <= 200 + 10 * 200 + 1  # the burst once, then the pace
        assert statistics.median(service.asked.values()) < 12
        late = [service.noticed[task] - durations[task] for task in durations]
        assert statistics.mean(each / durations[task] for each, task in zip(late, durations, strict=True)) < 0.1

    run(main)


def test_few_tasks_are_noticed_within_a_tenth():
    async def main():
        chance = random.Random(5)
        durations = {str(number): 60 * math.exp(chance.gauss(0, 0.3)) for number in range(100)}
        service = Service(durations)
        poller = Poller(service.query)
        await asyncio.gather(*(poller.watch(task, expected_seconds=60) for task in durations))
        assert statistics.mean((service.noticed[task] - durations[task]) / durations[task] for task in durations) < 0.10

    run(main)


def test_a_faster_service_is_asked_faster():
    async def main():
        loop = asyncio.get_running_loop()
        service = Service({"1": 40}, scale=0.05)
        await Poller(service.query, clock=Clock(scale=0.05)).watch("1", expected_seconds=40)
        assert 2.0 <= loop.time() < 2.3
        assert service.asked["1"] < 12

    run(main)


def test_no_gap_is_below_ten_milliseconds():
    async def main():
        service = Service({"1": 10}, scale=0.001, latency=0)
        await Poller(service.query, clock=Clock(scale=0.001)).watch("1", expected_seconds=2)
        gaps = [later - sooner for sooner, later in zip(service.moments, service.moments[1:], strict=False)]
        assert not gaps or min(gaps) >= 0.0099

    run(main)


def test_the_age_of_a_resumed_task_counts():
    async def main():
        loop = asyncio.get_running_loop()
        service = Service({"1": 0})
        await Poller(service.query).watch("1", expected_seconds=600, age_seconds=595)
        assert loop.time() < 1

    run(main)


def test_one_watcher_gets_the_error_and_the_others_go_on():
    async def main():
        service = Service({"1": 50, "2": 50})

        async def query(task_id: str) -> TaskState:
            if task_id == "2":
                service.asked["2"] += 1
                raise StepError(Problem("api-unreachable", "no answer"))
            return await service.query(task_id)

        poller = Poller(query)
        found = await asyncio.gather(
            poller.watch("1", expected_seconds=50), poller.watch("2", expected_seconds=50), return_exceptions=True
        )
        assert isinstance(found[0], TaskState)
        assert isinstance(found[1], StepError)
        assert service.asked["2"] == PATIENCE

    run(main)


def test_failures_count_only_in_a_row():
    async def main():
        service, count = Service({"1": 200}), 0

        async def query(task_id: str) -> TaskState:
            nonlocal count
            count += 1
            if count % PATIENCE:
                raise StepError(Problem("api-unreachable", "no answer"))
            return await service.query(task_id)

        assert (await Poller(query).watch("1", expected_seconds=10)).status == "SUCCESS"
        assert count > 2 * PATIENCE

    run(main)


def test_a_mistake_of_ours_is_not_waited_out():
    async def main():
        count = 0

        async def query(task_id: str) -> TaskState:
            nonlocal count
            count += 1
            raise UsageError(Problem("simulator-answered", "a simulator"))

        with pytest.raises(UsageError):
            await Poller(query).watch("1", expected_seconds=10)
        assert count == 1

    run(main)


@pytest.mark.parametrize("moment", [1.0, 30.01, 35.0])
def test_a_cancelled_watch_is_gone(moment):
    async def main():
        service = Service({"1": 1000, "2": 100}, latency=0.1)
        poller = Poller(service.query, max_in_flight=1)
        first = asyncio.create_task(poller.watch("1", expected_seconds=60))
        second = asyncio.create_task(poller.watch("2", expected_seconds=60))
        await asyncio.sleep(moment)
        asked = service.asked["1"]
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await second).status == "SUCCESS"
        assert service.asked["1"] == asked
        assert service.now == 0

    run(main)


def test_a_hurried_watch_asks_at_once_and_only_its_own():
    async def main():
        loop = asyncio.get_running_loop()
        service = Service({"1": 30, "2": 30}, latency=0)
        poller = Poller(service.query)
        assert not poller.watching
        watches = [asyncio.create_task(poller.watch(task, expected_seconds=1000)) for task in ("1", "2")]
        await asyncio.sleep(40)
        assert poller.hurry("1")
        assert (await watches[0]).status == "SUCCESS"
        assert (loop.time(), service.asked) == (40, {"1": 1})
        assert (await watches[1]).status == "SUCCESS"
        assert loop.time() == 500
        assert not poller.watching
        assert not poller.hurry("1")

    run(main)


def test_many_hurries_are_one_question_and_one_that_comes_meanwhile_is_another():
    async def main():
        service = Service({"1": 41}, latency=2)
        poller = Poller(service.query)
        watch = asyncio.create_task(poller.watch("1", expected_seconds=1000))
        await asyncio.sleep(38)
        for _ in range(100):
            poller.hurry("1")
        await asyncio.sleep(1)
        assert service.asked["1"] == 1
        poller.hurry("1")  # the question on its way may have been answered before
        await watch
        assert service.moments == [38, 40]

    run(main)


def test_what_was_said_too_soon_is_looked_into_a_few_times():
    async def main():
        service = Service({"1": 104}, latency=0)
        watch = asyncio.create_task((poller := Poller(service.query)).watch("1", expected_seconds=600))
        await asyncio.sleep(100)
        poller.hurry("1")
        await watch
        assert service.moments == [100, 101, 103, 107]

    run(main)


def test_a_false_hurry_changes_nothing_else():
    async def main():
        for hurried in (False, True):
            service = Service({"1": 9000}, latency=0)
            watch = asyncio.create_task((poller := Poller(service.query)).watch("1", expected_seconds=600))
            await asyncio.sleep(1)
            if hurried:
                poller.hurry("1")
            await watch
            early = [1, 2, 4, 8, 16, 32, 64, 128, 256] if hurried else []
            assert [each - service.began for each in service.moments][: len(early) + 2] == [*early, 300, 336]

    run(main)


def test_who_hurries_without_end_asks_no_more_often_than_the_shortest_gap():
    async def main():
        service = Service({"1": 10}, latency=0)
        watch = asyncio.create_task((poller := Poller(service.query)).watch("1", expected_seconds=1000))
        while not watch.done():
            await asyncio.sleep(0.01)
            poller.hurry("1")
        assert min(later - sooner for sooner, later in itertools.pairwise(service.moments)) >= SHORTEST_GAP - 1e-9

    run(main)


def test_a_hurry_does_not_use_up_the_patience_with_a_service_that_fails():
    async def main():
        asked = []

        async def query(task_id: str) -> TaskState:
            asked.append(asyncio.get_running_loop().time())
            raise StepError(Problem("api-unreachable", "no answer"))

        watch = asyncio.create_task((poller := Poller(query)).watch("1", expected_seconds=100))
        await asyncio.sleep(20)
        poller.hurry("1")
        with pytest.raises(StepError):
            await watch
        assert len(asked) == PATIENCE
        assert asked[-1] > 28

    run(main)


def test_a_watch_that_is_hurried_and_cancelled_is_gone():
    async def main():
        service = Service({"1": 1000}, latency=1)
        poller = Poller(service.query, max_in_flight=1)
        watch = asyncio.create_task(poller.watch("1", expected_seconds=100))
        await asyncio.sleep(1)
        poller.hurry("1")
        await asyncio.sleep(0.5)
        watch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watch
        assert not poller.hurry("1")
        assert service.now == 0

    run(main)


def test_durations_learn_what_is_usual():
    durations = Durations()
    assert durations.expected("model", 42) == 42
    durations.observe("model", 10)
    assert durations.expected("model", 42) == pytest.approx(10)
    for seconds in (12, 8, 11, 9, 10):
        durations.observe("model", seconds)
    durations.observe("model", 3600)
    assert 9 < durations.expected("model", 42) < 30
    for _ in range(60):
        durations.observe("model", 100)
    assert durations.expected("model", 42) == pytest.approx(100, rel=0.02)
    assert durations.expected("other", 5) == 5


@pytest.mark.parametrize("seconds", [0, -1, math.nan, math.inf])
def test_durations_ignore_what_is_none(seconds):
    durations = Durations()
    durations.observe("model", seconds)
    assert durations.known == {}


def test_durations_can_be_kept():
    durations = Durations()
    durations.observe("model", 10)
    durations.observe("model", 40)
    again = Durations(durations.known)
    assert again.expected("model", 1) == pytest.approx(20)
    assert again.known == {"model": (pytest.approx(20), 2)}

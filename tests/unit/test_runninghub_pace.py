"""Too many requests: everything slows down, everywhere, and comes back spread out."""

from __future__ import annotations

import asyncio

import pytest

from rhflow.runninghub.transport.clock import Clock
from rhflow.runninghub.transport.pace import LOOK, SLOWER, SPREAD, Pace
from rhflow.runninghub.transport.retry import is_too_fast
from rhflow.runninghub.wire.errors import ApiError
from tests.virtual import run


class Shared:
    """What processes tell each other."""

    def __init__(self) -> None:
        self.until = 0.0
        self.looks = 0

    def look(self) -> float:
        self.looks += 1
        return self.until

    def tell(self, until: float) -> None:
        self.until = until


def pace_of(shared: Shared, *, jitter: float = 0.0) -> Pace:
    clock = Clock(wall=asyncio.get_running_loop().time, jitter=lambda: jitter)
    return Pace(clock, shared=shared.look, share=shared.tell)


async def spent(pace: Pace) -> float:
    """Return for how long a request must wait."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await pace.turn()
    return loop.time() - began


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (ApiError("1003", ""), True),
        (ApiError("", "", 429), True),
        (ApiError("", "Rate limit exceeded"), True),
        (ApiError("421", ""), False),
        (ApiError("1005", ""), False),
        (ApiError("", "", 503), False),
    ],
)
def test_what_means_too_many_requests(error: ApiError, found: bool) -> None:
    assert is_too_fast(error) is found


def test_nothing_waits_as_long_as_all_is_well() -> None:
    async def main() -> None:
        pace = pace_of(Shared())
        pace.answered()
        assert await spent(pace) == 0

    run(main)


def test_every_call_waits_as_long_as_the_service_asks() -> None:
    async def main() -> None:
        pace = pace_of(Shared())
        pace.slow_down(7.0)
        waits = await asyncio.gather(*(spent(pace) for _ in range(3)))
        assert waits == pytest.approx([7.0] * 3)
        assert await spent(pace) == 0

    run(main)


def test_it_doubles_until_a_call_is_answered() -> None:
    async def main() -> None:
        pace, waits = pace_of(Shared(), jitter=0.0), []
        for _ in range(8):
            pace.slow_down()
            pace.slow_down()  # one more of the same burst
            waits.append(await spent(pace))
        assert waits == pytest.approx([SLOWER.delay(at, 0.0) for at in range(1, 9)])
        pace.answered()
        pace.slow_down()
        assert await spent(pace) == pytest.approx(SLOWER.delay(1, 0.0))

    run(main)


def test_an_answer_that_was_under_way_does_not_end_it() -> None:
    async def main() -> None:
        pace = pace_of(Shared())
        for _ in range(3):
            pace.slow_down()
            pace.answered()
            await pace.turn()
        pace.slow_down()
        assert await spent(pace) == pytest.approx(SLOWER.delay(4, 0.0))

    run(main)


def test_calls_come_back_spread_out() -> None:
    async def main() -> None:
        pace = pace_of(Shared(), jitter=1.0)
        pace.slow_down(60.0)
        assert await spent(pace) == pytest.approx(66 + SPREAD)

    run(main)


def test_other_processes_hear_of_it_within_a_second_and_look_seldom() -> None:
    async def main() -> None:
        shared = Shared()
        here, there = pace_of(shared), pace_of(shared)
        assert await spent(there) == 0
        here.slow_down(30.0)
        await asyncio.sleep(LOOK)
        assert await spent(there) == pytest.approx(30.0 - LOOK)
        looks = shared.looks
        for _ in range(1000):
            await there.turn()
        assert shared.looks <= looks + 1

    run(main)

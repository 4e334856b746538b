"""How a run is told to stop: once, twice, by signals, by other processes, and where the loop takes no signals."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

import pytest

from rhflow.app.runs.stopping import stoppable
from rhflow.core.errors import Problem, StoreError
from rhflow.store.stops import FINISH, LEAVE, NOT_ASKED


@dataclass
class Running:
    """A run of two nodes that can be interrupted."""

    interrupted: bool = False
    running: int = 2
    stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def interrupt(self) -> None:
        self.interrupted = True
        self.stopped.set()


async def told(asked: Callable[[], int] = lambda: NOT_ASKED, *, then: Callable[[], None] = lambda: None) -> list[int]:
    """Be a run that ends when it is interrupted; ``then`` happens once it listens. Returns what was told."""
    engine, said = Running(), list[int]()
    async with stoppable(engine, said.append, asked, every=0.001):
        then()
        await asyncio.wait_for(engine.stopped.wait(), timeout=20)
    return said


async def left(asked: Callable[[], int] = lambda: NOT_ASKED, *, then: Callable[[], None] = lambda: None) -> None:
    """Be a run that waits for what is paid when it is interrupted: only leaving at once ends it."""
    async with stoppable(Running(), lambda _: None, asked, every=0.001):
        then()
        await asyncio.wait_for(asyncio.Event().wait(), timeout=20)


def raised(number: int, times: int = 1) -> Callable[[], None]:
    def send() -> None:
        for _ in range(times):
            signal.raise_signal(number)

    return send


@pytest.fixture(params=["loop", "python"])
def signals(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the event loop take signals, or be one that does not, as on Windows."""
    if request.param == "python":
        monkeypatch.setattr(asyncio.SelectorEventLoop, "add_signal_handler", refuse, raising=False)


def refuse(*_: object) -> NoReturn:
    raise NotImplementedError


@pytest.mark.usefixtures("signals")
async def test_ctrl_c_once_starts_nothing_more() -> None:
    before = signal.getsignal(signal.SIGINT)
    assert await told(then=raised(signal.SIGINT)) == [2]
    assert signal.getsignal(signal.SIGINT) == before


@pytest.mark.usefixtures("signals")
async def test_ctrl_c_twice_leaves() -> None:
    task = asyncio.create_task(left(then=lambda: asyncio.get_running_loop().call_later(0.01, raised(signal.SIGINT))))
    loop = asyncio.get_running_loop()
    loop.call_later(0.05, raised(signal.SIGINT))
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.usefixtures("signals")
@pytest.mark.skipif(sys.platform == "win32", reason="nobody can send it there")
async def test_sigterm_leaves() -> None:
    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(left(then=raised(signal.SIGTERM)))


async def test_another_process_asks_once() -> None:
    answers = iter([NOT_ASKED, FINISH])
    assert await told(lambda: next(answers, FINISH)) == [2], "and it is heeded once"


async def test_another_process_asks_twice() -> None:
    answers = iter([FINISH, FINISH, LEAVE])
    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(left(lambda: next(answers, LEAVE)))


async def test_a_store_that_cannot_be_read_for_a_moment_ends_nothing() -> None:
    answers = iter([StoreError(Problem("store-busy", "busy")), FINISH])

    def asked() -> int:
        answer = next(answers, FINISH)
        if isinstance(answer, StoreError):
            raise answer
        return answer

    assert await told(asked) == [2]

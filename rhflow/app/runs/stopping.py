"""How a run is told to stop: by Ctrl-C, by SIGTERM, or by ``rhflow cancel`` in another process.

Asked once, it starts nothing more and waits for what is paid; asked twice it leaves at once, everything resumable.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType
from typing import Protocol

from rhflow.core.errors import StoreError
from rhflow.store.stops import LEAVE, NOT_ASKED

LOOK_EVERY = 1.0
"""Seconds between two looks at what other processes ask; one look is a look-up by key."""


class Stoppable(Protocol):
    """A run that can be told to start nothing more."""

    interrupted: bool

    @property
    def running(self) -> int: ...
    def interrupt(self) -> None: ...


@asynccontextmanager
async def stoppable(
    engine: Stoppable, tell: Callable[[int], None], asked: Callable[[], int], *, every: float = LOOK_EVERY
) -> AsyncIterator[None]:
    """Heed signals and ``asked``, the level that other processes ask for; ``tell`` is told how many are waited for."""
    task = asyncio.current_task()
    assert task is not None

    def leave() -> None:
        task.cancel()

    def stop() -> None:
        if engine.interrupted:
            leave()
        else:
            engine.interrupt()
            tell(engine.running)

    listening = asyncio.create_task(_listen(asked, every, stop, leave))
    try:
        with _heeding({signal.SIGINT: stop, signal.SIGTERM: leave}):
            yield
    finally:
        listening.cancel()


async def _listen(asked: Callable[[], int], every: float, stop: Callable[[], None], leave: Callable[[], None]) -> None:
    """Do what other processes ask."""
    done = NOT_ASKED
    while done < LEAVE:
        await asyncio.sleep(every)
        try:
            level = asked()
        except StoreError:
            continue  # if it stays, the run meets it when it writes
        if level > done:
            done = level
            (leave if level >= LEAVE else stop)()


@contextmanager
def _heeding(answers: dict[signal.Signals, Callable[[], None]]) -> Iterator[None]:
    """Answer signals while the block runs.

    Where the event loop takes none (on Windows), Python's own handler passes them on to it: left alone, the first
    Ctrl-C would leave at once there.
    """
    loop = asyncio.get_running_loop()
    undo: list[Callable[[], object]] = []
    for number, answer in answers.items():
        try:
            undo.append(_answer(loop, number, answer))
        except (RuntimeError, ValueError):
            pass  # not the main thread: signals are somebody else's business
    try:
        yield
    finally:
        for each in undo:
            each()


def _answer(
    loop: asyncio.AbstractEventLoop, number: signal.Signals, answer: Callable[[], None]
) -> Callable[[], object]:
    """Answer one signal and return what takes that back."""
    former = signal.getsignal(number)

    def handle(_: int, __: FrameType | None) -> None:
        loop.call_soon_threadsafe(answer)

    def undo() -> None:
        if taken:
            loop.remove_signal_handler(number)
        signal.signal(number, former)  # the loop would leave Python's own behind, not that of whoever runs the loop

    try:
        loop.add_signal_handler(number, answer)
        taken = True
    except NotImplementedError:
        signal.signal(number, handle)
        taken = False
    return undo

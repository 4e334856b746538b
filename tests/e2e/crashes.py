"""Runs that are killed at a chosen moment.

The child is the real command; only ``Journal.record`` is watched, and the child kills itself there with SIGKILL, so
that nothing of Python gets to tidy up.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tests.e2e.forks import FORKS, Command

Moment = Literal["before", "queued", "kept", "full"]
MOMENTS: tuple[Moment, ...] = ("before", "queued", "kept")
"""When a process dies at an event."""


@dataclass(frozen=True)
class Order:
    """A command to run in ``folder``, and when it dies.

    ``at`` counts journal events from 1 and is met ``before`` the event is recorded, when it is ``queued``, or when it
    is ``kept`` in the database; at ``full`` it lives on, but nothing can be written from there. ``after`` is real
    seconds. ``only`` counts events of one type alone.
    """

    folder: str
    arguments: list[str]
    env: dict[str, str] = field(default_factory=dict)
    at: int | None = None
    moment: Moment = "before"
    only: str | None = None
    after: float | None = None


@dataclass(frozen=True)
class Ended:
    """How a run ended: its exit code, None when it was killed; the types of the events it recorded; what it said."""

    code: int | None
    events: list[str]
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON document on standard output."""
        return json.loads(self.out)


def run(order: Order) -> Ended:
    """Carry an order out and return how it ended."""
    folder = Path(order.folder)
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "events.log"
    log.write_text("")
    watched = {"log": str(log), "at": order.at, "moment": order.moment, "only": order.only}
    env = {**os.environ, **order.env}
    process = FORKS.start(Command(order.arguments, order.folder, env, first=(__name__, "watch", watched)))
    if order.after is not None:
        try:
            process.wait(order.after)
        except subprocess.TimeoutExpired:
            process.kill()
    out, err = process.communicate(timeout=60)
    code = process.returncode
    assert code is not None
    return Ended(None if code < 0 else code, log.read_text().split(), out, err)


def watch(log: str, at: int | None, moment: Moment, only: str | None) -> None:
    """Write down in ``log`` the type of every event that is recorded, and die at the one that the order names."""
    from rhflow.core.events import Event
    from rhflow.store.journal import Journal

    record: Callable[..., Any] = Journal.record
    written_down = os.open(log, os.O_WRONLY | os.O_APPEND)
    seen = 0

    def watched(journal: Journal, event: Event, *, durable: bool = False) -> Any:
        nonlocal seen
        os.write(written_down, f"{event.type}\n".encode())
        seen += only in (None, event.type)
        due = at == seen and only in (None, event.type)
        if due and moment == "before":
            _die()
        if due and moment == "full":
            _fill_the_disk()
        written = record(journal, event, durable=durable)
        if due and moment == "queued":
            _die()
        if due and moment == "kept":
            written.add_done_callback(lambda _: _die())
        return written

    Journal.record = watched  # type: ignore[method-assign]


def _fill_the_disk() -> None:
    """Let every write fail from now on."""
    from concurrent.futures import Future

    from rhflow.core.errors import Problem, StoreError
    from rhflow.store.database import Database

    def submit(*_: Any, **__: Any) -> Future[Any]:
        failed: Future[Any] = Future()
        failed.set_exception(StoreError(Problem("store-full", "the store has no space left to write")))
        return failed

    Database.submit = submit  # type: ignore[method-assign, assignment]


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)

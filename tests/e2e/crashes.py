"""Runs that are killed at a chosen moment: a process that has rhflow loaded and forks one child per run.

The child is the real command; only ``Journal.record`` is watched, and the child kills itself there with SIGKILL, so
that nothing of Python gets to tidy up. Forking makes a run cost a few hundredths of a second instead of a start.

As a script it reads one order per line of standard input (JSON) and answers each with a line.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).parents[2]
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


class Crashes:
    """The forking process; ``run`` gives it an order. Close it at the end."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.crashes"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, order: Order) -> Ended:
        """Carry an order out and return how it ended."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(order)) + "\n")
        self._process.stdin.flush()
        return Ended(**json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=20)
        assert self._process.stdout is not None
        self._process.stdout.close()


def main() -> None:
    """Load rhflow, then serve orders."""
    import rhflow.app.past.cancel
    import rhflow.app.past.resume
    import rhflow.app.runs.run
    import rhflow.cli.progress
    import rhflow.cli.resume
    import rhflow.cli.root
    import rhflow.cli.run  # noqa: F401 (imported once, for all children)

    _warm_up()
    for line in sys.stdin:
        print(json.dumps(asdict(serve(Order(**json.loads(line))))), flush=True)


def _warm_up() -> None:
    """Load what commands load late: a simulated run in this process needs all of it, and leaves no thread behind."""
    from rhflow.cli.root import invoke

    here, recipe = Path.cwd(), 'rhflow: 1\nsteps: {a: {uses: text-to-image, with: {prompt: "${{ 1 + 1 }}"}}}\n'
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        os.chdir(folder)
        Path("recipe.yaml").write_text(recipe)
        code = invoke(["run", "recipe.yaml", "--simulate", "--speed", "1000", "--store", folder, "--json"])
        os.chdir(here)
    assert code == 0 and threading.active_count() == 1, (code, threading.enumerate())


def serve(order: Order) -> Ended:
    """Fork a child for an order and wait for it."""
    folder = Path(order.folder)
    folder.mkdir(parents=True, exist_ok=True)
    events = folder / "events.log"
    events.write_text("")
    child = os.fork()
    if child == 0:
        _become(order, folder)
    code = _wait(child, order.after)
    out, err = ((folder / name).read_text() for name in ("out.txt", "err.txt"))
    return Ended(code, events.read_text().split(), out, err)


def _wait(child: int, after: float | None) -> int | None:
    """Wait for a child, which is killed after so many seconds; returns its exit code, None when it was killed."""
    if after is not None:
        deadline = time.monotonic() + after
        while time.monotonic() < deadline:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return _code(status)
            time.sleep(0.001)
        os.kill(child, signal.SIGKILL)
    return _code(os.waitpid(child, 0)[1])


def _code(status: int) -> int | None:
    return None if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _become(order: Order, folder: Path) -> None:
    """Be the command; never returns."""
    code = 70
    try:
        os.chdir(folder)
        os.environ.update(order.env)
        for number, name in ((1, "out.txt"), (2, "err.txt")):
            handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(handle, number)
            os.close(handle)
        _watch(order, os.open(folder / "events.log", os.O_WRONLY | os.O_APPEND))
        from rhflow.cli.root import invoke

        code = invoke(order.arguments)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _watch(order: Order, log: int) -> None:
    """Write down the type of every event that is recorded, and die at the one that the order names."""
    from rhflow.core.events import Event
    from rhflow.store.journal import Journal

    record: Callable[..., Any] = Journal.record
    seen = 0

    def watched(journal: Journal, event: Event, *, durable: bool = False) -> Any:
        nonlocal seen
        os.write(log, f"{event.type}\n".encode())
        seen += order.only in (None, event.type)
        due = order.at == seen and order.only in (None, event.type)
        if due and order.moment == "before":
            _die()
        if due and order.moment == "full":
            _fill_the_disk()
        written = record(journal, event, durable=durable)
        if due and order.moment == "queued":
            _die()
        if due and order.moment == "kept":
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


if __name__ == "__main__":
    main()

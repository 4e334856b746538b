"""What the benchmarks share: a fake executor behind the real engine and store, and plain timing."""

from __future__ import annotations

import asyncio
import hashlib
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rhflow.app.report import Doubt
from rhflow.app.request import Request
from rhflow.app.runs.prepare import Prepared
from rhflow.app.runs.records import RunJournal, WallClock
from rhflow.core.events import Event
from rhflow.core.graph.schedule import Schedule
from rhflow.core.plan.calls import StepCall, StepResult
from rhflow.core.plan.plan import Plan
from rhflow.core.plan.planner import Planner
from rhflow.core.values import Artifact, Outputs
from rhflow.engine.flight import SingleFlight
from rhflow.engine.outcome import NodeResult
from rhflow.engine.ports import Ports, Report
from rhflow.engine.run import Engine
from rhflow.settings import Settings
from rhflow.steps.context import OnUnknown

MEDIA = {"image": "image/png", "video": "video/mp4", "audio": "audio/mpeg"}


@dataclass
class Watch:
    """A watcher of runs that passes on the start and the events."""

    on_start: Callable[[], None] = lambda: None
    on_event: Callable[[Event], None] = lambda _: None

    def start(self, ready: Prepared, plan: Plan) -> None:
        self.on_start()

    def event(self, event: Event) -> None:
        self.on_event(event)

    def interrupted(self, running: int) -> None:
        raise KeyboardInterrupt

    def ask(self, doubtful: Sequence[Doubt], tasks_now: int | None) -> OnUnknown:
        return "fail"


class FakeExecutor:
    """Answers after a given time per kind with a tiny file that depends on the call."""

    def __init__(self, ready: Prepared, seconds: Mapping[str, float]) -> None:
        self._ready, self._seconds = ready, seconds
        for shard in range(256):
            ready.store.blobs.path(f"{shard:02x}".ljust(64, "0")).parent.mkdir(parents=True, exist_ok=True)

    def stop(self) -> None:
        pass  # nothing waits to begin

    async def execute(self, call: StepCall, report: Report) -> StepResult:
        wait = self._seconds.get(call.kind.name, 0.0)
        if wait:
            await asyncio.sleep(wait)
        family = call.model.output if call.model is not None else "image"
        digest = self._blob(call.key)
        media = MEDIA[family]
        return StepResult(Outputs((Artifact(digest, media, len(call.key), call.node, 1, 1, 5.0, 24.0),)), wait)

    def _blob(self, key: str) -> str:
        """Put a blob in place without the care a real one gets: what is measured is the engine."""
        digest = hashlib.sha256(key.encode()).hexdigest()
        path = self._ready.store.blobs.path(digest)
        path.write_text(key)
        return digest


def request_for(recipe: Path, store: Path, out: Path, *, jobs: int = 1000) -> Request:
    """Return a simulated request."""
    return Request(recipe, Settings(store, "http://127.0.0.1:1"), simulate=True, out=out, jobs=jobs)


def engine(ready: Prepared, seconds: Mapping[str, float], *, jobs: int) -> Engine:
    """Return the real engine, journal and index of a prepared recipe, with a fake executor."""
    pools = {"account": jobs, "transfer": jobs, "local": 2}
    kinds = ready.recipe.calls.kinds
    urgency = ready.graph.urgency(lambda node: kinds[node.step.kind].typical_seconds)
    planner: Planner = ready.planner
    ports = Ports(
        executor=FakeExecutor(ready, seconds),
        cache=planner.world.recall,
        journal=RunJournal(ready.store, ready.run, lambda _: None),
        flight=SingleFlight(ready.store.locks),
        clock=WallClock(),
    )
    return Engine(planner, Schedule(ready.graph, urgency, pools), ports)


async def run_engine(ready: Prepared, seconds: Mapping[str, float], *, jobs: int) -> list[NodeResult]:
    """Run a prepared recipe."""
    return await engine(ready, seconds, jobs=jobs).run()


def stub(seconds: float, spread: float = 0.0) -> AbstractContextManager[str]:
    """Serve ``stub.py``."""
    return serving("stub.py", str(seconds), str(spread))


@contextmanager
def serving(name: str, *arguments: str) -> Iterator[str]:
    """Serve a script of this folder in a process of its own and give its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, str(Path(__file__).with_name(name)), str(port), *arguments])
    try:
        deadline = time.monotonic() + 20
        while not _answers(port):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} does not answer")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def most_memory() -> float:
    """Return the most memory that this process has had so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that ``work`` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def best_command(arguments: list[str], *, times: int = 5, env: Mapping[str, str] | None = None) -> float:
    """Return the best of several timings of a command, in seconds."""
    full = {**os.environ, **(env or {})}

    def call() -> None:
        subprocess.run(arguments, check=True, env=full, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    return min(timed(call) for _ in range(times))


def python(*arguments: str) -> list[str]:
    """Return a command line of this Python."""
    return [sys.executable, *arguments]

"""Stand-ins for the world at the seams of core and loop: they record, they answer, they never sleep.

Time is virtual. A call that takes 60 s ends when nothing else can happen before; the order of everything that was
asked of the world is in one ``log``.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from rhflow.core import canonical
from rhflow.core.errors import NotBegun
from rhflow.core.events import Event, EventType
from rhflow.core.kinds import Model
from rhflow.core.plan.calls import StepCall, StepResult
from rhflow.core.plan.views import StepView
from rhflow.core.values import MEDIA_TYPES, Artifact, Entry, Family, Money, Outputs
from rhflow.engine.ports import Report

Make = Callable[[StepCall], Outputs]
_EXTENSIONS: Mapping[str, str] = {
    "image": "png", "video": "mp4", "audio": "mp3", "model3d": "glb", "file": "bin",
}  # fmt: skip
_IDLE_TURNS = 8  # of the event loop: more than any chain of awaits between two calls takes here


def artifact(name: str, *, content: str | None = None, size: int = 1000, **facts: Any) -> Artifact:
    """Return a file by its name; equal ``content`` (the name, if not told) is an equal file."""
    media_type = MEDIA_TYPES.get(name.rpartition(".")[2], "application/octet-stream")
    return Artifact(canonical.digest("file", content or name), media_type, size, name, **facts)


def finished_step(*files: Artifact, texts: Sequence[str] = ()) -> StepView:
    """Return what ``steps.<id>`` holds after a step that gave these."""
    entry = Entry("key", Outputs(files, tuple(texts)), {}, 0.0, 2.5, Money(Decimal("0.2")), "model", "task-1")
    return StepView(entry, cached=True)


def outputs_of(family: Family, content: str, *, name: str = "out") -> Outputs:
    """Return one file (or text) of a family with this content."""
    if family == "text":
        return Outputs(texts=(content,))
    return Outputs(files=(artifact(f"{name}.{_EXTENSIONS[family]}", content=content),))


def default_outputs(call: StepCall) -> Outputs:
    """Return what follows from the call alone: equal calls give equal files."""
    family = call.model.output if call.model is not None else call.kind.output
    if call.kind.name == "upload":
        return Outputs(files=(call.inputs["file"],))
    return outputs_of(family, call.key, name=call.node)


@dataclass
class FakeClock:
    """A clock that moves when it is told to."""

    time: float = 1_000_000.0

    def now(self) -> float:
        return self.time


@dataclass
class FakeExecutor:
    """Carries calls out in virtual time.

    ``script`` holds, by node or else by kind, what a call gives: outputs, a whole result, an error to raise, or a
    function of the call. ``seconds`` holds, by node or kind, how long it takes (else ``usual``; nothing else happens
    while time stands still). A node in ``held`` ends only after ``release``. A node in ``crowded`` waits for a place of
    the account until the run stops.
    """

    script: Mapping[str, Outputs | StepResult | BaseException | Make] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    usual: float = 0.0
    held: Iterable[str] = ()
    crowded: Iterable[str] = ()
    log: list[str] = field(default_factory=list)
    calls: list[StepCall] = field(default_factory=list)
    now: float = 0.0
    most: int = 0
    _running: int = 0
    _waiting: list[tuple[float, int, asyncio.Event]] = field(default_factory=list)
    _arrivals: int = 0
    _pump: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self._gates = {node: asyncio.Event() for node in self.held}
        self._begun: dict[str, asyncio.Event] = {}
        self._stopped = asyncio.Event()

    @property
    def nodes(self) -> list[str]:
        """The nodes that were carried out, in the order they began."""
        return [call.node for call in self.calls]

    def release(self, node: str) -> None:
        """Let a held node end."""
        self._gates[node].set()

    async def begun(self, node: str) -> None:
        """Wait until a node is being carried out."""
        await self._begun.setdefault(node, asyncio.Event()).wait()

    def stop(self) -> None:
        self._stopped.set()

    async def execute(self, call: StepCall, report: Report) -> StepResult:
        self.calls.append(call)
        self.log.append(f"start {call.node}")
        self._begun.setdefault(call.node, asyncio.Event()).set()
        self._running += 1
        self.most = max(self.most, self._running)
        try:
            return await self._result(call)
        finally:
            self._running -= 1
            self.log.append(f"end {call.node}")

    async def _result(self, call: StepCall) -> StepResult:
        if call.node in self.crowded:
            await self._stopped.wait()
            raise NotBegun
        if call.node in self._gates:
            await self._gates[call.node].wait()
        await self._pass(self.seconds.get(call.node, self.seconds.get(call.kind.name, self.usual)))
        given = self.script.get(call.node, self.script.get(call.kind.name, default_outputs))
        if isinstance(given, BaseException):
            raise given
        made = given(call) if callable(given) else given
        return made if isinstance(made, StepResult) else StepResult(made, seconds=1.0)

    async def _pass(self, seconds: float) -> None:
        """Wait in virtual time."""
        if seconds <= 0:
            return
        self._arrivals += 1
        over = asyncio.Event()
        heapq.heappush(self._waiting, (self.now + seconds, self._arrivals, over))
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._advance())
        await over.wait()

    async def _advance(self) -> None:
        """Move on to the next end of a wait whenever nothing else happens any more."""
        while self._waiting:
            seen = -1
            while seen != self._arrivals:
                seen = self._arrivals
                for _ in range(_IDLE_TURNS):
                    await asyncio.sleep(0)
            self.now, _, over = heapq.heappop(self._waiting)
            over.set()


@dataclass
class MemoryCache:
    """A cache in memory, which also remembers the last call of each node; counts how it is asked."""

    log: list[str] = field(default_factory=list)
    kept: dict[str, Entry] = field(default_factory=dict)
    last: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    lookups: list[tuple[str, ...]] = field(default_factory=list)
    damaged: dict[str, str] = field(default_factory=dict)
    billed: dict[str, list[Money]] = field(default_factory=dict)

    def entries(self, keys: Sequence[str]) -> Mapping[str, Entry]:
        self.lookups.append(tuple(keys))
        return {key: self.kept[key] for key in keys if key in self.kept}

    def lost(self, keys: Sequence[str]) -> Mapping[str, str]:
        return {key: self.damaged[key] for key in keys if key in self.damaged and key not in self.kept}

    def previous(self, nodes: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        return {node: self.last[node] for node in nodes if node in self.last}

    def bills(self) -> Mapping[str, Sequence[Money]]:
        self.log.append("bills")
        return self.billed

    async def put(self, node: str, entry: Entry) -> None:
        self.log.append(f"put {node}")
        self.kept[entry.key] = entry
        self.last[node] = entry.ingredients


@dataclass
class MemoryJournal:
    """A journal in memory. ``pause`` names event types after which other tasks get a turn."""

    log: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    pause: frozenset[str] = frozenset()
    on_record: Callable[[Event], None] | None = None

    async def record(self, type: EventType, node: str | None, data: dict[str, Any], *, durable: bool = False) -> None:
        event = Event("run", 0.0, type, node, data)
        self.events.append(event)
        self.log.append(f"{type} {node}")
        if self.on_record is not None:
            self.on_record(event)
        if type in self.pause:
            await asyncio.sleep(0)

    def of(self, type: EventType) -> list[str | None]:
        """Return the nodes that an event of this type was recorded for."""
        return [event.node for event in self.events if event.type == type]


@dataclass
class FakeFlight:
    """Lets everybody through and notes who came."""

    keys: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def hold(self, key: str) -> AsyncIterator[None]:
        self.keys.append(key)
        yield


@dataclass
class MemoryLocks:
    """Locks by key that two engines of one test can share; ``refused`` is set when one has to wait."""

    held: set[str] = field(default_factory=set)
    refused: asyncio.Event = field(default_factory=asyncio.Event)

    def try_acquire(self, key: str) -> bool:
        if key in self.held:
            self.refused.set()
            return False
        self.held.add(key)
        return True

    def release(self, key: str) -> None:
        self.held.remove(key)


class FakeModels:
    """A catalogue of hand-made models: the first that does a task is its default."""

    def __init__(self, *models: Model) -> None:
        self._models = {model.id: model for model in models}

    def find(self, reference: str) -> Model | None:
        return self._models.get(reference)

    def default_for(self, task: str) -> Model | None:
        return next((model for model in self._models.values() if task in model.tasks), None)

    def names(self, tasks: Sequence[str] = ()) -> Sequence[str]:
        return [model.id for model in self._models.values() if not tasks or set(tasks) & set(model.tasks)]

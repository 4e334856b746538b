"""What the loop needs of the world, as it wants to see it; the wiring hands in what fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from rhflow.core.events import EventType
from rhflow.core.plan.budget import Spending
from rhflow.core.plan.calls import StepCall, StepResult
from rhflow.core.values import Entry


class Report(Protocol):
    """Records a fact about one node; ``durable`` facts are on disk when the call returns."""

    async def __call__(self, type: EventType, data: dict[str, Any], *, durable: bool = False) -> None: ...


class Executor(Protocol):
    """Carries calls out."""

    async def execute(self, call: StepCall, report: Report) -> StepResult:
        """Return what the call gave. Raises RhflowError when it failed, with what the user should know."""

    def stop(self) -> None:
        """Begin nothing more that is paid: calls that wait to begin raise NotBegun."""


class Cache(Protocol):
    """Keeps results by key."""

    def entries(self, keys: Sequence[str]) -> Mapping[str, Entry]:
        """Return the entries that stand under ``keys``."""

    async def put(self, node: str, entry: Entry) -> None:
        """Keep an entry whose files are already stored; returns when it can be found by other processes."""


class Journal(Protocol):
    """Keeps the facts of the run."""

    async def record(self, type: EventType, node: str | None, data: dict[str, Any], *, durable: bool = False) -> None:
        """Append a fact; a durable one is on disk when the call returns."""


class Flight(Protocol):
    """Sees to it that one call is made at a time per key, on the whole machine."""

    def hold(self, key: str) -> AbstractAsyncContextManager[None]:
        """Wait for the key and hold it."""


class Clock(Protocol):
    """Tells the time in seconds since 1970."""

    def now(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Ports:
    """The world as the loop sees it. ``keep_open``: a call of unknown outcome stops what depends on it, no more."""

    executor: Executor
    cache: Cache
    journal: Journal
    flight: Flight
    clock: Clock
    spending: Spending | None = None
    keep_open: bool = False

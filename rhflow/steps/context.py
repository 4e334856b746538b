"""What a step may use while it runs."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from rhflow.core.events import EventType
from rhflow.core.plan.former import OnUnknown
from rhflow.runninghub.client import RunningHub
from rhflow.runninghub.native import ComfyServer
from rhflow.runninghub.transport.clock import Clock
from rhflow.runninghub.waiting.poller import Poller
from rhflow.runninghub.waiting.slots import Slots
from rhflow.steps.vault import Vault


class Report(Protocol):
    """Records a fact about the node; ``durable`` facts are on disk when the call returns."""

    async def __call__(self, type: EventType, data: dict[str, Any], *, durable: bool = False) -> None: ...


class OpenTask(Protocol):
    """A paid call that was never settled: accepted as ``task_id``, or sent and nobody knows what came of it."""

    @property
    def key(self) -> str: ...
    @property
    def task_id(self) -> str | None: ...
    @property
    def site(self) -> str | None: ...
    @property
    def run(self) -> str: ...
    @property
    def at(self) -> float: ...


class WaitForTask(Protocol):
    """Waits until somebody tells which task a call became whose reply was lost."""

    async def __call__(self, call: OpenTask, *, seconds: float, on_wait: Callable[[], Awaitable[None]]) -> str | None:
        """Return its id, None after so many real ``seconds`` or when nobody would tell; ``on_wait``: this will take
        time."""


MOST_SOCKETS = 12
"""Graphs of a run whose progress is followed at a time, each on a connection of its own."""


@dataclass(frozen=True, slots=True)
class Tools:
    """The account's client, poller and places, the vault, and what is known of earlier calls.

    ``open_task`` returns the unsettled call of a key. ``expected`` gives the seconds that a model usually takes and
    ``observed`` is told what it took (by label: see ``Durations``). ``site`` is the address of the service.
    ``on_unknown`` speaks of calls that were sent before ``began`` (seconds since 1970), which the user could know of.
    ``webhook`` is an address at which the service shall tell of the end of every task. ``find_task`` looks for the id
    of a call whose reply was lost, where there is a way to; ``wait_for_task`` waits for it. ``forgetful``: the service
    is a simulator of this process, which knows nothing of tasks of an earlier one. ``watched``: somebody looks on, so
    that progress is worth a question; ``sockets`` bounds of how many graphs it is followed. ``comfyui`` is a server of
    the user's own, which runs workflows in place of the service. ``closed``: the account is not open, because nothing
    was planned that asks the service.
    """

    hub: RunningHub
    poller: Poller
    slots: Slots
    vault: Vault
    clock: Clock
    now: Callable[[], float]
    open_task: Callable[[str], OpenTask | None]
    expected: Callable[[str, float], float]
    observed: Callable[[str, float], None]
    on_unknown: OnUnknown = "fail"
    forgetful: bool = False
    site: str = ""
    began: float = math.inf
    webhook: str | None = None
    comfyui: ComfyServer | None = None
    find_task: Callable[[OpenTask], Awaitable[str | None]] | None = None
    wait_for_task: WaitForTask | None = None
    watched: bool = False
    sockets: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_SOCKETS))
    closed: bool = False

"""What a step may use while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from rhflow.core.events import EventType
from rhflow.runninghub.client import RunningHub
from rhflow.runninghub.clock import Clock
from rhflow.runninghub.poller import Poller
from rhflow.steps.vault import Vault


class Report(Protocol):
    """Records a fact about the node; ``durable`` facts are on disk when the call returns."""

    async def __call__(self, type: EventType, data: dict[str, Any], *, durable: bool = False) -> None: ...


class OpenTask(Protocol):
    """A paid call of an earlier run that was never settled."""

    @property
    def state(self) -> str: ...
    @property
    def task_id(self) -> str | None: ...
    @property
    def run(self) -> str: ...
    @property
    def at(self) -> float: ...


OnUnknown = Literal["fail", "resubmit"]


@dataclass(frozen=True, slots=True)
class Tools:
    """The account's client and poller, the vault, and what is known of earlier calls.

    ``open_task`` returns the unsettled call of a key. ``expected`` gives the seconds that a model usually takes and
    ``observed`` is told what it took. ``forgetful``: the service is a simulator of this process, which knows nothing of
    tasks of an earlier one.
    """

    hub: RunningHub
    poller: Poller
    vault: Vault
    clock: Clock
    now: Callable[[], float]
    open_task: Callable[[str], OpenTask | None]
    expected: Callable[[str, float], float]
    observed: Callable[[str, float], None]
    on_unknown: OnUnknown = "fail"
    forgetful: bool = False

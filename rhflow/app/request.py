"""What a command asks for, before anything is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rhflow.core.graph.select import EVERYTHING, Selection
from rhflow.core.values import Realm
from rhflow.settings import Settings

if TYPE_CHECKING:
    from rhflow.simulator.fault_plan import FaultPlan


@dataclass(frozen=True, slots=True)
class Request:
    """A recipe with parameters, and where and how to run it.

    ``params`` are texts as typed; ``params_file`` is YAML or JSON with values. ``jobs`` bounds the tasks on the
    account at once (None: what the account may), ``pools`` those of named pools. ``sweep`` gives lists of values by
    parameter, ``batch`` a file with a row of parameters per variant. ``speed`` is simulated seconds per second, for
    a simulator in this process. ``on_unknown`` says what to do about earlier calls whose outcome nobody knows;
    ``ask_unknown``: ask the user first, where there are any. ``wait_for_earlier``: wait for tasks that earlier runs
    of the recipe left open and no step needs now, rather than look at them once. ``faults`` is what shall go wrong
    on a simulator in this process. ``watched``: somebody looks at the run as it goes on, so that its progress is worth
    a question.
    """

    recipe: Path
    settings: Settings
    params: tuple[tuple[str, str], ...] = ()
    params_file: Path | None = None
    simulate: bool = False
    out: Path = Path("outputs")
    jobs: int | None = None
    speed: float = 20.0
    memo: bool = True
    on_unknown: Literal["fail", "wait", "resubmit"] = "fail"
    ask_unknown: bool = False
    wait_for_earlier: bool = False
    pools: tuple[tuple[str, int], ...] = ()
    allow_unknown_cost: bool = False
    selection: Selection = EVERYTHING
    sweep: tuple[tuple[str, str], ...] = ()
    batch: Path | None = None
    faults: FaultPlan | None = None
    watched: bool = False

    @property
    def realm(self) -> Realm:
        """Whether results count as real: a service on this machine is a simulator, whatever was asked for."""
        return "simulated" if self.simulate or self.settings.loopback else "live"

    @property
    def in_process(self) -> bool:
        """Whether the service is a simulator that begins and ends with the command."""
        return self.simulate and not self.settings.loopback

    @property
    def money(self) -> str:
        """What the account pays in; the simulator's accounts pay by the list."""
        return "CNY" if self.simulate else self.settings.money

    @property
    def comfyui(self) -> str | None:
        """The address of the user's own ComfyUI server; what is simulated on request does not go there.

        Where the service is a simulator on this machine, the server may be one, too: what it makes is not real either.
        """
        return None if self.simulate else self.settings.comfyui

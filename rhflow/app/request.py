"""What a command asks for, before anything is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rhflow.core.select import EVERYTHING, Selection
from rhflow.core.values import Realm
from rhflow.settings import Settings


@dataclass(frozen=True, slots=True)
class Request:
    """A recipe with parameters, and where and how to run it.

    ``params`` are texts as typed; ``params_file`` is YAML or JSON with values. ``jobs`` bounds the calls on the account
    at once, ``pools`` those of named pools. ``sweep`` gives lists of values by parameter, ``batch`` a file with a row
    of parameters per variant. ``speed`` is simulated seconds per second, for a simulator in this
    process.
    """

    recipe: Path
    settings: Settings
    params: tuple[tuple[str, str], ...] = ()
    params_file: Path | None = None
    simulate: bool = False
    out: Path = Path("outputs")
    jobs: int = 8
    speed: float = 20.0
    memo: bool = True
    on_unknown: Literal["fail", "resubmit"] = "fail"
    pools: tuple[tuple[str, int], ...] = ()
    allow_unknown_cost: bool = False
    selection: Selection = EVERYTHING
    sweep: tuple[tuple[str, str], ...] = ()
    batch: Path | None = None

    @property
    def realm(self) -> Realm:
        """Whether results count as real: a service on this machine is a simulator, whatever was asked for."""
        return "simulated" if self.simulate or self.settings.loopback else "live"

"""How a simulator behaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from rhflow.simulator.accounts import Site
from rhflow.simulator.fault_plan import FaultPlan


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """Settings of a simulator.

    ``speed``: simulated seconds per real second. ``limit``: tasks at a time, more are refused with 421. ``base_url``:
    what file links begin with, by default the address the request came to. ``workdir``: where files lie, by default a
    temporary folder that goes away on close. ``seed``: makes task ids repeatable; without it they differ from run to
    run, as a task id kept from an earlier run must not lead to another task. ``latency``: real seconds before every
    reply. ``most``: longest side of pictures and clips in pixels, for quick tests. ``workers``: threads that make
    results. ``faults``: what shall go wrong. ``site``: whose keys are good under a name that is
    of neither site. ``waiting``: tasks in a personal queue. ``link_seconds``: real seconds for which the link of an
    upload works. ``sockets``: whether the server can speak on web sockets, and progress is offered.
    """

    speed: float = 20.0
    limit: int = 50
    base_url: str | None = None
    workdir: Path | None = None
    seed: int | None = None
    latency: float = 0.0
    most: int | None = None
    workers: int = 2
    faults: FaultPlan = field(default_factory=FaultPlan)
    site: Site = "cn"
    waiting: int = 1000
    link_seconds: float = 86_400.0
    sockets: bool = False

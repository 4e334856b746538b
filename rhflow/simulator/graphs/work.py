"""A graph as the work of a task: how long it takes, what it costs, what it tells on the way."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rhflow.simulator.graphs.check import number_in
from rhflow.simulator.graphs.drawing import MACHINES
from rhflow.simulator.graphs.nodes import Graph
from rhflow.simulator.tasks import Usage
from rhflow.simulator.workshop import Product

_COINS_PER_SECOND = Decimal("0.2")
_MONEY_PER_SECOND = Decimal("0.0008")
_COLD = 18.0
_TYPICAL: Mapping[str, float] = {
    "WanImageToVideo": 60,
    "ImageUpscaleWithModel": 12,
    "TextEncodeAceStepAudio": 20,
    "KSampler": 8,
}


@dataclass(frozen=True, slots=True)
class GraphWork:
    """A graph that was checked. ``order`` are its nodes as they run; ``pays`` is with what its time is paid.

    ``retain`` are seconds for which the machine is kept afterwards, paid like all others.
    """

    endpoint: str
    workflow_id: str
    graph: Graph
    order: tuple[str, ...]
    machine: str
    pays: str
    retain: int = 0

    is_graph = True

    def usage(self, product: Product | None, seconds: float) -> Usage:
        """Return coins or money by the second, begun seconds and coins counting as whole ones."""
        if product is None:
            return Usage()
        whole = math.ceil(seconds)
        paid = (whole + self.retain) * MACHINES[self.machine]
        if self.pays == "coins":
            return Usage(coins=Decimal(math.ceil(paid * _COINS_PER_SECOND)), seconds=whole)
        return Usage(money=paid * _MONEY_PER_SECOND if self.pays == "money" else None, seconds=whole)

    def seconds(self, *, warm: bool) -> tuple[float, float]:
        """Return how long it waits and runs, simulated; a machine that just ran the same need not load anything."""
        classes = [self.graph[name]["class_type"] for name in self.order]
        run = 2.0 + sum(_TYPICAL.get(name, 0.1) for name in classes)
        return (0.0, run) if warm else (1.5, run + _COLD)

    def events(self) -> Iterator[tuple[float, str, dict[str, Any]]]:
        """Yield what ComfyUI tells while it runs: at which share of the time, of which type, what."""
        yield 0.0, "execution_start", {"timestamp": 0}
        yield 0.0, "execution_cached", {"nodes": [], "timestamp": 0}
        count = max(1, len(self.order))
        for at, name in enumerate(self.order):
            told = {"node": name, "display_node": name}
            yield at / count, "executing", told
            steps = number_in(self.graph[name]["inputs"].get("steps", 0), whole=True) or 0
            most = min(int(steps), 100)
            for step in range(1, most + 1):
                yield (at + step / most) / count, "progress", {"node": name, "value": step, "max": most}
        yield 1.0, "executing", {"node": None}

"""The facts of a run, and the view that folds them.

Console, journal, report and resume read the same stream. Event types and their data:

``run.started`` pipeline, recipe, realm, params · ``run.finished`` status, problems (of what was to be handed over) ·
``node.reused`` key · ``node.started`` key, model · ``submit.intent`` key, endpoint, site, mark (that the service shows
with its task, where it has one), call (kept in the table of submissions alone) · ``submit.accepted`` key, task_id ·
``submit.settled`` key, outcome (``succeeded``, ``failed``, ``refused``, ``not-sent``; ``cancelled``; of a call in doubt
``resubmitted``, ``abandoned``, ``gone``, ``lost``) · ``task.status`` status · ``node.finished`` key, seconds, cost,
files, label (what its bill teaches the price of) · ``node.failed`` status, problems · ``node.skipped`` why ·
``run.delivered`` folder, files, values (label, beginning, characters and file of each) · ``account.limit`` limit, most
(at once in this run), why (that is only assumed, or null) · ``task.progress`` graph_node (that is at work), class (of
it), percent (of it), done (nodes), nodes (in all); null where it is not told, or not any more. This one is of interest
while it runs and never written
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

EventType = Literal[
    "run.started", "run.finished", "run.delivered",
    "node.reused", "node.started", "node.finished", "node.failed", "node.skipped",
    "submit.intent", "submit.accepted", "submit.settled", "task.status", "task.progress", "account.limit",
]  # fmt: skip
UNWRITTEN: frozenset[EventType] = frozenset({"task.progress"})
"""Events that are told to who looks on, many a second maybe, and that no journal keeps."""


@dataclass(frozen=True, slots=True)
class Event:
    """One fact: what happened, to which node of which run, when (seconds since 1970)."""

    run: str
    at: float
    type: EventType
    node: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class NodeView:
    """What is known of one node so far."""

    node: str
    status: str = "waiting"
    model: str | None = None
    task_id: str | None = None
    remote: str | None = None
    progress: dict[str, Any] | None = None
    started: float | None = None
    ended: float | None = None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class RunView:
    """The fold of a run's events."""

    run: str
    status: str = "running"
    started: float = 0.0
    ended: float | None = None
    data: dict[str, Any] = field(default_factory=dict)
    nodes: dict[str, NodeView] = field(default_factory=dict)

    def apply(self, event: Event) -> None:
        """Take one more fact in."""
        if event.node is None:
            self._apply_run(event)
            return
        node = self.nodes.setdefault(event.node, NodeView(event.node))
        if event.type == "task.progress":
            node.remote, node.progress = "RUNNING", event.data if event.data["graph_node"] is not None else None
            return
        node.data |= event.data
        match event.type:
            case "node.started":
                node.status, node.started, node.model = "running", event.at, event.data.get("model")
            case "submit.intent":
                node.remote = "submitting"
            case "submit.accepted":
                node.task_id, node.remote = event.data["task_id"], "QUEUED"
            case "task.status":
                node.remote = event.data["status"]
                node.progress = node.progress if node.remote == "RUNNING" else None
            case "node.reused" | "node.finished":
                node.status, node.ended = "succeeded", event.at
            case "node.failed":
                node.status, node.ended = event.data.get("status", "failed"), event.at
            case "node.skipped":
                node.status, node.ended = "skipped", event.at
            case _:
                pass

    def _apply_run(self, event: Event) -> None:
        if event.type == "account.limit":
            return  # of interest while it runs
        self.data |= event.data
        if event.type == "run.started":
            self.started = event.at
        elif event.type == "run.finished":
            self.status, self.ended = event.data["status"], event.at

    @classmethod
    def of(cls, run: str, events: Iterable[Event]) -> RunView:
        """Fold ``events`` from the start."""
        view = cls(run)
        for event in events:
            view.apply(event)
        return view

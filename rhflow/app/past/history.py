"""Earlier runs, from the journal: what each came to, whether it lives, and what it has open at the service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rhflow.app.account.open_calls import died_with_its_run, lives
from rhflow.core.events import NodeView, RunView
from rhflow.settings import Settings
from rhflow.store.journal import RunRecord
from rhflow.store.store import Store
from rhflow.store.submissions import Submission


@dataclass(frozen=True, slots=True)
class Listed:
    """A run as the list shows it; ``open`` is how many of its calls are not settled."""

    record: RunRecord
    open: int


@dataclass(frozen=True, slots=True)
class NodeState:
    """How a node of an earlier run stands.

    ``status`` is that of its end, or ``running``; where the run is no more, ``open`` says that its task is to be
    fetched, ``unknown`` that nobody knows whether it was accepted, ``cut-off`` that it ended before it was sent.
    """

    id: str
    status: str
    model: str | None
    task_id: str | None
    cost: tuple[str, ...] | None
    seconds: float | None
    files: Sequence[str]
    why: str


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run with all that is known of its nodes; ``open`` are its calls that are not settled."""

    record: RunRecord
    view: RunView
    open: Sequence[Submission] = ()

    @property
    def running(self) -> bool:
        """Whether its process is still there and at it."""
        return self.record.status == "running"

    def nodes(self) -> Iterator[NodeState]:
        """Yield how every node stands, in the order in which they came up."""
        calls = {call.node: call for call in self.open}
        for view in self.view.nodes.values():
            yield _state(view, calls.get(view.node), running=self.running)


def list_runs(settings: Settings, limit: int) -> Sequence[Listed]:
    """Return the latest runs, the newest first; one whose process is gone is ``died``."""
    with Store.open(settings.store) as store:
        calls = store.journal.open_of()
        found = [_as_it_is(store, each) for each in store.journal.runs(limit)]
        return [Listed(each, len(_open(each, calls))) for each in found]


def find_run(settings: Settings, name: str) -> PastRun:
    """Return the run whose id begins with ``name``, or the latest. Raises UsageError."""
    with Store.open(settings.store) as store:
        return past_run(store, name)


def past_run(store: Store, name: str) -> PastRun:
    """Return a run of an open store, as ``find_run`` does."""
    record = _as_it_is(store, store.journal.find_run(name))
    view = RunView.of(record.id, store.journal.events(record.id))
    return PastRun(record, view, _open(record, store.journal.open_of(run=record.id)))


def _open(run: RunRecord, calls: Sequence[Submission]) -> list[Submission]:
    """Return the calls of a run that somebody can still see to."""
    return [each for each in calls if each.run == run.id and (run.status == "running" or not died_with_its_run(each))]


def _as_it_is(store: Store, record: RunRecord) -> RunRecord:
    """Return a run that says it goes on as ``died`` when nobody holds its lock."""
    died = record.status == "running" and not lives(store, record.id)
    return replace(record, status="died") if died else record


def _state(view: NodeView, call: Submission | None, *, running: bool) -> NodeState:
    cost: Any = view.data.get("cost")
    return NodeState(
        id=view.node,
        status=_status(view, call, running=running),
        model=view.model,
        task_id=view.task_id or (call.task_id if call is not None else None),
        cost=tuple(cost) if cost else None,
        seconds=view.data.get("seconds"),
        files=view.data.get("files", []),
        why="; ".join(view.data.get("problems", [])) or view.data.get("why", ""),
    )


def _status(view: NodeView, call: Submission | None, *, running: bool) -> str:
    if running and view.status == "running":
        return "running"
    if call is not None:
        return "open" if call.task_id is not None else "unknown"
    return "cut-off" if view.status == "running" else view.status

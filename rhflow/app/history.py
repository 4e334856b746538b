"""Earlier runs, from the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rhflow.core.events import RunView
from rhflow.settings import Settings
from rhflow.store.journal import RunRecord
from rhflow.store.store import Store


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run with all that is known of its nodes."""

    record: RunRecord
    view: RunView


def list_runs(settings: Settings, limit: int) -> Sequence[RunRecord]:
    """Return the latest runs, the newest first."""
    with Store.open(settings.store) as store:
        return store.journal.runs(limit)


def find_run(settings: Settings, name: str) -> PastRun:
    """Return the run whose id begins with ``name``, or the latest. Raises UsageError."""
    with Store.open(settings.store) as store:
        record = store.journal.find_run(name)
        return PastRun(record, RunView.of(record.id, store.journal.events(record.id)))

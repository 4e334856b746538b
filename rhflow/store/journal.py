"""The journal: the facts of every run, appended and never changed, and what is folded from them.

Each event is one row. The rows of ``runs``, ``submissions`` and ``bills`` are folds of the events, written in the same
transaction, so a question about a run or an open payment never has to read a whole history, and never sees one half
of a change.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from rhflow.core.errors import Problem, UsageError, did_you_mean
from rhflow.core.events import Event
from rhflow.store import submissions
from rhflow.store.database import Database
from rhflow.store.submissions import Submission

if TYPE_CHECKING:
    from concurrent.futures import Future

_RUN: Final = "id, pipeline, recipe, realm, started, ended, status, summary"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as its events tell it; times in seconds since 1970, ``ended`` None while it goes on.

    ``summary`` is the data of its ``run.finished``. A run whose process died still says ``running`` here: whether it
    lives is told by its lock (``run_lock``), which the kernel frees.
    """

    id: str
    pipeline: str
    recipe: str
    realm: str
    started: float
    ended: float | None = None
    status: str = "running"
    summary: dict[str, Any] | None = None


def run_lock(run: str) -> str:
    """Return the key whose lock a run holds while it lives."""
    return f"run:{run}"


class Journal:
    """The events and runs of one store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, event: Event, *, durable: bool = False) -> Future[None]:
        """Append one event; ``submit.intent`` and ``submit.accepted`` are always durable.

        The future fails with UnknownOutcomeError when an intent meets an open submission of the same key: do not send.
        """
        return self.record_all([event], durable=durable)

    def record_all(self, events: Sequence[Event], *, durable: bool = False) -> Future[None]:
        """Append several events in one piece: all of them or none."""
        # Encoded in the caller's thread: what is not JSON is the caller's mistake and raises here.
        rows = [(event, _encoded(event)) for event in events]

        def write(connection: sqlite3.Connection) -> None:
            for event, data in rows:
                _append(connection, event, data)

        return self._database.submit(write, durable=durable or any(each.type in submissions.DURABLE for each in events))

    def events(self, run: str, *, after: int = 0) -> list[Event]:
        """Return a run's events in order; ``after`` leaves out that many from the start, to follow a running one."""
        sql = "SELECT run, at, type, node, data FROM events WHERE run = ? AND seq > ? ORDER BY seq"
        rows = self._database.rows(sql, (run, after))
        return [Event(name, at, kind, node, json.loads(data)) for name, at, kind, node, data in rows]

    def runs(self, limit: int = 20) -> list[RunRecord]:
        """Return the latest runs, the newest first: by their start, as ids of one second have no order."""
        sql = f"SELECT {_RUN} FROM runs ORDER BY started DESC, id DESC LIMIT ?"
        return [_run_of(row) for row in self._database.rows(sql, (limit,))]

    def status_of(self, run: str) -> str | None:
        """Return how the run of exactly this id stands, None where there is none."""
        return next((status for (status,) in self._database.rows("SELECT status FROM runs WHERE id = ?", (run,))), None)

    def find_run(self, name: str) -> RunRecord:
        """Return the run whose id starts with ``name``, or the last one for ``latest``.

        Raises UsageError when there is none, or when several start like that and none is called exactly so.
        """
        if name == "latest":
            found = self.runs(limit=1)
        else:
            sql = f"SELECT {_RUN} FROM runs WHERE substr(id, 1, ?) = ? ORDER BY id LIMIT 9"
            found = [_run_of(row) for row in self._database.rows(sql, (len(name), name))]
            found = [run for run in found if run.id == name] or found
        if len(found) == 1:
            return found[0]
        if found:
            hint = "choose from " + ", ".join(f"`{run.id}`" for run in found)
            raise UsageError(Problem("run-ambiguous", f"several runs start with `{name}`", hint=hint))
        known = [run.id for run in self.runs()]
        lists = "`rhflow runs` lists them" if known else "nothing was run yet: `rhflow run RECIPE`"
        hint = did_you_mean(name, known) or lists
        raise UsageError(Problem("run-unknown", f"there is no run `{name}`", hint=hint))

    def open_submissions(self, keys: Sequence[str] | None = None) -> dict[str, Submission]:
        """Return the paid calls that are not settled, by key; of ``keys``, or all of them."""
        return submissions.open_submissions(self._database, keys)

    def open_of(self, *, recipe: str | None = None, run: str | None = None) -> list[Submission]:
        """Return the paid calls of a run, of a recipe's runs, or of all, that are not settled, the oldest first."""
        return submissions.open_of(self._database, recipe=recipe, run=run)


def _encoded(event: Event) -> str:
    told = {name: value for name, value in event.data.items() if name != submissions.CALL}
    return json.dumps(told, separators=(",", ":"))


def _append(connection: sqlite3.Connection, event: Event, data: str) -> None:
    submissions.fold(connection, event)
    if event.type == "node.finished":
        from rhflow.store import bills  # imported late: most invocations only read

        bills.fold(connection, event)
    _fold_run(connection, event, data)
    connection.execute(
        """INSERT INTO events (run, seq, at, type, node, data)
           SELECT ?1, coalesce(max(seq), 0) + 1, ?2, ?3, ?4, ?5 FROM events WHERE run = ?1""",
        (event.run, event.at, event.type, event.node, data),
    )


def _fold_run(connection: sqlite3.Connection, event: Event, data: str) -> None:
    if event.type == "run.started":
        pipeline, recipe, realm = (str(event.data.get(name, "")) for name in ("pipeline", "recipe", "realm"))
        connection.execute(
            """INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)
               ON CONFLICT (id) DO UPDATE SET ended = NULL, status = 'running'""",
            _run_row(RunRecord(event.run, pipeline, recipe, realm, event.at)),
        )
    elif event.type == "run.finished":
        sql = "UPDATE runs SET ended = ?, status = ?, summary = ? WHERE id = ?"
        connection.execute(sql, (event.at, event.data["status"], data, event.run))


def _run_row(run: RunRecord) -> tuple[Any, ...]:
    # The recipe's path goes in as JSON: a file name need not be Unicode, a column of text must be.
    recipe = json.dumps(run.recipe)
    return run.id, run.pipeline, recipe, run.realm, run.started, run.ended, run.status, json.dumps(run.summary)


def _run_of(row: tuple[Any, ...]) -> RunRecord:
    identity, pipeline, recipe, realm, started, ended, status, summary = row
    return RunRecord(identity, pipeline, json.loads(recipe), realm, started, ended, status, json.loads(summary))

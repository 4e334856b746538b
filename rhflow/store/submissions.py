"""What became of paid calls: a fold of the submit events, kept as a table so that it can be asked by key.

``intent`` means a request may be on its way, ``accepted`` that a task id is known, ``settled`` that nothing is open.
A key with an open submission takes no second intent: the table is the last guard against paying twice, also when two
processes or a resumed run disagree about what happened.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from rhflow.core.errors import Problem, UnknownOutcomeError
from rhflow.core.events import Event
from rhflow.store.database import Database

State = Literal["intent", "accepted", "settled"]
DURABLE: Final = frozenset({"submit.intent", "submit.accepted"})
"""Events that must outlive a power cut before the next thing happens."""

_COLUMNS: Final = "key, run, node, endpoint, state, task_id, at, outcome"


@dataclass(frozen=True, slots=True)
class Submission:
    """The last known state of the paid call for a key; ``at`` is in seconds since 1970."""

    key: str
    run: str
    node: str | None
    endpoint: str | None
    state: State
    task_id: str | None
    at: float
    outcome: str | None


def fold(connection: sqlite3.Connection, event: Event) -> None:
    """Take a submit event into the table; raises UnknownOutcomeError for an intent while another is open."""
    key = event.data.get("key")
    match event.type:
        case "submit.intent":
            _refuse_second(connection, event)
            row = (key, event.run, event.node, event.data.get("endpoint"), "intent", None, event.at, None)
            connection.execute("INSERT OR REPLACE INTO submissions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        case "submit.accepted":
            _advance(connection, event, "accepted")
        case "submit.settled":
            _advance(connection, event, "settled")
        case _:
            pass


def open_submissions(database: Database, keys: Sequence[str] | None) -> dict[str, Submission]:
    """Return the submissions that are not settled, of ``keys`` or of all."""
    sql = f"SELECT {_COLUMNS} FROM submissions WHERE state != 'settled'"
    chunks: Iterator[list[tuple[Any, ...]]] = (
        iter([database.rows(sql)]) if keys is None else database.rows_in(sql + " AND key IN ({})", keys)
    )
    return {row[0]: Submission(*row) for rows in chunks for row in rows}


def _refuse_second(connection: sqlite3.Connection, event: Event) -> None:
    sql = f"SELECT {_COLUMNS} FROM submissions WHERE state != 'settled' AND key = ?"
    row = connection.execute(sql, (event.data["key"],)).fetchone()
    if row is None:
        return
    former = Submission(*row)
    what = f"was accepted as task `{former.task_id}`" if former.task_id else "may have been accepted"
    message = f"`{event.node}` was already sent in run `{former.run}` and {what}; it is not sent again"
    fields = {"run": former.run, "key": former.key, "task_id": former.task_id or ""}
    problem = Problem("submission-open", message, hint=f"type `rhflow resume {former.run}`", fields=fields)
    raise UnknownOutcomeError(problem)


def _advance(connection: sqlite3.Connection, event: Event, state: State) -> None:
    """Move a submission on; it is made up from the event where its intent is not known."""
    row = (event.data["key"], event.run, event.node, state, event.data.get("task_id"), event.at)
    connection.execute(
        """INSERT INTO submissions (key, run, node, state, task_id, at, outcome) VALUES (?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (key) DO UPDATE SET state = excluded.state, at = excluded.at, outcome = excluded.outcome,
               task_id = coalesce(excluded.task_id, task_id)""",
        (*row, event.data.get("outcome")),
    )

"""What became of paid calls: a fold of the submit events, kept as a table so that it can be asked by key.

``intent`` means a request may be on its way, ``accepted`` that a task id is known, ``settled`` that nothing is open.
A key with an open submission takes no second intent: the table is the last guard against paying twice, also when two
processes or a resumed run disagree about what happened.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from rhflow.core.errors import Problem, UnknownOutcomeError
from rhflow.core.events import Event
from rhflow.store.database import Database

State = Literal["intent", "accepted", "settled"]
DURABLE: Final = frozenset({"submit.intent", "submit.accepted"})
"""Events that must outlive a power cut before the next thing happens."""

CALL: Final = "call"
"""The part of an intent that is kept in the table alone: it is as long as the call's inputs, and goes when it ends."""

_COLUMNS: Final = "key, run, node, endpoint, state, task_id, at, outcome, site, call"


@dataclass(frozen=True, slots=True)
class Submission:
    """The last known state of the paid call for a key; ``at`` is in seconds since 1970.

    ``site`` is the address of the service that was asked. ``call`` is what an entry needs besides the result (kind,
    model, ingredients), the ``price`` as planned and the ``label`` that its bill is kept by; None once it is settled,
    or where it was never told.
    """

    key: str
    run: str
    node: str | None
    endpoint: str | None
    state: State
    task_id: str | None
    at: float
    outcome: str | None
    site: str | None = None
    call: Mapping[str, Any] | None = None


def fold(connection: sqlite3.Connection, event: Event) -> None:
    """Take a submit event into the table; raises UnknownOutcomeError for an intent while another is open."""
    key = event.data.get("key")
    match event.type:
        case "submit.intent":
            _refuse_second(connection, event)
            told = event.data.get(CALL)
            call = None if told is None else json.dumps(told, separators=(",", ":"))
            row = (key, event.run, event.node, event.data.get("endpoint"), event.at, event.data.get("site"), call)
            connection.execute(
                f"INSERT OR REPLACE INTO submissions ({_COLUMNS}) VALUES (?, ?, ?, ?, 'intent', NULL, ?, NULL, ?, ?)",
                row,
            )
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
    return {row[0]: _submission(row) for rows in chunks for row in rows}


def open_of(database: Database, *, recipe: str | None = None, run: str | None = None) -> list[Submission]:
    """Return what is open of a run, of all runs of a recipe (its absolute path), or of all, the oldest first."""
    sql = f"""SELECT {_COLUMNS} FROM submissions WHERE state != 'settled' AND (?1 IS NULL OR run = ?1)
              AND (?2 IS NULL OR EXISTS (SELECT 1 FROM runs WHERE id = run AND recipe = ?2)) ORDER BY at, key"""
    path = None if recipe is None else json.dumps(recipe)
    return [_submission(row) for row in database.rows(sql, (run, path))]


def any_open(database: Database, recipe: str) -> bool:
    """Say whether a run of a recipe (its absolute path) has something open; costs as much as there is open at all."""
    sql = """SELECT 1 FROM submissions WHERE state != 'settled'
             AND EXISTS (SELECT 1 FROM runs WHERE id = run AND recipe = ?) LIMIT 1"""
    return bool(database.rows(sql, (json.dumps(recipe),)))


def _submission(row: tuple[Any, ...]) -> Submission:
    found = Submission(*row)
    return found if found.call is None else replace(found, call=json.loads(row[-1]))


def _refuse_second(connection: sqlite3.Connection, event: Event) -> None:
    sql = f"SELECT {_COLUMNS} FROM submissions WHERE state != 'settled' AND key = ?"
    row = connection.execute(sql, (event.data["key"],)).fetchone()
    if row is None:
        return
    former = _submission(row)
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
               task_id = coalesce(excluded.task_id, task_id),
               call = CASE excluded.state WHEN 'settled' THEN NULL ELSE call END""",
        (*row, event.data.get("outcome")),
    )

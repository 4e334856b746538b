"""What the service called back to say: which task a call became, even where the reply to its submit was lost.

Every call names itself in the address that it asks to be called at, so a callback tells whose it is. One that names a
task which is known from a reply already says nothing new.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from rhflow.store.database import Database

if TYPE_CHECKING:
    from concurrent.futures import Future


class Callbacks:
    """The callbacks of one store; times in seconds since 1970."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, call: str, task_id: str, document: str, *, at: float) -> Future[None]:
        """Note what was called back for a call; the service may do so more than once."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO callbacks VALUES (?, ?, ?, ?)", (call, task_id, at, document))

        return self._database.submit(write)

    def task_of(self, call: str, *, since: float) -> str | None:
        """Return the task that a call sent at ``since`` became, when no reply but a callback has told of it."""
        sql = """SELECT task FROM callbacks WHERE call = ? AND at >= ? AND task NOT IN (
                   SELECT json_extract(data, '$.task_id') FROM events WHERE type = 'submit.accepted')
                 ORDER BY at LIMIT 1"""
        rows = self._database.rows(sql, (call, since))
        return rows[0][0] if rows else None

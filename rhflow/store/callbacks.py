"""What the service called back to say: which task a call became, even where the reply to its submit was lost.

Every call names itself in the address that it asks to be called at, so a callback tells whose it is. One that names a
task which is known from a reply already says nothing new about that, but it says that the task has ended.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from rhflow.store.database import Database

if TYPE_CHECKING:
    from concurrent.futures import Future

LISTENER: Final = "callbacks"
"""The key whose lock a listener holds while it notes callbacks here."""
NAMED: Final = 32
"""How many characters of its key a callback names a call by."""


class Callbacks:
    """The callbacks of one store; times in seconds since 1970."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, call: str, task_id: str, *, at: float) -> Future[None]:
        """Note that a call of this store was called back; the service may do so more than once.

        Anybody may send callbacks: of one nothing is kept but the task, and nothing of calls that nobody made.
        """
        sql = f"""INSERT OR REPLACE INTO callbacks SELECT ?, ?, ?, ''
                  WHERE EXISTS (SELECT 1 FROM submissions WHERE substr(key, 1, {NAMED}) = ?)"""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(sql, (call, task_id, at, call))

        return self._database.submit(write)

    def tasks_of(self, call: str, *, since: float) -> list[str]:
        """Return the tasks that a call sent at ``since`` may have become: those that only a callback has told of."""
        sql = """SELECT task FROM callbacks WHERE call = ? AND at >= ? AND task NOT IN (
                   SELECT json_extract(data, '$.task_id') FROM events WHERE type = 'submit.accepted')
                 ORDER BY at"""
        return [task for (task,) in self._database.rows(sql, (call, since))]

    def of_open_calls(self) -> set[tuple[str, float]]:
        """Return the tasks of calls that are not settled whose end was called back, with when that was."""
        sql = f"""SELECT callbacks.task, callbacks.at FROM submissions JOIN callbacks
                  ON callbacks.call = substr(submissions.key, 1, {NAMED}) AND callbacks.task = submissions.task_id
                  WHERE submissions.state != 'settled'"""
        return {(task, at) for task, at in self._database.rows(sql)}

    def version(self) -> int:
        """Return a number that is another one whenever something was written to the store; the cheapest question."""
        return int(self._database.rows("PRAGMA data_version")[0][0])

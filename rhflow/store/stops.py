"""What another process asks of a run: to start nothing more, or to leave at once.

A row that the run looks up now and then; signals were rejected, because they need the process's id, which may belong
to another program by now, and because Windows has none that a program can answer.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from rhflow.store.database import Database

if TYPE_CHECKING:
    from concurrent.futures import Future

NOT_ASKED: Final = 0
FINISH: Final = 1
"""Start nothing more, wait for what is paid: what Ctrl-C once does."""
LEAVE: Final = 2
"""Leave at once, everything resumable: what Ctrl-C twice does."""


class Stops:
    """The stop requests of one store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def level(self, run: str) -> int:
        """Return what has been asked of a run: NOT_ASKED, FINISH or LEAVE."""
        rows = self._database.rows("SELECT level FROM stops WHERE run = ?", (run,))
        return int(rows[0][0]) if rows else NOT_ASKED

    def ask(self, run: str, *, at_least: int = FINISH) -> Future[int]:
        """Ask a run to stop, each time one level more urgently, and give the level that it is at now."""

        def write(connection: sqlite3.Connection) -> int:
            sql = """INSERT INTO stops VALUES (?1, ?2)
                     ON CONFLICT (run) DO UPDATE SET level = min(max(level + 1, ?2), ?3) RETURNING level"""
            return int(connection.execute(sql, (run, at_least, LEAVE)).fetchone()[0])

        return self._database.submit(write)

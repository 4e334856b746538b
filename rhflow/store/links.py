"""Where content already lies on a service: one link per digest and site, with its age.

A link may be presigned and so is a key to the file: it stays in the store and is never printed.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from rhflow.store.database import Database

if TYPE_CHECKING:
    from concurrent.futures import Future


class Links:
    """The remote links of one store; times in seconds since 1970."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def fresh(self, digest: str, site: str, *, now: float, max_age: float) -> str | None:
        """Return the link of this content on ``site`` when it is at most ``max_age`` seconds old."""
        sql = "SELECT url FROM links WHERE digest = ? AND site = ? AND obtained_at >= ?"
        rows = self._database.rows(sql, (digest, site, now - max_age))
        return rows[0][0] if rows else None

    def remember(self, digest: str, site: str, url: str, *, obtained_at: float) -> Future[None]:
        """Keep a link; a later one replaces it, an older one does not."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                """INSERT INTO links VALUES (?, ?, ?, ?)
                   ON CONFLICT (digest, site) DO UPDATE SET url = excluded.url, obtained_at = excluded.obtained_at
                   WHERE excluded.obtained_at >= obtained_at""",
                (digest, site, url, obtained_at),
            )

        return self._database.submit(write)

    def forget(self, digest: str, site: str) -> Future[None]:
        """Drop a link that turned out to be dead."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM links WHERE digest = ? AND site = ?", (digest, site))

        return self._database.submit(write)

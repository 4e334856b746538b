"""What was added to the library of an account: the service lists assets by name, never by content.

A row without an asset is a creation whose reply never came: it may be there, so it is not made again unseen.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rhflow.store.database import Database

if TYPE_CHECKING:
    from concurrent.futures import Future


@dataclass(frozen=True, slots=True)
class Addition:
    """One file that was sent to a library under ``name``; ``asset`` is its id there, None where no reply told it."""

    name: str
    asset: str | None


class Additions:
    """The additions of one store. An account and what was added to it are named by digests."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, account: str, content: str) -> Addition | None:
        """Return how this content was added to an account."""
        sql = "SELECT name, asset FROM assets WHERE account = ? AND content = ?"
        rows = self._database.rows(sql, (account, content))
        return Addition(*rows[0]) if rows else None

    def intend(self, account: str, content: str, name: str, *, at: float) -> Future[None]:
        """Note, before it is asked for, that content is about to be added; on the disk when this is done."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO assets VALUES (?, ?, ?, NULL, ?)", (account, content, name, at))

        return self._database.submit(write, durable=True)

    def keep(self, account: str, content: str, asset: str) -> Future[None]:
        """Note which asset came of an intention; on the disk when this is done."""

        def write(connection: sqlite3.Connection) -> None:
            sql = "UPDATE assets SET asset = ? WHERE account = ? AND content = ?"
            connection.execute(sql, (asset, account, content))

        return self._database.submit(write, durable=True)

    def undo(self, account: str, content: str, before: Addition | None) -> Future[None]:
        """Take an intention back that was refused: what was known before holds."""

        def write(connection: sqlite3.Connection) -> None:
            if before is None:
                connection.execute("DELETE FROM assets WHERE account = ? AND content = ?", (account, content))
            else:
                sql = "UPDATE assets SET name = ?, asset = ? WHERE account = ? AND content = ?"
                connection.execute(sql, (before.name, before.asset, account, content))

        return self._database.submit(write)

    def forget(self, account: str, asset: str) -> Future[None]:
        """Drop an asset that is there no more."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM assets WHERE account = ? AND asset = ?", (account, asset))

        return self._database.submit(write)

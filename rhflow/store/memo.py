"""Whole-run memos: a run whose every ingredient is as before is answered without planning node by node.

The memo key is the caller's: a hash of the recipe, the parameters, the catalogue and the local inputs. A memo stands
while no entry has been removed or changed since the run was planned: whoever removes one takes all memos down in the
same transaction and raises a generation number, by which a memo that comes too late is known. So a memo that is there
stands. The node table, which grows with the run, lies in a row of its own.
"""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any, Final

from rhflow.store.database import Database

if TYPE_CHECKING:
    from concurrent.futures import Future

KEPT: Final = 200
"""How many memos are kept, the newest first."""


class Memos:
    """The memos of one store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def generation(self) -> int:
        """Return the present generation: read it before the entries a memo will rest on, and give it to ``put``."""
        return int(self._database.rows("SELECT value FROM counters WHERE name = 'generation'")[0][0])

    def get(self, key: str) -> dict[str, Any] | None:
        """Return the document under ``key`` while it stands; the cost does not depend on the size of the run."""
        for (document,) in self._database.rows("SELECT document FROM memos WHERE key = ?", (key,)):
            found: dict[str, Any] = json.loads(document)
            return found
        return None

    def nodes(self, key: str) -> Any:
        """Return the node table that was kept beside the document, or None."""
        sql = "SELECT nodes FROM memos JOIN memo_nodes ON memo_nodes.memo = memos.id WHERE key = ?"
        rows = self._database.rows(sql, (key,))
        return json.loads(rows[0][0]) if rows else None

    def put(self, key: str, document: dict[str, Any], *, generation: int, nodes: Any = None) -> Future[bool]:
        """Keep a memo; gives False, and keeps nothing, when entries were removed since ``generation``."""
        texts = json.dumps(document), json.dumps(nodes)

        def write(connection: sqlite3.Connection) -> bool:
            if _generation(connection) != generation:
                return False
            connection.execute("DELETE FROM memo_nodes WHERE memo = (SELECT id FROM memos WHERE key = ?)", (key,))
            connection.execute("DELETE FROM memos WHERE key = ?", (key,))
            connection.execute("INSERT INTO memos (key, document) VALUES (?, ?)", (key, texts[0]))
            connection.execute("INSERT INTO memo_nodes VALUES (last_insert_rowid(), ?)", (texts[1],))
            _prune(connection)
            return True

        return self._database.submit(write)


def outdate(connection: sqlite3.Connection) -> None:
    """Make every memo fall, inside the transaction that removes or changes an entry."""
    connection.execute("UPDATE counters SET value = value + 1 WHERE name = 'generation'")
    connection.execute("DELETE FROM memo_nodes")
    connection.execute("DELETE FROM memos")


def _generation(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT value FROM counters WHERE name = 'generation'").fetchone()[0])


def _prune(connection: sqlite3.Connection) -> None:
    sql = "SELECT id FROM memos ORDER BY id DESC LIMIT -1 OFFSET ?"
    for (memo,) in connection.execute(sql, (KEPT,)).fetchall():
        connection.execute("DELETE FROM memo_nodes WHERE memo = ?", (memo,))
        connection.execute("DELETE FROM memos WHERE id = ?", (memo,))

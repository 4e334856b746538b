"""What kinds of task usually take, kept from run to run: simulated and real times never mix."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rhflow.core.values import Realm
from rhflow.store.database import Database

if TYPE_CHECKING:
    from concurrent.futures import Future


class Typical:
    """Typical seconds and the number of tasks they were learnt from, by label (a model, say) and realm."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, realm: Realm) -> Mapping[str, tuple[float, int]]:
        """Return everything that was learnt in a realm."""
        rows = self._database.rows("SELECT label, seconds, seen FROM durations WHERE realm = ?", (realm,))
        return {label: (seconds, seen) for label, seconds, seen in rows}

    def keep(self, realm: Realm, label: str, *, seconds: float, seen: int) -> Future[None]:
        """Keep what was learnt last. Of two processes that learn at the same time the later wins: nothing is lost
        that the next tasks do not teach again."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO durations VALUES (?, ?, ?, ?)", (realm, label, seconds, seen))

        return self._database.submit(write)

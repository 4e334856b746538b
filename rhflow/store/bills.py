"""What the last calls without a list price were billed, by what was run: a fold of their ``node.finished`` events.

One row per label, so that everything a realm has taught is read at once; simulated and real bills never mix.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rhflow.core.events import Event
from rhflow.core.values import Money, Realm
from rhflow.store.database import Database

KEPT: Final = 20
"""How many bills of a label are kept; the oldest go first."""


class Bills:
    """The last bills of every label of one store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, realm: Realm) -> Mapping[str, Sequence[Money]]:
        """Return the last bills of everything that was billed in a realm, the latest last."""
        rows = self._database.rows("SELECT label, last FROM bills WHERE realm = ?", (realm,))
        return {label: [Money.from_json(each) for each in json.loads(last)] for label, last in rows}


def fold(connection: sqlite3.Connection, event: Event) -> None:
    """Take in a ``node.finished``, where its price is to be learnt and the service has told its bill."""
    label, cost = event.data.get("label"), event.data.get("cost")
    if label is None or cost is None:
        return
    run = connection.execute("SELECT realm FROM runs WHERE id = ?", (event.run,)).fetchone()
    if run is None:
        return  # nobody can tell whether it was a real one
    former = connection.execute("SELECT last FROM bills WHERE realm = ? AND label = ?", (*run, label)).fetchone()
    last: list[Any] = [] if former is None else json.loads(former[0])
    row = (*run, label, json.dumps([*last, cost][-KEPT:], separators=(",", ":")))
    connection.execute("INSERT OR REPLACE INTO bills VALUES (?, ?, ?)", row)

"""Bills that prices are learnt from: kept by what was run, the latest last, real and simulated ones apart."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from rhflow.core.events import Event
from rhflow.core.values import Money
from rhflow.store.bills import KEPT, Bills
from rhflow.store.store import Store


def finished(cost: list[str] | None, *, run: str = "r1", **facts: Any) -> Event:
    return Event(run, 2.0, "node.finished", "draw", {"key": "k", "seconds": 1.0, "cost": cost, "files": []} | facts)


def started(run: str, realm: str) -> Event:
    return Event(run, 1.0, "run.started", None, {"pipeline": "p", "recipe": "p.yaml", "realm": realm})


def coins(*amounts: int) -> list[Money]:
    return [Money(Decimal(each), "coins") for each in amounts]


def test_the_last_bills_are_kept_the_latest_last(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.journal.record(started("r1", "live"))
        for at in range(KEPT + 5):
            store.journal.record(finished([str(at), "coins"], label="flow")).result()
        assert Bills(store.database).known("live") == {"flow": coins(*range(5, KEPT + 5))}
        assert Bills(store.database).known("simulated") == {}


def test_realms_and_labels_are_kept_apart(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.journal.record_all([started("r1", "live"), started("r2", "simulated")])
        store.journal.record(finished(["0.50", "CNY"], label="a"))
        store.journal.record(finished(["3", "coins"], label="b"))
        store.journal.record(finished(["9", "coins"], label="a", run="r2")).result()
        assert Bills(store.database).known("live") == {"a": [Money(Decimal("0.50"), "CNY")], "b": coins(3)}
        assert Bills(store.database).known("simulated") == {"a": coins(9)}


def test_what_teaches_nothing_leaves_no_row(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.journal.record(started("r1", "live"))
        store.journal.record(finished(["0.2", "CNY"]))  # its price is on the list
        store.journal.record(finished(None, label="a"))  # the service has not told
        store.journal.record(finished(["5", "coins"], label="a", run="nobody-knows")).result()
        assert store.database.rows("SELECT * FROM bills") == []

"""Older stores: opened, brought up to date, and nothing lost, whoever comes first and whatever goes wrong."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from rhflow.core.errors import StoreError
from rhflow.store.database import NAME, Database, open_reader
from rhflow.store.schema import MIGRATIONS, VERSION
from rhflow.store.store import Store
from rhflow.store.usage import stored
from tests.unit.store_support import accepted, child, entry, hear, intent, picture, say, settled

DIGEST = "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73"  # of `content`
FILE = {"digest": DIGEST, "media_type": "image/png", "size": 7, "name": "a.png", "url": "https://x"}
DOCUMENT = {
    "outputs": {"files": [FILE], "texts": ["words"]},
    "ingredients": {"kind": "text-to-image", "endpoint": "/x", "inputs": {"prompt": "p"}, "realm": "live"},
    "created": 12.5, "seconds": 3.0, "cost": ["0.20", "CNY"], "model": "painter", "task_id": "task-1",
}  # fmt: skip
# What the first version wrote, as it wrote it: this never changes
FIRST: dict[str, list[tuple[Any, ...]]] = {
    "entries": [("key-1", json.dumps(DOCUMENT))],
    "last_calls": [("poster", "live", "draw", "key-1")],
    "memos": [(7, "memo", '{"run": "r1"}')],
    "memo_nodes": [(7, '{"rest": []}')],
    "digests": [(b"/a/b.png", 7, 1, 1, "9", DIGEST, "{}")],
    "links": [(DIGEST, "cn", "https://link", 5.0)],
    "runs": [("r1", "poster", '"/recipes/poster.yaml"', "live", 10.0, None, "running", "null")],
    "events": [
        ("r1", 1, 10.0, "run.started", None, '{"pipeline":"poster"}'),
        ("r1", 2, 11.0, "node.finished", "draw", '{"key":"key-1"}'),
    ],
    "submissions": [
        ("key-1", "r1", "draw", "/x", "settled", "task-1", 11.0, "succeeded"),
        ("key-2", "r1", "clip", "/y", "accepted", "task-2", 12.0, None),
        ("key-3", "r1", "large", "/z", "intent", None, 13.0, None),
    ],
    "deliveries": [("signature", "r1", '"/outputs/poster/r1"')],
}


def first_version(root: Path) -> None:
    """Make a store as the first version left it."""
    root.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(root / NAME) as old:
        old.execute("PRAGMA journal_mode=WAL")
        for statement in MIGRATIONS[0]:
            old.execute(statement)
        old.execute("PRAGMA user_version=1")
        for table, rows in FIRST.items():
            old.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(rows[0]))})", rows)
    old.close()
    blob = root / "blobs" / DIGEST[:2] / DIGEST[2:]
    blob.parent.mkdir(parents=True, exist_ok=True)
    blob.write_bytes(b"content")


def check(store: Store) -> None:
    """Assert that all of the first version's rows mean what they meant."""
    assert store.database.rows("PRAGMA user_version") == [(VERSION,)] and store.database.check() == []
    for table, rows in FIRST.items():
        assert [row[: len(rows[0])] for row in store.database.rows(f"SELECT * FROM {table}")] == rows
    found = store.index.entries(["key-1"])["key-1"]
    assert found.to_json() == DOCUMENT
    assert store.index.previous("poster", "live", ["draw"]) == {"draw": DOCUMENT["ingredients"]}
    assert store.memos.get("memo") == {"run": "r1"} and store.memos.nodes("memo") == {"rest": []}
    assert store.deliveries.find_delivery("signature") == ("r1", Path("/outputs/poster/r1"))
    assert store.links.fresh(DIGEST, "cn", now=6.0, max_age=5.0) == "https://link"
    assert store.journal.find_run("latest").recipe == "/recipes/poster.yaml"
    assert [event.type for event in store.journal.events("r1")] == ["run.started", "node.finished"]
    still_open = store.journal.open_submissions()
    assert {key: (each.state, each.task_id) for key, each in still_open.items()} == {
        "key-2": ("accepted", "task-2"),
        "key-3": ("intent", None),
    }
    (result,) = stored(store.database, store.blobs)
    assert result.places == (("poster", "draw"),) and not result.lost


def test_a_store_of_the_first_version_keeps_everything(tmp_path: Path) -> None:
    first_version(tmp_path)
    assert open_reader(tmp_path) is None, "the quick door leaves migrating to the long way"
    with Store.open(tmp_path) as store:
        check(store)
        with pytest.raises(Exception, match="already sent"):
            store.journal.record(intent("key-2", run="r2")).result()
        store.journal.record(accepted("key-3", "task-3")).result()
        store.journal.record(settled("key-2")).result()
        store.index.put(entry("key-4", picture(store))).result()
        assert store.journal.open_submissions().keys() == {"key-3"}


OPEN = """
import sys
from pathlib import Path
from rhflow.core.events import Event
from rhflow.store.store import Store

print("ready", flush=True)
sys.stdin.readline()
with Store.open(Path(sys.argv[1])) as store:
    name = sys.argv[2]
    store.journal.record(Event(name, 1.0, "submit.intent", "n", {"key": name})).result()
    print(store.database.rows("PRAGMA user_version")[0][0], len(store.journal.open_submissions()) >= 3, flush=True)
"""


def test_two_processes_bring_one_store_up_to_date_at_once(tmp_path: Path) -> None:
    first_version(tmp_path)
    with child(OPEN, tmp_path, "one") as one, child(OPEN, tmp_path, "two") as two:
        assert hear(one) == hear(two) == "ready"
        say(one), say(two)
        assert hear(one) == hear(two) == f"{VERSION} True"
        assert one.wait() == two.wait() == 0
    with Store.open(tmp_path) as store:
        assert store.journal.open_submissions().keys() == {"key-2", "key-3", "one", "two"}
        assert store.index.entries(["key-1"]).keys() == {"key-1"}


BROKEN = """
import sys
from pathlib import Path
from rhflow.store import schema

schema.MIGRATIONS = (*schema.MIGRATIONS, ("CREATE TABLE fine (x)", "DELETE FROM entries", "CREATE TABLE fine (x)"))
schema.VERSION = len(schema.MIGRATIONS)
from rhflow.core.errors import StoreError
from rhflow.store.database import Database

try:
    Database.open(Path(sys.argv[1]))
except StoreError as error:
    print(error.problems[0].code, flush=True)
"""


def test_a_migration_that_fails_halfway_changes_nothing(tmp_path: Path) -> None:
    first_version(tmp_path)
    with child(BROKEN, tmp_path) as process:
        assert hear(process) == "store-failed"
    with sqlite3.connect(tmp_path / NAME) as old:
        assert old.execute("PRAGMA user_version").fetchone() == (1,)
        assert old.execute("SELECT count(*) FROM sqlite_master WHERE name = 'fine'").fetchone() == (0,)
    old.close()
    with Store.open(tmp_path) as store:
        check(store)


def test_a_log_of_the_old_version_is_taken_along(tmp_path: Path) -> None:
    """An old process was killed: what it wrote last lies in the log alone."""
    first_version(tmp_path / "old")
    live = sqlite3.connect(tmp_path / "old" / NAME)
    live.execute("UPDATE submissions SET task_id = 'task-3', state = 'accepted' WHERE key = 'key-3'")
    live.commit()
    (tmp_path / "new").mkdir()
    for name in (NAME, f"{NAME}-wal"):
        (tmp_path / "new" / name).write_bytes((tmp_path / "old" / name).read_bytes())
    live.close()
    with Database.open(tmp_path / "new") as database:
        assert database.rows("SELECT task_id FROM submissions WHERE key = 'key-3'") == [("task-3",)]


def test_the_present_tables_are_those_of_all_migrations_and_of_a_new_store(tmp_path: Path) -> None:
    first_version(tmp_path / "old")
    with Database.open(tmp_path / "old") as old, Store.open(tmp_path / "new") as new:
        sql = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
        assert old.rows(sql) == new.database.rows(sql)


def test_a_database_that_is_no_store_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / NAME) as other:
        other.execute("CREATE TABLE entries (something TEXT)")
    other.close()
    with pytest.raises(StoreError):
        Database.open(tmp_path)
    with sqlite3.connect(tmp_path / NAME) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("entries",)]
    other.close()

"""Crashes and company: a killed writer, a torn log, and two processes in one store."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rhflow.store.database import NAME, Database, open_reader
from rhflow.store.store import Store
from tests.unit.store_support import accepted, child, entry, hear, intent, picture, say, settled

WRITER = """
import sys
from pathlib import Path
from rhflow.core.events import Event
from rhflow.core.values import Artifact, Entry, Outputs
from rhflow.store.store import Store

root, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
with Store.open(root) as store:
    for number in range(count):
        key = f"{name}-{number}"
        store.journal.record(Event(name, 1.0, "submit.intent", key, {"key": key, "endpoint": "/x"})).result()
        print("sent", number, flush=True)
        store.journal.record(Event(name, 2.0, "submit.accepted", key, {"key": key, "task_id": key}))
        digest = store.blobs.ingest_bytes(key.encode())
        file = Artifact(digest, "text/plain", len(key), "a.txt")
        done = store.index.put(Entry(key, Outputs((file,)), {}, 1.0))
        store.journal.record(Event(name, 3.0, "submit.settled", key, {"key": key, "outcome": "succeeded"}))
        store.journal.record(Event(name, 3.0, "node.finished", key, {"key": key}))
print("done", flush=True)
"""


def check(store: Store) -> dict[str, list[str]]:
    """Assert what must hold whatever happened, and return the finished keys of each run."""
    assert store.database.check() == []
    entries = {each.key: each for each in store.index.all_entries()}
    assert all(store.blobs.verify(digest) for digest in store.index.digests()), "the index names a missing blob"
    finished: dict[str, list[str]] = {}
    for run in ("one", "two"):
        events = store.journal.events(run)
        finished[run] = [str(event.node) for event in events if event.type == "node.finished"]
        assert set(finished[run]) <= entries.keys(), "an event says finished, the index does not know"
        intents = {event.node for event in events if event.type == "submit.intent"}
        closed = {event.node for event in events if event.type == "submit.settled"}
        opened = {key for key in store.journal.open_submissions() if key.startswith(run)}
        assert opened == intents - closed, "the fold is not that of the events"
    return finished


@pytest.mark.parametrize("acknowledged", [1, 7, 25])
def test_what_was_acknowledged_survives_a_killed_writer(tmp_path: Path, acknowledged: int) -> None:
    root = tmp_path / "the store 图"
    with child(WRITER, root, "one", 1_000_000) as writer:
        assert hear(writer) == "ready"
        say(writer)
        for number in range(acknowledged):
            assert hear(writer) == f"sent {number}"
        writer.kill()
        writer.wait()
    quick = open_reader(root)
    assert quick is not None, "the quick door recovers a torn log as well"
    with quick:
        assert quick.rows("SELECT count(*) FROM events WHERE type = 'submit.intent'")[0][0] >= acknowledged
    with Store.open(root) as store:
        check(store)
        sent = {event.node for event in store.journal.events("one") if event.type == "submit.intent"}
        assert {f"one-{number}" for number in range(acknowledged)} <= sent
        store.journal.record(settled("one-0", run="one")).result()


def test_two_processes_create_and_fill_one_store_together(tmp_path: Path) -> None:
    count = 60
    with child(WRITER, tmp_path / "store", "one", count) as one, child(WRITER, tmp_path / "store", "two", count) as two:
        assert hear(one) == hear(two) == "ready"
        say(one), say(two)
        lines = {"one": [], "two": []}
        for name, process in (("one", one), ("two", two)):
            while (line := hear(process)) not in ("done", ""):
                lines[name].append(line)
        assert one.wait() == two.wait() == 0
    assert [len(lines[name]) for name in lines] == [count, count]
    with Store.open(tmp_path / "store") as store:
        finished = check(store)
        assert {name: len(keys) for name, keys in finished.items()} == {"one": count, "two": count}
        assert store.journal.open_submissions() == {}


def test_a_reader_never_sees_half_a_transaction(tmp_path: Path) -> None:
    with child(WRITER, tmp_path / "store", "one", 150) as writer, Store.open(tmp_path / "store") as store:
        assert hear(writer) == "ready"
        say(writer)
        while (line := hear(writer)) not in ("done", ""):
            # Asked in one query, so both sides are of the same moment.
            sql = """SELECT (SELECT count(*) FROM events WHERE type = 'submit.intent'),
                            (SELECT count(*) FROM submissions)"""
            ((events, rows),) = store.database.rows(sql)
            assert events == rows > int(line.split()[1])
        assert len(check(store)["one"]) == 150


def test_a_log_cut_anywhere_leaves_whole_transactions_in_order(tmp_path: Path) -> None:
    """What a power cut may leave: the main file, and a log that ends anywhere."""
    with Store.open(tmp_path / "store") as store:
        store.database.flush()
        for number in range(6):
            key = f"one-{number}"
            for event in (intent(key, run="one", node=key), accepted(key, f"t{number}", run="one", node=key)):
                store.journal.record(event).result()
            store.index.put(entry(key, picture(store, key.encode()))).result()
            store.journal.record(settled(key, run="one", node=key)).result()
        main, log = ((store.root / f"{NAME}{suffix}").read_bytes() for suffix in ("", "-wal"))
        blobs = store.root / "blobs"
        seen = set()
        for length in range(0, len(log) + 1, len(log) // 40):
            cut = tmp_path / f"cut-{length}"
            cut.mkdir()
            (cut / NAME).write_bytes(main)
            (cut / f"{NAME}-wal").write_bytes(log[:length])
            shutil.copytree(blobs, cut / "blobs")
            with Store.open(cut) as torn:
                check(torn)
                events = torn.journal.events("one")
                assert events == store.journal.events("one")[: len(events)]
                settled_keys = {event.node for event in events if event.type == "submit.settled"}
                assert settled_keys <= torn.index.entries([f"one-{number}" for number in range(6)]).keys()
                seen.add(len(events))
        assert len(seen) > 10, "the cuts fell on many different moments"


def test_a_database_of_another_process_is_seen_to_grow(tmp_path: Path) -> None:
    with Database.open(tmp_path) as one, Database.open(tmp_path) as two:
        one.submit(lambda connection: connection.execute("INSERT INTO links VALUES ('d', 's', 'u', 0)")).result()
        assert two.rows("SELECT digest FROM links") == [("d",)]

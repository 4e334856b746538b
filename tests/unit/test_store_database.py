"""The database: opening, migrating, refusing, and committing in groups."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
import threading
from pathlib import Path

import pytest

from rhflow.core.errors import StoreError
from rhflow.store.database import NAME, Database, open_reader
from rhflow.store.schema import MIGRATIONS, VERSION


@pytest.fixture
def database(tmp_path: Path):
    with Database.open(tmp_path) as opened:
        yield opened


def code_of(error: pytest.ExceptionInfo[StoreError]) -> str:
    (problem,) = error.value.problems
    assert problem.message[0] in "`abcdefghijklmnopqrstuvwxyz" and not problem.message.endswith(".")
    return problem.code


def link(number: int):
    return lambda connection: connection.execute("INSERT INTO links VALUES (?, 's', 'u', 0)", (str(number),))


def links(database: Database) -> list[str]:
    return [row[0] for row in database.rows("SELECT digest FROM links ORDER BY CAST(digest AS INTEGER)")]


class Gate:
    """Holds the writer thread inside a job, so that what is submitted meanwhile is queued for certain."""

    def __init__(self, database: Database) -> None:
        self.entered, self.opened = threading.Event(), threading.Event()
        self.done = database.submit(self._hold)
        assert self.entered.wait(30)

    def _hold(self, connection: sqlite3.Connection) -> None:
        self.entered.set()
        assert self.opened.wait(30)


def test_a_write_can_be_read_once_its_future_is_done(database: Database) -> None:
    database.submit(link(1)).result()
    assert links(database) == ["1"]


def test_reading_starts_no_thread_and_the_first_write_starts_one(database: Database) -> None:
    def writers() -> int:
        return sum(thread.name == "rhflow-store" for thread in threading.enumerate())

    before = writers()
    database.rows("SELECT * FROM links")
    assert writers() == before
    database.submit(link(1)).result()
    assert writers() == before + 1
    database.close()
    assert writers() == before


@pytest.mark.parametrize("name", ["plain", "with space", "ünïcode-图", "100%?x#y"])
def test_any_folder_name_will_do(tmp_path: Path, name: str) -> None:
    root = tmp_path / name
    root.mkdir()
    with Database.open(root) as database:
        database.submit(link(1)).result()
    assert (root / NAME).is_file()
    with Database.open(root) as database:
        assert links(database) == ["1"]


def test_closing_commits_what_is_queued_and_leaves_one_file(tmp_path: Path) -> None:
    database = Database.open(tmp_path)
    gate = Gate(database)
    for number in range(100):
        database.submit(link(number))
    gate.opened.set()
    database.close()
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    with Database.open(tmp_path) as again:
        assert len(links(again)) == 100


def test_many_durable_writes_from_many_threads_share_a_transaction(database: Database) -> None:
    gate = Gate(database)
    futures = []

    def work(start: int) -> None:
        futures.extend(database.submit(link(number), durable=True) for number in range(start, start + 50))

    threads = [threading.Thread(target=work, args=(50 * number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gate.opened.set()
    for future in futures:
        future.result()
    assert len(links(database)) == 400
    assert database.commits == 2


def test_writes_are_done_in_the_order_submitted(database: Database) -> None:
    order: list[int] = []
    for number in range(200):
        database.submit(lambda connection, number=number: order.append(number), durable=number % 7 == 0)
    database.flush()
    assert order == list(range(200))


def test_only_a_batch_with_a_durable_write_is_flushed_to_the_disk(database: Database) -> None:
    def synchronous(connection: sqlite3.Connection) -> int:
        return connection.execute("PRAGMA synchronous").fetchone()[0]

    normal, full = 1, 2
    assert database.submit(synchronous).result() == normal
    assert database.submit(synchronous, durable=True).result() == full
    assert database.submit(synchronous).result() == normal
    gate = Gate(database)
    mixed = [database.submit(synchronous), database.submit(synchronous, durable=True), database.submit(synchronous)]
    gate.opened.set()
    assert [future.result() for future in mixed] == [full] * 3


def test_a_write_that_raises_is_undone_alone(database: Database) -> None:
    def half(connection: sqlite3.Connection) -> None:
        link(2)(connection)
        raise ValueError("no")

    gate = Gate(database)
    before, bad, after = database.submit(link(1)), database.submit(half), database.submit(link(3))
    gate.opened.set()
    before.result(), after.result()
    with pytest.raises(ValueError, match="no"):
        bad.result()
    assert links(database) == ["1", "3"]


def test_a_failure_nobody_looked_at_comes_out_when_closing(tmp_path: Path) -> None:
    database = Database.open(tmp_path)
    database.submit(lambda connection: connection.execute("INSERT INTO nowhere VALUES (1)"))
    with pytest.raises(StoreError, match="nowhere"):
        database.close()


def test_a_failure_nobody_looked_at_comes_out_when_flushing_once(database: Database) -> None:
    database.submit(lambda connection: connection.execute("INSERT INTO nowhere VALUES (1)"))
    with pytest.raises(StoreError, match="nowhere"):
        database.flush()
    database.flush()


def test_the_error_of_the_block_wins_over_that_of_closing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="mine") as caught, Database.open(tmp_path) as database:
        database.submit(lambda connection: connection.execute("INSERT INTO nowhere VALUES (1)"))
        raise ValueError("mine")
    assert any("nowhere" in note for note in caught.value.__notes__)


async def test_a_cancelled_coroutine_does_not_take_its_write_back(database: Database) -> None:
    gate = Gate(database)
    waiting = asyncio.wrap_future(database.submit(link(1)))
    waiting.cancel()
    gate.opened.set()
    await asyncio.wrap_future(database.submit(link(2)))
    assert links(database) == ["1", "2"]


def test_a_closed_database_takes_no_writes(tmp_path: Path) -> None:
    for used in (False, True):
        database = Database.open(tmp_path)
        if used:
            database.submit(link(1)).result()
        database.close()
        database.close()
        with pytest.raises(StoreError, match="is closed"):
            database.submit(link(2))


def test_an_empty_database_is_migrated_from_version_zero(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / NAME).close()
    assert open_reader(tmp_path) is None
    with Database.open(tmp_path) as database:
        assert database.rows("PRAGMA user_version") == [(VERSION,)]
        assert database.rows("PRAGMA journal_mode") == [("wal",)]
        assert database.check() == []


def test_each_older_version_is_migrated_and_keeps_its_rows(tmp_path: Path) -> None:
    for version in range(1, VERSION + 1):
        root = tmp_path / str(version)
        root.mkdir()
        with sqlite3.connect(root / NAME) as old:
            for statement in (each for migration in MIGRATIONS[:version] for each in migration):
                old.execute(statement)
            old.execute(f"PRAGMA user_version={version}")
            link(7)(old)
        old.close()
        with Database.open(root) as database:
            assert links(database) == ["7"]
            assert database.rows("PRAGMA user_version") == [(VERSION,)]


def test_a_newer_version_is_refused_with_a_hint(tmp_path: Path) -> None:
    Database.open(tmp_path).close()
    with sqlite3.connect(tmp_path / NAME) as newer:
        newer.execute(f"PRAGMA user_version={VERSION + 1}")
    newer.close()
    for door in (Database.open, open_reader):
        with pytest.raises(StoreError) as caught:
            door(tmp_path)
        assert code_of(caught) == "store-newer"
        assert "a newer one" in (caught.value.problems[0].hint or "")


def test_the_quick_door_opens_what_is_there_and_makes_nothing(tmp_path: Path) -> None:
    assert open_reader(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    Database.open(tmp_path).close()
    quick = open_reader(tmp_path)
    assert quick is not None
    with quick:
        assert links(quick) == []


def test_something_else_under_that_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("this is not a database, but it is long enough to be looked at as one" * 20)
    with pytest.raises(StoreError) as caught:
        Database.open(tmp_path)
    assert code_of(caught) == "store-damaged"


def test_a_damaged_database_is_an_error_and_the_check_says_so(tmp_path: Path) -> None:
    with Database.open(tmp_path) as database:
        for number in range(2000):
            database.submit(link(number))
    path = tmp_path / NAME
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2 // 4096 * 4096] + b"\xff" * (len(whole) // 2))
    with Database.open(tmp_path) as database:
        with pytest.raises(StoreError) as caught:
            links(database)
        assert code_of(caught) == "store-damaged"
        assert database.check() != []


def test_a_database_held_by_another_is_an_error_in_the_end(tmp_path: Path) -> None:
    with Database.open(tmp_path, patience=0.01) as database:
        other = sqlite3.connect(tmp_path / NAME, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError) as caught:
            database.submit(link(1)).result()
        assert code_of(caught) == "store-busy"
        assert links(database) == [], "readers do not wait"
        other.execute("COMMIT")
        other.close()
        database.submit(link(2)).result()
        assert links(database) == ["2"]


def test_a_full_disk_fails_the_writes_that_did_not_fit_and_no_later_one(database: Database) -> None:
    def fill(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO links VALUES ('big', 's', ?, 0)", ("x" * 1_000_000,))

    def limit(pages: int):
        return lambda connection: connection.execute(f"PRAGMA max_page_count={pages}").fetchone()

    database.submit(limit(1)).result()  # means: no more than there are
    gate = Gate(database)
    shared = [database.submit(link(1)), database.submit(fill)]
    gate.opened.set()
    for future in shared:
        with pytest.raises(StoreError) as caught:
            future.result()
        assert code_of(caught) == "store-full"
    database.submit(limit(100_000)).result()
    database.submit(link(3)).result()
    assert links(database) == ["3"]


def test_a_database_removed_while_open_is_not_made_anew(tmp_path: Path) -> None:
    database = Database.open(tmp_path)
    for path in tmp_path.iterdir():
        path.unlink()
    with pytest.raises(StoreError) as caught:
        database.submit(link(1)).result()
    assert code_of(caught) == "store-unreachable"
    database.close()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def commoner():
    """Run as a user whom permissions bind, in a folder of their own."""
    with tempfile.TemporaryDirectory() as folder:
        root, user = Path(folder), os.geteuid()
        if user == 0:
            os.chown(root, 65534, -1)
            os.seteuid(65534)
        try:
            yield root
        finally:
            os.seteuid(user)
            for path in (root, *root.rglob("*")):
                path.chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_a_read_only_folder_is_refused(commoner: Path) -> None:
    root = commoner / "closed"
    root.mkdir(mode=0o555)
    with pytest.raises(StoreError) as caught:
        Database.open(root)
    assert code_of(caught) == "store-unreachable"


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_a_store_in_a_read_only_folder_says_so(commoner: Path) -> None:
    Database.open(commoner).close()
    for beside in commoner.glob(f"{NAME}-*"):
        beside.unlink()
    commoner.chmod(0o555)
    for door in (Database.open, open_reader):
        with pytest.raises(StoreError) as caught:
            door(commoner)
        assert code_of(caught) == "store-read-only"


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_a_read_only_file_can_be_read_but_not_written(commoner: Path) -> None:
    Database.open(commoner).close()
    (commoner / NAME).chmod(0o444)
    with Database.open(commoner) as database:
        assert links(database) == []
        with pytest.raises(StoreError) as caught:
            database.submit(link(1)).result()
        assert code_of(caught) == "store-read-only"

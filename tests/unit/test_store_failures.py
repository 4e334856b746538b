"""A full disk, a limit, a broken device, somebody else's folder: a clear problem, nothing half done, nothing lost."""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from rhflow.core.errors import StoreError
from rhflow.store.database import NAME
from rhflow.store.failures import store_error
from rhflow.store.store import Store
from tests.unit.store_support import accepted, child, entry, hear, intent, picture


def refuse(number: int) -> Callable[..., None]:
    def call(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return call


def code_of(caught: pytest.ExceptionInfo[StoreError]) -> str:
    (problem,) = caught.value.problems
    assert problem.hint, "whoever has this problem wants to know what to do"
    return problem.code


@pytest.mark.parametrize("moment", ["fsync", "replace"])
@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "store-full"),
        (errno.EDQUOT, "store-full"),
        (errno.EFBIG, "store-full"),
        (errno.EIO, "store-io"),
        (errno.EROFS, "store-read-only"),
        (errno.EACCES, "store-denied"),
        (errno.EMFILE, "store-handles"),
    ],
)
def test_a_file_that_cannot_be_written_leaves_nothing_behind(
    moment: str, number: int, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(tmp_path) as store:
        with monkeypatch.context() as broken:
            broken.setattr(os, moment, refuse(number))
            with pytest.raises(StoreError) as caught:
                store.blobs.ingest_bytes(b"content")
        assert code_of(caught) == code
        assert list(store.blobs.digests()) == [] and list((tmp_path / "tmp").glob("*.part")) == []
        store.index.put(entry("k", picture(store, b"content"))).result()
        assert store.index.entries(["k"]).keys() == {"k"}, "once there is room, all goes well"


def test_every_refusal_of_sqlite_has_a_code_and_a_hint() -> None:
    for number in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    ):
        error = sqlite3.OperationalError("it says no")
        error.sqlite_errorcode = number
        (problem,) = store_error(error, "x").problems
        assert problem.code.startswith("store-") and problem.code != "store-failed" and problem.hint


LIMITED = """
import resource, sys
from pathlib import Path
from rhflow.core.errors import StoreError
from rhflow.core.events import Event
from rhflow.store.store import Store

root = Path(sys.argv[1])
with Store.open(root) as store:
    store.journal.record(Event("r1", 1.0, "submit.intent", "draw", {"key": "k"})).result()
    store.journal.record(Event("r1", 1.0, "submit.accepted", "draw", {"key": "k", "task_id": "t"})).result()
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
    try:
        store.blobs.ingest_bytes(bytes(2 << 20))
    except StoreError as error:
        print(error.problems[0].code, flush=True)
    said = 0
    while True:
        try:
            event = Event("r1", 2.0, "submit.settled", "draw", {"key": "k", "outcome": "x" * 100_000})
            store.journal.record(event, durable=True).result()
        except StoreError as error:
            print(error.problems[0].code, flush=True)
            break
        said += 1
    print(said, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits")
def test_at_the_limit_of_files_writes_fail_whole(tmp_path: Path) -> None:
    """What the kernel really answers, to Python and to SQLite alike."""
    with child(LIMITED, tmp_path) as process:
        assert hear(process) == "store-full"
        assert hear(process) in ("store-io", "store-full")
        said = int(hear(process))
        assert process.wait() == 0
    with Store.open(tmp_path) as store:
        assert store.database.check() == []
        assert list(store.blobs.digests()) == [] and not list((tmp_path / "tmp").glob("*.part"))
        assert len(store.journal.events("r1")) == 2 + said, "every acknowledged event is there, and no half one"


def test_what_was_paid_for_and_cannot_be_kept_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(tmp_path) as store:
        for event in (intent("k"), accepted("k", "task-1")):
            store.journal.record(event).result()
        with monkeypatch.context() as broken, pytest.raises(StoreError):
            broken.setattr(os, "fsync", refuse(errno.ENOSPC))
            picture(store)
        assert store.journal.open_submissions()["k"].task_id == "task-1"
        assert store.index.entries(["k"]) == {}


def test_a_blob_that_goes_away_before_its_entry_is_written_is_noticed_there(tmp_path: Path) -> None:
    """Between the look and the transaction another process cleans up: the entry is refused, not written blind."""
    with Store.open(tmp_path) as store:
        file, go_on = picture(store), threading.Event()
        store.database.submit(lambda connection: go_on.wait(30))
        written = store.index.put(entry("k", file))
        store.blobs.remove(file.digest)
        go_on.set()
        with pytest.raises(StoreError, match="not in the store"):
            written.result()
        assert list(store.index.all_entries()) == []


@pytest.mark.parametrize("where", ["store", "store/deeper", NAME])
def test_something_else_in_the_place_of_the_store(tmp_path: Path, where: str) -> None:
    if where == NAME:
        (tmp_path / NAME).mkdir()
        root = tmp_path
    else:
        (tmp_path / "store").write_text("a file")
        root = tmp_path / where
    with pytest.raises(StoreError) as caught:
        Store.open(root)
    assert code_of(caught) in ("store-unreachable", "store-io")

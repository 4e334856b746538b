"""The one SQLite database of a store: opening it, reading it, and handing writes to its writer thread.

Write-ahead logging lets any number of processes read while one writes, and a reader always sees whole transactions.
Reading goes through a connection opened read-only: it cannot write by mistake, and closing it never pays for a
checkpoint. Writing is the business of ``writer.py``, imported and started at the first write, because the fastest path
of the command line only reads. No file of the database is ever opened by other means here: on POSIX, closing such a
handle would drop the locks SQLite holds.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from rhflow.core.errors import Problem, StoreError
from rhflow.store.failures import DAMAGED, store_error, translated
from rhflow.store.schema import MIGRATIONS, VERSION

if TYPE_CHECKING:
    from concurrent.futures import Future

    from rhflow.store.writer import Writer

NAME = "index.sqlite"
PATIENCE = 60.0
"""How many seconds to wait for another process that is writing."""
CHUNK = 500
"""How many values one ``IN (…)`` takes; SQLite's own limit was 999 for most of its life."""

T = TypeVar("T")


class Database:
    """An open database; safe to use from any thread. Make one with ``Database.open`` or ``open_reader``."""

    def __init__(self, path: Path, reader: sqlite3.Connection, *, patience: float) -> None:
        self.path = path
        self._reader = reader
        self._patience = patience
        self._lock = threading.Lock()
        self._writer: Writer | None = None
        self._closed = False

    @classmethod
    def open(cls, root: Path, *, patience: float = PATIENCE) -> Self:
        """Open the database in the folder ``root``, creating or migrating it where needed.

        Raises StoreError when it is held, damaged, read-only where it must be written, or from a newer rhflow.
        """
        path = root / NAME
        with translated(path):
            reader = _present_reader(path, patience)
            while reader is None:
                _migrate(path, patience)
                reader = _present_reader(path, patience)
        return cls(path, reader, patience=patience)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query, as of the last committed transaction."""
        with self._lock, translated(self.path):
            return self._reader.execute(sql, parameters).fetchall()

    def rows_in(self, sql: str, values: Sequence[Any], *, first: Sequence[Any] = ()) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows of a query with ``IN ({})``, in chunks of ``values``; ``first`` fills the marks before it."""
        for start in range(0, len(values), CHUNK):
            chunk = values[start : start + CHUNK]
            yield self.rows(sql.format(",".join("?" * len(chunk))), (*first, *chunk))

    def submit(self, work: Callable[[sqlite3.Connection], T], *, durable: bool = False) -> Future[T]:
        """Queue ``work`` for the writer thread; the future is done once its transaction is committed.

        A durable write is on the disk by then and survives a power cut, together with every write before it. Work is
        done in the order submitted; work that raises is undone alone. Cancelling the future does not take it back.
        """
        return self._writing().submit(work, durable=durable)

    @property
    def commits(self) -> int:
        """How many transactions this object has committed."""
        return 0 if self._writer is None else self._writer.commits

    def flush(self) -> None:
        """Wait until everything submitted is committed; raise the first failure that nobody has looked at."""
        if self._writer is not None:
            self._writer.flush()

    def check(self) -> list[str]:
        """Return what SQLite finds wrong with the file; empty when it is sound. Reads all of it."""
        try:
            return [text for (text,) in self.rows("PRAGMA integrity_check") if text != "ok"]
        except StoreError as error:
            if error.problems[0].code != DAMAGED:
                raise
            return [error.problems[0].message]  # too damaged even to be checked

    def close(self) -> None:
        """Commit what is queued and let go of the file; raise the first failure that nobody has looked at."""
        with self._lock:
            self._closed = True
            # The reader goes first: the last connection out folds the log into the file, and only a writing one can.
            self._reader.close()
        if self._writer is not None:
            self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except Exception as failure:
            if error is None:
                raise
            error.add_note(f"and then, while closing the store: {failure}")

    def _writing(self) -> Writer:
        if self._writer is not None:
            return self._writer
        from rhflow.store.writer import Writer  # imported late: most invocations only read

        with self._lock:
            if self._closed:
                raise StoreError(Problem("store-closed", f"`{self.path}` is closed"))
            if self._writer is None:
                self._writer = Writer(self.path, lambda: _connect_writer(self.path, self._patience))
            return self._writer


def open_reader(root: Path, *, patience: float = PATIENCE) -> Database | None:
    """Open the database in ``root`` without creating or migrating; None where that would be needed.

    The fastest way in: one connection, one pragma.
    """
    path = root / NAME
    with translated(path):
        reader = _present_reader(path, patience)
    return None if reader is None else Database(path, reader, patience=patience)


def _connect(path: Path, mode: str, patience: float) -> sqlite3.Connection:
    """Connect in SQLite's ``mode``: ``ro``, ``rw`` or ``rwc``; without ``c`` a database that is gone stays gone."""
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=patience, isolation_level=None, check_same_thread=False)


def _connect_writer(path: Path, patience: float, *, create: bool = False) -> sqlite3.Connection:
    connection = _connect(path, "rwc" if create else "rw", patience)
    # Only macOS heeds this: there a plain fsync leaves the data in the drive's own cache.
    connection.execute("PRAGMA fullfsync=ON")
    return connection


def _present_reader(path: Path, patience: float) -> sqlite3.Connection | None:
    """Return a reading connection when the tables are of the present version, None when they are older or missing."""
    if not path.exists():
        return None
    connection = _connect(path, "ro", patience)
    try:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    if found == VERSION:
        return connection
    connection.close()
    if found > VERSION:
        message = f"`{path}` was written by a newer rhflow (version {found} of its tables, this one knows {VERSION})"
        hint = "use the rhflow that wrote it, or a newer one: `rhflow --version` tells which this is"
        raise StoreError(Problem("store-newer", message, hint=hint))
    return None


def _migrate(path: Path, patience: float) -> None:
    """Create the database, or bring it to the present version, in one transaction."""
    with closing(_connect_writer(path, patience, create=True)) as connection:
        _use_log(connection, path, patience)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN IMMEDIATE")
        # Read again now that the lock is ours: another process may have been quicker.
        found = connection.execute("PRAGMA user_version").fetchone()[0]
        for statement in (statement for migration in MIGRATIONS[found:] for statement in migration):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={max(found, VERSION)}")
        connection.execute("COMMIT")


def _use_log(connection: sqlite3.Connection, path: Path, patience: float) -> None:
    """Switch to write-ahead logging, which is remembered in the file.

    SQLite does not wait for the lock this takes, so that two processes which create a store at once need the loop.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise store_error(error, path) from error
            time.sleep(0.005)
            continue
        if mode != "wal":
            hint = "keep the store on a local disk"
            raise StoreError(Problem("store-no-wal", f"the file system of `{path}` cannot share a database", hint=hint))
        return

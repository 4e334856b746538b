"""The thread that owns the writing connection and puts queued writes into common transactions.

Group commit without delay: a batch is whatever is queued when the thread looks, and what arrives while it commits
is the next batch. A hundred nodes that ask for a durable write at once therefore share one or two disk flushes.

Why durable writes are safe on one connection: SQLite heeds ``synchronous`` outside a transaction only, so it is set
before each ``BEGIN``. Under ``FULL`` the commit flushes the whole log file before it returns, and with it every earlier
``NORMAL`` commit in that log, of other processes too. A second connection for durable writes was rejected: it would
compete with the first for SQLite's single write lock and lose the order between the two.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rhflow.core.errors import Problem, StoreError
from rhflow.store.failures import store_error

T = TypeVar("T")


class Write(Future[T]):
    """The future of a write, which knows whether anybody has looked at how it ended."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = False
        # Running from the start: a cancelled coroutine must not take back a write it has asked for.
        self.set_running_or_notify_cancel()

    def result(self, timeout: float | None = None) -> T:
        """Return what the work returned, once it is committed."""
        self.seen = True
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Return why the write failed, or None once it is committed."""
        self.seen = True
        return super().exception(timeout)


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[sqlite3.Connection], Any]
    durable: bool
    future: Write[Any]


@dataclass(frozen=True, slots=True)
class _Failed:
    error: Exception


class Writer:
    """Commits queued writes in order; the thread starts with the object and ends with ``close``."""

    def __init__(self, path: Path, connect: Callable[[], sqlite3.Connection]) -> None:
        self.commits = 0
        self._path = path
        self._connect = connect
        self._queue: list[_Job] = []
        self._failed: list[Write[Any]] = []
        self._closing = False
        self._wake = threading.Condition()
        # A daemon, so that a program which forgets to close the store can still end.
        self._thread = threading.Thread(target=self._run, name="rhflow-store", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[sqlite3.Connection], T], *, durable: bool) -> Future[T]:
        """Queue ``work``; see ``Database.submit``."""
        future: Write[T] = Write()
        with self._wake:
            if self._closing:
                raise StoreError(Problem("store-closed", f"`{self._path}` is closed"))
            self._queue.append(_Job(work, durable, future))
            self._wake.notify()
        return future

    def flush(self) -> None:
        """Wait for everything queued so far, then raise the first failure that nobody has looked at."""
        self.submit(lambda connection: None, durable=False).exception()
        self._raise_unseen()

    def close(self) -> None:
        """Commit what is queued, end the thread, then raise the first failure that nobody has looked at."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()
        self._raise_unseen()

    def _raise_unseen(self) -> None:
        with self._wake:
            failed, self._failed = self._failed, []
        for write in failed:
            if not write.seen:
                write.result()

    def _run(self) -> None:
        connection: sqlite3.Connection | None = None
        try:
            while jobs := self._take():
                try:
                    connection = connection or self._connect()
                    outcomes = _commit(connection, jobs)
                    self.commits += 1
                except Exception as error:  # nothing is lost: every job's future gets it
                    outcomes = [_Failed(error)] * len(jobs)
                self._report(jobs, outcomes)
        finally:
            if connection is not None:
                connection.close()

    def _take(self) -> list[_Job]:
        """Wait for work and return all of it; empty once closed and done."""
        with self._wake:
            self._wake.wait_for(lambda: self._queue or self._closing)
            jobs, self._queue = self._queue, []
            return jobs

    def _report(self, jobs: list[_Job], outcomes: list[Any]) -> None:
        for job, outcome in zip(jobs, outcomes, strict=True):
            if isinstance(outcome, _Failed):
                error = outcome.error
                with self._wake:
                    self._failed.append(job.future)
                job.future.set_exception(store_error(error, self._path) if isinstance(error, sqlite3.Error) else error)
            else:
                job.future.set_result(outcome)


def _commit(connection: sqlite3.Connection, jobs: list[_Job]) -> list[Any]:
    """Do all jobs in one transaction and return what each gave; raise when the transaction as a whole fails."""
    durable = any(job.durable for job in jobs)
    connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
    connection.execute("BEGIN IMMEDIATE")
    try:
        outcomes = [_apply(connection, job) for job in jobs]
        connection.execute("COMMIT")
    except Exception:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return outcomes


def _apply(connection: sqlite3.Connection, job: _Job) -> Any:
    """Do one job so that its failure undoes it alone."""
    connection.execute("SAVEPOINT job")
    try:
        outcome = job.work(connection)
    except Exception as error:
        if not connection.in_transaction:
            raise  # a full disk, for one: SQLite has given up the whole transaction
        connection.execute("ROLLBACK TO job")
        outcome = _Failed(error)
    connection.execute("RELEASE job")
    return outcome

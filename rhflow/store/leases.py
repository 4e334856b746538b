"""Who holds which place of an account, for all runs on this machine: an account takes so many tasks at a time.

A run takes a lease before it submits and gives it back when its task has ended. Whether a holder lives is told by a
byte of the lock file that it keeps locked, which the kernel frees with the process: no times, no process ids. A task
that the service accepted from a process that is no more still takes its place there, so its lease stays, as an orphan,
until a run takes the task up again or the service says that it has ended.

What went wrong lately is kept here too, so that every process heeds it: how far the room is lowered, until when nobody
tries, until when everything slows down. An account is named by a digest, never by its key. Times are seconds since
1970.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from rhflow.store.database import Database
from rhflow.store.locks import KeyLocks

if TYPE_CHECKING:
    from concurrent.futures import Future

LESS: Final = 0.7
"""What is left of the room after a refusal."""
_ORPHAN: Final = ""
_NEVER: Final = 0.0
# A process may have died after the service's reply was noted and before its lease was.
_TASKS_OF_CALLS: Final = """
    UPDATE leases SET task =
        (SELECT task_id FROM submissions WHERE submissions.key = leases.key AND submissions.state = 'accepted')
    WHERE holder = ? AND task IS NULL"""


Offer: TypeAlias = tuple[list[int], bool, list[str]]
"""What a run gets: lease ids. Where that is not all it wants: whether there is room that others go before, and the
tasks that take places but that nobody waits for."""


@dataclass(frozen=True, slots=True)
class _State:
    """The row of an account."""

    room: float = 0.0
    lowered_until: float = _NEVER
    pause_until: float = _NEVER
    slow_until: float = _NEVER

    def places(self, limit: int, now: float) -> int:
        """Return how many tasks there may be now."""
        if now < max(self.pause_until, self.slow_until):
            return 0
        return limit if now >= self.lowered_until else min(limit, max(1, int(self.room)))


class Ledger:
    """The leases of one run on one account. Every write is atomic across processes and committed when its future is
    done; nothing of it needs to survive a power cut."""

    def __init__(
        self,
        database: Database,
        locks: KeyLocks,
        *,
        account: str,
        run: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._database, self._locks, self._now = database, locks, now
        self.account, self.run = account, run
        self._holder: str | None = None

    @property
    def holder(self) -> str:
        """The name under which this run holds leases; its lock is taken with it."""
        if self._holder is None:
            name = os.urandom(8).hex()
            if not self._locks.try_acquire(_lock_of(name)):  # 64 random bits are taken by nobody else
                raise AssertionError(f"the name {name} is taken")
            self._holder = name
        return self._holder

    def close(self) -> None:
        """Be seen as gone: what is still held is treated as a dead process's."""
        if self._holder is not None:
            self._locks.release(_lock_of(self._holder))
            self._holder = None

    # -- places --

    def take(self, want: int, *, limit: int, rude: bool = False) -> Future[Offer]:
        """Take as many places as there are for this run now, of ``limit`` in all.

        Whoever holds fewer, or as many and has waited longer, goes first; ``rude``: that was waited for long enough.
        """
        holder, now = self.holder, self._now()

        def write(connection: sqlite3.Connection) -> Offer:
            places = self._state(connection).places(limit, now)
            counts = self._counts(connection)
            if sum(counts.values()) >= places and self._reap(connection, counts):
                counts = self._counts(connection)
            free = places - sum(counts.values())
            since = self._waiting_since(connection, now)
            if rude:
                self._forget_rivals(connection)
            ahead = self._rivals(connection)
            leases: list[int] = []
            while len(leases) < min(want, free):
                mine = (counts.get(holder, 0) + len(leases), since if not leases else now)
                if any((counts.get(other, 0), other_since) < mine for other, other_since in ahead):
                    break
                leases.append(self._insert(connection, task=None))
            self._queue(connection, since=None if len(leases) == want else now if leases else since)
            if len(leases) == want:
                return leases, False, []
            return leases, free > len(leases), self._orphans(connection)

        return self._database.submit(write)

    def withdraw(self) -> Future[None]:
        """Stop waiting for places."""

        def write(connection: sqlite3.Connection) -> None:
            self._queue(connection, since=None)

        return self._database.submit(write)

    def adopt(self, task: str) -> Future[int]:
        """Take the place that an earlier run's task has at the service, room or no room; returns the lease."""
        holder = self.holder

        def write(connection: sqlite3.Connection) -> int:
            sql = "SELECT id FROM leases WHERE account = ? AND task = ?"
            if (row := connection.execute(sql, (self.account, task)).fetchone()) is None:
                return self._insert(connection, task=task)
            connection.execute("UPDATE leases SET holder = ?, run = ? WHERE id = ?", (holder, self.run, row[0]))
            return int(row[0])

        return self._database.submit(write)

    def sending(self, lease: int, key: str) -> Future[None]:
        """Note which call a lease is for, before it is sent: should this process die, its task can be told."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE leases SET key = ? WHERE id = ?", (key, lease))

        return self._database.submit(write)

    def accepted(self, lease: int, task: str) -> Future[None]:
        """Note which task a lease is for. It shows that there is room: a lowered one grows by a place."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE leases SET task = ? WHERE id = ?", (task, lease))
            connection.execute(
                "UPDATE accounts SET room = room + 1, pause_until = 0 WHERE account = ?", (self.account,)
            )

        return self._database.submit(write)

    def ended(self, lease: int) -> Future[None]:
        """Give a place back whose task has ended: there is room for one more, so nobody need pause."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM leases WHERE id = ?", (lease,))
            connection.execute("UPDATE accounts SET pause_until = 0 WHERE account = ?", (self.account,))

        return self._database.submit(write)

    def unused(self, lease: int) -> Future[None]:
        """Give a place back that no task took."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM leases WHERE id = ?", (lease,))

        return self._database.submit(write)

    def left(self, lease: int) -> Future[None]:
        """Leave a place to a task that nobody waits for any more."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE leases SET holder = ? WHERE id = ?", (_ORPHAN, lease))

        return self._database.submit(write)

    def gone(self, task: str) -> Future[None]:
        """Note that an orphan has ended."""

        def write(connection: sqlite3.Connection) -> None:
            sql = "DELETE FROM leases WHERE account = ? AND task = ? AND holder = ?"
            connection.execute(sql, (self.account, task, _ORPHAN))

        return self._database.submit(write)

    # -- what the service thinks of it --

    def refused(self, lease: int, *, pause_until: float, lowered_until: float) -> Future[None]:
        """Give a place back that the service did not have, and ask for less at once for a while.

        What is refused before the pause is over belongs to the same burst and lowers the room no further.
        """
        now = self._now()

        def write(connection: sqlite3.Connection) -> None:
            state, taken = self._state(connection), sum(self._counts(connection).values())
            connection.execute("DELETE FROM leases WHERE id = ?", (lease,))
            if now >= state.pause_until:
                before = min(state.room, taken) if now < state.lowered_until else taken
                room = max(1.0, before * LESS)
                self._update(connection, room=room, lowered_until=lowered_until, pause_until=pause_until)

        return self._database.submit(write)

    def slow_down(self, until: float) -> Future[None]:
        """Slow every call of the account down until then."""

        def write(connection: sqlite3.Connection) -> None:
            self._update(connection, slow_until=max(until, self._state(connection).slow_until))

        return self._database.submit(write)

    def slow_until(self) -> float:
        """Return until when every call of the account is slowed down."""
        rows = self._database.rows("SELECT slow_until FROM accounts WHERE account = ?", (self.account,))
        return float(rows[0][0]) if rows else _NEVER

    # -- inside a transaction --

    def _state(self, connection: sqlite3.Connection) -> _State:
        sql = "SELECT room, lowered_until, pause_until, slow_until FROM accounts WHERE account = ?"
        row = connection.execute(sql, (self.account,)).fetchone()
        return _State(*row) if row else _State()

    def _update(self, connection: sqlite3.Connection, **values: float) -> None:
        connection.execute("INSERT OR IGNORE INTO accounts VALUES (?, 0, 0, 0, 0)", (self.account,))
        names = ", ".join(f"{name} = ?" for name in values)
        connection.execute(f"UPDATE accounts SET {names} WHERE account = ?", (*values.values(), self.account))

    def _counts(self, connection: sqlite3.Connection) -> dict[str, int]:
        sql = "SELECT holder, count(*) FROM leases WHERE account = ? GROUP BY holder"
        return dict(connection.execute(sql, (self.account,)).fetchall())

    def _insert(self, connection: sqlite3.Connection, *, task: str | None) -> int:
        row = (self.account, self.holder, self.run, task)
        cursor = connection.execute("INSERT INTO leases (account, holder, run, task) VALUES (?, ?, ?, ?)", row)
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def _orphans(self, connection: sqlite3.Connection) -> list[str]:
        sql = "SELECT task FROM leases WHERE account = ? AND holder = ?"
        return [task for (task,) in connection.execute(sql, (self.account, _ORPHAN))]

    def _waiting_since(self, connection: sqlite3.Connection, now: float) -> float:
        sql = "SELECT since FROM lease_queue WHERE account = ? AND holder = ?"
        row = connection.execute(sql, (self.account, self.holder)).fetchone()
        return float(row[0]) if row else now

    def _queue(self, connection: sqlite3.Connection, *, since: float | None) -> None:
        """Note that this run waits, or (None) that it does not."""
        who = (self.account, self.holder)
        if since is None:
            connection.execute("DELETE FROM lease_queue WHERE account = ? AND holder = ?", who)
            return
        sql = """INSERT INTO lease_queue VALUES (?, ?, ?) ON CONFLICT (account, holder)
                 DO UPDATE SET since = excluded.since WHERE since != excluded.since"""
        connection.execute(sql, (*who, since))

    def _rivals(self, connection: sqlite3.Connection) -> list[tuple[str, float]]:
        """Return the other runs that wait, with since when; those that died are forgotten."""
        sql = "SELECT holder, since FROM lease_queue WHERE account = ? AND holder != ?"
        rivals = connection.execute(sql, (self.account, self.holder)).fetchall()
        dead = {holder for holder, _ in rivals if not self._lives(holder)}
        for holder in dead:
            connection.execute("DELETE FROM lease_queue WHERE holder = ?", (holder,))
        return [(holder, since) for holder, since in rivals if holder not in dead]

    def _forget_rivals(self, connection: sqlite3.Connection) -> None:
        """Treat the others as if they came anew, should they come."""
        sql = "DELETE FROM lease_queue WHERE account = ? AND holder != ?"
        connection.execute(sql, (self.account, self.holder))

    def _reap(self, connection: sqlite3.Connection, holders: dict[str, int]) -> bool:
        """Take the leases of the dead away, but for those of tasks that were accepted; says whether that freed any."""
        dead = [each for each in holders if each not in (_ORPHAN, self.holder) and not self._lives(each)]
        freed = 0
        for holder in dead:
            connection.execute(_TASKS_OF_CALLS, (holder,))
            freed += connection.execute("DELETE FROM leases WHERE holder = ? AND task IS NULL", (holder,)).rowcount
            connection.execute("UPDATE leases SET holder = ? WHERE holder = ?", (_ORPHAN, holder))
        return freed > 0

    def _lives(self, holder: str) -> bool:
        """Whether a holder keeps its lock: one that died, however it died, does not."""
        if not self._locks.try_acquire(_lock_of(holder)):
            return True
        self._locks.release(_lock_of(holder))
        return False


def _lock_of(holder: str) -> str:
    return f"lease holder {holder}"

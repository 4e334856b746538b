"""Locks by key that hold across processes: one call per key at a time on this machine.

All locks are single bytes of one file, so a thousand keys in flight cost one file descriptor, and the kernel frees
them when their holder dies, however it dies; files with process ids in them go stale and were rejected. POSIX record
locks belong to the process: a second lock of the same byte by the same process succeeds, and closing *any* descriptor
of the file drops them all. So exclusion inside the process is kept here, and the file is opened once per process,
however many ``KeyLocks`` there are.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from rhflow.store.failures import translated

if sys.platform == "win32":
    import msvcrt

    # Windows takes the position as a signed 32-bit number.
    _BITS = 31

    def _lock(handle: int, offset: int) -> None:
        os.lseek(handle, offset, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

    def _unlock(handle: int, offset: int) -> None:
        os.lseek(handle, offset, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    # The end of a lock must fit a signed 64-bit number.
    _BITS = 62

    def _lock(handle: int, offset: int) -> None:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)

    def _unlock(handle: int, offset: int) -> None:
        fcntl.lockf(handle, fcntl.LOCK_UN, 1, offset)


_TAKEN: Final = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


@dataclass(slots=True)
class _LockFile:
    """The one open handle of this process on a lock file, and the bytes it holds."""

    handle: int
    held: set[int] = field(default_factory=set)
    users: int = 1


_guard = threading.Lock()
_open: dict[tuple[int, int], _LockFile] = {}


class KeyLocks:
    """Locks of one store; the file is opened at the first ``try_acquire``. Safe to use from any thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: _LockFile | None = None
        self._mine: dict[str, int] = {}

    def try_acquire(self, key: str) -> bool:
        """Take the lock of ``key`` if nobody has it, in this process or another; never waits. Raises StoreError."""
        offset = _offset(key)
        with _guard, translated(self._path):
            if self._file is None:
                self._file = _join(self._path)
            if offset in self._file.held:
                return False
            try:
                _lock(self._file.handle, offset)
            except OSError as error:
                if error.errno in _TAKEN:
                    return False
                raise
            self._file.held.add(offset)
            self._mine[key] = offset
            return True

    def release(self, key: str) -> None:
        """Give a lock back; raises KeyError when this object does not hold it."""
        with _guard, translated(self._path):
            self._give_back(self._mine.pop(key))

    def close(self) -> None:
        """Give everything back and let go of the file."""
        with _guard, translated(self._path):
            while self._mine:
                self._give_back(self._mine.popitem()[1])
            if self._file is not None:
                _leave(self._file)
                self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _give_back(self, offset: int) -> None:
        assert self._file is not None, "a lock is held, so its file is open"
        _unlock(self._file.handle, offset)
        self._file.held.discard(offset)


def _offset(key: str) -> int:
    """Return the byte that stands for a key; two keys on one byte would merely wait for each other."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) >> (64 - _BITS)


def _join(path: Path) -> _LockFile:
    """Return this process's handle on the file, opened if it is the first; the caller holds ``_guard``."""
    try:
        file = _open.get(_identity(path))
    except FileNotFoundError:
        file = None
    if file is not None:
        file.users += 1
        return file
    handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
    return _open.setdefault(_identity(path), _LockFile(handle))


def _leave(file: _LockFile) -> None:
    file.users -= 1
    if file.users == 0:
        for name in [name for name, each in _open.items() if each is file]:
            del _open[name]
        os.close(file.handle)


def _identity(path: Path) -> tuple[int, int]:
    """Return what makes two paths one file; found without opening it."""
    stat = path.stat()
    return stat.st_dev, stat.st_ino

"""Turns the refusals of SQLite and of the file system into problems a user can act on, in one place."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rhflow.core.errors import Problem, StoreError

DAMAGED: Final = "store-damaged"
_MOVE_AWAY = "move that file aside and run again; the files under `blobs` stay, what they answered is forgotten"
_FULL = ("store-full", "has no space left to write", "free some space on that disk, then run again")
_READ_ONLY = ("store-read-only", "cannot be written", "check that you may write there, or choose another folder")
_DENIED = ("store-denied", "may not be accessed", "check who may read and write it, or choose another folder")
_NO_ACCESS = ("store-unreachable", "cannot be opened", "check that the folder exists and that you may write to it")

_LIMIT = ("store-full", "would grow beyond what a file may have here", "raise the limit (`ulimit -f`), then run again")
_BROKEN = ("store-io", "cannot be read or written", "check that disk, then `rhflow cache verify`")
_HANDLES = ("store-handles", "cannot be opened too", "raise the number of open files (`ulimit -n`), then run again")

_OF_SQLITE = {
    sqlite3.SQLITE_BUSY: ("store-busy", "is held by another process", "wait until the other rhflow is done, run again"),
    sqlite3.SQLITE_PROTOCOL: ("store-busy", "is held by another process", "run again"),
    sqlite3.SQLITE_CANTOPEN: _NO_ACCESS,
    sqlite3.SQLITE_PERM: _NO_ACCESS,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: _BROKEN,
    sqlite3.SQLITE_NOTADB: (DAMAGED, "is not a database", _MOVE_AWAY),
    sqlite3.SQLITE_CORRUPT: (DAMAGED, "is damaged", _MOVE_AWAY),
}
_OF_SYSTEM = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _LIMIT,
    errno.EIO: _BROKEN,
    errno.EMFILE: _HANDLES,
    errno.ENFILE: _HANDLES,
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
    errno.EROFS: _READ_ONLY,
    errno.ENOENT: ("file-missing", "does not exist", "check how it is written, and that its folder is there"),
    errno.ENOTDIR: _NO_ACCESS,
    errno.EEXIST: _NO_ACCESS,
}


def store_error(error: sqlite3.Error | OSError, path: str | os.PathLike[str]) -> StoreError:
    """Return what ``error`` means for the file or folder at ``path``, with what to do about it."""
    if isinstance(error, OSError):
        known = _OF_SYSTEM.get(error.errno or 0)
    else:
        # The low byte is the family; the rest says which of its many members, which helps no user.
        family = getattr(error, "sqlite_errorcode", 0) & 0xFF
        known = _READ_ONLY if family == sqlite3.SQLITE_CANTOPEN and _read_only(path) else _OF_SQLITE.get(family)
    code, what, hint = known or ("store-failed", f"cannot be used: {error}", None)
    return StoreError(Problem(code, f"`{os.fspath(path)}` {what}", hint=hint, fields={"cause": str(error)}))


def _read_only(path: str | os.PathLike[str]) -> bool:
    """Whether a database is there in a folder that cannot be written: even reading it needs files beside it."""
    return Path(path).is_file() and not os.access(Path(path).parent, os.W_OK)


@contextmanager
def translated(path: str | os.PathLike[str]) -> Iterator[None]:
    """Raise StoreError for whatever SQLite or the file system refuses inside the block."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise store_error(error, path) from error

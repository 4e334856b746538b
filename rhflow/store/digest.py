"""Remembers the digest of local files, so that an unchanged file is not read again.

A file counts as unchanged while path, size, modification time, change time and inode are as they were; the change time
catches an edit whose author restored the modification time. As in git's index, a file modified within two seconds of
being looked at is not remembered: it could change once more without its time stamp showing it.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rhflow.core.errors import Problem, StoreError
from rhflow.store.database import Database
from rhflow.store.failures import translated
from rhflow.store.files import sha256_file

if TYPE_CHECKING:
    from concurrent.futures import Future

RACY: Final = 2.0
"""Seconds; two is the coarsest time stamp in use (FAT)."""
_COLUMNS: Final = "path, size, mtime_ns, ctime_ns, inode, digest, info"

Probe = Callable[[Path], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a file looked like from outside, and when (seconds since 1970): take it before reading the file."""

    path: bytes
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: str
    at: float

    @classmethod
    def of(cls, path: Path) -> Sighting:
        """Look at a file now; raises OSError."""
        at = time.time()
        stat = path.stat()
        name = os.fsencode(os.path.abspath(path))  # noqa: PTH100 (Path.absolute keeps `..`)
        # As text: an inode may be larger than SQLite's integers.
        return cls(name, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, str(stat.st_ino), at)

    def identity(self) -> tuple[int, int, int, str]:
        """Return what must be the same for the file to count as unchanged."""
        return self.size, self.mtime_ns, self.ctime_ns, self.inode

    @property
    def racy(self) -> bool:
        """Whether the file is too fresh for its time stamp to betray the next change."""
        return self.mtime_ns > (self.at - RACY) * 1e9


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is known of a local file: its digest, its size in bytes, and what was found out about its medium."""

    digest: str
    size: int
    info: dict[str, Any]


class DigestMemo:
    """The digests of local files, kept in the index."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lookup(self, path: Path) -> Remembered | None:
        """Return what is known of the file as it is now; None when it has changed, is new or is missing."""
        return self.lookup_all([path]).get(path)

    def lookup_all(self, paths: Iterable[Path]) -> dict[Path, Remembered]:
        """Return what is known of many files with a few queries; leaves out what ``lookup`` would answer with None."""
        seen = {path: sighting for path in paths if (sighting := _sight(path)) is not None}
        names = list({sighting.path for sighting in seen.values()})
        chunks = self._database.rows_in(f"SELECT {_COLUMNS} FROM digests WHERE path IN ({{}})", names)
        known = {row[0]: row[1:] for rows in chunks for row in rows}
        found: dict[Path, Remembered] = {}
        for path, sighting in seen.items():
            *identity, digest, info = known.get(sighting.path, (None, None))
            if tuple(identity) == sighting.identity():
                found[path] = Remembered(digest, sighting.size, json.loads(info))
        return found

    def remember(self, sighting: Sighting, digest: str, info: dict[str, Any]) -> Future[None] | None:
        """Keep the digest of a file sighted before it was read.

        None, and nothing is kept, when the file was too fresh then or has changed since.
        """
        if sighting.racy or not _unchanged(sighting):
            return None
        row = (sighting.path, *sighting.identity(), digest, json.dumps(info))

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(f"INSERT OR REPLACE INTO digests ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", row)

        return self._database.submit(write)

    def measure(self, path: Path, probe: Probe | None = None) -> Remembered:
        """Return what is known of a file, or else read it (and ``probe`` its medium) and remember the answer.

        Reads the file in the calling thread. Raises StoreError when it cannot be read or changes all the while.
        """
        if (known := self.lookup(path)) is not None:
            return known
        with translated(path):
            for _ in range(3):
                sighting = Sighting.of(path)
                digest = sha256_file(path)
                info = {} if probe is None else probe(path)
                if _unchanged(sighting):
                    self.remember(sighting, digest, info)
                    return Remembered(digest, sighting.size, info)
        hint = "run again once whatever writes it is done"
        raise StoreError(Problem("file-unstable", f"`{path}` changes while it is being read", hint=hint))


def _sight(path: Path) -> Sighting | None:
    try:
        return Sighting.of(path)
    except OSError:
        return None  # whoever goes on to read the file meets the same error and can say what it was for


def _unchanged(sighting: Sighting) -> bool:
    now = _sight(Path(os.fsdecode(sighting.path)))
    return now is not None and now.identity() == sighting.identity()

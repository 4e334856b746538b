"""Files by content: ``blobs/ab/cdef…`` holds the bytes whose SHA-256 is ``abcdef…``.

A blob appears whole or not at all: it is written in ``tmp``, flushed, made read-only, and renamed into place, so two
processes that bring the same bytes cannot hurt each other. One that is found damaged is moved to ``quarantine``, never
removed: what is left of a paid result is for a person to judge.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from rhflow.core.errors import Problem, StoreError
from rhflow.store.failures import translated
from rhflow.store.files import READ_ONLY, copy_file, remove_file, sha256_file, sync_file, sync_folder, temporary_name

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_DAY: Final = 24 * 3600.0


class Blobs:
    """The files under ``<root>/blobs``; a digest is 64 lower-case hex characters, anything else raises StoreError."""

    def __init__(self, root: Path) -> None:
        self._folder = root / "blobs"
        self._incoming = root / "tmp"
        self._quarantine = root / "quarantine"
        self._prefix = f"{self._folder}{os.sep}"
        self._swept = False
        self._sound: dict[str, tuple[int, int, int]] = {}

    def place(self, digest: str) -> str:
        """Return where the blob is or would be, as text: the quick form of ``path`` for bulk look-ups."""
        if _DIGEST.fullmatch(digest) is None:
            raise StoreError(Problem("store-digest", f"`{digest}` is not a SHA-256 digest"))
        return f"{self._prefix}{digest[:2]}{os.sep}{digest[2:]}"

    def path(self, digest: str) -> Path:
        """Return where the blob is or would be."""
        return Path(self.place(digest))

    def has(self, digest: str) -> bool:
        """Say whether the blob is there."""
        return os.path.exists(self.place(digest))  # noqa: PTH110 (asked once per file of a run)

    def size(self, digest: str) -> int | None:
        """Return how many bytes the blob has now, None where there is none."""
        try:
            return os.stat(self.place(digest)).st_size  # noqa: PTH116 (asked once per file of a run)
        except FileNotFoundError:
            return None

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """Give a path for a file on its way in; what is still there at the end is removed."""
        with translated(self._incoming):
            self._incoming.mkdir(parents=True, exist_ok=True)
            self._sweep()
        path = self._incoming / temporary_name()
        try:
            yield path
        finally:
            remove_file(path)

    def commit(self, temporary: Path, digest: str) -> Path:
        """Make a finished file from ``incoming`` the blob ``digest`` and return its path; harmless when it exists.

        The digest is taken on trust: compute it while the bytes stream in. Returns once the blob would survive a power
        cut, so that the index may name it. A blob under that name with other bytes is damaged and makes room.
        """
        path = self.path(digest)
        with translated(path):
            if self.sound(digest):
                _touch(path)
                self._sound[digest] = _looks(path)
                remove_file(temporary)
                sync_folder(path.parent)  # whoever has just put it there may not have got that far
                return path
            sync_file(temporary)
            temporary.chmod(READ_ONLY)
            self._make_shard(path.parent)
            _replace(temporary, path)
            sync_folder(path.parent)
            self._sound[digest] = _looks(path)
        return path

    def ingest(self, path: Path) -> str:
        """Copy a user's file in and return its digest, which is that of the copy.

        Never a hard link: the user may edit the original in place. Raises StoreError.
        """
        with self.incoming() as temporary:
            with translated(path):
                copy_file(path, temporary)
                digest = sha256_file(temporary)
            self.commit(temporary, digest)
        return digest

    def ingest_bytes(self, content: bytes) -> str:
        """Keep ``content`` and return its digest."""
        digest = hashlib.sha256(content).hexdigest()
        with self.incoming() as temporary:
            with translated(temporary):
                temporary.write_bytes(content)
            self.commit(temporary, digest)
        return digest

    def verify(self, digest: str) -> bool:
        """Read the blob again and say whether it still is what its name says; False when it is missing."""
        path = self.path(digest)
        with translated(path):
            try:
                return sha256_file(path) == digest
            except FileNotFoundError:
                return False

    def sound(self, digest: str) -> bool:
        """Say whether the blob is there and fit for use, reading it unless this object has since it last changed.

        A damaged one is moved aside, so that nobody uses it and room is made for a good one.
        """
        path = self.path(digest)
        with translated(path):
            try:
                looks = _looks(path)
            except FileNotFoundError:
                return False
            if self._sound.get(digest) == looks:
                return True
            if self.verify(digest):
                self._sound[digest] = looks
                return True
        self.quarantine(digest)
        return False

    def quarantine(self, digest: str) -> Path | None:
        """Move a damaged blob aside and return where it lies now; None when there is none (any more)."""
        path = self.path(digest)
        with translated(path):
            self._quarantine.mkdir(exist_ok=True)
            aside = self._quarantine / digest
            number = 1
            while os.path.lexists(aside):
                number += 1
                aside = self._quarantine / f"{digest}.{number}"
            try:
                path.rename(aside)
            except FileNotFoundError:
                return None
            sync_folder(self._quarantine)
            sync_folder(path.parent)
        return aside

    def quarantined(self, digest: str | None = None) -> list[Path]:
        """Return the files that were moved aside: those that bore ``digest``, or all."""
        return sorted(self._quarantine.glob("*" if digest is None else f"{digest}*"))

    def strays(self) -> Iterator[Path]:
        """Yield what lies among the blobs or on its way in and is neither a blob nor rhflow's own."""
        for path in sorted(self._incoming.glob("*")):
            if path.name != "CACHEDIR.TAG":
                yield path
        for path in sorted(self._folder.rglob("*")):
            if path.is_file() and _DIGEST.fullmatch("".join(path.relative_to(self._folder).parts)) is None:
                yield path

    def digests(self) -> Iterator[str]:
        """Yield the digest of every blob, in order."""
        if not self._folder.is_dir():
            return
        for shard in sorted(self._folder.iterdir()):
            for path in sorted(shard.iterdir()) if shard.is_dir() else ():
                if _DIGEST.fullmatch(shard.name + path.name):
                    yield shard.name + path.name

    def facts(self) -> dict[str, tuple[int, float]]:
        """Return the size in bytes of every blob, and when it was last brought in (seconds since 1970), by digest."""
        found = {}
        for digest in self.digests():
            with suppress(FileNotFoundError):  # somebody else cleans up as well
                stat = self.path(digest).stat()
                found[digest] = (stat.st_size, stat.st_mtime)
        return found

    def remove(self, digest: str, *, before: float = math.inf) -> int | None:
        """Remove a blob that was last brought in ``before`` (seconds since 1970) and return its size, None if it stays.

        Remove the index rows that name it first. Delivered files stay.
        """
        path = self.path(digest)
        with translated(path):
            try:
                stat = path.stat()
            except FileNotFoundError:
                return None
            if stat.st_mtime > before:
                return None
            remove_file(path)
        return stat.st_size

    def _make_shard(self, folder: Path) -> None:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            sync_folder(self._folder)

    def _sweep(self) -> None:
        """Remove what processes that died a day or more ago left behind; once per object."""
        if self._swept:
            return
        self._swept = True
        old = time.time() - _DAY
        for path in self._incoming.glob("*.part"):
            try:
                if path.stat().st_mtime < old:
                    remove_file(path)
            except FileNotFoundError:
                pass  # another process has just done the same


def _looks(path: Path) -> tuple[int, int, int]:
    """Return what betrays that a blob was written to."""
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns, stat.st_ino


def _touch(path: Path) -> None:
    """Make a blob look new: whoever cleans up leaves it alone until the index names it."""
    with suppress(PermissionError):  # somebody else's, in a shared store; the index then refuses what is gone
        os.utime(path)


def _replace(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except PermissionError:
        if not target.exists():
            raise
        # Windows does not rename onto a read-only file.
        remove_file(target)
        source.replace(target)

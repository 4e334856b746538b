"""Files by content: ``blobs/ab/cdef…`` holds the bytes whose SHA-256 is ``abcdef…``.

A blob appears whole or not at all: it is written in ``tmp``, flushed, made read-only, and renamed into place, so two
processes that bring the same bytes cannot hurt each other.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rhflow.core.errors import Problem, StoreError
from rhflow.store.failures import translated
from rhflow.store.files import copy_file, remove_file, sha256_file, sync_file, sync_folder, temporary_name

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_DAY: Final = 24 * 3600.0
READ_ONLY: Final = 0o444


class Blobs:
    """The files under ``<root>/blobs``; a digest is 64 lower-case hex characters, anything else raises StoreError."""

    def __init__(self, root: Path) -> None:
        self._folder = root / "blobs"
        self._incoming = root / "tmp"
        self._prefix = f"{self._folder}{os.sep}"
        self._swept = False

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
        cut, so that the index may name it. A blob of another size under that name is damaged and is replaced.
        """
        path = self.path(digest)
        with translated(path):
            if _same_size(path, temporary):
                remove_file(temporary)
                sync_folder(path.parent)  # whoever has just put it there may not have got that far
                return path
            sync_file(temporary)
            temporary.chmod(READ_ONLY)
            self._make_shard(path.parent)
            _replace(temporary, path)
            sync_folder(path.parent)
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

    def digests(self) -> Iterator[str]:
        """Yield the digest of every blob, in order."""
        if not self._folder.is_dir():
            return
        for shard in sorted(self._folder.iterdir()):
            for path in sorted(shard.iterdir()) if shard.is_dir() else ():
                if _DIGEST.fullmatch(shard.name + path.name):
                    yield shard.name + path.name

    def remove(self, digest: str) -> None:
        """Remove a blob if it is there; remove the index rows that name it first. Delivered files stay."""
        path = self.path(digest)
        with translated(path):
            remove_file(path)

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


def _same_size(path: Path, other: Path) -> bool:
    try:
        return path.stat().st_size == other.stat().st_size
    except FileNotFoundError:
        return False


def _replace(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except PermissionError:
        if not target.exists():
            raise
        # Windows does not rename onto a read-only file.
        remove_file(target)
        source.replace(target)

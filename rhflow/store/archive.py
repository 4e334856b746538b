"""Results as one portable file: a plain tar with what it is, the entries as JSON lines, and the files by digest.

    rhflow-archive.json   {"rhflow_archive": 1, …}
    entries.jsonl         one result per line: key, document, uses
    blobs/<digest>        each file once

Not compressed: pictures and clips are already. The same results make the same bytes. Links to the service are left
out, for they open files to whoever holds them.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from rhflow.core.errors import Problem, StoreError
from rhflow.store.failures import translated
from rhflow.store.files import remove_file, sync_file, temporary_name
from rhflow.store.store import Store
from rhflow.store.usage import Stored, bytes_of

VERSION: Final = 1
MARK: Final = "rhflow_archive"
HEAD_NAME: Final = "rhflow-archive.json"
ENTRIES_NAME: Final = "entries.jsonl"
BLOBS: Final = "blobs/"
_VERIFY = (
    "`rhflow cache verify` says what is damaged; results that are whole can be exported by `--run` or `--pipeline`"
)


@dataclass(frozen=True, slots=True)
class Written:
    """How much went into an archive: results, files, and the bytes of the archive."""

    results: int
    files: int
    bytes: int


def export(store: Store, results: Iterable[Stored], target: Path) -> Written:
    """Write an archive of ``results``; it appears whole or not at all, and never in the place of another file.

    Every file is compared with its digest on the way. Raises StoreError for the first that is not what it was.
    """
    chosen = sorted(results, key=lambda each: each.key)
    files = bytes_of(chosen)
    temporary = target.with_name(f".{temporary_name()}")
    with translated(target):
        _refuse_existing(target)
        try:
            with tarfile.open(temporary, "x", format=tarfile.PAX_FORMAT) as tar:
                head = {MARK: VERSION, "results": len(chosen), "files": len(files)}
                _add(tar, HEAD_NAME, json.dumps(head).encode())
                _add(tar, ENTRIES_NAME, "".join(f"{_line(each)}\n" for each in chosen).encode())
                for digest in sorted(files):
                    _add_blob(tar, store, digest)
            sync_file(temporary)
            _refuse_existing(target)
            temporary.rename(target)
        finally:
            remove_file(temporary)
        return Written(len(chosen), len(files), target.stat().st_size)


def _refuse_existing(target: Path) -> None:
    if os.path.lexists(target):
        raise StoreError(Problem("target-exists", f"`{target}` is there already", hint="choose another name"))


def _line(each: Stored) -> str:
    document = each.entry.to_json()
    for file in document["outputs"]["files"]:
        file.pop("url", None)
    uses = [list(place) for place in sorted(each.places)]
    return json.dumps({"key": each.key, "document": document, "uses": uses}, sort_keys=True)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    tar.addfile(_member(name, len(content)), io.BytesIO(content))


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member


def _add_blob(tar: tarfile.TarFile, store: Store, digest: str) -> None:
    size = store.blobs.size(digest)
    if size is None:
        raise StoreError(Problem("stored-file-damaged", f"the file {digest[:12]} is not in the store", hint=_VERIFY))
    with store.blobs.path(digest).open("rb") as file:
        reading = Hashing(file)
        tar.addfile(_member(BLOBS + digest, size), reading)
    if reading.digest() != digest:
        raise StoreError(Problem("stored-file-damaged", f"the stored file {digest[:12]} is damaged", hint=_VERIFY))


class Hashing(io.RawIOBase):
    """A file that is hashed while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__()
        self._file, self._hash = file, hashlib.sha256()

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        chunk = self._file.read(size)
        self._hash.update(chunk)
        return chunk

    def digest(self) -> str:
        """Return the SHA-256 (hex) of what was read."""
        return self._hash.hexdigest()

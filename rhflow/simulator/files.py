"""The files that a simulator holds: what was uploaded to it, and what it made."""

from __future__ import annotations

import base64
import binascii
import hashlib
import tempfile
import threading
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from rhflow.core.values import EXTENSIONS, MEDIA_TYPES
from rhflow.media.errors import UnreadableMediaError
from rhflow.media.probe import MediaInfo, probe

PREFIX = "/files/"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file by content: where it lies, its SHA-256 in hex, its size in bytes, what it is."""

    path: Path
    digest: str
    size: int
    info: MediaInfo


class FileStore:
    """Files by the name under which they are served. The folder is made when the first file comes."""

    def __init__(self, workdir: Path | None) -> None:
        self._given = workdir
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._making = threading.Lock()  # uploads come in threads, several at once
        self._served: dict[str, StoredFile] = {}

    @property
    def folder(self) -> Path:
        """The folder that holds the files."""
        if self._given is not None:
            self._given.mkdir(parents=True, exist_ok=True)
            return self._given
        with self._making:
            if self._temporary is None:
                self._temporary = tempfile.TemporaryDirectory(prefix="rhflow-simulator-", ignore_cleanup_errors=True)
            return Path(self._temporary.name)

    def close(self) -> None:
        """Remove the folder, unless it was given."""
        self._served.clear()
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    def serve(self, name: str, file: StoredFile) -> None:
        """Serve ``file`` under ``name`` from now on."""
        self._served[name] = file

    def served(self, name: str) -> StoredFile | None:
        """Return the file that is served under ``name``."""
        return self._served.get(name)

    def take(self, stream: BinaryIO, name: str) -> StoredFile:
        """Keep an upload under the hash of its content and return it; ``name`` is what the sender calls it."""
        folder = self.folder / "input"
        folder.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as part:
            while chunk := stream.read(_CHUNK):
                part.write(chunk)
        return _named_by_content(Path(part.name), name)

    def take_data(self, uri: str) -> StoredFile | None:
        """Keep the content of a ``data:`` URI and return it, or None when it cannot be read."""
        head, _, body = uri.partition(",")
        media_type = head.removeprefix("data:").partition(";")[0]
        try:
            data = (
                base64.b64decode(body, validate=True)
                if head.endswith(";base64")
                else urllib.parse.unquote_to_bytes(body)
            )
        except binascii.Error:
            return None
        folder = self.folder / "input"
        folder.mkdir(exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as part:
            part.write(data)
        return _named_by_content(Path(part.name), f"data.{EXTENSIONS.get(media_type, 'bin')}")


def _named_by_content(part: Path, name: str) -> StoredFile:
    file = stored(part, name)
    named = name.rpartition(".")[2].casefold()
    extension = named if MEDIA_TYPES.get(named) == file.info.media_type else EXTENSIONS.get(file.info.media_type, "bin")
    path = part.with_name(f"{file.digest}.{extension}")
    if path.exists():
        part.unlink()
    else:
        part.replace(path)
    return StoredFile(path, file.digest, file.size, file.info)


def stored(path: Path, name: str | None = None) -> StoredFile:
    """Return what the file at ``path`` is. A damaged one is taken as what its name says, as the service does."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    name = name or path.name
    try:
        info = probe(path, name=name)
    except UnreadableMediaError:
        info = MediaInfo(MEDIA_TYPES.get(name.rpartition(".")[2].casefold(), "application/octet-stream"))
    return StoredFile(path, digest, path.stat().st_size, info)

"""Files by content where no service is needed: the user's are kept, those made on this machine are taken in."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from rhflow.core.errors import Problem, StepError
from rhflow.core.values import Artifact
from rhflow.media.probe import check_whole, probe


class Blobs(Protocol):
    """Files by content, on this machine."""

    def incoming(self) -> AbstractContextManager[Path]: ...
    def commit(self, temporary: Path, digest: str) -> Path: ...
    def ingest(self, path: Path) -> str: ...
    def sound(self, digest: str) -> bool: ...
    def path(self, digest: str) -> Path: ...


class Shelf:
    """Keeps files by content."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def keep(self, artifact: Artifact) -> Artifact:
        """Copy a local file into the store. Raises StepError when it changed since, or is damaged."""
        if not await asyncio.to_thread(self._blobs.sound, artifact.digest):
            source = Path(artifact.path or "")
            if source == self._blobs.path(artifact.digest):
                lost = f"`{artifact.name}`, which an earlier step gave, is damaged or missing in the store"
                hint = "`rhflow plan RECIPE` shows what it costs to make it anew; running again does so"
                raise StepError(Problem("stored-file-damaged", lost, hint=hint))
            digest = await asyncio.to_thread(self._blobs.ingest, source)
            if digest != artifact.digest:
                message = f"`{source}` changed since the plan was made"
                raise StepError(Problem("file-changed", message, hint="run again"))
        return artifact.at(str(self._blobs.path(artifact.digest)))

    def make(self, write: Callable[[Path], None], name: str) -> Artifact:
        """Take in the file that ``write`` makes, called ``name`` and the extension of what it is.

        Blocks as long as that takes. Raises what ``write`` raises.
        """
        with self._blobs.incoming() as temporary:
            write(temporary)
            with temporary.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            made = described(temporary, name, digest)
            path = self._blobs.commit(temporary, digest)
        return replace(made, name=f"{name}.{made.extension}", path=str(path))


def described(path: Path, name: str, digest: str) -> Artifact:
    """Return a file with all that is known of it. Raises UnreadableMediaError when it is damaged."""
    info = probe(path, name=name)
    check_whole(path, info.media_type, name=name)
    return Artifact(
        digest, info.media_type, path.stat().st_size, name, info.width, info.height, info.duration, info.fps
    )

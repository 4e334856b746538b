"""Files between this machine and the service: brought in by content, and linked where the service can read them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from rhflow.core.errors import Problem, StepError
from rhflow.core.values import MEDIA_TYPES, Artifact
from rhflow.media.probe import probe
from rhflow.runninghub.client import RunningHub

LINK_AGE = 20 * 3600.0  # the service says "about a day"


class Blobs(Protocol):
    """Files by content, on this machine."""

    def incoming(self) -> AbstractContextManager[Path]: ...
    def commit(self, temporary: Path, digest: str) -> Path: ...
    def ingest(self, path: Path) -> str: ...
    def has(self, digest: str) -> bool: ...
    def path(self, digest: str) -> Path: ...


class Links(Protocol):
    """Links by content, on one site."""

    def fresh(self, digest: str, site: str, *, now: float, max_age: float) -> str | None: ...
    def remember(self, digest: str, site: str, url: str, *, obtained_at: float) -> object: ...
    def forget(self, digest: str, site: str) -> object: ...


class Vault:
    """Keeps files by content and knows where the service can read them. ``site`` is what links are good for."""

    def __init__(
        self, hub: RunningHub, blobs: Blobs, links: Links, *, site: str, now: Callable[[], float] = time.time
    ) -> None:
        self._hub, self._blobs, self._links = hub, blobs, links
        self._site, self._now = site, now
        self._busy: dict[str, asyncio.Lock] = {}

    async def fetch(self, url: str, name: str, extension: str = "") -> Artifact:
        """Bring the file at ``url`` into the store, verified; its name gets the extension of what it really is."""
        with self._blobs.incoming() as temporary:
            got = await self._hub.download(url, temporary)
            guess = f"{name}.{extension}" if extension else name
            artifact = await asyncio.to_thread(self._describe, temporary, guess, got.sha256)
            path = await asyncio.to_thread(self._blobs.commit, temporary, got.sha256)
        self._links.remember(got.sha256, self._site, url, obtained_at=self._now())
        return replace(artifact, name=f"{name}.{artifact.extension}", url=url, path=str(path))

    def _describe(self, path: Path, name: str, digest: str) -> Artifact:
        info = probe(path, name=name)
        return Artifact(
            digest, info.media_type, path.stat().st_size, name, info.width, info.height, info.duration, info.fps
        )

    async def keep(self, artifact: Artifact) -> Artifact:
        """Copy a local file into the store. Raises StepError when it changed since it was looked at."""
        if not self._blobs.has(artifact.digest):
            source = Path(artifact.path or "")
            digest = await asyncio.to_thread(self._blobs.ingest, source)
            if digest != artifact.digest:
                message = f"`{source}` changed since the plan was made"
                raise StepError(Problem("file-changed", message, hint="run again"))
        return artifact.at(str(self._blobs.path(artifact.digest)))

    async def link(self, artifact: Artifact) -> str:
        """Return a link that the service can read, uploading the content when there is no fresh one."""
        lock = self._busy.setdefault(artifact.digest, asyncio.Lock())
        async with lock:  # one upload at a time per content
            url = self._links.fresh(artifact.digest, self._site, now=self._now(), max_age=LINK_AGE)
            if url is not None:
                return url
            kept = await self.keep(artifact)
            path = self._blobs.path(kept.digest)
            uploaded = await self._hub.upload(path, _named(kept), kept.media_type)
            if uploaded.url is None:
                message = f"the service took `{kept.name}` but gave no link to it"
                raise StepError(Problem("no-link", message, hint="run again"))
            self._links.remember(kept.digest, self._site, uploaded.url, obtained_at=self._now())
            return uploaded.url

    def forget(self, artifact: Artifact) -> None:
        """Drop a link that the service could not read, so that the next call uploads again."""
        self._links.forget(artifact.digest, self._site)


def _named(artifact: Artifact) -> str:
    """Return a file name whose extension tells the service what comes."""
    stem, _, extension = artifact.name.rpartition(".")
    if MEDIA_TYPES.get(extension.casefold()) == artifact.media_type:
        return artifact.name
    return f"{stem or artifact.name}.{artifact.extension}"

"""Files between this machine and the service: brought in by content, and linked where the service can read them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, Protocol

from rhflow.core.errors import Problem, RhflowError, StepError
from rhflow.core.values import MEDIA_TYPES, Artifact, artifacts_in
from rhflow.media.errors import UnreadableMediaError
from rhflow.runninghub.client import RunningHub
from rhflow.runninghub.operations.gateway import LINK
from rhflow.runninghub.transport.transfer import Downloaded
from rhflow.steps.shelf import Blobs, Shelf, described

_UNREADABLE_INPUT = "api-1013"
LINK_AGE = 20 * 3600.0  # the service says "about a day"


class Source(Protocol):
    """Gives files by address."""

    async def download(self, url: str, sink: Path | BinaryIO) -> Downloaded: ...


class Links(Protocol):
    """Links by content, on one site."""

    def fresh(self, digest: str, site: str, *, now: float, max_age: float) -> str | None: ...
    def remember(self, digest: str, site: str, url: str, *, obtained_at: float) -> object: ...
    def forget(self, digest: str, site: str) -> object: ...


class Vault(Shelf):
    """Keeps files by content and knows where the service can read them. ``site`` is what links are good for."""

    def __init__(
        self, hub: RunningHub, blobs: Blobs, links: Links, *, site: str, now: Callable[[], float] = time.time
    ) -> None:
        super().__init__(blobs)
        self._hub, self._links = hub, links
        self.site, self._now = site, now
        self._busy: dict[str, asyncio.Lock] = {}

    async def fetch(self, url: str, name: str, extension: str = "", *, source: Source | None = None) -> Artifact:
        """Bring the file at ``url`` into the store, verified; its name gets the extension of what it really is.

        Its length is checked against what the host announces, and a picture is decoded. The host tells no digest, so a
        few wrong bytes in a clip or a sound are not noticed. A file that cannot be read is fetched once more.
        ``source`` is who gives it, the service unless told; only there its address is good for anything later, and only
        if it is one that others can read.
        """
        lasting = source is None and not url.startswith(LINK)
        with self._blobs.incoming() as temporary:
            artifact = await self._received(
                source or self._hub, url, temporary, f"{name}.{extension}" if extension else name
            )
            path = await asyncio.to_thread(self._blobs.commit, temporary, artifact.digest)
        if lasting:
            self._links.remember(artifact.digest, self.site, url, obtained_at=self._now())
        return replace(artifact, name=f"{name}.{artifact.extension}", url=url if lasting else None, path=str(path))

    async def _received(self, source: Source, url: str, path: Path, name: str) -> Artifact:
        got = await source.download(url, path)
        try:
            return await asyncio.to_thread(described, path, name, got.sha256)
        except UnreadableMediaError:
            got = await source.download(url, path)
        try:
            return await asyncio.to_thread(described, path, name, got.sha256)
        except UnreadableMediaError as error:
            hint = "`rhflow resume` fetches it again, which costs nothing; the RunningHub site shows what it made"
            raise UnreadableMediaError([replace(each, hint=hint) for each in error.problems]) from error

    def path_of(self, kept: Artifact) -> Path:
        """Return where the content of a kept file lies."""
        return self._blobs.path(kept.digest)

    async def link(self, artifact: Artifact) -> str:
        """Return a link that the service can read, uploading the content when there is no fresh one."""
        return await self._remote(artifact, self.site, self._upload)

    def known_link(self, artifact: Artifact) -> str | None:
        """Return a link that the service can read, where there is a fresh one; nothing is uploaded."""
        return self._links.fresh(artifact.digest, self.site, now=self._now(), max_age=LINK_AGE)

    async def node_name(self, artifact: Artifact) -> str:
        """Return what loader nodes of a workflow call a file, uploading the content when that is not known.

        A LoRA goes where ``RHLoraLoader`` nodes look for it.
        """
        return await self._remote(artifact, self._nodes, self._upload_for_nodes)

    @property
    def _nodes(self) -> str:
        return f"{self.site} (nodes)"

    async def _remote(self, artifact: Artifact, where: str, send: Callable[[Artifact], Awaitable[str]]) -> str:
        lock = self._busy.setdefault(f"{artifact.digest} {where}", asyncio.Lock())
        async with lock:  # one upload at a time per content
            found = self._links.fresh(artifact.digest, where, now=self._now(), max_age=LINK_AGE)
            if found is None:
                found = await send(await self.keep(artifact))
                self._links.remember(artifact.digest, where, found, obtained_at=self._now())
            return found

    async def _upload(self, kept: Artifact) -> str:
        uploaded = await self._hub.upload(self._blobs.path(kept.digest), _named(kept), kept.media_type)
        return uploaded.url or _nowhere(kept)

    async def _upload_for_nodes(self, kept: Artifact) -> str:
        path = self._blobs.path(kept.digest)
        if kept.media_type == MEDIA_TYPES["safetensors"]:
            return await self._hub.upload_lora(path, kept.name.rpartition(".")[0] or kept.name)
        uploaded = await self._hub.upload(path, _named(kept), kept.media_type)
        return uploaded.file_name or _nowhere(kept)

    def forget_unread(self, error: RhflowError, inputs: Mapping[str, Any]) -> None:
        """Drop the links of the files among ``inputs`` when the service could not read one: the next call uploads."""
        if any(problem.code == _UNREADABLE_INPUT for problem in error.problems):
            for artifact in artifacts_in(dict(inputs)):
                self._links.forget(artifact.digest, self.site)
                self._links.forget(artifact.digest, self._nodes)


def _nowhere(artifact: Artifact) -> NoReturn:
    message = f"the service took `{artifact.name}` but does not say where it is"
    raise StepError(Problem("no-link", message, hint="run again"))


def _named(artifact: Artifact) -> str:
    """Return a file name whose extension tells the service what comes."""
    stem, _, extension = artifact.name.rpartition(".")
    if MEDIA_TYPES.get(extension.casefold()) == artifact.media_type:
        return artifact.name
    return f"{stem or artifact.name}.{artifact.extension}"

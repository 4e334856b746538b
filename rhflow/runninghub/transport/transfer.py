"""Files in and out, streamed: constant memory, hashed on the way, no step of it on the event loop's time.

The multipart body is written here rather than by httpx, whose own one reads the disk on the event loop.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal, TypeVar
from urllib.parse import urlsplit

import httpx

from rhflow.core.errors import Problem, StepError, StoreError
from rhflow.runninghub.transport.clock import Clock
from rhflow.runninghub.transport.lanes import DOWNLOAD, Lane
from rhflow.runninghub.transport.retry import Passing, may_pass, retry_after, retry_free
from rhflow.runninghub.wire.errors import tidy, unreachable

T = TypeVar("T")

CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class FileForm:
    """A multipart form that ends in a file; every ``stream()`` reads the disk anew. ``size`` in bytes.

    ``head`` may hold the key, so it is never shown.
    """

    path: Path
    size: int
    boundary: str
    head: bytes = field(repr=False)

    @classmethod
    def of(
        cls,
        path: Path,
        name: str,
        *,
        media_type: str,
        members: Mapping[str, str] | None = None,
        part: str = "file",
    ) -> FileForm:
        """Return the form for the file at ``path``, after plain ``members``. Raises StepError when it is not there."""
        size = size_of(path)
        boundary = secrets.token_hex(16)
        quoted = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        head = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{each}"\r\n\r\n{text}\r\n'
            for each, text in (members or {}).items()
        )
        head += (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{part}"; filename="{quoted}"\r\n'
            f"Content-Type: {media_type}\r\n\r\n"
        )
        return cls(path, size, boundary, head.encode("utf-8", "replace"))

    @property
    def headers(self) -> dict[str, str]:
        """The headers that go with the body."""
        length = len(self.head) + self.size + len(self._tail)
        return {"Content-Type": f"multipart/form-data; boundary={self.boundary}", "Content-Length": str(length)}

    @property
    def _tail(self) -> bytes:
        return f"\r\n--{self.boundary}--\r\n".encode()

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield the body. Raises StepError when the file cannot be read, or has changed its size since."""
        yield self.head
        async for chunk in stream_of(self.path, self.size):
            yield chunk
        yield self._tail


def size_of(path: Path) -> int:
    """Return the size of a file in bytes. Raises StepError when it is not there."""
    try:
        return path.stat().st_size
    except OSError as error:
        raise _unreadable_file(path, error) from error


async def stream_of(path: Path, size: int) -> AsyncIterator[bytes]:
    """Yield a file from the disk. Raises StepError when it cannot be read, or has another size by now."""
    left = size
    try:
        with _open(path, "rb") as file:
            while left >= 0 and (chunk := await in_thread(lambda: file.read(CHUNK))):
                left -= len(chunk)
                if left >= 0:
                    yield chunk
    except OSError as error:
        raise _unreadable_file(path, error) from error
    if left != 0:
        hint = "run again when nothing writes to it any more"
        raise StepError(Problem("upload-changed", f"`{path}` changes while it is sent", hint=hint))


def md5_of(path: Path) -> str:
    """Return the MD5 of a file in lower-case hex: what the service knows a LoRA by. Raises StepError."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "md5").hexdigest()
    except OSError as error:
        raise _unreadable_file(path, error) from error


def _open(path: Path, mode: Literal["rb", "w+b"]) -> BinaryIO:
    return path.open(mode)


def _unreadable_file(path: Path, error: OSError) -> StepError:
    hint = "check that the file is there and may be read"
    return StepError(Problem("upload-unreadable", f"cannot read `{path}`: {error.strerror or error}", hint=hint))


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What arrived: size in bytes, SHA-256 in lower-case hex."""

    size: int
    sha256: str


class _Landing:
    """Where a download is written: knows how much is there, its hash, and whether it can go on from there.

    Its methods raise StoreError, so that trouble with the disk is never taken for trouble on the way.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._start = file.tell()
        self._hash = hashlib.sha256()
        self.size = 0
        self.furthest = 0
        self.version: str | None = None  # the host's mark for exactly these bytes, None where it gives none

    async def write(self, chunk: bytes) -> None:
        def keep() -> None:
            self._hash.update(chunk)
            self._file.write(chunk)

        await self._work(keep)
        self.size += len(chunk)

    async def restart(self) -> None:
        await self._work(lambda: (self._file.seek(self._start), self._file.truncate()))
        self._hash, self.size, self.version = hashlib.sha256(), 0, None

    async def finish(self) -> Downloaded:
        await self._work(self._file.flush)
        return Downloaded(self.size, self._hash.hexdigest())

    def advanced(self) -> bool:
        """Whether more is there than ever before."""
        before, self.furthest = self.furthest, max(self.furthest, self.size)
        return self.furthest > before

    async def _work(self, work: Callable[[], object]) -> None:
        try:
            await in_thread(work)
        except OSError as error:
            raise _unwritable(error) from error


async def download(
    lane: Lane,
    url: str,
    sink: Path | BinaryIO,
    *,
    clock: Clock,
    count: Callable[[], None],
    name: str | None = None,
) -> Downloaded:
    """Fetch ``url`` into ``sink``; ``count`` is called for every request. An url that holds a secret has a ``name``."""
    source = _Source(url, name)
    if not isinstance(sink, Path):
        return await _download(lane, source, _Landing(sink), clock=clock, count=count)
    try:
        file = _open(sink, "w+b")
    except OSError as error:
        raise _unwritable(error) from error
    try:
        with file:
            return await _download(lane, source, _Landing(file), clock=clock, count=count)
    except BaseException:
        sink.unlink(missing_ok=True)
        raise


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a file comes from: its link, never shown, and another name for it where the link holds a secret."""

    url: str = field(repr=False)
    name: str | None

    def __str__(self) -> str:
        return self.name or shown(self.url)


async def _download(
    lane: Lane, source: _Source, landing: _Landing, *, clock: Clock, count: Callable[[], None]
) -> Downloaded:
    what = f"the download of `{source}`"

    async def attempt() -> Downloaded:
        try:
            async with lane.gate:
                count()
                await _fetch(lane.client, source, landing)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            if source.name is not None and isinstance(error, httpx.RequestError):
                error.request = httpx.Request("GET", source.name)
            failed = unreachable(what, error)
            raise (Passing(failed, progress=landing.advanced()) if may_pass(error) else failed) from error
        return await landing.finish()

    return await retry_free(attempt, clock=clock)


class _Truncated(httpx.TransportError):
    """Fewer or other bytes than announced: to be treated as a broken connection."""


async def _fetch(client: httpx.AsyncClient, source: _Source, landing: _Landing) -> None:
    """Fetch what is missing, in one request."""
    headers = {"Accept-Encoding": "identity"}  # so that lengths and ranges count the file's own bytes
    if landing.size and landing.version:
        headers |= {"Range": f"bytes={landing.size}-", "If-Range": landing.version}
    async with client.stream("GET", source.url, headers=headers, timeout=DOWNLOAD, follow_redirects=True) as response:
        _check_status(response, source)
        if not _continues(response, landing):
            await landing.restart()
            if response.status_code != 200:
                raise _Truncated(f"HTTP {response.status_code} does not fit what was asked")
            landing.version = _version(response)
        before = landing.size
        async for piece in _pieces(response):
            await landing.write(piece)
        _check_length(response, landing, received=landing.size - before)


async def _pieces(response: httpx.Response) -> AsyncIterator[bytes]:
    """Yield the body in pieces of about ``CHUNK`` bytes; what came before a break is yielded too."""
    held = bytearray()
    try:
        async for part in response.aiter_bytes():
            held += part
            if len(held) >= CHUNK:
                yield bytes(held)
                held.clear()
    except httpx.HTTPError:
        yield bytes(held)
        raise
    yield bytes(held)


def _check_status(response: httpx.Response, source: _Source) -> None:
    """Raise for a status with which no file comes."""
    status = response.status_code
    if status in (200, 206, 416):
        return
    gone = status in (403, 404, 410)
    hint = "links to results live about a day; `rhflow resume` asks the service for the link again" if gone else None
    text = f"the result `{source}` {'is no longer there' if gone else 'cannot be had'} (HTTP {status})"
    error = StepError(Problem("result-gone" if gone else "result-unreachable", text, hint=hint))
    raise Passing(error, asked=retry_after(response.headers)) if status == 429 or status >= 500 else error


def _continues(response: httpx.Response, landing: _Landing) -> bool:
    """Whether the reply is exactly the rest of what is there."""
    span = re.match(r"bytes (\d+)-", response.headers.get("content-range", ""))
    return response.status_code == 206 and span is not None and int(span[1]) == landing.size and landing.size > 0


def _check_length(response: httpx.Response, landing: _Landing, *, received: int) -> None:
    """Raise when something is missing, which not every transport notices."""
    announced = response.headers.get("content-length", "")
    if announced.isdigit() and "content-encoding" not in response.headers and int(announced) != received:
        raise _Truncated(f"{received} of {announced} bytes")
    whole = re.search(r"/(\d+)$", response.headers.get("content-range", ""))
    if whole and int(whole[1]) != landing.size:
        raise _Truncated(f"{landing.size} of {whole[1]} bytes")


def _version(response: httpx.Response) -> str | None:
    """Return the mark by which the host knows these bytes again; a weak one does not promise the same bytes."""
    tag: str = response.headers.get("etag", "") or response.headers.get("last-modified", "")
    return None if tag.startswith("W/") else tag or None


def shown(url: str) -> str:
    """Return a URL fit to be shown: without its query, which may hold a signature. Raises StepError for none."""
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    except ValueError:
        pass  # then it is reported like any other
    raise StepError(Problem("result-unreachable", f"`{tidy(url)}` is not the address of a result"))


def _unwritable(error: OSError) -> StoreError:
    hint = "check the free space and the rights of the folder"
    return StoreError(Problem("download-unwritable", f"cannot keep a result: {error.strerror or error}", hint=hint))


async def in_thread(work: Callable[[], T]) -> T:
    """Run ``work`` off the event loop. Cancelled, it waits for the thread first: nobody closes a file in use."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise

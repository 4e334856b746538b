"""Files to the service and back: uploads for models, for nodes and for LoRA loaders, downloads of results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import httpx

from rhflow.runninghub.transport import lanes
from rhflow.runninghub.transport.session import Question, Session
from rhflow.runninghub.transport.transfer import (
    Downloaded,
    FileForm,
    download,
    in_thread,
    md5_of,
    shown,
    size_of,
    stream_of,
)
from rhflow.runninghub.wire.envelope import error_in, flat, members_of, object_in, unreadable, wrapped
from rhflow.runninghub.wire.errors import ApiError
from rhflow.runninghub.wire.members import count_of, text_of

_LORA = {"Content-Type": "application/octet-stream"}


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file on the site: ``url`` for hosted models (about a day), ``file_name`` for workflow nodes; size in bytes."""

    url: str | None
    file_name: str | None
    size: int | None
    media_type: str


@dataclass(frozen=True, slots=True)
class LoraPlace:
    """Where a LoRA goes: what loader nodes call it, and where to send it; None where its content is there already."""

    file_name: str
    url: str | None


class Files(Session):
    """Transfers, streamed from and to the disk."""

    async def upload(self, path: Path, name: str, media_type: str) -> Uploaded:
        """Send the file at ``path`` under ``name``, streamed from disk. Raises StepError when it cannot be read."""
        form = FileForm.of(path, name, media_type=media_type)
        return await self._upload("/openapi/v2/media/upload/binary", form, name, media_type)

    async def upload_old(self, path: Path, name: str, media_type: str) -> Uploaded:
        """Do the same by the older call: 30 MB at most, and no link comes back, only a name for nodes."""
        members = {"apiKey": self.connection.key.reveal(), "fileType": "input"}
        form = FileForm.of(path, name, media_type=media_type, members=members)
        return await self._upload("/task/openapi/upload", form, name, media_type)

    async def upload_lora(self, path: Path, name: str) -> str:
        """Send a LoRA unless the service has its content, and return what loader nodes call it.

        ``name`` is for people. Raises StepError when the file cannot be read.
        """
        place = await self.lora_place(name, await in_thread(lambda: md5_of(path)))
        if place.url is not None:
            await self._put(place.url, path, f"the upload of `{name}`")
        return place.file_name

    async def lora_place(self, name: str, md5: str) -> LoraPlace:
        """Return where the LoRA with this MD5 (lower-case hex) goes; its address works for an hour."""
        payload = {"loraName": name, "md5Hex": md5}
        path = "/api/openapi/getLoraUploadUrl"
        question = Question("lora", f"a place for `{name}`", path, wrapped(_lora_place), payload, key="apiKey")
        return await self.ask(question)

    async def download(self, url: str, sink: Path | BinaryIO) -> Downloaded:
        """Fetch a result into a path, or an open binary file from its present position; without the key.

        A broken transfer goes on where it broke when the host can tell that the file is the same, else starts anew.
        On failure a path is removed. Raises StepError when the file cannot be had, StoreError when it cannot be kept.
        """

        def count() -> None:
            self.requests["download"] += 1

        return await download(self._lanes.files, url, sink, clock=self._clock, count=count)

    async def _upload(self, path: str, form: FileForm, name: str, media_type: str) -> Uploaded:
        def read(body: bytes, status: int) -> Uploaded | ApiError:
            return read_uploaded(body, media_type=media_type, http_status=status)

        def request() -> httpx.Request:
            return self._build("POST", path, timeout=lanes.UPLOAD, headers=form.headers, content=form.stream())

        return await self._repeat(Question("upload", f"the upload of `{name}`", path, read), request)

    async def _put(self, url: str, path: Path, what: str) -> None:
        """Send a file to a storage that knows neither the key nor the service's envelopes."""
        size = size_of(path)
        shown(url)  # raises for what is no address

        def request() -> httpx.Request:
            headers = {**_LORA, "Content-Length": str(size)}
            client = self._lanes.files.client
            return client.build_request(
                "PUT", url, timeout=lanes.UPLOAD, headers=headers, content=stream_of(path, size)
            )

        await self._repeat(Question("upload", what, url, _stored, key="none"), request)


def read_uploaded(body: bytes, *, media_type: str, http_status: int = 200) -> Uploaded | ApiError:
    """Read the reply to an upload; ``media_type`` is what was sent (the reply has only a family)."""
    reply = members_of(body, http_status)
    data = flat(reply)
    url, file_name = text_of(data.get("download_url")), text_of(data.get("fileName"))
    if error := error_in(reply, http_status):
        return error
    if not url and not file_name:
        return unreadable("it names no uploaded file", http_status)
    return Uploaded(url or None, file_name or None, count_of(data.get("size")), media_type)


def _lora_place(data: Any) -> LoraPlace:
    found: Mapping[str, Any] = object_in(data, "place for the file")
    name = text_of(found.get("fileName"))
    return LoraPlace(name or unreadable("it names no file"), text_of(found.get("url")) or None)


def _stored(_: bytes, http_status: int) -> ApiError | None:
    """Read the reply of a storage: nothing but its status counts."""
    return None if 200 <= http_status < 300 else ApiError("", "", http_status)

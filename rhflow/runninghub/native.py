"""A ComfyUI server of one's own: the same graphs, run on one's own machine, for nothing.

Its API is ComfyUI's: a prompt is queued, its history appears when it has ended, files are viewed by name. There is no
account, no key and no envelope. RunningHub's own gateway speaks the same, but wants the key in the link and is paid
for: workflows run there by their ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO
from urllib.parse import urlencode

import httpx

from rhflow.core.errors import Problem, StepError
from rhflow.runninghub.transport.clock import Clock
from rhflow.runninghub.transport.lanes import FILES_AT_ONCE, Lane
from rhflow.runninghub.transport.retry import Passing, may_pass, retry_free
from rhflow.runninghub.transport.transfer import Downloaded, download, in_thread
from rhflow.runninghub.wire.errors import tidy, unreachable
from rhflow.runninghub.wire.members import text_of

_TIMEOUT = httpx.Timeout(60, connect=5)


@dataclass(frozen=True, slots=True)
class Made:
    """One output of a prompt: the node that made it, and a link to a file, or a text."""

    node: str
    url: str | None = None
    name: str = ""
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """A prompt that has ended, with what it made."""

    made: tuple[Made, ...]


class ComfyServer:
    """One server at ``address`` (``http://127.0.0.1:8188``). Use it with ``async with``."""

    def __init__(
        self, address: str, *, transport: httpx.AsyncBaseTransport | None = None, clock: Clock | None = None
    ) -> None:
        self.address = address.rstrip("/")
        self._clock = clock or Clock()
        self._gate = asyncio.Semaphore(FILES_AT_ONCE)
        self._http = httpx.AsyncClient(transport=transport, timeout=_TIMEOUT, trust_env=False)

    async def __aenter__(self) -> ComfyServer:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def queue(self, graph: Mapping[str, Any]) -> str:
        """Queue a graph in API format and return the id of the prompt. Raises StepError, with the node at fault."""
        found = await self._json("POST", "/prompt", json={"prompt": graph})
        if found.get("error"):
            raise _rejected(found)
        return text_of(found.get("prompt_id")) or _odd("it names no prompt")

    async def ended(self, prompt: str) -> Ended | None:
        """Return what a prompt made, None while it waits or runs. Raises StepError when it failed."""
        found = (await self._json("GET", f"/history/{prompt}")).get(prompt)
        if not isinstance(found, dict):
            return None
        status = found.get("status")
        if isinstance(status, dict) and status.get("status_str") == "error":
            raise _failed(prompt, status)
        outputs = found.get("outputs")
        return Ended(tuple(self._made(outputs if isinstance(outputs, dict) else {})))

    async def download(self, url: str, sink: Path | BinaryIO) -> Downloaded:
        """Fetch an output. Raises StepError when it cannot be had, StoreError when it cannot be kept."""
        lane = Lane(self._http, self._gate)
        return await download(lane, url, sink, clock=self._clock, count=lambda: None)

    async def upload(self, path: Path, name: str) -> str:
        """Send an input file and return what loader nodes call it. Raises StepError."""
        content = await in_thread(path.read_bytes)
        files = {"image": (name, content), "overwrite": (None, "true")}
        found = await self._json("POST", "/upload/image", files=files)
        stored, folder = text_of(found.get("name")), text_of(found.get("subfolder"))
        return f"{folder}/{stored}" if folder else stored or _odd("it names no file")

    def _made(self, outputs: Mapping[str, Any]) -> Iterator[Made]:
        """Yield outputs by node; previews (``temp``) are none."""
        for node, lists in outputs.items():
            for each in _items(lists):
                if isinstance(each, str):
                    yield Made(node, text=each)
                elif isinstance(each, dict) and each.get("type") == "output":
                    query = {name: text_of(each.get(name)) for name in ("filename", "subfolder", "type")}
                    yield Made(node, f"{self.address}/view?{urlencode(query)}", query["filename"])

    async def _json(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        """Return the reply as an object; a prompt that is queued twice costs time, not money."""
        what = f"ComfyUI at `{self.address}`"

        async def attempt() -> dict[str, Any]:
            try:
                response = await self._http.request(method, f"{self.address}{path}", **request)
            except httpx.HTTPError as error:
                failed = unreachable(what, error)
                raise (Passing(failed) if may_pass(error) else failed) from error
            if response.status_code >= 500:
                raise Passing(_odd_error(f"HTTP {response.status_code}"))
            try:
                found = response.json()
            except ValueError:
                found = None
            return found if isinstance(found, dict) else _odd(f"it is no JSON object (HTTP {response.status_code})")

        return await retry_free(attempt, clock=self._clock)


def _items(lists: Any) -> Iterator[Any]:
    for found in lists.values() if isinstance(lists, dict) else ():
        yield from found if isinstance(found, list) else ()


def _rejected(reply: Mapping[str, Any]) -> StepError:
    """Return the error for a graph that the server will not run."""
    errors = reply.get("node_errors")
    for node, found in errors.items() if isinstance(errors, dict) else ():
        if not isinstance(found, dict):
            continue
        told = found.get("errors")
        first = told[0] if isinstance(told, list) and told and isinstance(told[0], dict) else {}
        why = tidy(": ".join(filter(None, (text_of(first.get("message")), text_of(first.get("details"))))))
        message = f"ComfyUI rejects node `{node}` (`{text_of(found.get('class_type'))}`): {why}"
        return StepError(Problem("comfyui-rejected", message, hint="compare the values with what the node takes"))
    error = reply.get("error")
    why = text_of(error.get("message")) if isinstance(error, dict) else text_of(error)
    return StepError(Problem("comfyui-rejected", f"ComfyUI rejects the graph: {tidy(why)}"))


def _failed(prompt: str, status: Mapping[str, Any]) -> StepError:
    """Return the error for a prompt that failed, with the node and its exception."""
    for each in status.get("messages") or ():
        match each:
            case ["execution_error", {"node_id": node, "node_type": name, "exception_message": why}]:
                message = f"prompt `{prompt}` failed at node `{node}` (`{name}`): {tidy(text_of(why))}"
                return StepError(Problem("comfyui-failed", message, hint="look at the log of the ComfyUI server"))
    message = f"prompt `{prompt}` failed or was interrupted"
    return StepError(Problem("comfyui-failed", message, hint="look at the log of the ComfyUI server"))


def _odd_error(what: str) -> StepError:
    hint = "check that the address is that of a ComfyUI server"
    return StepError(Problem("comfyui-unreadable", f"the reply of ComfyUI cannot be read: {what}", hint=hint))


def _odd(what: str) -> Any:
    raise _odd_error(what)

"""A ComfyUI server of one's own: the same graphs, run on one's own machine, for nothing.

Its API is ComfyUI's: a prompt is queued, its history appears when it has ended, files are viewed by name. There is no
account, no key and no envelope. RunningHub's own gateway speaks the same, but wants the key in the link and is paid
for: ``operations/gateway.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO
from urllib.parse import urlencode

import httpx

from rhflow.core.errors import Problem, StepError
from rhflow.core.values import Realm
from rhflow.runninghub.transport.clock import Clock
from rhflow.runninghub.transport.lanes import FILES_AT_ONCE, UPLOAD, Lane
from rhflow.runninghub.transport.retry import Passing, may_pass, retry_free
from rhflow.runninghub.transport.session import SIMULATOR_HEADER
from rhflow.runninghub.transport.transfer import Downloaded, FileForm, download
from rhflow.runninghub.wire.comfyui import failure_in, outputs_of, rejection, unreadable_comfyui, uploaded_name
from rhflow.runninghub.wire.errors import SimulatorError, tidy, unreachable
from rhflow.runninghub.wire.members import text_of

_TIMEOUT = httpx.Timeout(60, connect=5)
_LIVE = "set RUNNINGHUB_BASE_URL to the simulator, too: then nothing that it makes counts as real"
_START = "start the server, or check RHFLOW_COMFYUI_SERVER (or `server` under `[comfyui]` in `rhflow.toml`)"


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
    """One server at ``address`` (``http://127.0.0.1:8188``). Use it with ``async with``.

    In the realm ``live`` a simulator is refused.
    """

    def __init__(
        self,
        address: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        realm: Realm = "live",
    ) -> None:
        self.address = address.rstrip("/")
        self._clock, self._realm = clock or Clock(), realm
        self._gate = asyncio.Semaphore(FILES_AT_ONCE)
        self._http = httpx.AsyncClient(transport=transport, timeout=_TIMEOUT, trust_env=False)

    async def __aenter__(self) -> ComfyServer:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def queue(self, graph: Mapping[str, Any], *, client_id: str) -> str:
        """Queue a graph in API format and return the id of the prompt. Raises StepError, with the node at fault.

        ``client_id`` is who listens to its progress (``socket``); a server tells one connection per client.
        """
        found = await self._json("POST", "/prompt", json={"prompt": graph, "client_id": client_id})
        if found.get("error"):
            raise rejection(found)
        return text_of(found.get("prompt_id")) or _odd("it names no prompt")

    def socket(self, client_id: str) -> str:
        """Return where the server tells a client of its prompts as they run."""
        scheme, _, rest = self.address.partition("://")
        return f"{'wss' if scheme == 'https' else 'ws'}://{rest}/ws?{urlencode({'clientId': client_id})}"

    async def ended(self, prompt: str) -> Ended | None:
        """Return what a prompt made, None while it waits or runs. Raises StepError when it failed."""
        found = (await self._json("GET", f"/history/{prompt}")).get(prompt)
        if not isinstance(found, dict):
            return None
        if (why := failure_in(found)) is not None:
            raise _failed(prompt, why)
        made = (
            Made(each.node, each.query and f"{self.address}/view?{each.query}", each.name, each.text)
            for each in outputs_of(found)
        )
        return Ended(tuple(made))

    async def download(self, url: str, sink: Path | BinaryIO) -> Downloaded:
        """Fetch an output. Raises StepError when it cannot be had, StoreError when it cannot be kept."""
        lane = Lane(self._http, self._gate)
        return await download(lane, url, sink, clock=self._clock, count=lambda: None)

    async def upload(self, path: Path, name: str, media_type: str) -> str:
        """Send an input file, streamed, and return what loader nodes call it. Raises StepError."""
        form = FileForm.of(path, name, media_type=media_type, members={"overwrite": "true"}, part="image")

        def content() -> Mapping[str, Any]:
            return {"content": form.stream(), "headers": form.headers, "timeout": UPLOAD}

        found = await self._json("POST", "/upload/image", content)
        return uploaded_name(found) or _odd("it names no file")

    async def _json(
        self, method: str, path: str, content: Callable[[], Mapping[str, Any]] = dict, **request: Any
    ) -> dict[str, Any]:
        """Return the reply as an object; a prompt that is queued twice costs time, not money.

        ``content`` gives what else the request holds, anew for each attempt.
        """
        what = f"ComfyUI at `{self.address}`"

        async def attempt() -> dict[str, Any]:
            try:
                response = await self._http.request(method, f"{self.address}{path}", **request, **content())
            except httpx.HTTPError as error:
                failed = unreachable(what, error, _START)
                raise (Passing(failed) if may_pass(error) else failed) from error
            if self._realm == "live" and SIMULATOR_HEADER in response.headers:
                raise SimulatorError(self.address, hint=_LIVE)
            if response.status_code >= 500:
                raise Passing(unreadable_comfyui(f"HTTP {response.status_code}"))
            try:
                found = response.json()
            except ValueError:
                found = None
            return found if isinstance(found, dict) else _odd(f"it is no JSON object (HTTP {response.status_code})")

        return await retry_free(attempt, clock=self._clock)


def _failed(prompt: str, why: Mapping[str, Any]) -> StepError:
    """Return the error for a prompt that failed, with the node and its exception."""
    message = f"prompt `{prompt}` failed or was interrupted"
    if "node_id" in why:
        at = f"`{why['node_id']}` (`{why['node_name']}`)"
        message = f"prompt `{prompt}` failed at node {at}: {tidy(why['exception_message'])}"
    return StepError(Problem("comfyui-failed", message, hint="look at the log of the ComfyUI server"))


def _odd(what: str) -> Any:
    raise unreadable_comfyui(what)

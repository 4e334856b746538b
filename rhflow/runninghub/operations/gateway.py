"""RunningHub's gateway: ComfyUI's own interface to rented machines, for graphs that are saved nowhere.

The key stands in the path of every request, so no link of it is ever kept: a result is known as ``gateway:`` with the
path without the key, and the key is put in when the file is fetched (``Session._build``). Prompts have ids of their
own kind; here they are task ids with the gate before them (``proxy:…``, ``proxy-plus:…``), as only that gate knows
them. What a prompt cost is not told.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Literal
from urllib.parse import quote, urlencode

import httpx

from rhflow.runninghub.transport import lanes
from rhflow.runninghub.transport.session import Question, Session
from rhflow.runninghub.transport.transfer import Downloaded, FileForm, download
from rhflow.runninghub.wire.comfyui import INTERRUPTED, failure_in, list_in, outputs_of, rejection, uploaded_name
from rhflow.runninghub.wire.envelope import Reader, error_in, members_of, unreadable
from rhflow.runninghub.wire.errors import ApiError, service_error
from rhflow.runninghub.wire.members import text_of
from rhflow.runninghub.wire.states import Result, Status, Submitted, TaskState

Gate = Literal["proxy", "proxy-plus"]
"""Machines of 24 GB, and of 48."""
LINK = "gateway:"
_UNKNOWN_TASK = "1004"
_QUEUES: Mapping[str, Status] = {"queue_pending": "QUEUED", "queue_running": "RUNNING"}


def gate_of(task_id: str) -> Gate | None:
    """Return the gate that knows a task, None for a task of the service's usual kind."""
    return next((gate for gate in ("proxy", "proxy-plus") if task_id.startswith(f"{gate}:")), None)


def gate_at(endpoint: str) -> Gate | None:
    """Return the gate that a path of the site leads to."""
    return next((gate for gate in ("proxy", "proxy-plus") if endpoint.startswith(f"/{gate}/")), None)


def read_queued(body: bytes, *, gate: Gate, http_status: int = 200) -> Submitted | ApiError:
    """Read the reply to a prompt. Raises PromptRejectedError, UnreadableError for a success of unknown form."""
    reply = members_of(body, http_status)
    if prompt := text_of(reply.get("prompt_id")):
        return Submitted(f"{gate}:{prompt}", "QUEUED", raw=reply)
    if http_status == 400 and ("node_errors" in reply or "error" in reply):
        raise rejection(reply)
    return error_in(reply, http_status) or unreadable("it names neither a prompt nor a reason", http_status)


class Gateway(Session):
    """What the gateway can be asked. ``gate`` is by the memory of the machines."""

    async def prompt_state(self, task_id: str) -> TaskState:
        """Return a prompt as it is now. Raises StepError for one that is in neither the queue nor the history."""
        gate, prompt, what = *_split(task_id), f"the query of task `{task_id}`"
        for ask in (self._past, self._waiting, self._past):  # it may end between the first two
            if (state := await ask(gate, prompt, task_id, what)) is not None:
                return state
        raise service_error(ApiError(_UNKNOWN_TASK, "neither in the queue nor in the history"), what)

    async def prompt_cancel(self, task_id: str) -> None:
        """Take a prompt out of the queue, or interrupt it when it runs."""
        gate, prompt, what = *_split(task_id), f"the cancellation of task `{task_id}`"
        await self._tell(what, f"/{gate}/queue", {"delete": [prompt]})
        now = await self._waiting(gate, prompt, task_id, what)
        if now is not None and now.status == "RUNNING":
            await self._tell(what, f"/{gate}/interrupt", {"prompt_id": prompt})

    async def gateway_queue(self, gate: Gate = "proxy") -> dict[str, Status]:
        """Return the prompts that wait or run, by their ids."""
        return queued_in(await self._object("query", "the queue of the gateway", f"/{gate}/queue"))

    async def gateway_history(self, gate: Gate = "proxy") -> dict[str, TaskState]:
        """Return the prompts that have ended, by their ids."""
        found = await self._object("query", "the history of the gateway", f"/{gate}/history")
        return {
            name: state_of(f"{gate}:{name}", entry, gate) for name, entry in found.items() if isinstance(entry, dict)
        }

    async def prompt_of(self, client_id: str, gate: Gate = "proxy") -> str | None:
        """Return the task that was sent by a client of this id, in the queue or the history; None where there is none.

        That tells what became of a prompt whose reply was lost, where no other was sent under its id.
        """
        what = "the prompts of the gateway"
        found = await self._object("query", what, f"/{gate}/queue")
        listed = [each for name in _QUEUES for each in list_in(found.get(name))]
        found = await self._object("query", what, f"/{gate}/history")
        listed += [entry.get("prompt") for entry in found.values() if isinstance(entry, dict)]
        for each in listed:
            match each:
                case [_, prompt, _, {"client_id": sender}, *_] if sender == client_id:
                    return f"{gate}:{text_of(prompt)}"
        return None

    async def node_classes(self, name: str | None = None, gate: Gate = "proxy") -> dict[str, Any]:
        """Return ComfyUI's description of all classes of nodes (some 30 MB), or of one; empty when it is not known."""
        path = f"/{gate}/object_info" + (f"/{quote(name, safe='')}" if name is not None else "")
        return await self._object("nodes", "the description of nodes", path)

    async def machine_stats(self, gate: Gate = "proxy") -> dict[str, Any]:
        """Return what ComfyUI tells of its machine."""
        return await self._object("machine", "the state of the machine", f"/{gate}/system_stats")

    async def gateway_upload(self, path: Path, name: str, media_type: str, gate: Gate = "proxy") -> str:
        """Send an input file, streamed, and return what loader nodes call it. Raises StepError."""
        form = FileForm.of(path, name, media_type=media_type, members={"overwrite": "true"}, part="image")
        where = f"/{gate}/upload/image"

        def read(body: bytes, status: int) -> str | ApiError:
            reply = members_of(body, status)
            return error_in(reply, status) or uploaded_name(reply) or unreadable("it names no file", status)

        def request() -> httpx.Request:
            return self._build("POST", where, timeout=lanes.UPLOAD, headers=form.headers, content=form.stream())

        return await self._repeat(Question("upload", f"the upload of `{name}`", where, read), request)

    async def gateway_download(self, link: str, sink: Path | BinaryIO) -> Downloaded:
        """Fetch a result by its link (``gateway:/proxy/view?…``). Raises StepError, StoreError."""

        def count() -> None:
            self.requests["download"] += 1

        url = f"{self.connection.base_url}{self._keyed(link.removeprefix(LINK))}"
        return await download(self._lanes.files, url, sink, clock=self._clock, count=count, name=link)

    def gateway_socket(self, task_id: str, client_id: str) -> str:
        """Return where the progress of a prompt is told to the client that sent it; the key is in it."""
        gate, _ = _split(task_id)
        scheme, _, rest = self.connection.base_url.partition("://")
        where = f"{'wss' if scheme == 'https' else 'ws'}://{rest}{self._keyed(f'/{gate}/ws')}"
        return f"{where}?{urlencode({'clientId': client_id})}"

    async def _past(self, gate: Gate, prompt: str, task_id: str, what: str) -> TaskState | None:
        found = await self._object("query", what, f"/{gate}/history/{quote(prompt, safe='')}")
        entry = found.get(prompt)
        return state_of(task_id, entry, gate) if isinstance(entry, dict) else None

    async def _waiting(self, gate: Gate, prompt: str, task_id: str, what: str) -> TaskState | None:
        status = queued_in(await self._object("query", what, f"/{gate}/queue")).get(prompt)
        return None if status is None else TaskState(task_id, status)

    async def _object(self, kind: str, what: str, path: str) -> dict[str, Any]:
        return await self.ask(Question(kind, what, path, _plain_object))

    async def _tell(self, what: str, path: str, payload: Mapping[str, Any]) -> None:
        read: Reader[None] = _done
        await self.ask(Question("cancel", what, path, read, payload))


def _split(task_id: str) -> tuple[Gate, str]:
    gate = gate_of(task_id)
    assert gate is not None
    return gate, task_id.removeprefix(f"{gate}:")


def _plain_object(body: bytes, http_status: int) -> dict[str, Any] | ApiError:
    """Read a reply that is ComfyUI's own; a refusal comes in the service's envelope or as an HTTP status."""
    reply = members_of(body, http_status)
    wrapped = "code" in reply and "msg" in reply
    failed = wrapped or not 200 <= http_status < 300
    return (error_in(reply, http_status) if failed else None) or reply


def _done(body: bytes, http_status: int) -> ApiError | None:
    """Read a reply that says nothing when all is well."""
    found = _plain_object(body, http_status) if body.strip() or not 200 <= http_status < 300 else None
    return found if isinstance(found, ApiError) else None


def queued_in(reply: Mapping[str, Any]) -> dict[str, Status]:
    """Return the prompts that a reply about the queue lists, by their ids."""
    return {
        text_of(item[1]): status
        for name, status in _QUEUES.items()
        for item in list_in(reply.get(name))
        if isinstance(item, list) and len(item) > 1
    }


def state_of(task_id: str, entry: Mapping[str, Any], gate: Gate) -> TaskState:
    """Return what an entry of the history says of a task, known to ``gate``."""
    why = failure_in(entry)
    if why is None:
        results = (
            Result(
                each.query and f"{LINK}/{gate}/view?{each.query}",
                each.text,
                each.name.rpartition(".")[2].lower(),
                each.node,
            )
            for each in outputs_of(entry)
        )
        return TaskState(task_id, "SUCCESS", tuple(results))
    if why.get("exception_type") == INTERRUPTED:
        return TaskState(task_id, "CANCEL")
    return TaskState(task_id, "FAILED", error=ApiError("805", ""), failed_reason=why)

"""A listener for the callbacks of the service: it answers at once, notes what it is told, and tells the user.

A callback names the call it is about (``call=`` in its address). Runs on the same store see what is noted: one that
waits for the task asks about it at once, and the task of a call whose reply was lost is found. Nobody signs callbacks:
what one says is looked up at the service before anything is made of it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from rhflow.app.simulator.serve import listen_on
from rhflow.runninghub.operations.webhooks import event_data
from rhflow.runninghub.wire.errors import ApiError, UnreadableError
from rhflow.runninghub.wire.states import read_task_state
from rhflow.settings import Settings
from rhflow.steps.submit import CALL
from rhflow.store.callbacks import LISTENER
from rhflow.store.store import Store

LARGEST = 4_000_000  # bytes: a callback repeats the outputs of a task
_TRY_AGAIN = 1.0


@dataclass(frozen=True, slots=True)
class Callback:
    """What was called back: the task, how it ended as far as can be read, and the call of rhflow it belongs to."""

    task_id: str
    status: str
    call: str

    def to_json(self) -> dict[str, str]:
        """Return it for programs."""
        return {"task": self.task_id, "status": self.status, "call": self.call}


def listener(store: Store, heard: Callable[[Callback], None]) -> Starlette:
    """Return the app that takes callbacks; ``heard`` is told of each."""

    async def take(request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LARGEST:
                return PlainTextResponse("too large", status_code=413)
        callback = read_callback(body, request.query_params.get(CALL, ""))
        if callback is None:
            return PlainTextResponse("not a callback", status_code=400)
        if callback.call:
            await asyncio.wrap_future(store.callbacks.keep(callback.call, callback.task_id, at=time.time()))
        heard(callback)
        return PlainTextResponse("ok")

    return Starlette(routes=[Route("/{rest:path}", take, methods=["POST"])])


def read_callback(body: bytes, call: str) -> Callback | None:
    """Return what a callback says, None when it is none; the end of a task is read like any reply about it."""
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    task_id = str(found.get("taskId", "")) if isinstance(found, dict) else ""
    if not task_id.isdecimal():
        return None
    data = event_data(found.get("eventData"))
    return Callback(task_id, _status(data), call)


def _status(data: Any) -> str:
    try:
        state = read_task_state(json.dumps(data).encode())
    except UnreadableError:
        return "ended"
    return "ended" if isinstance(state, ApiError) else state.status.lower()


def listen(
    settings: Settings, host: str, port: int, *, ready: Callable[[str], None], heard: Callable[[Callback], None]
) -> None:
    """Take callbacks until interrupted; ``ready`` is told the address. Raises UsageError when the port is taken."""
    taken = listen_on(host, port)
    url = f"http://{f'[{host}]' if ':' in host else host}:{taken.getsockname()[1]}"
    with Store.open(settings.store) as store:
        app = listener(store, heard)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))

        async def run() -> None:
            locked = asyncio.create_task(_be_known(store))
            ready(url)
            try:
                await server.serve([taken])
            finally:
                locked.cancel()

        try:
            asyncio.run(run())
        except KeyboardInterrupt:
            pass  # the way to end it


async def _be_known(store: Store) -> None:
    """Hold the lock by which runs know that there is a listener; another one, or who just looks, may have it."""
    while not store.locks.try_acquire(LISTENER):  # noqa: ASYNC110
        await asyncio.sleep(_TRY_AGAIN)

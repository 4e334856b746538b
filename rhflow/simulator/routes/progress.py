"""The progress socket of a running graph: ComfyUI's events, told as simulated time goes by.

It is offered only by a server that can speak on web sockets, and only as long as a task runs.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import math
from typing import Any
from urllib.parse import urlencode

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from rhflow.simulator.graphs.work import GraphWork
from rhflow.simulator.replies import Reply
from rhflow.simulator.routes.operation import Visit
from rhflow.simulator.simulator import Simulator
from rhflow.simulator.tasks import Failure, Task

PATH = "/ws/c_instance"
_WEEK = 7 * 24 * 3600 * 1000
_LOOK = 0.02


def socket_of(visit: Visit, task: Task) -> str | None:
    """Return where ``task`` tells its progress, or None where it does not."""
    if not visit.simulator.config.sockets or not isinstance(task.work, GraphWork):
        return None
    told = {
        "c_host": "10.0.0.1",
        "c_port": "80",
        "clientId": task.ticket.client_id,
        "workflowId": task.work.workflow_id,
        "Rh-Comfy-Auth": _ticket(task),
    }
    scheme, _, rest = visit.base.partition("://")
    return f"{'wss' if scheme == 'https' else 'ws'}://{rest}{PATH}?{urlencode(told)}"


def _ticket(task: Task) -> str:
    """Return the text that opens the socket: whoever has it may listen."""
    issued = int(task.id) // 100_000 % 10**13
    sign = hashlib.sha256(f"{task.id}/{task.ticket.client_id}".encode()).hexdigest()[:32]
    told = {"userId": "0", "signExpire": issued + _WEEK, "ts": issued, "sign": sign}
    return base64.b64encode(json.dumps(told).encode()).decode()


def progress_route(simulator: Simulator) -> WebSocketRoute:
    """Return the route of the socket."""

    async def endpoint(socket: WebSocket) -> None:
        asked = socket.query_params
        task = simulator.task_of_client(asked.get("clientId", ""))
        if task is None or asked.get("Rh-Comfy-Auth") != _ticket(task):
            await socket.close(code=1008)
            return
        await socket.accept()
        try:
            await _tell(simulator, task, socket)
            await socket.close()
        except WebSocketDisconnect:
            pass  # nobody listens any more

    return WebSocketRoute(PATH, endpoint)


async def _tell(simulator: Simulator, task: Task, socket: WebSocket) -> None:
    """Send what is due, as it becomes due, and how it ended."""
    assert isinstance(task.work, GraphWork)
    prompt = {"prompt_id": task.ticket.client_id}
    begin = task.submitted + task.queue
    await socket.send_json(_event("status", {"status": {"exec_info": {"queue_remaining": 1}}}))
    for share, name, data in task.work.events():
        await _until(simulator, task, begin + share * task.run)
        if not isinstance(task.outcome, Failure) and not task.cancelled:
            await socket.send_json(_event(name, {**data, **prompt}))
    await _until(simulator, task, math.inf)
    await socket.send_json(_ending(task, prompt))
    await socket.send_json(_event("status", {"status": {"exec_info": {"queue_remaining": 0}}}))


async def _until(simulator: Simulator, task: Task, due: float) -> None:
    """Wait for a simulated time, or for the end of the task."""
    while (now := simulator.clock()) < due and not task.has_ended(now):  # noqa: ASYNC110
        await asyncio.sleep(_LOOK)


def _ending(task: Task, prompt: dict[str, Any]) -> Reply:
    if task.cancelled:
        return _event("execution_interrupted", {**prompt, "node_id": "", "node_type": "", "executed": []})
    if isinstance(task.outcome, Failure):
        return _event("execution_error", {**prompt, **task.outcome.reason, "executed": []})
    return _event("execution_success", {**prompt, "timestamp": int(task.due * 1000)})


def _event(name: str, data: dict[str, Any]) -> Reply:
    return {"type": name, "data": data}

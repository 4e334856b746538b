"""The progress socket of a running graph: ComfyUI's events, told as simulated time goes by.

It is offered only by a server that can speak on web sockets, and only as long as a task runs.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from rhflow.core.values import Json
from rhflow.simulator.graphs.work import GraphWork
from rhflow.simulator.prompts import Prompt
from rhflow.simulator.replies import Reply
from rhflow.simulator.reports import error_facts
from rhflow.simulator.routes.operation import Visit
from rhflow.simulator.simulator import Simulator
from rhflow.simulator.tasks import Failure, Task
from rhflow.simulator.workshop import Product

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
            await tell(simulator, task, Ear(socket.send_json, task.ticket.client_id))
            await socket.close()
        except WebSocketDisconnect:
            pass  # nobody listens any more

    return WebSocketRoute(PATH, endpoint)


@dataclass(frozen=True, slots=True)
class Ear:
    """Who is told: how to send an event, what the prompt is called, and the prompt where files have names."""

    send: Callable[[Reply], Awaitable[None]]
    prompt_id: str
    prompt: Prompt | None = None

    async def hear(self, name: str, data: Mapping[str, Any]) -> None:
        """Send an event about the prompt."""
        await self.send(_event(name, {**data, "prompt_id": self.prompt_id}))


async def tell(simulator: Simulator, task: Task, ear: Ear) -> None:
    """Send what is due, as it becomes due, and how it ended."""
    assert isinstance(task.work, GraphWork)
    begin = task.submitted + task.queue
    await ear.send(_status(1))
    *events, (_, name, nothing_more) = task.work.events()
    for share, what, data in events:
        await _until(simulator, task, begin + share * task.run)
        if not isinstance(task.outcome, Failure) and not task.cancelled:
            await ear.hear(what, data)
    await _until(simulator, task, math.inf)
    if isinstance(task.outcome, Product):
        for node, output in _saved(task, task.outcome, ear.prompt):
            await ear.hear("executed", {"node": node, "display_node": node, "output": output})
        await ear.hear(name, nothing_more)
    await ear.hear(*_ending(task))
    await ear.send(_status(0))


def _saved(task: Task, product: Product, prompt: Prompt | None) -> list[tuple[str, Json]]:
    """Return what each node saved; files have names of their own only where they were asked for as a prompt."""
    return [] if prompt is None else list(task.account.prompts.outputs_of(prompt, product).items())


async def _until(simulator: Simulator, task: Task, due: float) -> None:
    """Wait for a simulated time, or for the end of the task."""
    while (now := simulator.clock()) < due and not task.has_ended(now):  # noqa: ASYNC110
        await asyncio.sleep(_LOOK)


def _ending(task: Task) -> tuple[str, Mapping[str, Any]]:
    if task.cancelled:
        return "execution_interrupted", {"node_id": "", "node_type": "", "executed": []}
    if isinstance(task.outcome, Failure):
        return "execution_error", error_facts(task.outcome)
    return "execution_success", {"timestamp": int(task.due * 1000)}


def _status(remaining: int) -> Reply:
    return _event("status", {"status": {"exec_info": {"queue_remaining": remaining}}})


def _event(name: str, data: dict[str, Any]) -> Reply:
    return {"type": name, "data": data}

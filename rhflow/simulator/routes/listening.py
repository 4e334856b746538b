"""The web socket of ComfyUI's own interface: all prompts of one client, as they run."""

from __future__ import annotations

import asyncio
import uuid

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from rhflow.simulator.accounts import Account
from rhflow.simulator.routes.comfyui import GATEWAY, PLUS
from rhflow.simulator.routes.progress import Ear, tell
from rhflow.simulator.simulator import Simulator, site_of

_LOOK = 0.02


def listening_routes(simulator: Simulator) -> list[WebSocketRoute]:
    """Return the routes of the socket: at the gateway, and at the root."""

    async def endpoint(socket: WebSocket) -> None:
        account = _account_of(simulator, socket)
        if account.bad is not None:
            await socket.close(code=1008)
            return
        await socket.accept()
        telling = asyncio.ensure_future(_tell_all(simulator, account, socket))
        try:
            while (await socket.receive())["type"] != "websocket.disconnect":
                pass  # what a client says is of no matter
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    return [WebSocketRoute(f"{base}/ws", endpoint) for base in (GATEWAY, PLUS, "")]


def _account_of(simulator: Simulator, socket: WebSocket) -> Account:
    key = socket.path_params.get("apiKey")
    site = site_of(socket.url.hostname or "", simulator.config.site)
    return simulator.local if key is None else simulator.accounts.of(key, site)


async def _tell_all(simulator: Simulator, account: Account, socket: WebSocket) -> None:
    """Tell of each prompt of the client from its beginning, one after another, those too that are still to come."""
    client = socket.query_params.get("clientId") or uuid.uuid4().hex
    waiting = len(account.prompts.in_state(simulator.clock(), "QUEUED", "RUNNING"))
    status = {"status": {"exec_info": {"queue_remaining": waiting}}, "sid": client}
    told: set[str] = set()
    try:
        await socket.send_json({"type": "status", "data": status})
        while True:
            for each in account.prompts.of_client(client):
                if each.id not in told:
                    told.add(each.id)
                    await tell(simulator, each.task, Ear(socket.send_json, each.id, prompt=each))
            await asyncio.sleep(_LOOK)
    except WebSocketDisconnect:
        pass  # nobody listens any more

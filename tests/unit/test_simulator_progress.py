"""The progress socket of a running graph, spoken to as a server would."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

from rhflow.simulator.config import SimulatorConfig
from tests.simulator_support import Caller, ManualClock, calling

PAINT = "1900000000000000101"
SOCKETS = SimulatorConfig(most=48, sockets=True)


class Socket:
    """The client's end of a web socket on an app in this process."""

    def __init__(self, call: Caller, url: str) -> None:
        parts = urlsplit(url)
        assert parts.scheme == "ws"
        self.sent: list[dict[str, Any]] = []
        scope = {
            "type": "websocket", "path": parts.path, "raw_path": parts.path.encode(), "scheme": "ws",
            "query_string": parts.query.encode(), "headers": [], "root_path": "", "subprotocols": [], "state": {},
        }  # fmt: skip
        self._connected = False
        self.ended = asyncio.ensure_future(call.app(scope, self._receive, self._send))  # type: ignore[arg-type]

    async def _receive(self) -> dict[str, Any]:
        if self._connected:
            await asyncio.Future()  # the client says nothing
        self._connected = True
        return {"type": "websocket.connect"}

    async def _send(self, message: Any) -> None:
        self.sent.append(message)

    async def told(self, count: int) -> None:
        """Wait until so many events have come."""
        while len(self.events) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.005)

    @property
    def events(self) -> list[tuple[str, dict[str, Any]]]:
        told = [json.loads(each["text"]) for each in self.sent if each["type"] == "websocket.send"]
        return [(each["type"], each["data"]) for each in told]


async def started(call: Caller, clock: ManualClock, *changes: dict[str, Any]) -> tuple[str, str]:
    """Return a task that runs, with nothing done yet, and its socket."""
    reply = await call.v1("create", workflowId=PAINT, nodeInfoList=list(changes))
    task_id = reply["data"]["taskId"]
    assert reply["data"]["netWssUrl"] is None
    clock.now += 2.0
    return task_id, (await call.v1("outputs", taskId=task_id))["data"]["netWssUrl"]


async def test_progress_is_told_as_time_goes_by() -> None:
    clock = ManualClock()
    async with calling(SOCKETS, clock=clock) as call:
        task_id, url = await started(call, clock)
        socket = Socket(call, url)
        await socket.told(4)
        assert [name for name, _ in socket.events][:4] == ["status", "execution_start", "execution_cached", "executing"]
        await asyncio.wrap_future(call.simulator._tasks[task_id].product)
        clock.now = 100.0
        await socket.ended
        steps = [data for name, data in socket.events if name == "progress"]
        assert [each["value"] for each in steps] == list(range(1, 21))
        assert {(each["node"], each["max"]) for each in steps} == {("3", 20)}
        assert [data["node"] for name, data in socket.events if name == "executing"][-2:] == ["9", None]
        assert [name for name, _ in socket.events][-2:] == ["execution_success", "status"]
        assert len({data["prompt_id"] for _, data in socket.events if "prompt_id" in data}) == 1
        assert socket.sent[-1]["type"] == "websocket.close"
        assert (await call.v1("outputs", taskId=task_id))["code"] == 0


async def test_a_failure_and_a_cancel_end_the_progress() -> None:
    clock = ManualClock()
    async with calling(SOCKETS, clock=clock) as call:
        broken = {"nodeId": "3", "fieldName": "steps", "fieldValue": 0}
        reply = await call.v1("create", workflowId=PAINT, nodeInfoList=[broken])
        clock.now = 1.7
        socket = Socket(call, (await call.v1("outputs", taskId=reply["data"]["taskId"]))["data"]["netWssUrl"])
        clock.now = 50.0
        await socket.ended
        name, data = socket.events[-2]
        assert (name, data["node_id"]) == ("execution_error", "3")
        task_id = (await call.v1("create", workflowId=PAINT))["data"]["taskId"]
        url = (await call.v1("outputs", taskId=task_id))["data"]["netWssUrl"]
        await call.v1("cancel", taskId=task_id)
        socket = Socket(call, url)
        await socket.ended
        assert [name for name, _ in socket.events] == ["status", "execution_interrupted", "status"]


async def test_nobody_listens_without_the_ticket() -> None:
    clock = ManualClock()
    async with calling(SOCKETS, clock=clock) as call:
        _, url = await started(call, clock)
        for wrong in (url.partition("&Rh-Comfy-Auth")[0], url.replace("clientId=", "clientId=0")):
            socket = Socket(call, wrong)
            await socket.ended
            assert socket.sent == [{"type": "websocket.close", "code": 1008, "reason": ""}]


async def test_without_web_sockets_there_is_no_address() -> None:
    clock = ManualClock()
    async with calling(SimulatorConfig(most=48), clock=clock) as call:
        assert (await started(call, clock))[1] is None

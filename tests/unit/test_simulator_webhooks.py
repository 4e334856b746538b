"""Webhooks of the simulator: told at the end of a task, again when nobody takes them, and on request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import jsonschema
import pytest

from rhflow.contract import load_schema
from rhflow.simulator.config import SimulatorConfig
from rhflow.simulator.webhooks import GAPS
from tests.simulator_support import Caller, ManualClock, calling

PAINT = "1900000000000000101"
HOOK = "http://receiver.test/hook"


class Receiver(httpx.AsyncBaseTransport):
    """Takes what webhooks are told; answers with the given statuses, the last for all that follow."""

    def __init__(self, *statuses: int) -> None:
        self.statuses, self.told = list(statuses), list[dict[str, Any]]()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(await request.aread())
        jsonschema.Draft202012Validator(load_schema("api/webhook")).validate(body)
        self.told.append({"url": str(request.url), **body})
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status == 0:
            raise httpx.ConnectError("nobody is there", request=request)
        return httpx.Response(status, text="taken" if status == 200 else "busy")


@asynccontextmanager
async def hooked(*statuses: int) -> AsyncIterator[tuple[Caller, Receiver]]:
    async with calling(SimulatorConfig(speed=1e6, most=48)) as call:
        receiver = Receiver(*statuses)
        call.simulator.webhooks.transport = receiver
        yield call, receiver


async def event(call: Caller, task_id: str, *, retries: int, status: str = "") -> dict[str, Any]:
    """Return the detail of the event of a task once it was told so many times again, and has that status."""
    while True:
        reply = await call.v1("webhook-detail", taskId=task_id)
        found = reply["data"]
        if found is not None and found["retryCount"] >= retries and status in ("", found["callbackStatus"]):
            return found
        await asyncio.sleep(0.005)


async def test_the_end_of_a_graph_is_told_as_the_text_of_its_outputs() -> None:
    async with hooked(200) as (call, receiver):
        task_id = (await call.v1("create", workflowId=PAINT, webhookUrl=HOOK))["data"]["taskId"]
        detail = await event(call, task_id, retries=0)
        [told] = receiver.told
        assert (told["event"], told["taskId"], told["url"]) == ("TASK_END", task_id, HOOK)
        outputs = json.loads(told["eventData"])
        assert isinstance(outputs["data"][0].pop("taskCostTime"), int)
        by_asking = (await call.v1("outputs", taskId=task_id))["data"][0]
        assert outputs["data"] == [{name: each for name, each in by_asking.items() if name != "taskCostTime"}]
        assert (detail["callbackStatus"], detail["callbackResponse"], detail["retryCount"]) == ("SUCCESS", "taken", 0)
        assert detail["eventData"] == told["eventData"]


async def test_the_end_of_a_model_is_told_as_the_object_of_its_query() -> None:
    async with hooked(200) as (call, receiver):
        accepted = await call.submit("text-to-image", prompt="a boat", webhookUrl=HOOK)
        await event(call, accepted["taskId"], retries=0)
        assert receiver.told[0]["eventData"] == await call.query(accepted["taskId"])


async def test_a_failure_is_told_too() -> None:
    async with hooked(200) as (call, receiver):
        wrong = [{"nodeId": "3", "fieldName": "steps", "fieldValue": 0}]
        reply = await call.v1("create", workflowId=PAINT, webhookUrl=HOOK, nodeInfoList=wrong)
        await event(call, reply["data"]["taskId"], retries=0)
        told = json.loads(receiver.told[0]["eventData"])
        assert (told["code"], told["data"]["failedReason"]["node_id"]) == (805, "3")


@pytest.mark.parametrize(
    ("statuses", "retries", "status"), [((500, 500, 200), 2, "SUCCESS"), ((0,), 3, "FAILED"), ((503,), 3, "FAILED")]
)
async def test_what_nobody_takes_is_told_again(statuses: tuple[int, ...], retries: int, status: str) -> None:
    async with hooked(*statuses) as (call, receiver):
        task_id = (await call.v1("create", workflowId=PAINT, webhookUrl=HOOK))["data"]["taskId"]
        detail = await event(call, task_id, retries=retries)
        assert (detail["callbackStatus"], detail["retryCount"], len(receiver.told)) == (status, retries, retries + 1)
        assert {json.dumps(told) for told in receiver.told} == {json.dumps(receiver.told[0])}
        if statuses == (0,):
            assert detail["callbackResponse"] == f"I/O error on POST request for {HOOK}: nobody is there"


async def test_the_gaps_are_simulated_time() -> None:
    clock = ManualClock()
    async with calling(SimulatorConfig(most=48), clock=clock) as call:
        receiver = call.simulator.webhooks.transport = Receiver(500)
        task_id = (await call.v1("create", workflowId=PAINT, webhookUrl=HOOK))["data"]["taskId"]
        await asyncio.wrap_future(call.simulator._tasks[task_id].product)
        clock.now = 100.0
        for retry, gap in enumerate(GAPS):
            clock.now += gap
            await event(call, task_id, retries=retry)
            assert len(receiver.told) == retry + 1
        assert sum(GAPS) == 180.0


async def test_resent_to_another_address() -> None:
    async with hooked(500) as (call, receiver):
        task_id = (await call.v1("create", workflowId=PAINT, webhookUrl=HOOK))["data"]["taskId"]
        detail = await event(call, task_id, retries=3)
        receiver.statuses = [200]
        other = "http://receiver.test/other"
        reply = await call.v1("webhook-resend", webhookId=detail["id"], webhookUrl=other)
        assert reply == {"code": 0, "msg": "", "data": None}
        detail = await event(call, task_id, retries=0, status="SUCCESS")
        assert (detail["webhookUrl"], receiver.told[-1]["url"], len(receiver.told)) == (other, other, 5)
        assert call.simulator.stats()["webhooks"] == 5


async def test_tasks_without_a_webhook_have_no_event() -> None:
    async with hooked(200) as (call, receiver):
        task_id = (await call.v1("create", workflowId=PAINT))["data"]["taskId"]
        await call.outputs(task_id)
        missing = {"code": 1, "msg": "webhook event not exists", "data": None}
        assert await call.v1("webhook-detail", taskId=task_id) == missing
        assert await call.v1("webhook-detail", taskId="5") == missing
        assert await call.v1("webhook-resend", webhookId="5", webhookUrl=HOOK) == missing
        assert receiver.told == []


async def test_closing_ends_what_still_waits() -> None:
    clock = ManualClock()
    async with calling(SimulatorConfig(most=48), clock=clock) as call:
        await call.v1("create", workflowId=PAINT, webhookUrl=HOOK)
        [watching] = call.simulator.webhooks._running
    await asyncio.wait([watching])
    assert watching.cancelled()

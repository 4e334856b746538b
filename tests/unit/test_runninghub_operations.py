"""Every operation of the service: what the client sends, and what it reads of every reply on record; no network.

The schemas in ``schemas/api`` are the contract that client and simulator share: requests and replies are held against
them here.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Awaitable, Callable
from decimal import Decimal
from email import message_from_bytes
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from rhflow.contract import load_schema
from rhflow.core.errors import RefusedError, RhflowError, StepError, UnknownOutcomeError
from rhflow.core.values import Money
from rhflow.runninghub.client import RunningHub
from rhflow.runninghub.operations import orders
from rhflow.runninghub.operations.orders import NodeValue, Order, RunOptions
from rhflow.runninghub.transport.clock import Clock
from rhflow.runninghub.transport.connection import Connection, Secret
from rhflow.runninghub.wire.errors import SubmitFailed
from tests.unit.test_runninghub_client import KEY, SITE, _everything_in

ROOT = Path(__file__).parents[2]
REPLIES: dict[str, list[Any]] = json.loads((ROOT / "tests" / "data" / "api_replies.json").read_text(encoding="utf-8"))
TASK, WORKFLOW, APP = "1910246754753896450", "1904136902449209346", "1877265245566922753"
PICTURE = NodeValue("12", "image", "api/x.png")
FULL_OPTIONS = RunOptions("plus", True, 60, "open sesame")


async def no_sleep(seconds: float) -> None:
    pass


def hub(handler: Callable[[httpx.Request], httpx.Response]) -> RunningHub:
    clock = Clock(sleep=no_sleep, jitter=lambda: 1.0)
    return RunningHub(Connection(SITE, Secret(KEY)), transport=httpx.MockTransport(handler), clock=clock)


def place(order: Order) -> Callable[[RunningHub], Awaitable[Any]]:
    return lambda client: client.submit(order.endpoint, order.payload)


async def answered(name: str, reply: Any, call: Callable[[RunningHub], Awaitable[Any]]) -> Any:
    """Return what a call gives when the service replies like this; its request is held against the contract."""

    def handler(request: httpx.Request) -> httpx.Response:
        check_request(name, request)
        return httpx.Response(200, json=reply)

    async with hub(handler) as client:
        return await call(client)


def check_request(name: str, request: httpx.Request) -> None:
    schema = load_schema(f"api/{name}")
    operation = schema["x-operation"]
    said = operation["path"].replace("{workflowId}", WORKFLOW).replace("{webappId}", APP).replace("{endpoint}", "v/m")
    assert (request.method, request.url.path) == (operation["method"], said)
    assert request.headers["authorization"] == f"Bearer {KEY}"
    if "request" not in schema["$defs"]:
        assert not request.content and not request.url.query
        return
    body = _members(request) if request.method == "POST" else dict(request.url.params)
    validate(schema, body, "#/$defs/request")
    for member in ("apiKey", "apikey"):
        assert (body.get(member) == KEY) == (f" {member}," in f" {operation['auth']},"), member


def _members(request: httpx.Request) -> dict[str, Any]:
    kind = request.headers["content-type"]
    if kind == "application/json":
        return json.loads(request.content)
    form = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + request.read())
    return {
        str(part.get_param("name", header="content-disposition")): part.get_payload() for part in form.get_payload()
    }


def validate(schema: dict[str, Any], found: Any, part: str | None = None) -> None:
    picked = schema if part is None else {"$defs": schema["$defs"], "$ref": part}
    assert [error.message for error in Draft202012Validator(picked).iter_errors(found)] == []


@pytest.mark.parametrize("name", REPLIES)
def test_replies_on_record_fit_the_contract(name):
    for reply in REPLIES[name]:
        validate(load_schema(f"api/{name}"), reply)


def test_every_operation_has_replies_on_record():
    written = {path.name.removesuffix(".schema.json") for path in (ROOT / "schemas" / "api").glob("*.json")}
    assert written == REPLIES.keys() | {"submit", "query", "upload"}  # those three are in `replies.json`


CALLS: dict[str, tuple[Callable[[RunningHub], Awaitable[Any]], Callable[[Any], Any], Any]] = {
    "run-workflow": (
        place(orders.workflow_v2(WORKFLOW, [PICTURE], FULL_OPTIONS, graph={"12": {}}, metadata=False)),
        lambda found: (found.task_id, found.status),
        ("2013508786110730241", "RUNNING"),
    ),
    "run-app": (place(orders.app(APP, [PICTURE], FULL_OPTIONS)), lambda found: found.task_id, "2013508786110730241"),
    "create": (
        place(orders.workflow(WORKFLOW, [PICTURE], FULL_OPTIONS, graph={"12": {}}, metadata=True)),
        lambda found: (found.task_id, found.status),
        (TASK, "QUEUED"),
    ),
    "run-app-v1": (place(orders.app_v1(APP, [PICTURE], FULL_OPTIONS)), lambda found: found.task_id, TASK),
    "quick-create": (place(orders.quick_create(APP, "002", [PICTURE])), lambda found: found.task_id, TASK),
    "price-preview": (
        lambda client: client.price_preview("v/m", {"prompt": "a fox"}),
        lambda found: (found.price, found.free, found.free_calls_left, found.text),
        (Money(Decimal("4.8"), "CNY"), False, 0, "CNY 0.50/call"),
    ),
    "workflow-json": (
        lambda client: client.workflow_graph(WORKFLOW),
        lambda found: found["3"]["inputs"],
        {"seed": 669816362794144, "steps": 20, "model": ["4", 0]},
    ),
    "cancel": (lambda client: client.cancel(TASK), lambda found: found, None),
    "status": (lambda client: client.status(TASK), lambda found: (found.task_id, found.status), (TASK, "RUNNING")),
    "outputs": (
        lambda client: client.outputs(TASK),
        lambda found: (found.status, found.results[0].node_id, str(found.usage.cost)),
        ("SUCCESS", "12", "17 coins"),
    ),
    "app-demo": (
        lambda client: client.app_demo(APP),
        lambda found: [(each.name, each.type, [one.name for one in each.choices]) for each in found.inputs],
        [("122.image", "IMAGE", []), ("37.prompt", "STRING", []), ("50.select", "LIST", ["Fast", "Fine"])],
    ),
    "app-list": (
        lambda client: client.app_list("HOTTEST", size=10),
        lambda found: (found.items[0].id, found.number, found.total, found.more),
        (APP, 1, 31, True),
    ),
    "style-params": (
        lambda client: client.styles("1957344152277151746"),
        lambda found: [(each.name, each.trigger, each.raw["modelLoar1Weight"]) for each in found],
        [("Ink wash", "ink wash painting", 0.8)],
    ),
    "webhook-detail": (
        lambda client: client.webhook_detail("1904444422770114561"),
        lambda found: (found.id, found.status, found.retries, found.data["data"][0]["taskCostTime"]),
        ("1904444422778503169", "FAILED", 3, 78),
    ),
    "webhook-resend": (
        lambda client: client.webhook_resend("1904444422778503169", "https://example.com/hook"),
        lambda found: found,
        None,
    ),
    "account-status": (
        lambda client: client.account_status(),
        lambda found: (found.coins, found.money, found.running, found.key_type),
        (Decimal(177814), None, 0, "NORMAL"),
    ),
    "queue-status": (lambda client: client.queue_status(), lambda found: (found.key_type, found.limit), ("SHARED", 50)),
    "key-list": (
        lambda client: client.api_keys(),
        lambda found: [(each.masked, each.name, each.enabled, each.used) for each in found],
        [("0123****cdef", "studio", True, Decimal("3.20"))],
    ),
    "resource-list": (
        lambda client: client.resources("CHECKPOINT", "dream"),
        lambda found: (found.items[0].node_value, found.more),
        ("dreamshaper_8.safetensors", False),
    ),
    "assets-create": (
        lambda client: client.asset_create("g-1", "https://example.com/a.png", "Image", "hero"),
        lambda found: (found.link, found.ready),
        ("asset://asset-7", False),
    ),
    "assets-query": (
        lambda client: client.asset("asset-7"),
        lambda found: (found.id, found.ready, found.type),
        ("asset-7", True, "Image"),
    ),
    "assets-list": (lambda client: client.assets("g-1"), lambda found: (found.total, found.items[0].ready), (1, True)),
    "assets-update": (lambda client: client.asset_rename("asset-7", "heroine"), lambda found: found, None),
    "assets-delete": (lambda client: client.asset_delete("asset-7"), lambda found: found, None),
    "assets-groups-create": (lambda client: client.asset_group_create("heroes"), lambda found: found.id, "g-1"),
    "assets-groups-query": (lambda client: client.asset_group("g-1"), lambda found: found.name, "heroes"),
    "assets-groups-list": (lambda client: client.asset_groups(), lambda found: found.items[0].name, "heroes"),
    "assets-groups-update": (lambda client: client.asset_group_rename("g-1", "villains"), lambda found: found, None),
    "assets-groups-delete": (lambda client: client.asset_group_delete("g-1"), lambda found: found, None),
}


@pytest.mark.parametrize("name", CALLS)
async def test_an_operation_is_asked_for_and_understood(name):
    call, read, expected = CALLS[name]
    assert read(await answered(name, REPLIES[name][0], call)) == expected


def test_every_operation_has_a_method():
    elsewhere = {"webhook", "upload-old", "lora-url"}  # a callback is sent to us; the transfers have tests of their own
    elsewhere |= {name for name in REPLIES if name.startswith("gateway-")}  # they too
    assert CALLS.keys() | elsewhere == REPLIES.keys()


@pytest.mark.parametrize("name", CALLS)
async def test_a_refusal_is_a_problem_with_the_code_of_the_service(name):
    call, _, _ = CALLS[name]
    refusal = {"code": 802, "msg": "APIKEY_UNAUTHORIZED", "data": None}
    with pytest.raises((RefusedError, SubmitFailed)) as caught:
        await answered(name, refusal, call)
    error = caught.value.error if isinstance(caught.value, SubmitFailed) else caught.value
    assert [each.code for each in error.problems] == ["api-802"]


async def test_an_account_with_a_wallet():
    found = await answered("account-status", REPLIES["account-status"][1], lambda client: client.account_status())
    assert (found.coins, found.money, found.running) == (Decimal(99), Money(Decimal("12.50"), "USD"), 2)


@pytest.mark.parametrize(
    ("at", "status"),
    [(0, "SUCCESS"), (1, "SUCCESS"), (2, "RUNNING"), (3, "QUEUED"), (4, "RUNNING"), (5, "FAILED")],
)
async def test_the_states_of_the_older_outputs(at, status):
    found = await answered("outputs", REPLIES["outputs"][at], lambda client: client.outputs(TASK))
    assert found.status == status


async def test_a_failed_workflow_names_its_node_and_exception():
    found = await answered("outputs", REPLIES["outputs"][5], lambda client: client.outputs(TASK))
    message = found.failure().problems[0].message
    assert "node `276` (`SONIC_PreData`)" in message
    assert "TypeError: SONIC_PreData.sampler_main() missing 2 required positional arguments" in message


async def test_a_workflow_that_was_not_valid_names_its_node():
    tips = REPLIES["create"][1]["data"]["promptTips"]
    reply = {"taskId": TASK, "status": "FAILED", "errorCode": "805", "failedReason": {}, "promptTips": tips}
    async with hub(lambda request: httpx.Response(200, json=reply)) as client:
        found = await client.query(TASK)
    message = found.failure().problems[0].message
    assert message == f"task `{TASK}` failed at node `12` (`LoadImage`): Value not in list: image: 'no.png'"


async def test_members_that_nobody_described_are_kept():
    secret = {"netWssUrl": "wss://a.b/ws?token=1", "webhookUrl": "https://a.b/hook?token=1"}
    reply = {"taskId": TASK, "status": "RUNNING", "queuePosition": 3, "clientId": "", **secret}
    async with hub(lambda request: httpx.Response(200, json=reply)) as client:
        assert (await client.query(TASK)).unknown == {"queuePosition": 3}


@pytest.mark.parametrize(("name", "at"), [("cancel", 1), ("cancel", 2), ("status", 2), ("outputs", 6)])
async def test_a_task_that_is_not_there(name, at):
    call, _, _ = CALLS[name]
    with pytest.raises(StepError, match="the task does not exist"):
        await answered(name, REPLIES[name][at], call)


async def test_a_task_without_a_callback():
    assert (
        await answered("webhook-detail", REPLIES["webhook-detail"][1], lambda client: client.webhook_detail(TASK))
        is None
    )


async def test_an_id_as_a_number_keeps_its_digits():
    assert (await answered("create", REPLIES["create"][2], place(orders.workflow(WORKFLOW)))).task_id == TASK


async def test_a_creation_that_costs_nothing_is_still_not_repeated():
    asked = 0

    def handler(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        raise httpx.ReadTimeout("slow")

    async with hub(handler) as client:
        with pytest.raises(UnknownOutcomeError, match="the asset `hero` may have been made all the same"):
            await client.asset_create("g-1", "https://example.com/a.png", "Image", "hero")
    assert asked == 1


@pytest.mark.parametrize(
    ("status", "body", "known"),
    [
        (200, {"code": 301, "msg": "PARAMS_INVALID", "data": None}, True),
        (429, {"code": 1003, "msg": "too many", "data": None}, True),
        (500, {"code": 301, "msg": "PARAMS_INVALID", "data": None}, False),
        (200, {"code": 0, "msg": "success", "data": {}}, False),
        (200, {"code": 1000, "msg": "unknown", "data": None}, False),
    ],
)
async def test_whether_a_creation_may_have_happened_is_told_by_the_table_of_submits(status, body, known):
    async with hub(lambda request: httpx.Response(status, json=body)) as client:
        with pytest.raises(RhflowError) as caught:
            await client.asset_group_create("heroes")
    assert isinstance(caught.value, UnknownOutcomeError) is not known


@pytest.mark.parametrize(
    ("page", "told", "more"),
    [
        (1, {"totalCount": "3"}, True),
        (2, {"totalCount": "3"}, False),
        (1, {"totalCount": None}, False),
        (1, {"totalCount": "9", "pages": 1}, False),
        (2, {"totalCount": "1", "hasNext": True}, True),
    ],
)
async def test_whether_a_page_is_the_last_is_told_or_counted(page, told, more):
    data = {"items": [{"groupId": "g-1"}, {"groupId": "g-2"}], **told}
    async with hub(lambda request: httpx.Response(200, json={"code": 0, "msg": "", "data": data})) as client:
        found = await client.asset_groups(page=page, size=2)
    assert (found.number, found.more) == (page, more)


async def test_the_older_upload_sends_the_key_as_a_part(tmp_path):
    file = tmp_path / "a.png"
    file.write_bytes(b"\x89PNG")
    found = await answered(
        "upload-old", REPLIES["upload-old"][0], lambda client: client.upload_old(file, "a.png", "image/png")
    )
    assert found.url is None
    assert found.file_name.startswith("api/9d77")


@pytest.mark.parametrize(("reply", "sent"), [(0, b"weights"), (1, None)])
async def test_a_lora_is_sent_once_per_content(tmp_path, reply, sent):
    file = tmp_path / "ink.safetensors"
    file.write_bytes(b"weights")
    stored: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            request.read()
            stored.append(request)
            return httpx.Response(200)
        check_request("lora-url", request)
        assert json.loads(request.content)["md5Hex"] == hashlib.md5(b"weights").hexdigest()
        return httpx.Response(200, json=REPLIES["lora-url"][reply])

    async with hub(handler) as client:
        name = await client.upload_lora(file, "ink")
    assert name == "api-lora-cn/f8d958506e6c8044f79ccd7c814c6179.safetensors"
    assert [each.content for each in stored] == ([] if sent is None else [sent])
    for request in stored:
        assert "authorization" not in request.headers
        assert request.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize("failure", [httpx.ReadTimeout("slow"), httpx.ConnectError("no"), 500, 401])
async def test_a_key_in_a_link_is_nowhere_to_be_seen(failure, caplog):
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.url.params["apiKey"] == KEY
        if isinstance(failure, Exception):
            raise failure
        return httpx.Response(failure, json={"code": 802, "msg": f"bad key {KEY}", "data": None})

    with caplog.at_level(logging.DEBUG):
        async with hub(handler) as client:
            with pytest.raises(RhflowError) as caught:
                await client.app_demo(APP)
    texts = [*_everything_in(caught.value), caplog.text]
    assert "apiCallDemo" in "".join(texts)
    assert not [text for text in texts if KEY in text]

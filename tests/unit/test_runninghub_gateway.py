"""RunningHub's gateway as the client speaks it: ComfyUI's words, the key in the path and nowhere else; no network."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhflow.contract import load_schema
from rhflow.core.errors import RhflowError, StepError
from rhflow.runninghub.client import RunningHub
from rhflow.runninghub.operations import orders
from rhflow.runninghub.operations.gateway import queued_in, read_queued, state_of
from rhflow.runninghub.wire.comfyui import uploaded_name
from rhflow.runninghub.wire.errors import SubmitFailed
from rhflow.runninghub.wire.states import TaskState
from tests.unit.test_runninghub_client import KEY, SITE, _everything_in
from tests.unit.test_runninghub_operations import REPLIES, hub, validate

PROMPT = "3f2a4c1e-0b9d-4c57-9f63-5d2f1a7e8b90"
TASK, PLUS = f"proxy:{PROMPT}", f"proxy-plus:{PROMPT}"
GRAPH = {"9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x"}}}
DONE = REPLIES["gateway-history-of"][0] | REPLIES["gateway-history"][0]
RUNNING, NOTHING = REPLIES["gateway-queue"][0], {"queue_running": [], "queue_pending": []}
WAITING = {"queue_running": [], "queue_pending": RUNNING["queue_running"]}
ORDER = orders.prompt(GRAPH, client_id="c")


def answering(*replies: Any, seen: list[httpx.Request] | None = None) -> RunningHub:
    """Return a client that is answered with each of these in turn: JSON, bytes, HTTP status with JSON, exceptions."""
    left = list(replies)

    def handler(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            request.read()
            seen.append(request)
        reply = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(reply, type) and issubclass(reply, Exception):
            raise reply("no way")
        status, body = reply if isinstance(reply, tuple) else (200, reply)
        return httpx.Response(status, content=body if isinstance(body, bytes) else json.dumps(body).encode())

    return hub(handler)


async def test_a_prompt_is_one_post_with_the_key_in_the_path_and_not_in_the_body() -> None:
    for order, gate in ((ORDER, "proxy"), (orders.prompt(GRAPH, plus=True), "proxy-plus")):
        seen: list[httpx.Request] = []
        async with answering(REPLIES["gateway-prompt"][0], seen=seen) as client:
            submitted = await client.submit(order.endpoint, order.payload)
        assert (submitted.task_id, submitted.status) == (f"{gate}:{PROMPT}", "QUEUED")
        [request] = seen
        assert (request.method, request.url.path) == ("POST", f"/{gate}/{KEY}/prompt")
        assert KEY not in request.content.decode() + order.endpoint
        assert not order.tells
        validate(load_schema("api/gateway-prompt"), json.loads(request.content), "#/$defs/request")


@pytest.mark.parametrize(
    ("reply", "verdict", "says"),
    [
        ((400, REPLIES["gateway-prompt"][1]), "refused", "ComfyUI rejects node `6` (`CLIPTextEncode`): Required input"),
        ((400, {"error": {"message": "bad"}, "node_errors": {}}), "refused", "ComfyUI rejects the graph: bad"),
        (REPLIES["gateway-prompt"][2], "busy", "proxy/prompt"),
        ((429, b"slow down"), "busy", "proxy/prompt"),
        ((404, b"<html>"), "refused", "proxy/prompt"),
        ({"code": 802, "msg": "APIKEY_UNAUTHORIZED", "data": None}, "refused", "proxy/prompt"),
        ({"error": {"message": "odd"}}, "maybe_sent", "may have been accepted"),
        ((502, REPLIES["gateway-prompt"][1]), "maybe_sent", "may have been accepted"),
        (b"<html>", "maybe_sent", "may have been accepted"),
        (httpx.ReadTimeout, "maybe_sent", "may have been accepted"),
        (httpx.ConnectError, "not_sent", "no answer"),
    ],
)
async def test_what_a_prompt_comes_to_is_told_by_the_table_of_submits(reply: Any, verdict: str, says: str) -> None:
    async with answering(reply) as client:
        with pytest.raises(SubmitFailed) as caught:
            await client.submit(ORDER.endpoint, ORDER.payload)
    assert caught.value.verdict == verdict
    assert says in str(caught.value.error)


@pytest.mark.parametrize(
    ("replies", "status"),
    [
        ([DONE], "SUCCESS"),
        ([{}, RUNNING], "RUNNING"),
        ([{}, WAITING], "QUEUED"),
        ([{}, NOTHING, DONE], "SUCCESS"),  # it ended between the two questions
        ([REPLIES["gateway-history-of"][0]], "FAILED"),
        ([{PROMPT: {"status": {"status_str": "error", "messages": [["execution_interrupted", {}]]}}}], "CANCEL"),
        ([{PROMPT: {"status": {"status_str": "error"}}}], "FAILED"),
    ],
)
async def test_the_state_of_a_prompt(replies: list[Any], status: str) -> None:
    async with answering(*replies) as client:
        state = await client.query(TASK)
    assert (state.task_id, state.status, state.usage) == (TASK, status, None)


async def test_results_have_links_without_the_key_and_a_failure_its_node() -> None:
    seen: list[httpx.Request] = []
    async with answering(DONE, REPLIES["gateway-history-of"][0], b"\x89PNG", seen=seen) as client:
        [result] = (await client.query(PLUS)).results
        assert result.url == "gateway:/proxy-plus/view?filename=ComfyUI_00001_.png&subfolder=&type=output"
        assert (result.node_id, result.output_type) == ("9", "png")
        failure = (await client.query(TASK)).failure()
        assert "failed at node `3` (`KSampler`): RuntimeError: no" in str(failure)
        await client.download(result.url, sink := io.BytesIO())
    assert (sink.getvalue(), seen[-1].url.path) == (b"\x89PNG", f"/proxy-plus/{KEY}/view")
    assert seen[-1].url.params["filename"] == "ComfyUI_00001_.png"


async def test_a_prompt_that_nobody_knows_is_no_task() -> None:
    async with answering({}, NOTHING, {}) as client:
        with pytest.raises(StepError) as caught:
            await client.query(TASK)
    assert [each.code for each in caught.value.problems] == ["api-1004"]


async def test_a_cancellation_interrupts_only_what_runs() -> None:
    for now, asked in ((RUNNING, ["queue", "queue", "interrupt"]), (NOTHING, ["queue", "queue"])):
        seen: list[httpx.Request] = []
        async with answering(b"", now, b"", seen=seen) as client:
            await client.cancel(PLUS)
        assert [each.url.path.removeprefix(f"/proxy-plus/{KEY}/") for each in seen] == asked
        assert json.loads(seen[0].content) == {"delete": [PROMPT]}
        assert "interrupt" not in asked or json.loads(seen[2].content) == {"prompt_id": PROMPT}


@pytest.mark.parametrize(
    ("queue", "history", "found"),
    [
        (RUNNING, {}, TASK),
        (WAITING, {}, TASK),
        (NOTHING, {"p": {"prompt": [1, "p", {}, {"client_id": "c"}]}}, "proxy:p"),
    ],
)
async def test_a_prompt_is_known_again_by_who_sent_it(queue: Any, history: Any, found: str) -> None:
    async with answering(queue, history) as client:
        assert await client.prompt_of("c") == found
    async with answering(queue, history) as client:
        assert await client.prompt_of("another") is None


async def test_a_file_goes_up_as_the_part_that_comfyui_reads(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    seen: list[httpx.Request] = []
    async with answering({"name": "a.png", "subfolder": "in", "type": "input"}, seen=seen) as client:
        assert await client.gateway_upload(tmp_path / "a.png", "a.png", "image/png", "proxy-plus") == "in/a.png"
    assert seen[0].url.path == f"/proxy-plus/{KEY}/upload/image"
    assert b'name="image"; filename="a.png"' in seen[0].content
    assert b'name="overwrite"\r\n\r\ntrue' in seen[0].content


NAMES = """prompt_id error node_errors errors message details class_type outputs images filename type status status_str
messages execution_error node_id node_type queue_running queue_pending name subfolder 6""".split()
CALLS: dict[str, Callable[[RunningHub], Awaitable[Any]]] = {
    "submit": lambda client: client.submit(ORDER.endpoint, ORDER.payload),
    "query": lambda client: client.query(TASK),
    "cancel": lambda client: client.cancel(TASK),
    "queue": lambda client: client.gateway_queue(),
    "history": lambda client: client.gateway_history(),
    "classes": lambda client: client.node_classes(),
    "class": lambda client: client.node_classes("A/B"),
    "stats": lambda client: client.machine_stats(),
    "upload": lambda client: client.gateway_upload(Path(__file__), "a.png", "image/png"),
    "download": lambda client: client.download("gateway:/proxy/view?filename=a.png", io.BytesIO()),
}
LEAKY: list[Any] = [
    (401, {"code": -1, "msg": f"ApiKey {KEY} verification failed"}),
    (400, {"error": {"message": f"/proxy/{KEY}/prompt"}, "node_errors": {}}),
    {PROMPT: {"status": {"status_str": "error", "messages": [["execution_error", {
        "node_id": "3", "node_type": "A", "exception_type": "E", "exception_message": f"GET {SITE}/proxy/{KEY}/view",
    }]]}}},
    f"not json {KEY}".encode(),
    (404, f"nothing at /proxy/{KEY}/view".encode()),
    (502, f"<html>{KEY}</html>".encode()),
    httpx.ConnectError,
    httpx.ReadTimeout,
    httpx.RemoteProtocolError,
]  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
async def test_the_key_is_nowhere_to_be_seen(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    texts: list[str] = []
    for outcome in LEAKY:
        async with answering(outcome) as client:
            try:
                found = await CALLS[name](client)
                texts += [repr(found), repr(found.failure() if isinstance(found, TaskState) else "")]
            except (SubmitFailed, RhflowError) as error:
                texts += _everything_in(error)
                texts += [repr(each.request.url) for each in _causes(error) if isinstance(each, httpx.RequestError)]
    assert len(texts) > len(LEAKY)
    assert not [text for text in texts if KEY in text]
    assert any("/proxy/***/" in each.getMessage() for each in caplog.records if each.name == "httpx")
    assert KEY not in caplog.text


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(NAMES), TREES, max_size=4), st.sampled_from([200, 400]))
def test_odd_replies_are_read_or_refused(reply: dict[str, Any], status: int) -> None:
    body = json.dumps(reply).encode()
    for read in (
        lambda: read_queued(body, gate="proxy", http_status=status),
        lambda: state_of("proxy:p", reply, "proxy").failure(),
        lambda: queued_in(reply),
        lambda: uploaded_name(reply),
    ):
        try:
            read()
        except RhflowError:
            pass  # told in our words


def _causes(error: BaseException | None) -> list[BaseException]:
    return [] if error is None else [error, *_causes(error.__cause__ or error.__context__)]

"""A ComfyUI server of one's own: what is read of its replies, and of odd ones; no network."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from rhflow.core.errors import StepError, UsageError
from rhflow.runninghub.native import ComfyServer, Made
from rhflow.runninghub.transport.clock import Clock
from rhflow.settings import read_settings

ADDRESS = "http://127.0.0.1:8188"


def server(*replies: Any, seen: list[httpx.Request] | None = None) -> ComfyServer:
    """Return a server that replies with each of these in turn: JSON, bytes, a status, or an exception."""
    left = list(replies)

    def handler(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        reply = left.pop(0)
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, int):
            return httpx.Response(reply)
        return httpx.Response(200, content=reply if isinstance(reply, bytes) else json.dumps(reply).encode())

    async def sleep(seconds: float) -> None:
        pass

    return ComfyServer(f"{ADDRESS}/", transport=httpx.MockTransport(handler), clock=Clock(sleep=sleep), realm="live")


async def test_a_prompt_is_queued_waited_for_and_read() -> None:
    saved = {"filename": "a b.png", "subfolder": "x", "type": "output"}
    outputs = {"9": {"images": [saved], "animated": [False]}, "8": {"text": ["a tale"]}, "7": {"images": None}}
    seen: list[httpx.Request] = []
    replies = ({"prompt_id": "p1"}, {}, {"p1": {"outputs": outputs, "status": {"status_str": "success"}}})
    async with server(*replies, seen=seen) as client:
        assert await client.queue({"9": {}}, client_id="c") == "p1"
        assert await client.ended("p1") is None
        ended = await client.ended("p1")
    assert ended is not None
    link = f"{ADDRESS}/view?filename=a+b.png&subfolder=x&type=output"
    assert ended.made == (Made("9", link, "a b.png"), Made("8", text="a tale"))
    assert json.loads(seen[0].content) == {"prompt": {"9": {}}, "client_id": "c"}
    assert "authorization" not in seen[0].headers


Call = Callable[[ComfyServer], Any]
FAILED = {"p1": {"status": {"status_str": "error", "messages": [["execution_start", {}]]}}}


@pytest.mark.parametrize(
    ("replies", "call", "code"),
    [
        ([{}], lambda client: client.queue({}, client_id="c"), "comfyui-unreadable"),
        ([b"<html>"], lambda client: client.queue({}, client_id="c"), "comfyui-unreadable"),
        ([{"error": "no prompt"}], lambda client: client.queue({}, client_id="c"), "comfyui-rejected"),
        (
            [{"error": {"message": "bad"}, "node_errors": {"6": None}}],
            lambda client: client.queue({}, client_id="c"),
            "comfyui-rejected",
        ),
        ([FAILED], lambda client: client.ended("p1"), "comfyui-failed"),
        ([500] * 6, lambda client: client.ended("p1"), "comfyui-unreadable"),
        ([httpx.ConnectError("no")] * 6, lambda client: client.ended("p1"), "api-unreachable"),
    ],
)
async def test_what_goes_wrong_has_a_name(replies: list[Any], call: Call, code: str) -> None:
    async with server(*replies) as client:
        with pytest.raises(StepError) as caught:
            await call(client)
    assert [each.code for each in caught.value.problems] == [code]


async def test_an_input_in_a_folder_is_named_with_it(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    async with server({"name": "a.png", "subfolder": "in"}) as client:
        assert await client.upload(tmp_path / "a.png", "a.png", "image/png") == "in/a.png"


def test_an_address_is_that_of_a_server_of_ones_own() -> None:
    assert read_settings({"RHFLOW_COMFYUI_SERVER": f"{ADDRESS}/"}).comfyui == ADDRESS
    assert read_settings({}).comfyui is None
    for wrong in ("127.0.0.1:8188", "https://www.runninghub.cn/proxy/key"):
        with pytest.raises(UsageError) as caught:
            read_settings({"RHFLOW_COMFYUI_SERVER": wrong})
        assert "/proxy/key" not in str(caught.value)

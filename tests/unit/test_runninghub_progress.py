"""The progress socket: what its events say of a graph, and that nothing it does ever gets in the way."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve

from rhflow.runninghub.waiting import progress
from rhflow.runninghub.waiting.progress import Place, follow, socket_of

TICKET = "/ws/c_instance?clientId=abc&Rh-Comfy-Auth=t1cket-that-must-never-be-shown"


def told(*events: tuple[str, Any]) -> list[Place]:
    """Return the places after each event."""
    places = [Place()]
    for name, data in events:
        places.append(places[-1].after({"type": name, "data": data}))
    return places[1:]


def test_a_graph_from_start_to_end() -> None:
    places = told(
        ("status", {"status": {"exec_info": {"queue_remaining": 1}}}),
        ("execution_start", {"prompt_id": "p"}),
        ("execution_cached", {"nodes": ["4"]}),
        ("executing", {"node": "5"}),
        ("progress", {"node": "5", "value": 2, "max": 8}),
        ("progress", {"node": "5", "value": 8, "max": 8}),
        ("executing", {"node": 9}),
        ("executed", {"node": "9", "output": {}}),
        ("executing", {"node": None}),
        ("execution_success", {}),
    )
    assert places[2] == Place(done=frozenset({"4"}))
    assert [(each.node, each.share) for each in places[3:7]] == [("5", None), ("5", 0.25), ("5", 1.0), ("9", None)]
    assert places[6].done == {"4", "5"}
    assert [each.over for each in places] == [False] * 8 + [True, True]
    assert places[-1] == places[-2] == Place(done=frozenset({"4", "5", "9"}), over=True)


def test_a_graph_as_newer_servers_tell_it() -> None:
    states = {
        "4": {"state": "finished", "value": 1, "max": 1},
        "5": {"state": "running", "value": 3, "max": 4},
        "9": {"state": "pending"},
    }
    assert told(("progress_state", {"nodes": states})) == [Place("5", 0.75, frozenset({"4"}))]


@pytest.mark.parametrize(
    ("event", "over"),
    [
        (("execution_error", {"node_id": "5"}), True),
        (("execution_interrupted", {}), True),
        (("execution_success", {"timestamp": 1}), True),
        (("execution_success", {"node": "5"}), False),  # seen while other nodes still ran
        (("crystools.monitor", {"cpu": 7}), False),
    ],
)
def test_what_may_be_the_end(event: tuple[str, Any], over: bool) -> None:
    assert told(("executing", {"node": "5"}), event)[-1].over == over


def test_a_second_prompt_begins_anew() -> None:
    places = told(("executing", {"node": "5"}), ("executing", {"node": None}), ("execution_start", {}))
    assert places[-1] == Place()


@pytest.mark.parametrize(
    "data",
    [
        None, [], "x", {}, {"node": None}, {"node": "5", "value": "x", "max": 1}, {"node": "5", "value": 1, "max": 0},
        {"node": "5", "value": float("nan"), "max": 2}, {"node": "5", "value": True, "max": None},
    ],
)  # fmt: skip
def test_odd_progress_is_no_share(data: Any) -> None:
    assert told(("progress", data))[-1].share is None


def test_names_are_fit_for_a_terminal() -> None:
    assert told(("executing", {"node": "\x1b[31m5\ud800\n" + "x" * 999}))[-1].node == ("[31m5? " + "x" * 99)[:40]


def test_nodes_without_end_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_MOST_NODES", 3)
    places = told(*(("executing", {"node": str(at)}) for at in range(9)))
    assert len(places[-1].done) <= 3


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["node", "nodes", "x"]), inner),
    max_leaves=8,
)
_NAMES = st.sampled_from(
    ["executing", "progress", "progress_state", "execution_cached", "execution_success", "executed", "execution_error"]
)
_DATA = st.dictionaries(st.sampled_from(["node", "nodes", "value", "max"]), _JSON) | _JSON


@settings(max_examples=50)
@given(st.lists(st.tuples(_NAMES, _DATA), max_size=8))
def test_nothing_that_is_told_raises(events: list[tuple[str, Any]]) -> None:
    for place in told(*events):
        assert place.share is None or 0 <= place.share <= 1


@pytest.mark.parametrize(
    ("reply", "url"),
    [
        ({"data": {"netWssUrl": "wss://a.b/ws"}}, "wss://a.b/ws"),
        ({"netWssUrl": "ws://127.0.0.1:1/ws"}, "ws://127.0.0.1:1/ws"),
        ({"data": {"netWssUrl": None}}, None),
        ({"data": None}, None),
        ({"netWssUrl": "https://a.b/ws"}, None),
        ({"netWssUrl": "file:///etc/passwd"}, None),
        ({"netWssUrl": "wss://"}, None),
        ({"netWssUrl": "wss://u:p@a.b/"}, None),
        ({"netWssUrl": "wss://[a/"}, None),
        ({"netWssUrl": 7}, None),
    ],
)
def test_only_a_web_socket_is_one(reply: Any, url: str | None) -> None:
    assert socket_of(reply) == url


# --- over a socket ---------------------------------------------------------------------------------------------------


@asynccontextmanager
async def serving(handler: Callable[[ServerConnection], Awaitable[None]]) -> AsyncIterator[str]:
    apart = logging.Logger("server")  # its lines quote the address, and are not ours
    async with serve(handler, "127.0.0.1", 0, logger=apart) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}{TICKET}"


async def followed(handler: Callable[[ServerConnection], Awaitable[None]], **options: Any) -> list[Place]:
    places: list[Place] = []

    async def heard(place: Place) -> None:
        places.append(place)

    async with serving(handler) as url:
        await follow(url, heard, **options)
    return places


def frame(name: str, **data: Any) -> str:
    return json.dumps({"type": name, "data": data})


async def test_what_cannot_be_read_is_passed_over_and_no_key_is_sent(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def tell(socket: ServerConnection) -> None:
        assert "Authorization" not in socket.request.headers
        for each in (b"\0\0\0\1\0\0\0\1jpeg", "no json", "[" * 9999, "[]", '{"type": 1}', frame("executing", node="5")):
            await socket.send(each)

    assert await followed(tell) == [Place("5")]
    assert "t1cket" not in caplog.text
    assert "ws/c_instance" not in caplog.text


async def test_of_several_prompts_one_is_heeded() -> None:
    async def tell(socket: ServerConnection) -> None:
        await socket.send(frame("executing", node="1", prompt_id="p1"))
        await socket.send(frame("status", status={}))
        await socket.send(frame("executing", node="2", prompt_id="p2"))

    assert await followed(tell, prompt="p2") == [Place("2")]


async def _aborts(socket: ServerConnection) -> None:
    socket.transport.abort()


async def _says_too_much(socket: ServerConnection) -> None:
    await socket.send("x" * 100)
    await socket.send(frame("executing", node="5"))


async def _breaks_the_protocol(socket: ServerConnection) -> None:
    socket.transport.write(b"\xff\xff not a frame")
    await socket.wait_closed()


@pytest.mark.parametrize("trouble", [_aborts, _says_too_much, _breaks_the_protocol])
async def test_trouble_is_the_end_of_it_and_nothing_else(
    trouble: Callable[[ServerConnection], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LARGEST", 99)
    assert await followed(trouble) == []


@pytest.mark.parametrize("url", ["ws://127.0.0.1:1/", "wss://127.0.0.1:1/", "http://127.0.0.1:1/", "ws://", "ws://["])
async def test_where_nobody_is_nothing_is_told(url: str) -> None:
    async def heard(place: Place) -> None:
        raise AssertionError(place)

    await follow(url, heard)


async def test_a_server_that_is_none_is_passed_over() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def heard(place: Place) -> None:
        raise AssertionError(place)

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        await follow(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/", heard)


async def test_who_leaves_does_not_wait_for_a_farewell() -> None:
    connected, left = asyncio.Event(), asyncio.Event()

    async def tell(socket: ServerConnection) -> None:
        connected.set()
        await socket.wait_closed()
        left.set()

    async def heard(place: Place) -> None:
        raise AssertionError(place)

    async with serving(tell) as url:
        following = asyncio.create_task(follow(url, heard))
        await connected.wait()
        following.cancel()
        with pytest.raises(asyncio.CancelledError):
            await following
        await left.wait()


async def test_a_mistake_of_ours_is_not_taken_for_trouble() -> None:
    async def tell(socket: ServerConnection) -> None:
        await socket.send(frame("executing", node="5"))

    async def heard(place: Place) -> None:
        raise OSError("ours")

    async with serving(tell) as url:
        with pytest.raises(OSError, match="ours"):
            await follow(url, heard)

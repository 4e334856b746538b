"""What really happens on a socket ends in the right verdict: the mapping of broken connections, proven on real ones."""

import asyncio
import hashlib
import io
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from rhflow.core.errors import UnknownOutcomeError
from rhflow.runninghub.client import RunningHub
from rhflow.runninghub.transport.clock import Clock
from rhflow.runninghub.transport.connection import Connection, Secret
from rhflow.runninghub.wire.errors import SubmitFailed

KEY = "0123456789abcdef0123456789abcdef"
ACCEPTED = json.dumps({"taskId": "77", "status": "RUNNING", "errorCode": ""}).encode()

Answer = Callable[["Peer", asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")


class Peer:
    """A server that reads each request whole and then does as told, one answer per request."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.connections = 0
        self.heads: list[str] = []
        self.bodies: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(head.partition("content-length: ")[2].partition("\r\n")[0] or 0)
                self.heads.append(head)
                self.bodies.append(await reader.readexactly(length))
                await self.answers.pop(0)(self, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def reply(body: bytes, *, status: int = 200, headers: str = "", cut: int | None = None) -> Answer:
    """Answer in full, or break off after ``cut`` bytes of the body."""

    async def answer(peer: Peer, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body[:cut])
        await writer.drain()
        if cut is not None:
            writer.close()

    return answer


async def reset(peer: Peer, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def hang_up(peer: Peer, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def nonsense(peer: Peer, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH\r\n")
    writer.close()


@asynccontextmanager
async def talking_to(peer: Peer) -> AsyncIterator[tuple[RunningHub, str]]:
    server = await asyncio.start_server(peer.serve, "127.0.0.1", 0)
    site = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, client_of(site) as client:
        yield client, site


def client_of(site: str) -> RunningHub:
    return RunningHub(Connection(site, Secret(KEY)), clock=Clock(scale=0.001))


@pytest.mark.parametrize(
    "answer",
    [reset, hang_up, nonsense, reply(ACCEPTED, cut=9), reply(b"", status=502)],
    ids=["reset", "hang up", "nonsense", "half a reply", "bad gateway"],
)
async def test_a_submit_that_was_read_but_not_answered_is_in_doubt(answer):
    peer = Peer(answer)
    async with talking_to(peer) as (client, _):
        with pytest.raises(SubmitFailed) as caught:
            await client.submit("vendor/model", {"prompt": "a fox"})
    assert caught.value.verdict == "maybe_sent"
    assert isinstance(caught.value.error, UnknownOutcomeError)
    assert len(peer.bodies) == 1


async def test_a_submit_to_a_closed_port_was_not_sent():
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with client_of(f"http://127.0.0.1:{port}") as client:
        with pytest.raises(SubmitFailed) as caught:
            await client.submit("vendor/model", {})
    assert caught.value.verdict == "not_sent"


async def test_a_submit_without_a_handshake_was_not_sent():
    async def no_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(no_tls, "127.0.0.1", 0) as server:
        site = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with client_of(site) as client:
            with pytest.raises(SubmitFailed) as caught:
                await client.submit("vendor/model", {})
    assert caught.value.verdict == "not_sent"


async def test_submits_take_new_connections_and_queries_keep_theirs():
    peer = Peer(*[reply(ACCEPTED)] * 6)
    async with talking_to(peer) as (client, _):
        for _ in range(3):
            await client.query("77")
        assert peer.connections == 1
        for _ in range(3):
            await client.submit("vendor/model", {})
        assert peer.connections == 4


async def test_a_query_survives_a_connection_that_died_while_idle():
    peer = Peer(reply(ACCEPTED), reset, hang_up, reply(ACCEPTED))
    async with talking_to(peer) as (client, _):
        await client.query("77")
        assert (await client.query("77")).status == "RUNNING"
    assert len(peer.bodies) == 4


async def test_an_upload_arrives_whole(tmp_path: Path):
    data = bytes(range(256)) * 8000
    (tmp_path / "in.mp4").write_bytes(data)
    body = {
        "code": 0,
        "message": "success",
        "data": {"download_url": "http://h/x", "fileName": "openapi/x", "size": "1"},
    }
    peer = Peer(reset, reply(json.dumps(body).encode()))
    async with talking_to(peer) as (client, _):
        await client.upload(tmp_path / "in.mp4", "in.mp4", "video/mp4")
    assert all(data in body for body in peer.bodies)
    assert f"authorization: bearer {KEY}" in peer.heads[-1]


async def test_a_broken_download_goes_on_by_range():
    data = bytes(range(256)) * 8000
    came = 4 * 256 * 1024 + 17
    rest = reply(data[came:], status=206, headers=f"Content-Range: bytes {came}-{len(data) - 1}/{len(data)}\r\n")
    peer = Peer(reply(data, headers='ETag: "v1"\r\n', cut=came), rest)
    sink = io.BytesIO()
    async with talking_to(peer) as (client, site):
        found = await client.download(f"{site}/clip.mp4", sink)
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert sink.getvalue() == data
    assert f"range: bytes={came}-" in peer.heads[1]
    assert KEY not in "".join(peer.heads)


async def test_the_key_is_in_no_log(caplog, tmp_path: Path):
    (tmp_path / "a.png").write_bytes(b"x")
    answers = [reply(ACCEPTED), reply(ACCEPTED), reset, reply(b'{"code": 0, "data": {"fileName": "a"}}'), reply(b"png")]
    with caplog.at_level(logging.DEBUG):
        async with talking_to(Peer(*answers)) as (client, site):
            await client.query("77")
            await client.submit("/task/openapi/quick-ai-app/run", {})
            with pytest.raises(SubmitFailed):
                await client.submit("vendor/model", {})
            await client.upload(tmp_path / "a.png", "a.png", "image/png")
            await client.download(f"{site}/a.png", io.BytesIO())
    assert "HTTP Request: POST" in caplog.text
    assert KEY not in caplog.text

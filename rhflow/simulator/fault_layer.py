"""The layer before the routes in which replies go wrong: late, lost, refused, cut short, spoiled.

It needs a way to lose a connection, which ASGI has not: whoever serves the app offers it as ``rhflow.drop`` in the
scope's extensions, as ``in_process.py`` and ``sockets.py`` do.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rhflow.simulator.fault_injector import Call
from rhflow.simulator.fault_plan import ON_REPLIES, Operation, Rule
from rhflow.simulator.files import PREFIX
from rhflow.simulator.replies import message_of, refusal, wrapped_refusal
from rhflow.simulator.simulator import Simulator

_V2 = "/openapi/v2/"
_UPLOAD = f"{_V2}media/upload/binary"
_OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("POST", f"{_V2}query"): "query",
    ("POST", _UPLOAD): "upload",
    ("GET", f"{_V2}queue/status"): "queue",
    ("POST", "/uc/openapi/accountStatus"): "account",
    ("POST", "/task/openapi/upload"): "upload",
    ("POST", "/task/openapi/status"): "query",
    ("POST", "/task/openapi/outputs"): "query",
    ("POST", "/task/openapi/create"): "submit",
    ("POST", "/task/openapi/ai-app/run"): "submit",
    ("POST", "/task/openapi/quick-ai-app/run"): "submit",
}
_GATEWAY = re.compile(r"/proxy(-plus)?/[^/]+(?P<rest>/.+)")
_AT_THE_GATEWAY: Mapping[tuple[str, str], Operation] = {
    ("POST", "prompt"): "submit",
    ("GET", "history"): "query",
    ("GET", "queue"): "query",
    ("GET", "view"): "download",
    ("POST", "upload"): "upload",
}
_FREE = tuple(
    _V2 + each for each in ("price-preview/", "aiapp/", "resource/", "assets/", "api-key/", "media/", "queue/")
)
_PIECES = 8
_MORE = 64


class FaultLayer:
    """ASGI middleware that lets requests go wrong as the simulator's plan says."""

    def __init__(self, app: ASGIApp, *, simulator: Simulator) -> None:
        self._app, self._simulator = app, simulator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation = _operation(scope) if scope["type"] == "http" and self._simulator.faults.plan.rules else None
        if operation is None:
            await self._app(scope, receive, send)
            return
        body = b"" if operation == "upload" else await _read(receive)
        again = receive if operation == "upload" else _replay(body, receive)
        rule = self._simulator.faults.hit(self._call(operation, scope, body), ON_REPLIES)
        if rule is None:
            await self._app(scope, again, send)
            return
        speed = self._simulator.config.speed
        exchange = _Exchange(self._app, scope, again, send, speed=speed, operation=operation)
        if rule.fault == "limit":
            self._simulator.limit = rule.limit or self._simulator.limit
            await exchange.answer()
        else:
            await _ACTS[rule.fault](exchange, rule)

    def _call(self, operation: Operation, scope: Scope, body: bytes) -> Call:
        path, faults = _without_key(str(scope["path"])), self._simulator.faults
        if operation == "query":
            return faults.call_of_task("query", _task_id(body))
        if operation == "download":
            return faults.call_of_file(path.removeprefix(PREFIX))
        if operation == "submit":
            identity = hashlib.sha256(path.encode() + b"\0" + body).hexdigest()
            return Call("submit", path.removeprefix(_V2).removeprefix("/"), identity=identity)
        return Call(operation, identity=str(dict(scope["headers"]).get(b"content-length", b"")))


def _operation(scope: Scope) -> Operation | None:
    method, path = scope["method"], str(scope["path"])
    if (at_gateway := _GATEWAY.fullmatch(path)) is not None:
        return _AT_THE_GATEWAY.get((method, at_gateway["rest"].split("/")[1]))
    if (method, path) in _OPERATIONS:
        return _OPERATIONS[method, path]
    if method == "GET" and path.startswith(PREFIX):
        return "download"
    return "submit" if method == "POST" and path.startswith(_V2) and not path.startswith(_FREE) else None


def _without_key(path: str) -> str:
    """Return the path of a request, with one spelling for the gateway, whoever asks."""
    found = _GATEWAY.fullmatch(path)
    return path if found is None else f"/proxy{found['rest']}"


def _task_id(body: bytes) -> str:
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    return str(found.get("taskId", "")) if isinstance(found, dict) else ""


async def _read(receive: Receive) -> bytes:
    parts = []
    while (message := await receive())["type"] == "http.request":
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that gives a body that was read already, once, and then what comes after it."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


@dataclass(slots=True)
class _Exchange:
    """One request and what is done with the reply to it; ``speed`` is simulated seconds per real one."""

    app: ASGIApp
    scope: Scope
    receive: Receive
    send: Send
    speed: float
    operation: Operation
    start: Message = field(default_factory=dict)
    body: bytes = b""

    async def answer(self) -> None:
        """Let the request be answered as usual."""
        await self.app(self.scope, self.receive, self.send)

    async def process(self) -> None:
        """Let the request be processed, and hold the reply back."""
        parts: list[bytes] = []

        async def hold(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.start = message
            else:
                parts.append(message.get("body", b""))

        await self.app(self.scope, self.receive, hold)
        self.body = b"".join(parts)

    async def reply(self, response: Response) -> None:
        await response(self.scope, self.receive, self.send)

    async def deliver(self, body: bytes, *, length: int | None = None) -> None:
        """Send the reply that was held back, with another body; ``length`` is what it says it has."""
        await self.begin(len(body) if length is None else length)
        await self.send({"type": "http.response.body", "body": body, "more_body": length is not None})
        if length is not None:
            self.drop()

    async def begin(self, length: int) -> None:
        MutableHeaders(scope=self.start)["content-length"] = str(length)
        await self.send(self.start)

    async def rest(self, seconds: float | None) -> None:
        """Take simulated seconds. A client in process that has no such patience is left at its time-out."""
        patience = self.scope.get("extensions", {}).get("rhflow.patience")
        await asyncio.sleep(min(seconds or 0.0, patience or float("inf")) / self.speed)
        if patience is not None and (seconds or 0.0) >= patience:
            self.drop(timed_out=True)

    def drop(self, *, timed_out: bool = False) -> None:
        """Lose the connection."""
        lose: Callable[[bool], None] | None = self.scope.get("extensions", {}).get("rhflow.drop")
        if lose is None:
            raise ConnectionAbortedError("the plan of faults drops this connection, and its server cannot")
        lose(timed_out)


_Act: TypeAlias = Callable[[_Exchange, Rule], Awaitable[None]]


async def _refuse(exchange: _Exchange, rule: Rule) -> None:
    await exchange.reply(JSONResponse(_envelope(exchange, rule.code), status_code=rule.status or 200))


async def _auth(exchange: _Exchange, rule: Rule) -> None:
    status = rule.status or 401
    code = "-1" if status == 401 else "1002" if exchange.operation in ("submit", "query") else "401"
    await exchange.reply(JSONResponse(_envelope(exchange, code), status_code=status))


def _envelope(exchange: _Exchange, code: str) -> Mapping[str, object]:
    path = exchange.scope["path"]
    if code != "-1" and path.startswith(_V2) and exchange.operation in ("submit", "query"):
        return refusal(code)
    return wrapped_refusal(int(code), message_of(code), word="message" if path == _UPLOAD else "msg")


async def _too_many(exchange: _Exchange, rule: Rule) -> None:
    asked = None if rule.retry_after is None else {"Retry-After": f"{rule.retry_after / exchange.speed:.6g}"}
    await exchange.reply(Response("too many requests", 429, headers=asked, media_type="text/plain"))


async def _server_error(exchange: _Exchange, rule: Rule) -> None:
    if rule.when == "after":
        await exchange.process()
    page = "<html><body><h1>the service has a fault of its own</h1></body></html>"
    await exchange.reply(Response(page, rule.status or 502, media_type="text/html"))


async def _drop(exchange: _Exchange, rule: Rule) -> None:
    if rule.when == "after":
        await exchange.process()
    exchange.drop()


async def _delay(exchange: _Exchange, rule: Rule) -> None:
    await exchange.process()
    await exchange.rest(rule.seconds)
    await exchange.deliver(exchange.body)


async def _trickle(exchange: _Exchange, rule: Rule) -> None:
    """Send the reply in pieces, with a rest before each."""
    await exchange.process()
    await exchange.begin(len(exchange.body))
    size = max(1, -(-len(exchange.body) // _PIECES))
    for at in range(0, len(exchange.body), size):
        await asyncio.sleep((rule.seconds or 0.0) / _PIECES / exchange.speed)
        piece = exchange.body[at : at + size]
        await exchange.send({"type": "http.response.body", "body": piece, "more_body": True})
    await exchange.send({"type": "http.response.body", "body": b"", "more_body": False})


async def _garbage(exchange: _Exchange, _: Rule) -> None:
    await exchange.process()
    await exchange.deliver(exchange.body[: len(exchange.body) // 2])


async def _empty(exchange: _Exchange, _: Rule) -> None:
    await exchange.process()
    await exchange.deliver(b"")


async def _wrong_length(exchange: _Exchange, _: Rule) -> None:
    await exchange.process()
    await exchange.deliver(exchange.body, length=len(exchange.body) + _MORE)


async def _truncate(exchange: _Exchange, _: Rule) -> None:
    await exchange.process()
    await exchange.deliver(exchange.body[: -(-len(exchange.body) // 2)], length=len(exchange.body))


async def _corrupt(exchange: _Exchange, rule: Rule) -> None:
    await exchange.process()
    at = 0 if rule.where == "head" else len(exchange.body) // 2
    wrong = bytes(byte ^ 0xFF for byte in exchange.body[at : at + _MORE])
    await exchange.deliver(exchange.body[:at] + wrong + exchange.body[at + _MORE :])


_ACTS: Mapping[str, _Act] = {
    "refuse": _refuse,
    "auth": _auth,
    "too-many": _too_many,
    "server-error": _server_error,
    "drop": _drop,
    "delay": _delay,
    "trickle": _trickle,
    "garbage": _garbage,
    "empty": _empty,
    "wrong-length": _wrong_length,
    "truncate": _truncate,
    "corrupt": _corrupt,
}

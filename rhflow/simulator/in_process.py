"""The simulator without a socket: requests are handed to the app, and a connection can be lost there as on a network.

ASGI has no word for a lost connection, so the app finds ``rhflow.drop`` in the scope's extensions.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class InProcess(httpx.AsyncBaseTransport):
    """Hands requests to an app of this process. A lost connection is raised as httpx does over a network."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the reply. Raises httpx.ReadError or ReadTimeout when there is none to come."""
        lost = _Lost(self._app, request.extensions.get("timeout", {}).get("read"))
        response = await httpx.ASGITransport(app=lost).handle_async_request(request)
        if not lost.happened:
            return response
        error = httpx.ReadTimeout if lost.timed_out else httpx.ReadError
        if not lost.started:
            raise error("the connection was dropped", request=request)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        broken = _Broken(response.stream, int(response.headers.get("content-length", 0)))
        return httpx.Response(response.status_code, headers=response.headers, stream=broken, request=request)


class _Lost:
    """An app with a way to lose the connection; what it has sent by then is ended as a whole reply."""

    def __init__(self, app: ASGIApp, patience: float | None) -> None:
        self._app, self._patience = app, patience
        self.happened = self.timed_out = self.started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        def drop(timed_out: bool) -> None:
            self.happened, self.timed_out = True, timed_out

        async def sent(message: Message) -> None:
            if not self.happened:
                self.started = True
                await send(message)

        scope["extensions"] = {"rhflow.drop": drop, "rhflow.patience": self._patience}
        await self._app(scope, receive, sent)
        if self.happened:
            if not self.started:
                await send({"type": "http.response.start", "status": 502, "headers": []})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


class _Broken(httpx.AsyncByteStream):
    """A body that breaks off before all of its ``length`` bytes have come."""

    def __init__(self, stream: httpx.AsyncByteStream, length: int) -> None:
        self._stream, self._left = stream, length

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            self._left -= len(part)
            yield part
        if self._left > 0:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")

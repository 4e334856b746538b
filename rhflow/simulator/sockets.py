"""The server's side of a socket, with a way to lose a connection, which ASGI has not.

The app finds ``rhflow.drop`` in the scope's extensions.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


class Droppable(H11Protocol):
    """A connection that can be lost: aborted before a reply, closed in the midst of one."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        inner: Any = self.app
        self.app = self._losing(inner)

    def _losing(self, inner: Any) -> Any:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            gone = asyncio.Event()

            def drop(_: bool) -> None:
                gone.set()
                if self.cycle.response_started:
                    self.transport.close()
                else:
                    self.transport.abort()

            async def sent(message: Any) -> None:
                if not gone.is_set():
                    await send(message)

            scope["extensions"] = {**scope.get("extensions", {}), "rhflow.drop": drop}
            await inner(scope, receive, sent)
            if gone.is_set():
                while (await receive())["type"] != "http.disconnect":
                    pass

        return app

"""Where requests go when no account is open: nowhere, so that nothing can be sent by mistake."""

from __future__ import annotations

import httpx


class Nobody(httpx.AsyncBaseTransport):
    """Answers like a service that cannot be reached."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no account is open", request=request)

"""The connections that requests travel on: one lane for queries, one for submits, one for files.

A submit never takes a connection that lay idle: when a stale one breaks, nobody can tell whether the request was
read, and a paid request in doubt is never repeated. A new connection costs a handshake. Files have a lane of their
own, so that a large clip never makes a query wait. httpx serves about 40 requests at once well (1 ms each) and 100
badly (15 ms each), hence the gates.

No lane carries the key: it is added to the single request that may have it, so that no result host ever sees it.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import Generator, Mapping
from dataclasses import dataclass

import httpx

from rhflow import __version__
from rhflow.runninghub.transport.connection import Secret

try:
    import sniffio  # type: ignore[import-not-found]  # noqa: F401
except ImportError:
    # httpcore looks for it about ten times per request, and each time Python searches the whole path for what is not
    # there: half of what a request costs. Noted as missing, it is not searched for.
    sys.modules["sniffio"] = None  # type: ignore[assignment]

API_AT_ONCE = 40
FILES_AT_ONCE = 8
IDLE = 8
"""Connections that are kept for queries: each one is looked at for every request."""

SUBMIT = httpx.Timeout(60, connect=20)
QUERY = httpx.Timeout(30, connect=20)
UPLOAD = httpx.Timeout(120, connect=20)
DOWNLOAD = httpx.Timeout(300, connect=20)


class Bearer(httpx.Auth):
    """Adds the key to one request."""

    def __init__(self, key: Secret) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._key.reveal()}"
        yield request


@dataclass(frozen=True, slots=True)
class Lane:
    """A client and the gate before it; time-outs count from behind the gate."""

    client: httpx.AsyncClient
    gate: asyncio.Semaphore


@dataclass(frozen=True, slots=True)
class Lanes:
    """All lanes of one client of the service."""

    api: Lane
    submits: Lane
    files: Lane

    async def close(self) -> None:
        """Close every connection."""
        for lane in (self.api, self.submits, self.files):
            await lane.client.aclose()


def open_lanes(transport: httpx.AsyncBaseTransport | None = None) -> Lanes:
    """Return lanes over the network, or all over ``transport``, which is closed with them."""
    trust = httpx.create_ssl_context() if transport is None else False
    kept = httpx.Limits(max_connections=API_AT_ONCE, max_keepalive_connections=IDLE)
    fresh = httpx.Limits(max_connections=API_AT_ONCE, max_keepalive_connections=0)
    few = httpx.Limits(max_connections=FILES_AT_ONCE)
    api_gate = asyncio.Semaphore(API_AT_ONCE)
    return Lanes(
        api=Lane(_client(transport, trust, kept), api_gate),
        submits=Lane(_client(transport, trust, fresh), api_gate),
        files=Lane(_client(transport, trust, few), asyncio.Semaphore(FILES_AT_ONCE)),
    )


def _client(
    transport: httpx.AsyncBaseTransport | None, trust: ssl.SSLContext | bool, limits: httpx.Limits
) -> httpx.AsyncClient:
    headers: Mapping[str, str] = {"User-Agent": f"rhflow/{__version__}"}
    return httpx.AsyncClient(transport=transport, verify=trust, limits=limits, headers=headers)

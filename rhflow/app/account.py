"""An open account: the client, the poller and the vault, on the real service or on a simulator in this process."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rhflow.app.request import Request
from rhflow.catalog.catalog import Catalog
from rhflow.core.errors import Problem, RefusedError
from rhflow.runninghub.client import RunningHub
from rhflow.runninghub.clock import Clock
from rhflow.runninghub.connection import Connection, Secret
from rhflow.runninghub.durations import Durations
from rhflow.runninghub.poller import Poller
from rhflow.steps.context import OpenTask, Tools
from rhflow.steps.vault import Vault
from rhflow.store.store import Store

if TYPE_CHECKING:
    import httpx

_IN_PROCESS = "http://simulator.rhflow.internal"
_NO_KEY = "simulated-account"


@dataclass(frozen=True, slots=True)
class Account:
    """What steps use, and the count of requests made so far."""

    tools: Tools

    def requests(self) -> dict[str, int]:
        """Return how many requests were sent, by kind."""
        sent = self.tools.hub.requests
        return {kind: sent[kind] for kind in ("submit", "query", "upload", "download")}


def check_key(request: Request) -> None:
    """Raise RefusedError when calls would need a key and there is none."""
    if request.realm == "live" and request.settings.key is None:
        hint = "set RUNNINGHUB_API_KEY to the key of your account, or add `--simulate` to try the recipe for free"
        raise RefusedError(Problem("no-key", "there is no API key", hint=hint))


@asynccontextmanager
async def open_account(request: Request, store: Store, catalog: Catalog) -> AsyncIterator[Account]:
    """Open the account that a request runs on."""
    check_key(request)
    async with AsyncExitStack() as stack:
        transport: httpx.AsyncBaseTransport | None = None
        base_url, site, scale = request.settings.base_url, request.settings.base_url, 1.0
        if request.simulate and not request.settings.loopback:
            transport = _simulator(request, catalog, stack)
            base_url, scale = _IN_PROCESS, 1 / request.speed
            site = f"{_IN_PROCESS}/{os.getpid()}/{time.time()}"  # its links die with it
        elif request.settings.loopback:
            scale = 1 / await _speed_of(base_url)
        key = Secret(request.settings.key or _NO_KEY)
        clock = Clock(scale=scale)
        hub = RunningHub(Connection(base_url, key, request.realm), transport=transport, clock=clock)
        await stack.enter_async_context(hub)
        vault = Vault(hub, store.blobs, store.links, site=site)
        yield Account(_tools(request, store, hub, vault=vault, clock=clock))


def _tools(request: Request, store: Store, hub: RunningHub, *, vault: Vault, clock: Clock) -> Tools:
    durations = Durations()
    return Tools(
        hub=hub,
        poller=Poller(hub.query, clock=clock),
        vault=vault,
        clock=clock,
        now=time.time,
        open_task=_open_task(store),
        expected=durations.expected,
        observed=durations.observe,
        on_unknown=request.on_unknown,
        forgetful=request.simulate and not request.settings.loopback,
    )


def _open_task(store: Store) -> Callable[[str], OpenTask | None]:
    def find(key: str) -> OpenTask | None:
        return store.journal.open_submissions([key]).get(key)

    return find


async def _speed_of(base_url: str) -> float:
    """Return how fast the time of a simulator on this machine goes; 1 for a server that is not rhflow's."""
    import httpx

    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            return float((await client.get(f"{base_url}/_simulator/stats", timeout=10)).json()["speed"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return 1.0


def _simulator(request: Request, catalog: Catalog, stack: AsyncExitStack) -> httpx.AsyncBaseTransport:
    """Start a simulator without a socket and see to it that it is closed."""
    import httpx

    from rhflow.simulator.app import create_app
    from rhflow.simulator.config import SimulatorConfig

    app = create_app(catalog, SimulatorConfig(speed=request.speed))
    stack.callback(app.state.simulator.close)
    return httpx.ASGITransport(app=app)

"""An open account: the client, the poller and the vault, on the real service or on a simulator in this process."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from rhflow.app.account import callbacks, limits, lost
from rhflow.app.account.limits import Limit
from rhflow.app.account.open_calls import IN_PROCESS
from rhflow.app.request import Request
from rhflow.catalog.catalog import Catalog
from rhflow.core.errors import Problem, RefusedError
from rhflow.runninghub.client import RunningHub
from rhflow.runninghub.native import ComfyServer
from rhflow.runninghub.transport.clock import Clock
from rhflow.runninghub.transport.connection import Connection, Secret
from rhflow.runninghub.transport.nobody import Nobody
from rhflow.runninghub.transport.pace import Pace
from rhflow.runninghub.waiting.durations import Durations
from rhflow.runninghub.waiting.poller import Poller
from rhflow.runninghub.waiting.slots import Slots
from rhflow.steps.context import OpenTask, Tools
from rhflow.steps.results import look
from rhflow.steps.vault import Vault
from rhflow.store.leases import Ledger
from rhflow.store.store import Store

if TYPE_CHECKING:
    import httpx

    from rhflow.simulator.simulator import Simulator

_NO_KEY = "simulated-account"


@dataclass(frozen=True, slots=True)
class Account:
    """What steps use, the limit, the count of requests made so far, and of what went wrong by a plan of faults."""

    tools: Tools
    limit: Limit
    simulator: Simulator | None = None

    def requests(self) -> dict[str, int]:
        """Return how many requests were sent, by kind."""
        sent = self.tools.hub.requests
        return {kind: sent[kind] for kind in ("submit", "query", "upload", "download")}

    def faults(self) -> dict[str, Any] | None:
        """Return what went wrong as planned, with the calls accepted, and how many of these more than once."""
        if self.simulator is None or not self.simulator.faults.plan.rules:
            return None
        stats = self.simulator.stats()
        return {"injected": stats["faults"], "accepted": stats["accepted"], "duplicates": stats["duplicates"]}


def check_key(request: Request) -> None:
    """Raise RefusedError when calls would need a key and there is none."""
    if request.realm == "live" and request.settings.key is None:
        free = f"`rhflow run {request.recipe} --simulate` tries it for free"
        hint = f"set RUNNINGHUB_API_KEY to the key of your account; {free}"
        raise RefusedError(Problem("no-key", "there is no API key", hint=hint))


@asynccontextmanager
async def open_account(
    request: Request, store: Store, catalog: Catalog, *, run: str = "", paid: bool = False, keyed: bool = True
) -> AsyncIterator[Account]:
    """Open the account that ``run`` uses; its limit is asked for when paid calls are to come.

    Not ``keyed``: nothing is to come that needs a key, so there is none, nor a simulator; what asks the service all
    the same is refused.
    """
    if keyed:
        check_key(request)
    async with AsyncExitStack() as stack:
        transport: httpx.AsyncBaseTransport | None = None
        simulator: Simulator | None = None
        base_url, site, scale = request.settings.base_url, request.settings.base_url, 1.0
        if not keyed:
            transport = Nobody()
        elif request.in_process:
            transport, simulator = _simulator(request, catalog, stack)
            base_url, scale = IN_PROCESS, 1 / request.speed
            site = f"{IN_PROCESS}/{os.getpid()}/{time.time()}"  # its links die with it
        elif request.settings.loopback:
            scale = 1 / await _speed_of(base_url)
        key = Secret((request.settings.key if keyed else None) or _NO_KEY)
        clock = Clock(scale=scale)
        ledger = store.ledger(limits.name_of(site, key.reveal()), run)
        stack.callback(ledger.close)
        pace = Pace(clock, shared=ledger.slow_until, share=ledger.slow_down)
        hub = RunningHub(Connection(base_url, key, request.realm), transport=transport, clock=clock, pace=pace)
        await stack.enter_async_context(hub)
        limit = await limits.limit_of(hub) if paid else limits.UNASKED
        own = None if request.comfyui is None else ComfyServer(request.comfyui, realm=request.realm)
        if own is not None:
            await stack.enter_async_context(own)
        tools = _tools(request, store, _Service(hub, clock, ledger, site, own), limit)
        await stack.enter_async_context(tools.slots)
        if tools.webhook is not None and keyed:
            await stack.enter_async_context(callbacks.heeding(store, tools.poller))
        yield Account(tools if keyed else replace(tools, closed=True), limit, simulator)


@dataclass(frozen=True, slots=True)
class _Service:
    """The client of an account, how its time goes, the places it shares with other runs, where its links are good.

    ``comfyui`` is a server of the user's own.
    """

    hub: RunningHub
    clock: Clock
    ledger: Ledger
    site: str
    comfyui: ComfyServer | None


def _tools(request: Request, store: Store, service: _Service, limit: Limit) -> Tools:
    async def has_ended(task_id: str) -> bool:
        state = await look(task_id, tools)
        return state is None or state.ended

    async def known(task_id: str) -> bool:
        return await look(task_id, tools) is not None

    def keep(label: str, seconds: float, seen: int) -> None:
        store.typical.keep(request.realm, label, seconds=seconds, seen=seen)

    most, webhook = limits.most_of(request, limit), request.settings.webhook
    durations = Durations(store.typical.known(request.realm), keep)
    tools = Tools(
        hub=service.hub,
        poller=Poller(service.hub.query, clock=service.clock),
        slots=Slots(service.ledger, limit=limit.count, most=most, clock=service.clock, has_ended=has_ended),
        vault=Vault(service.hub, store.blobs, store.links, site=service.site),
        clock=service.clock,
        now=time.time,
        open_task=_open_task(store),
        expected=durations.expected,
        observed=durations.observe,
        on_unknown=request.on_unknown,
        forgetful=request.in_process,
        site=service.site,
        began=time.time(),
        webhook=webhook,
        comfyui=service.comfyui,
        find_task=partial(lost.find, store, hub=service.hub, known=known),
        wait_for_task=None if webhook is None else partial(callbacks.wait_for, store, known=known),
        watched=request.watched and not request.in_process,
    )
    return tools


def _open_task(store: Store) -> Callable[[str], OpenTask | None]:
    def find(key: str) -> OpenTask | None:
        return store.journal.open_submissions([key]).get(key)

    return find


async def _speed_of(base_url: str) -> float:
    """Return how fast the time of a simulator on this machine goes; 1 for a server that is not rhflow's."""
    import httpx

    try:
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:  # plain HTTP: no certificates to read
            return float((await client.get(f"{base_url}/_simulator/stats", timeout=10)).json()["speed"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return 1.0


def _simulator(request: Request, catalog: Catalog, stack: AsyncExitStack) -> tuple[httpx.AsyncBaseTransport, Simulator]:
    """Start a simulator without a socket and see to it that it is closed."""
    from rhflow.simulator.app import create_app
    from rhflow.simulator.config import SimulatorConfig
    from rhflow.simulator.fault_plan import FaultPlan
    from rhflow.simulator.in_process import InProcess

    faults, most = request.faults or FaultPlan(), request.settings.side
    app = create_app(catalog, SimulatorConfig(speed=request.speed, faults=faults, most=most))
    simulator: Simulator = app.state.simulator
    stack.callback(simulator.close)
    return InProcess(app), simulator

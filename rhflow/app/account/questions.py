"""Single questions to the service, outside of any run: the account is opened, asked, and closed again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rhflow.app.account.account import check_key
from rhflow.app.account.open_calls import IN_PROCESS
from rhflow.app.catalog.in_force import load_catalog
from rhflow.app.request import Request
from rhflow.runninghub.client import RunningHub
from rhflow.runninghub.transport.connection import Connection, Secret
from rhflow.settings import Settings

T = TypeVar("T")

_NO_KEY = "simulated-account"


@dataclass(frozen=True, slots=True)
class Service:
    """Whom to ask: the site of the settings, or a simulator in this process."""

    settings: Settings
    simulate: bool = False

    def ask(self, question: Callable[[RunningHub], Awaitable[T]]) -> T:
        """Return the answer. Raises RhflowError, also when a key is needed and there is none."""
        return asyncio.run(self._ask(question))

    async def _ask(self, question: Callable[[RunningHub], Awaitable[T]]) -> T:
        request = Request(Path(), self.settings, simulate=self.simulate)
        check_key(request)
        key = Secret(self.settings.key or _NO_KEY)
        async with AsyncExitStack() as stack:
            if not self.simulate or self.settings.loopback:
                hub = RunningHub(Connection(self.settings.base_url, key, request.realm))
            else:
                from rhflow.simulator.app import create_app
                from rhflow.simulator.config import SimulatorConfig
                from rhflow.simulator.in_process import InProcess

                config = SimulatorConfig(speed=request.speed, most=self.settings.side)
                app = create_app(load_catalog(self.settings), config)
                stack.callback(app.state.simulator.close)
                hub = RunningHub(Connection(IN_PROCESS, key, request.realm), transport=InProcess(app))
            return await question(await stack.enter_async_context(hub))

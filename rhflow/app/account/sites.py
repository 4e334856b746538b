"""Open calls seen to where they were made: on the site of the account, or on a simulator that may be no more."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from rhflow.app.account.account import open_account
from rhflow.app.account.leftovers import Collector, lose
from rhflow.app.account.open_calls import died_with_its_run, realm_of
from rhflow.app.catalog.in_force import load_catalog
from rhflow.app.report import Leftover
from rhflow.app.request import Request
from rhflow.core.errors import RhflowError
from rhflow.core.plan.former import OnUnknown
from rhflow.settings import Settings
from rhflow.store.store import Store
from rhflow.store.submissions import Submission

Work: TypeAlias = Callable[[Collector], Awaitable[Leftover | None]]
_PATIENCE = 2.0


async def at_each_site(
    settings: Settings, store: Store, calls: Sequence[Submission], work: Work, *, on_unknown: OnUnknown = "fail"
) -> list[Leftover]:
    """Do ``work`` for every call on the account it was made on, as far as that can be had; return what became of it."""
    found: list[Leftover] = []
    for site in dict.fromkeys(each.site for each in calls):
        here = [each for each in calls if each.site == site]
        there = settings if site is None else replace(settings, base_url=site)
        request = Request(Path(), there if there.loopback else settings, on_unknown=on_unknown)
        simulated = all(realm_of(each) == "simulated" for each in here)
        if simulated and (died_with_its_run(here[0]) or (there.loopback and not _answers(there.base_url))):
            found += await lose(store, here)
        else:
            found += await _on_account(request, store, here, work)
    return found


async def _on_account(request: Request, store: Store, calls: Sequence[Submission], work: Work) -> list[Leftover]:
    try:
        async with open_account(request, store, load_catalog(request.settings)) as account:
            done = await asyncio.gather(*(work(Collector(store, account.tools, each)) for each in calls))
            return [each for each in done if each is not None]
    except RhflowError as error:  # no key, for one: what is on other sites can be seen to all the same
        return [Leftover(each.run, each.node or "", "under-way", each.task_id, str(error)) for each in calls]


def _answers(url: str) -> bool:
    """Whether a simulator on this machine is there: it keeps its tasks in memory, so without it they are gone."""
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 80), timeout=_PATIENCE).close()
    except OSError:
        return False
    return True

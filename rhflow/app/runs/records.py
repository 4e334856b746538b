"""The store as the loop wants to see it: asyncio in front of a writing thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rhflow.core.events import UNWRITTEN, Event, EventType
from rhflow.core.values import Entry, Money, Realm
from rhflow.store.bills import Bills
from rhflow.store.store import Store

Observer = Callable[[Event], None]


class WallClock:
    """The time of day."""

    def now(self) -> float:
        """Return seconds since 1970."""
        return time.time()


@dataclass(frozen=True, slots=True)
class RecallFromStore:
    """Answers what was done before, for one pipeline in one realm."""

    store: Store
    pipeline: str
    realm: Realm

    def entries(self, keys: Sequence[str]) -> Mapping[str, Entry]:
        """Return the entries that stand under ``keys``."""
        return self.store.index.entries(keys)

    def lost(self, keys: Sequence[str]) -> Mapping[str, str]:
        """Return what is wrong with the files of entries that do not stand."""
        return self.store.index.lost(keys)

    def previous(self, nodes: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """Return the ingredients of each node's last finished call."""
        return self.store.index.previous(self.pipeline, self.realm, nodes)

    def bills(self) -> Mapping[str, Sequence[Money]]:
        """Return what the last calls without a list price cost in this realm, by label."""
        return Bills(self.store.database).known(self.realm)

    async def put(self, node: str, entry: Entry) -> None:
        """Keep an entry; returns when other processes can find it."""
        from asyncio import wrap_future  # imported late: a plan has the store answer, and no loop

        await wrap_future(self.store.index.put(entry))
        self.store.index.remember(self.pipeline, self.realm, {node: entry.key})


@dataclass(frozen=True, slots=True)
class RunJournal:
    """Appends the facts of one run and tells them to an observer."""

    store: Store
    run: str
    observe: Observer

    async def record(self, type: EventType, node: str | None, data: dict[str, Any], *, durable: bool = False) -> None:
        """Append a fact; a durable one is on disk when this returns."""
        event = Event(self.run, time.time(), type, node, data)
        if type in UNWRITTEN:
            self.observe(event)
            return
        written = self.store.journal.record(event, durable=durable)
        if durable:
            from asyncio import wrap_future

            await wrap_future(written)
        self.observe(event)

"""A store with results, runs and uses in it, of any age, for the tests of those who look after it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from decimal import Decimal

from rhflow.core import canonical
from rhflow.core.events import Event
from rhflow.core.values import Artifact, Entry, Money, Outputs
from rhflow.store.store import Store

DAY = 86_400.0
OLD = 100 * DAY


def make(
    store: Store,
    content: str,
    *,
    realm: str = "live",
    age: float = OLD,
    reads: Artifact | None = None,
    cost: str | None = "0.2",
) -> Entry:
    """Keep a result whose one file holds ``content``, as if it had been made ``age`` seconds ago."""
    inputs = {"prompt": content} | ({} if reads is None else {"image": {"sha256": reads.digest}})
    ingredients = {"kind": "text-to-image", "version": 1, "endpoint": "/x", "inputs": inputs, "realm": realm}
    digest = store.blobs.ingest_bytes(content.encode())
    entry = Entry(
        key=canonical.digest("call", ingredients),
        outputs=Outputs((Artifact(digest, "image/png", len(content.encode()), "a.png", url="https://link/secret"),)),
        ingredients=ingredients,
        created=time.time() - age,
        cost=None if cost is None else Money(Decimal(cost)),
        model="painter",
        task_id="t",
    )
    store.index.put(entry).result()
    grow_old(store, digest, age)
    return entry


def grow_old(store: Store, digest: str, age: float) -> None:
    """Let a file look as if it had been brought in ``age`` seconds ago."""
    then = time.time() - age
    os.utime(store.blobs.path(digest), (then, then))


def ran(
    store: Store,
    run: str,
    pipeline: str,
    nodes: Mapping[str, Entry],
    *,
    age: float = OLD,
    realm: str = "live",
    how: str = "node.finished",
    ended: bool = True,
) -> None:
    """Record a run that made (or reused) these results."""
    at = time.time() - age
    facts = {"pipeline": pipeline, "recipe": f"/recipes/{pipeline}.yaml", "realm": realm}
    events = [Event(run, at, "run.started", None, facts)]
    events += [Event(run, at, how, node, {"key": entry.key}) for node, entry in nodes.items()]  # type: ignore[arg-type]
    events += [Event(run, at, "run.finished", None, {"status": "succeeded"})] if ended else []
    store.journal.record_all(events).result()
    store.index.remember(pipeline, realm, {node: entry.key for node, entry in nodes.items()}).result()


def file_of(entry: Entry) -> str:
    """Return the digest of a result's one file."""
    return entry.outputs.files[0].digest


def keys_of(store: Store) -> set[str]:
    """Return the keys that the index holds."""
    return {entry.key for entry in store.index.all_entries()}

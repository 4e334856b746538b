"""Forgetting results: first the rows of the index, durably, then the files that nothing names any more.

Whoever brings a file in indexes it inside a write transaction, and files are removed inside one as well: so a file
that somebody is about to index is either seen to be named, or its entry is refused and the paid call stays open.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rhflow.store.memo import outdate
from rhflow.store.store import Store
from rhflow.store.usage import inputs_of

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Removed:
    """The keys whose entries went, and the files that went, with their sizes in bytes."""

    keys: tuple[str, ...]
    files: dict[str, int]


@contextmanager
def held(store: Store, keys: Iterable[str]) -> Iterator[list[str]]:
    """Hold the locks of those keys that nobody else holds, and give them: a call in flight is left alone."""
    mine = []
    try:
        for key in keys:
            if store.locks.try_acquire(key):
                mine.append(key)
        yield mine
    finally:
        for key in mine:
            store.locks.release(key)


def remove(store: Store, keys: Collection[str], digests: Collection[str], *, grace: float = 0.0) -> Removed:
    """Forget the entries of ``keys`` and then remove, of ``digests``, the files that no entry names.

    The caller holds the locks of the keys. What has an open submission stays. A file younger than ``grace`` seconds
    stays: somebody may be about to index it.
    """

    def forget(connection: sqlite3.Connection) -> list[str]:
        open_calls = {key for (key,) in connection.execute("SELECT key FROM submissions WHERE state != 'settled'")}
        gone = [
            key
            for key in keys
            if key not in open_calls and connection.execute("DELETE FROM entries WHERE key = ?", (key,)).rowcount
        ]
        if gone:
            outdate(connection)
        return gone

    gone = store.database.submit(forget, durable=True).result()
    ordered = sorted(digests)
    files: dict[str, int] = {}
    for start in range(0, len(ordered), _BATCH):
        batch = ordered[start : start + _BATCH]
        files |= store.database.submit(_unlink(store, batch, before=time.time() - grace)).result()
    return Removed(tuple(gone), files)


def _unlink(store: Store, digests: Sequence[str], *, before: float) -> Any:
    def work(connection: sqlite3.Connection) -> dict[str, int]:
        named = named_digests(connection)
        done: dict[str, int] = {}
        for digest in digests:
            if digest not in named and (size := store.blobs.remove(digest, before=before)) is not None:
                done[digest] = size
        return done

    return work


def named_digests(connection: sqlite3.Connection) -> set[str]:
    """Return the digests of all files that entries name, as results or as inputs."""
    named: set[str] = set()
    for (text,) in connection.execute("SELECT document FROM entries"):
        document = json.loads(text)
        named.update(file["digest"] for file in document["outputs"]["files"])
        named |= inputs_of(document["ingredients"])
    return named

"""Reading the whole store again: is every file still what its name says, and is everything there that is named?

What is damaged is moved aside, never removed, and every whole-run memo falls with it: the next plan says what is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rhflow.store.failures import translated
from rhflow.store.memo import outdate
from rhflow.store.store import Store
from rhflow.store.usage import Stored, stored


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong, and how much was looked at.

    ``database`` is what SQLite finds wrong; ``damaged`` says for each damaged file (by digest) where it lies now;
    ``lost`` are the results that miss a file, also those of an earlier look; ``strays`` are files that do not belong
    where they are, with their sizes, and nothing to worry about.
    """

    files: int
    bytes: int
    results: int
    database: tuple[str, ...] = ()
    damaged: tuple[tuple[str, Path], ...] = ()
    lost: tuple[Stored, ...] = ()
    strays: tuple[tuple[Path, int], ...] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.database or self.damaged or self.lost)


def verify(store: Store) -> Findings:
    """Read every file of the store. Raises StoreError where that is refused."""
    damaged, count, size = [], 0, 0
    for digest in store.blobs.digests():
        found = store.blobs.size(digest)
        if found is None:
            continue  # somebody cleans up meanwhile
        count, size = count + 1, size + found
        if not store.blobs.verify(digest) and (aside := store.blobs.quarantine(digest)) is not None:
            damaged.append((digest, aside))
    trouble = store.database.check()
    if damaged:
        store.database.submit(outdate).result()
    results = [] if trouble else stored(store.database, store.blobs)
    return Findings(
        files=count,
        bytes=size,
        results=len(results),
        database=tuple(trouble),
        damaged=tuple(damaged),
        lost=tuple(each for each in results if each.lost),
        strays=tuple(_strays(store)),
    )


def _strays(store: Store) -> list[tuple[Path, int]]:
    found = []
    for path in store.blobs.strays():
        with translated(path):
            try:
                found.append((path, path.lstat().st_size))
            except FileNotFoundError:
                pass  # on its way in a moment ago, and now there
    return found

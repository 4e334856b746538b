"""What the store holds and who has used it: the entries with their files, their last uses, and what they had cost.

Uses come from the journal, and from the last call of every node for what another machine's archive told. A run that
changed nothing writes no journal (it is answered by the run before it), so it is no use of its own: whoever cleans up
keeps the latest runs.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rhflow.core.values import Artifact, Entry, Realm
from rhflow.store.blobs import Blobs
from rhflow.store.database import Database


@dataclass(frozen=True, slots=True)
class Use:
    """Which node of which pipeline made or reused a result; ``run`` and ``at`` (seconds since 1970) where known."""

    pipeline: str
    node: str
    run: str | None = None
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry with its uses, the latest first, and the files of it that are gone or were cut."""

    entry: Entry
    realm: Realm
    uses: tuple[Use, ...] = ()
    lost: tuple[Artifact, ...] = ()

    @property
    def key(self) -> str:
        """The key of the call."""
        return self.entry.key

    @property
    def files(self) -> dict[str, int]:
        """The size in bytes of each file, by digest."""
        return {each.digest: each.size for each in self.entry.outputs.files}

    @property
    def used(self) -> float:
        """When it was made or last used, in seconds since 1970."""
        return max([self.entry.created, *(each.at for each in self.uses)])

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Who has used it: (pipeline, node), the latest first, each once."""
        return tuple(dict.fromkeys((each.pipeline, each.node) for each in self.uses))

    def named(self) -> set[str]:
        """Return the digests of its files and of the files that went in."""
        return {*self.files, *inputs_of(self.entry.ingredients)}


def stored(database: Database, blobs: Blobs) -> list[Stored]:
    """Return every entry, the newest first."""
    uses = uses_by_key(database)
    found = []
    for key, text in database.rows("SELECT key, document FROM entries ORDER BY rowid"):
        entry = Entry.from_json(key, json.loads(text))
        lost = tuple(each for each in entry.outputs.files if blobs.size(each.digest) != each.size)
        realm: Realm = "simulated" if entry.ingredients.get("realm") == "simulated" else "live"
        found.append(Stored(entry, realm, tuple(uses.get(key, ())), lost))
    return sorted(found, key=lambda each: (-each.entry.created, each.key))


def uses_by_key(database: Database) -> dict[str, list[Use]]:
    """Return the uses of each key, the latest first."""
    found: defaultdict[str, list[Use]] = defaultdict(list)
    sql = """SELECT json_extract(events.data, '$.key'), runs.pipeline, events.node, events.run, events.at
             FROM events JOIN runs ON runs.id = events.run
             WHERE events.type IN ('node.reused', 'node.finished') ORDER BY events.at DESC"""
    for key, *use in database.rows(sql):
        found[key].append(Use(*use))
    for key, pipeline, node in database.rows("SELECT key, pipeline, node FROM last_calls ORDER BY pipeline, node"):
        if all((each.pipeline, each.node) != (pipeline, node) for each in found[key]):
            found[key].append(Use(pipeline, node))
    return dict(found)


def inputs_of(ingredients: Mapping[str, Any]) -> set[str]:
    """Return the digests of the files that went into a call."""
    found: set[str] = set()
    stack: list[Any] = [ingredients.get("inputs")]
    while stack:
        match stack.pop():
            case {"sha256": str(digest)}:
                found.add(digest)
            case dict() as members:
                stack.extend(members.values())
            case list() as items:
                stack.extend(items)
            case _:
                pass
    return found


def worth(found: Iterable[Stored]) -> dict[tuple[Realm, str], str]:
    """Return what results had cost, or would have, by realm and currency."""
    sums: defaultdict[tuple[Realm, str], Decimal] = defaultdict(Decimal)
    for each in found:
        if each.entry.cost is not None:
            for part in each.entry.cost.parts:
                sums[each.realm, part.currency] += part.amount
    return {what: str(amount) for what, amount in sorted(sums.items())}


def bytes_of(found: Iterable[Stored]) -> dict[str, int]:
    """Return the size in bytes of every file that results name, by digest: shared ones once."""
    return {digest: size for each in found for digest, size in each.files.items()}

"""What a clean-up may take: never what a kept run, a lock file, a living run or an open payment needs.

Nothing is taken without a criterion. An hour's grace covers what another process has just made, or brought in and not
indexed yet; the latest run of every recipe is kept unless its author says otherwise, since a run that changes nothing
is answered by it and leaves no newer trace.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rhflow.core.errors import Problem, UsageError
from rhflow.core.values import Realm
from rhflow.store.failures import translated
from rhflow.store.journal import run_lock
from rhflow.store.removal import held, remove
from rhflow.store.store import Store
from rhflow.store.usage import Stored, stored

GRACE: Final = 3600.0
_BATCH: Final = 500
_NAMES: Final = re.compile(r"(?<![0-9a-fA-F])[0-9a-f]{64}(?![0-9a-fA-F])")


@dataclass(frozen=True, slots=True)
class Limits:
    """What is to go: times in seconds, sizes in bytes.

    ``keep_runs`` are the latest runs of each recipe that are kept whole (None: one, where there is another criterion);
    ``locked`` are keys and digests that stay; ``realm`` lets only results of that realm go.
    """

    keep_runs: int | None = None
    older_than: float | None = None
    max_size: int | None = None
    realm: Realm | None = None
    grace: float = GRACE
    locked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Cleanup:
    """Results and files (digest to bytes) that go, what stays of the results (count by reason), the bytes left.

    ``at`` is when this was looked up, in seconds since 1970.
    """

    results: tuple[Stored, ...]
    files: dict[str, int]
    kept: Mapping[str, int] = field(default_factory=dict)
    left: int = 0
    at: float = field(default=0.0, compare=False)


def read_locks(paths: Iterable[Path]) -> frozenset[str]:
    """Return every key and digest that lock files name: any text with words of 64 hexadecimal digits in it.

    The JSON of a plan, a run or this store's list is one. Raises UsageError for a file that names nothing.
    """
    found: set[str] = set()
    for path in paths:
        with translated(path):
            names = set(_NAMES.findall(path.read_text(encoding="utf-8", errors="replace")))
        if not names:
            hint = "`rhflow plan RECIPE --json > recipe.lock` makes one"
            raise UsageError(Problem("empty-lock", f"`{path}` names no key and no digest", hint=hint))
        found |= names
    return frozenset(found)


def plan_cleanup(store: Store, limits: Limits) -> Cleanup:
    """Return what would go. Raises UsageError when no criterion is given."""
    if limits.keep_runs is None and limits.older_than is None and limits.max_size is None:
        hint = "add `--keep-runs 3`, `--older-than 30d` or `--max-size 20GB`; `--dry-run` only shows what would go"
        raise UsageError(Problem("no-criterion", "nothing says what is to go, so nothing goes", hint=hint))
    now = time.time()
    survey = _Survey(stored(store.database, store.blobs), store.blobs.facts(), limits, now)
    reasons = _Reasons(store, survey)
    free: list[Stored] = []
    kept = Counter[str]()
    for each in sorted(survey.results, key=lambda each: (each.used, each.key)):
        if (why := reasons.to_keep(each)) is None:
            free.append(each)
        else:
            kept[why] += 1
    going = survey.chosen(free)
    kept["not old or large enough"] += len(free) - len(going)
    files = survey.files_without(going)
    left = sum(size for size, _ in survey.facts.values()) - sum(files.values())
    return Cleanup(tuple(going), files, +kept, left, survey.now)


def clean_up(store: Store, limits: Limits) -> Cleanup:
    """Remove what ``plan_cleanup`` names, except what came into use meanwhile, and return what really went."""
    plan = plan_cleanup(store, limits)
    gone: set[str] = set()
    for start in range(0, len(plan.results), _BATCH):
        with held(store, [each.key for each in plan.results[start : start + _BATCH]]) as mine:
            used = _used_since(store, plan.at)
            gone.update(remove(store, [key for key in mine if key not in used], ()).keys)
    files = remove(store, (), plan.files.keys(), grace=limits.grace).files
    results = tuple(each for each in plan.results if each.key in gone)
    kept = +Counter({**plan.kept, "in use": plan.kept.get("in use", 0) + len(plan.results) - len(results)})
    return Cleanup(results, files, kept, plan.left + sum(plan.files.values()) - sum(files.values()), plan.at)


@dataclass(frozen=True, slots=True)
class _Survey:
    """What there is: the results, and the size and age of every blob (see ``Blobs.facts``)."""

    results: Sequence[Stored]
    facts: Mapping[str, tuple[int, float]]
    limits: Limits
    now: float

    def chosen(self, free: Sequence[Stored]) -> list[Stored]:
        """Return what goes of the results that may, the longest unused first: by age, then until the rest fits."""
        limits, room = self.limits, sum(size for size, _ in self.facts.values()) - sum(self.files_without(()).values())
        if limits.older_than is None and limits.max_size is None:
            return list(free)
        users = Counter(digest for each in self.results for digest in each.named())
        going = []
        for each in free:
            old = limits.older_than is not None and each.used < self.now - limits.older_than
            if not old and (limits.max_size is None or room <= limits.max_size):
                continue
            going.append(each)
            users.subtract(each.named())
            room -= sum(self._size(digest) for digest in each.named() - limits.locked if not users[digest])
        return going

    def files_without(self, going: Sequence[Stored]) -> dict[str, int]:
        """Return the files that nothing names once ``going`` is gone, and that are old enough to go."""
        gone = {each.key for each in going}
        named = set[str]().union(*(each.named() for each in self.results if each.key not in gone))
        before = self.now - self.limits.grace
        return {
            digest: size
            for digest, (size, brought) in self.facts.items()
            if brought <= before and digest not in named and digest not in self.limits.locked
        }

    def _size(self, digest: str) -> int:
        return self.facts[digest][0] if digest in self.facts else 0


class _Reasons:
    """Why a result must stay, whatever its age."""

    def __init__(self, store: Store, survey: _Survey) -> None:
        limits = survey.limits
        self._store = store
        self._limits, self._now = limits, survey.now
        self._open = store.journal.open_submissions().keys()
        self._alive = _keys_of(store, _alive(store))
        self._kept = _keys_of(store, _latest(store, 1 if limits.keep_runs is None else limits.keep_runs))

    def to_keep(self, each: Stored) -> str | None:
        if self._limits.realm not in (None, each.realm):
            return "of the other realm"
        if each.key in self._open:
            return "with an open payment"
        if each.key in self._alive or _busy(self._store, each.key):
            return "in use"
        if each.key in self._limits.locked or self._limits.locked.intersection(each.files):
            return "named by a lock file"
        if each.key in self._kept:
            return "of kept runs"
        return "just made or used" if each.used > self._now - self._limits.grace else None


def _alive(store: Store) -> list[str]:
    """Return the runs that go on now: those that hold their lock."""
    runs = store.database.rows("SELECT id FROM runs WHERE status = 'running'")
    return [run for (run,) in runs if _busy(store, run_lock(run))]


def _busy(store: Store, key: str) -> bool:
    """Whether somebody holds the lock of ``key``; many locks at once would be slow."""
    with held(store, [key]) as mine:
        return not mine


def _used_since(store: Store, at: float) -> set[str]:
    """Return the keys that runs have made or reused since then."""
    sql = """SELECT json_extract(data, '$.key') FROM events
             WHERE at >= ? AND type IN ('node.started', 'node.reused', 'node.finished')"""
    return {key for (key,) in store.database.rows(sql, (at,))}


def _latest(store: Store, count: int) -> list[str]:
    """Return the latest ``count`` runs of each recipe, simulated and live ones apart."""
    sql = """SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY pipeline, realm ORDER BY started DESC, id DESC)
             AS place FROM runs) WHERE place <= ?"""
    return [run for (run,) in store.database.rows(sql, (count,))]


def _keys_of(store: Store, runs: Sequence[str]) -> set[str]:
    """Return every key that runs name."""
    sql = "SELECT DISTINCT json_extract(data, '$.key') FROM events WHERE run IN ({})"
    return {key for rows in store.database.rows_in(sql, runs) for (key,) in rows if key is not None}

"""The store as its keeper sees it: what is in it, whether it is whole, what may go, what moves to another machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rhflow.core.errors import Problem, StoreError, UnknownOutcomeError, UsageError, did_you_mean
from rhflow.core.values import Realm
from rhflow.settings import Settings
from rhflow.store import cleanup
from rhflow.store.archive import Written, export
from rhflow.store.cleanup import Cleanup, Limits, plan_cleanup, read_locks
from rhflow.store.removal import Removed, held, remove
from rhflow.store.store import Store
from rhflow.store.unarchive import Imported, take_in
from rhflow.store.usage import Stored, bytes_of, stored, worth
from rhflow.store.verify import Findings, verify

__all__ = [
    "Cleanup",
    "Doomed",
    "Filter",
    "Findings",
    "Limits",
    "Removed",
    "Stored",
    "bytes_of",
    "check_store",
    "clean_up",
    "doomed",
    "export_results",
    "import_results",
    "list_results",
    "read_locks",
    "recipes_of",
    "worth",
]  # fmt: skip

_SHORTEST = 4


@dataclass(frozen=True, slots=True)
class Filter:
    """Which results are meant: those a pipeline or run used, of a model, of a realm; None leaves a part open."""

    pipeline: str | None = None
    model: str | None = None
    realm: Realm | None = None
    run: str | None = None


@dataclass(frozen=True, slots=True)
class Doomed:
    """What ``rm`` is about: the results, the files that go with them, and the locks that are held meanwhile."""

    results: tuple[Stored, ...]
    digests: frozenset[str]
    remove: Callable[[], Removed]


def list_results(settings: Settings, wanted: Filter) -> list[Stored]:
    """Return the results that are meant, the newest first."""
    with Store.open(settings.store) as store:
        return _select(store, wanted)


def check_store(settings: Settings) -> Findings:
    """Read the whole store again, and move aside what is damaged."""
    with Store.open(settings.store) as store:
        return verify(store)


def clean_up(settings: Settings, limits: Limits, *, dry_run: bool) -> Cleanup:
    """Remove what the limits say, or only say what would go."""
    with Store.open(settings.store) as store:
        return plan_cleanup(store, limits) if dry_run else cleanup.clean_up(store, limits)


def export_results(settings: Settings, target: Path, wanted: Filter) -> Written:
    """Write the results that are meant into an archive. Raises UsageError when there are none."""
    with Store.open(settings.store) as store:
        found = _select(store, wanted)
        if not found:
            hint = "`rhflow cache ls` lists what there is"
            raise UsageError(Problem("nothing-to-export", "no result is meant by that", hint=hint))
        return export(store, found, target)


def import_results(settings: Settings, source: Path) -> Imported:
    """Take the results of an archive in."""
    with Store.open(settings.store) as store:
        return take_in(store, source)


def recipes_of(settings: Settings, results: Sequence[Stored]) -> list[str]:
    """Return the recipes that made or used these results last, as paths."""
    with Store.open(settings.store) as store:
        runs = dict.fromkeys(use.run for each in results for use in each.uses[:1] if use.run is not None)
        paths = [store.journal.find_run(run).recipe for run in runs]
        return list(dict.fromkeys(path for path in paths if path))


@contextmanager
def doomed(settings: Settings, name: str) -> Iterator[Doomed]:
    """Find what ``name`` means (a key, a run, ``sha256:…``, or the beginning of one) and hold it while it is removed.

    Of a run these are the results that it made, not those that it found. Raises UsageError when nothing or several
    things are called so, UnknownOutcomeError when a payment is open, StoreError when a result is in use.
    """
    with Store.open(settings.store) as store:
        everything = stored(store.database, store.blobs)
        results, digests = _resolve(store, everything, name)
        _refuse_open(store, results)
        digests |= {digest for each in results for digest in each.named()}
        with held(store, [each.key for each in results]) as mine:
            if len(mine) < len(results):
                hint = "wait until the other rhflow is done, run again"
                raise StoreError(Problem("result-in-use", "a run is making or using one of these results", hint=hint))
            keys = [each.key for each in results]
            yield Doomed(tuple(results), frozenset(digests), lambda: remove(store, keys, digests))


def _select(store: Store, wanted: Filter) -> list[Stored]:
    run = None if wanted.run is None else store.journal.find_run(wanted.run).id
    found = [
        each
        for each in stored(store.database, store.blobs)
        if wanted.realm in (None, each.realm)
        and (wanted.model is None or wanted.model == each.entry.model)
        and (wanted.pipeline is None or wanted.pipeline in {use.pipeline for use in each.uses})
        and (run is None or run in {use.run for use in each.uses})
    ]
    if not found and (wanted.pipeline or wanted.model):
        _refuse_unknown(store, wanted)
    return found


def _refuse_unknown(store: Store, wanted: Filter) -> None:
    """Raise UsageError when a filter names what no result knows: a slip of the pen, most likely."""
    everything = stored(store.database, store.blobs)
    pipelines = {use.pipeline for each in everything for use in each.uses}
    models = {each.entry.model for each in everything if each.entry.model is not None}
    for what, name, known in (("pipeline", wanted.pipeline, pipelines), ("model", wanted.model, models)):
        if name is not None and name not in known:
            message = f"no result in the store is of the {what} `{name}`"
            raise UsageError(Problem("unknown-filter", message, hint=did_you_mean(name, sorted(known))))


def _resolve(store: Store, everything: Sequence[Stored], name: str) -> tuple[list[Stored], set[str]]:
    """Return the results that ``name`` means, and files that it names itself."""
    if name.startswith("sha256:"):
        digest = _one(name, [f"sha256:{each}" for each in store.blobs.digests()]).removeprefix("sha256:")
        return [each for each in everything if digest in each.files], {digest}
    runs = [run for (run,) in store.database.rows("SELECT id FROM runs ORDER BY id DESC")]
    if name == "latest" and runs:
        name = runs[0]
    keys = {each.key: each for each in everything}
    found = _one(name, [*keys, *runs])
    if found in keys:
        return [keys[found]], set()
    sql = "SELECT DISTINCT json_extract(data, '$.key') FROM events WHERE run = ? AND type = 'node.finished'"
    made = {key for (key,) in store.database.rows(sql, (found,))}
    return [each for each in everything if each.key in made], set()


def _one(name: str, choices: Sequence[str]) -> str:
    """Return the one choice that is called so or begins so."""
    found = [each for each in choices if each == name] or [each for each in choices if each.startswith(name)]
    digits = len(name.removeprefix("sha256:"))
    if len(found) == 1 and (digits >= _SHORTEST or found[0] == name):
        return found[0]
    if not found:
        hint = "`rhflow cache ls` lists keys and files, `rhflow runs` lists runs"
        raise UsageError(Problem("not-found", f"the store holds nothing called `{name}`", hint=hint))
    if len(found) == 1:
        raise UsageError(Problem("too-short", f"`{name}` is too short to be sure", hint=f"write `{found[0][:24]}`"))
    hint = "choose from " + ", ".join(f"`{each[:24]}`" for each in found[:5])
    raise UsageError(Problem("ambiguous", f"{len(found)} things in the store begin with `{name}`", hint=hint))


def _refuse_open(store: Store, results: Sequence[Stored]) -> None:
    found = store.journal.open_submissions([each.key for each in results])
    for each in found.values():
        message = f"the call of `{each.node}` in run `{each.run}` is not settled: the service may still owe its result"
        raise UnknownOutcomeError(Problem("payment-open", message, hint=f"`rhflow resume {each.run}` settles it"))

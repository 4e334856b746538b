"""Cleaning up: what goes, and above all what stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rhflow.core.errors import StoreError, UsageError
from rhflow.store.cleanup import Limits, clean_up, plan_cleanup, read_locks
from rhflow.store.journal import run_lock
from rhflow.store.locks import KeyLocks
from rhflow.store.store import Store
from tests.unit.care_support import DAY, file_of, grow_old, keys_of, make, ran
from tests.unit.store_support import accepted, intent, settled

EVERYTHING = Limits(keep_runs=0)


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "store") as opened:
        yield opened


def test_without_a_criterion_nothing_goes(store: Store) -> None:
    entry = make(store, "a")
    with pytest.raises(UsageError, match="nothing says what is to go"):
        clean_up(store, Limits())
    with pytest.raises(UsageError):
        clean_up(store, Limits(grace=0.0, realm="live"))
    assert keys_of(store) == {entry.key} and store.blobs.has(file_of(entry))


def test_a_plan_says_what_a_sweep_then_does(store: Store) -> None:
    old, other = make(store, "a", cost="0.5"), make(store, "bb", realm="simulated")
    plan = plan_cleanup(store, EVERYTHING)
    assert keys_of(store) == {old.key, other.key}, "a plan removes nothing"
    done = clean_up(store, EVERYTHING)
    assert done == plan
    assert {each.key for each in done.results} == {old.key, other.key}
    assert done.files == {file_of(old): 1, file_of(other): 2}
    assert done.left == 0 and keys_of(store) == set() and list(store.blobs.digests()) == []


def test_the_latest_runs_of_each_recipe_and_realm_are_kept_whole(store: Store) -> None:
    made = {name: make(store, name) for name in ("first", "second", "third", "shared", "simulated", "other")}
    ran(store, "r1", "poster", {"draw": made["first"], "clip": made["shared"]}, age=50 * DAY)
    ran(store, "r2", "poster", {"draw": made["second"]}, age=40 * DAY)
    ran(store, "r3", "poster", {"draw": made["third"]}, age=30 * DAY)
    ran(store, "r4", "poster", {"draw": made["simulated"]}, age=60 * DAY, realm="simulated")
    ran(store, "r5", "flyer", {"draw": made["shared"]}, age=70 * DAY, how="node.reused")
    done = plan_cleanup(store, Limits(keep_runs=2))
    assert {each.key for each in done.results} == {made["first"].key, made["other"].key}
    assert done.kept == {"of kept runs": 4}
    done = plan_cleanup(store, Limits(keep_runs=1))
    assert {each.key for each in done.results} == {made[name].key for name in ("first", "second", "other")}


def test_age_counts_from_the_last_use_and_the_latest_run_stays_unless_said_otherwise(store: Store) -> None:
    old, used, latest = (make(store, name, age=90 * DAY) for name in ("old", "used", "latest"))
    ran(store, "r1", "poster", {"draw": old, "clip": used}, age=90 * DAY)
    ran(store, "r2", "poster", {"clip": used}, age=10 * DAY, how="node.reused")
    ran(store, "r3", "flyer", {"draw": latest}, age=80 * DAY)
    done = plan_cleanup(store, Limits(older_than=30 * DAY))
    assert [each.key for each in done.results] == [old.key]
    done = plan_cleanup(store, Limits(older_than=30 * DAY, keep_runs=0))
    assert [each.key for each in done.results] == [old.key, latest.key], "the longest unused first"


def test_the_longest_unused_go_until_the_rest_fits(store: Store) -> None:
    a, b, c = (make(store, name * 100, age=age * DAY) for name, age in (("a", 30), ("b", 50), ("c", 40)))
    ran(store, "r1", "poster", {"draw": b}, age=5 * DAY)
    done = clean_up(store, Limits(max_size=150, keep_runs=0))
    assert {each.key for each in done.results} == {a.key, c.key}, "what was used lately stays, however old"
    assert done.left == 100 and keys_of(store) == {b.key}
    assert plan_cleanup(store, Limits(max_size=150)).results == ()


def test_a_file_goes_with_the_last_result_that_names_it(store: Store) -> None:
    source = make(store, "source", age=90 * DAY)
    user = make(store, "user", reads=source.outputs.files[0], age=10 * DAY)
    done = clean_up(store, Limits(older_than=30 * DAY, keep_runs=0))
    assert [each.key for each in done.results] == [source.key]
    assert done.files == {} and store.blobs.has(file_of(source)), "it went into what stays"
    done = clean_up(store, EVERYTHING)
    assert [each.key for each in done.results] == [user.key]
    assert done.files.keys() == {file_of(source), file_of(user)}


def test_a_file_that_somebody_is_about_to_index_stays(store: Store) -> None:
    entry = make(store, "a")
    fresh, stale = store.blobs.ingest_bytes(b"fresh"), store.blobs.ingest_bytes(b"stale")
    grow_old(store, stale, 2 * 3600)
    done = clean_up(store, EVERYTHING)
    assert done.files.keys() == {file_of(entry), stale}
    assert store.blobs.has(fresh)
    grow_old(store, fresh, 2 * 3600)
    assert store.blobs.ingest_bytes(b"fresh") == fresh, "bringing it in once more makes it young"
    assert clean_up(store, EVERYTHING).files == {}


def test_what_was_just_made_or_used_stays(store: Store) -> None:
    made, used = make(store, "made", age=60.0), make(store, "used", age=90 * DAY)
    ran(store, "r1", "poster", {"draw": used}, age=60.0, how="node.reused")
    assert clean_up(store, EVERYTHING).kept == {"just made or used": 2}
    assert keys_of(store) == {made.key, used.key}
    assert len(clean_up(store, Limits(keep_runs=0, grace=0.0)).results) == 2


def test_an_open_payment_stays(store: Store) -> None:
    entry = make(store, "a")
    store.journal.record(intent(entry.key)).result()
    store.journal.record(accepted(entry.key, "task-1")).result()
    assert clean_up(store, EVERYTHING).kept == {"with an open payment": 1}
    store.journal.record(settled(entry.key)).result()
    assert len(clean_up(store, EVERYTHING).results) == 1


def test_a_key_in_flight_and_a_living_run_keep_what_they_use(store: Store) -> None:
    flying, used, dead = make(store, "flying"), make(store, "used"), make(store, "dead")
    ran(store, "r1", "poster", {"draw": used}, ended=False)
    ran(store, "r2", "flyer", {"draw": dead}, ended=False)
    with KeyLocks(store.root / "locks") as others:
        assert others.try_acquire(flying.key) and others.try_acquire(run_lock("r1"))
        done = clean_up(store, EVERYTHING)
        assert {each.key for each in done.results} == {dead.key}, "a run whose process died keeps nothing"
        assert done.kept == {"in use": 2}
    assert len(clean_up(store, EVERYTHING).results) == 2


def test_a_lock_file_keeps_keys_and_files(store: Store, tmp_path: Path) -> None:
    by_key, by_file, loose, goes = make(store, "key"), make(store, "file"), make(store, "loose"), make(store, "goes")
    store.index.remove([loose.key]).result()
    lock = tmp_path / "rhflow.lock"
    lock.write_text(f'{{"key": "{by_key.key}"}} sha256:{file_of(by_file)}\n{file_of(loose)}', encoding="utf-8")
    done = clean_up(store, Limits(keep_runs=0, locked=read_locks([lock])))
    assert {each.key for each in done.results} == {goes.key}
    assert done.kept == {"named by a lock file": 2}
    assert {file_of(by_key), file_of(by_file), file_of(loose)} == set(store.blobs.digests())


def test_a_lock_file_that_names_nothing_is_a_mistake(tmp_path: Path) -> None:
    lock = tmp_path / "recipe.yaml"
    lock.write_text("steps: {}\n" + "a" * 65, encoding="utf-8")
    with pytest.raises(UsageError, match="names no key"):
        read_locks([lock])
    with pytest.raises(StoreError, match="does not exist"):
        read_locks([tmp_path / "gone"])


def test_only_one_realm(store: Store) -> None:
    live, simulated = make(store, "a"), make(store, "b", realm="simulated")
    assert clean_up(store, Limits(keep_runs=0, realm="simulated")).kept == {"of the other realm": 1}
    assert keys_of(store) == {live.key} and not store.blobs.has(file_of(simulated))


def test_memos_fall_with_what_they_rest_on(store: Store) -> None:
    make(store, "a")
    generation = store.memos.generation()
    store.memos.put("memo", {}, generation=generation).result()
    clean_up(store, EVERYTHING)
    assert store.memos.get("memo") is None


def test_delivered_files_stay(store: Store, tmp_path: Path) -> None:
    entry = make(store, "a")
    os.link(store.blobs.path(file_of(entry)), tmp_path / "delivered.png")
    clean_up(store, EVERYTHING)
    assert (tmp_path / "delivered.png").read_text() == "a"


def test_a_result_that_came_into_use_meanwhile_stays(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the plan and the removal another process reuses it: the clean-up looks again under the lock."""
    entry = make(store, "a")
    acquire = store.locks.try_acquire
    seen: list[str] = []

    def meanwhile(key: str) -> bool:
        seen.append(key)
        if seen.count(entry.key) == 2:  # the first time is that of the plan
            ran(store, "r9", "poster", {"draw": entry}, age=0.0, how="node.reused")
        return acquire(key)

    monkeypatch.setattr(store.locks, "try_acquire", meanwhile)
    assert clean_up(store, EVERYTHING).results == ()
    assert keys_of(store) == {entry.key} and store.blobs.has(file_of(entry))

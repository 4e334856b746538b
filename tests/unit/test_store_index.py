"""The index: entries in bulk, what was remembered of each node, and whole-run memos."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path

import pytest

from rhflow.core.errors import StoreError
from rhflow.core.values import Artifact, Entry, Money, Outputs
from rhflow.store.database import open_reader
from rhflow.store.memo import KEPT, Memos
from rhflow.store.store import Store
from tests.unit.store_support import entry, picture


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "store") as opened:
        yield opened


def test_an_entry_comes_back_as_it_was_put(store: Store) -> None:
    file = picture(store)
    put = Entry(
        key="k" * 64,
        outputs=Outputs((file,), ("a text, 图, \ud800",)),
        ingredients={"inputs": {"prompt": "ein Bild", "seed": 1}},
        created=12.5,
        seconds=3.25,
        cost=Money(Decimal("0.120")),
        model="some-model",
        task_id="123",
    )
    store.index.put(put).result()
    found = store.index.entries([put.key, "other"])
    assert found == {put.key: put}
    assert str(found[put.key].cost) == "0.12 CNY"
    path = found[put.key].outputs.files[0].path
    assert path is not None and Path(path).read_bytes() == b"pixels"
    assert list(store.index.all_entries()) == [put]
    assert store.index.digests() == {file.digest}


def test_ten_thousand_keys_are_looked_up_with_a_query_per_chunk(store: Store) -> None:
    keys = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(10_000)]
    for key in keys[::2]:
        store.index.put(entry(key, texts=(key,)))
    store.database.flush()
    assert store.database.commits < 5_000, "puts share transactions"
    asked: list[str] = []
    store.database._reader.set_trace_callback(asked.append)
    found = store.index.entries(keys)
    assert len(asked) == 20
    assert list(store.index.entries(keys[:1])) == keys[:1]
    assert found.keys() == set(keys[::2])
    assert all(key == each.outputs.texts[0] for key, each in found.items())


def test_no_keys_no_query(store: Store) -> None:
    assert store.index.entries([]) == {}


def test_an_entry_whose_blob_is_missing_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="not in the store"):
        store.index.put(entry("k", Artifact("0" * 64, "image/png", 1, "a.png")))
    assert store.index.entries(["k"]) == {}


def test_an_entry_whose_blob_went_away_does_not_count(store: Store) -> None:
    here, gone = picture(store, b"here"), picture(store, b"gone")
    store.index.put(entry("a", here)).result()
    store.index.put(entry("b", here, gone)).result()
    store.blobs.remove(gone.digest)
    assert store.index.entries(["a", "b"]).keys() == {"a"}
    assert [each.key for each in store.index.all_entries()] == ["a", "b"]


def test_removing_gives_the_number_and_leaves_the_blobs(store: Store) -> None:
    file = picture(store)
    store.index.put(entry("a", file)).result()
    store.index.put(entry("b")).result()
    assert store.index.remove(["a", "c"]).result() == 1
    assert store.index.remove([]).result() == 0
    assert store.index.entries(["a", "b"]).keys() == {"b"}
    assert store.blobs.has(file.digest)


def test_previous_gives_the_ingredients_of_the_last_call_of_each_node(store: Store) -> None:
    for key, seed in (("old", 1), ("new", 2), ("sim", 3)):
        store.index.put(entry(key, seed=seed))
    store.index.remember("poster", "live", {"draw": "old", "clip": "old"})
    store.index.remember("poster", "live", {"draw": "new"})
    store.index.remember("poster", "simulated", {"draw": "sim"}).result()
    nodes = ["draw", "clip", "unheard"]
    assert store.index.previous("poster", "live", nodes) == {"draw": {"seed": 2}, "clip": {"seed": 1}}
    assert store.index.previous("poster", "simulated", nodes) == {"draw": {"seed": 3}}
    assert store.index.previous("other", "live", nodes) == {}
    store.index.remove(["new"]).result()
    assert store.index.previous("poster", "live", nodes) == {"clip": {"seed": 1}}


def keep_memo(store: Store, key: str = "memo", **document: object) -> bool:
    generation = store.memos.generation()
    return store.memos.put(key, document, generation=generation, nodes={"draw": ["k", 1]}).result()


def test_a_memo_stands_while_entries_are_only_added(store: Store) -> None:
    assert keep_memo(store, run="r1")
    store.index.put(entry("new")).result()
    assert store.memos.get("memo") == {"run": "r1"}
    assert store.memos.nodes("memo") == {"draw": ["k", 1]}
    assert store.memos.get("other") is None and store.memos.nodes("other") is None
    assert keep_memo(store, run="r2")
    assert store.memos.get("memo") == {"run": "r2"}


def test_a_memo_falls_with_any_entry(store: Store) -> None:
    store.index.put(entry("a")).result()
    keep_memo(store)
    store.index.remove(["missing"]).result()
    assert store.memos.get("memo") is not None
    store.index.remove(["a"]).result()
    assert store.memos.get("memo") is None and store.memos.nodes("memo") is None


def test_a_memo_falls_when_an_entry_gives_something_else(store: Store) -> None:
    store.index.put(entry("a", texts=("one",))).result()
    keep_memo(store)
    store.index.put(entry("a", texts=("one",), seed=2)).result()
    assert store.memos.get("memo") is not None
    store.index.put(entry("a", texts=("two",))).result()
    assert store.memos.get("memo") is None


def test_a_memo_of_a_run_planned_before_a_removal_is_not_kept(store: Store) -> None:
    store.index.put(entry("a")).result()
    generation = store.memos.generation()
    store.index.remove(["a"]).result()
    assert store.memos.put("memo", {}, generation=generation).result() is False
    assert store.memos.get("memo") is None


def test_only_the_newest_memos_are_kept(store: Store) -> None:
    generation = store.memos.generation()
    for number in range(KEPT + 5):
        store.memos.put(str(number), {"number": number}, generation=generation, nodes=number)
    store.database.flush()
    kept = [number for number in range(KEPT + 5) if store.memos.get(str(number)) is not None]
    assert kept == list(range(5, KEPT + 5))
    assert store.database.rows("SELECT count(*) FROM memo_nodes") == [(KEPT,)]


def test_the_quick_door_answers_a_memo_without_reading_its_nodes(store: Store) -> None:
    keep_memo(store, run="r1")
    quick = open_reader(store.root)
    assert quick is not None
    with quick:
        asked: list[str] = []
        quick._reader.set_trace_callback(asked.append)
        assert Memos(quick).get("memo") == {"run": "r1"}
        assert len(asked) == 1 and "memo_nodes" not in asked[0]

"""Reading the store again: what is damaged is found, named and moved aside."""

from __future__ import annotations

from pathlib import Path

import pytest

from rhflow.core.errors import StoreError
from rhflow.store.database import NAME
from rhflow.store.deliver import deliver_all
from rhflow.store.store import Store
from rhflow.store.usage import stored, worth
from rhflow.store.verify import verify
from tests.unit.care_support import DAY, file_of, make, ran


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "store") as opened:
        yield opened


def damage(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(content)


def test_a_sound_store_is_sound(store: Store) -> None:
    make(store, "a"), make(store, "bb")
    found = verify(store)
    assert found.sound
    assert (found.files, found.bytes, found.results, found.strays) == (2, 3, 2, ())


@pytest.mark.parametrize(
    "content", [b"", b"sho", b"other content!", b"the contenT"], ids=("empty", "cut", "long", "bit")
)
def test_a_damaged_file_is_moved_aside_and_its_results_are_named(store: Store, content: bytes) -> None:
    good, bad = make(store, "good"), make(store, "the content")
    generation = store.memos.generation()
    store.memos.put("memo", {}, generation=generation).result()
    damage(store.blobs.path(file_of(bad)), content)
    found = verify(store)
    assert not found.sound
    ((digest, aside),) = found.damaged
    assert digest == file_of(bad) and aside.read_bytes() == content
    assert aside.parent == store.root / "quarantine"
    assert [each.key for each in found.lost] == [bad.key]
    assert store.memos.get("memo") is None, "no memo may rest on it any more"
    assert store.index.entries([good.key, bad.key]).keys() == {good.key}
    assert store.index.lost([bad.key]) == {bad.key: "the stored result is damaged: `a.png` was moved aside"}
    again = verify(store)
    assert not again.sound and again.damaged == () and [each.key for each in again.lost] == [bad.key]
    store.blobs.ingest_bytes(b"the content")
    assert verify(store).sound, "the file came back"
    assert aside.exists(), "what was moved aside is never removed"


def test_a_file_damaged_twice_is_kept_twice(store: Store) -> None:
    entry = make(store, "content")
    for content in (b"one", b"two"):
        damage(store.blobs.path(file_of(entry)), content)
        verify(store)
        store.blobs.ingest_bytes(b"content")
    assert [path.read_bytes() for path in store.blobs.quarantined()] == [b"one", b"two"]


def test_a_missing_file_is_a_lost_result(store: Store) -> None:
    entry = make(store, "content")
    store.blobs.path(file_of(entry)).unlink()
    found = verify(store)
    assert found.damaged == () and [each.key for each in found.lost] == [entry.key]
    assert store.index.entries([entry.key]) == {}
    assert store.index.lost([entry.key, "other"]) == {entry.key: "the stored result is incomplete: `a.png` is missing"}


def test_the_size_is_enough_for_a_plan_to_notice(store: Store) -> None:
    entry = make(store, "content")
    damage(store.blobs.path(file_of(entry)), b"cont")
    assert store.index.entries([entry.key]) == {}
    assert store.index.lost([entry.key]) == {entry.key: "the stored result is damaged: `a.png` has 4 of 7 bytes"}
    damage(store.blobs.path(file_of(entry)), b"content")
    assert store.index.entries([entry.key]).keys() == {entry.key}
    assert store.index.lost([entry.key]) == {}


def test_files_that_are_no_blobs_are_told_and_left(store: Store) -> None:
    make(store, "a")
    left = store.root / "tmp" / "1-a.part"
    left.write_bytes(b"half")
    note = store.root / "blobs" / "note.txt"
    note.write_text("?")
    found = verify(store)
    assert found.sound and set(found.strays) == {(left, 4), (note, 1)}
    assert left.exists() and note.exists()


def test_a_damaged_database_is_told_and_the_files_are_read_all_the_same(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        entries = [make(store, f"content {number}") for number in range(60)]
    whole = (tmp_path / NAME).read_bytes()
    half = len(whole) // 2 // 4096 * 4096
    (tmp_path / NAME).write_bytes(whole[:half] + b"\xff" * (len(whole) - half))
    with Store.open(tmp_path) as store:
        damage(store.blobs.path(file_of(entries[0])), b"?")
        try:
            found = verify(store)
        except StoreError as error:  # so damaged that even the memos cannot be taken down
            assert error.problems[0].code == "store-damaged"
        else:
            assert found.database and found.files == 60
        assert store.blobs.quarantined(), "the damaged file is out of the way"


def test_nothing_damaged_is_delivered_and_all_of_it_is_told_at_once(store: Store, tmp_path: Path) -> None:
    good, bad, gone = make(store, "good"), make(store, "bad"), make(store, "gone")
    damage(store.blobs.path(file_of(bad)), b"b@d")
    store.blobs.path(file_of(gone)).unlink()
    fresh = Store.open(store.root)  # what this process brought in itself it need not read again
    with fresh, pytest.raises(StoreError) as caught:
        deliver_all(fresh.blobs, [(file_of(each), tmp_path / "out" / each.key) for each in (good, bad, gone)])
    assert [each.code for each in caught.value.problems] == ["stored-file-damaged"] * 2
    assert not (tmp_path / "out").exists()
    assert len(store.blobs.quarantined(file_of(bad))) == 1
    assert deliver_all(store.blobs, [(file_of(good), tmp_path / "out" / "good.png")]) == 1
    assert deliver_all(store.blobs, [(file_of(good), tmp_path / "out" / "good.png")]) == 0


def test_uses_come_latest_first_and_worth_is_by_realm(store: Store) -> None:
    paid, free = make(store, "paid", age=3 * DAY, cost="0.20"), make(store, "free", age=2 * DAY, realm="simulated")
    text = make(store, "text", cost=None, age=4 * DAY)
    ran(store, "r1", "poster", {"draw": paid}, age=3 * DAY)
    ran(store, "r2", "flyer", {"large": paid}, age=1 * DAY, how="node.reused")
    store.index.remember("banner", "live", {"draw": text.key}).result()
    found = stored(store.database, store.blobs)
    assert [each.key for each in found] == [free.key, paid.key, text.key], "the newest first"
    assert [each.realm for each in found] == ["simulated", "live", "live"]
    assert found[1].places == (("flyer", "large"), ("poster", "draw"))
    assert found[2].places == (("banner", "draw"),)
    assert found[1].used > found[0].used
    assert worth(found) == {("live", "CNY"): "0.20", ("simulated", "CNY"): "0.2"}

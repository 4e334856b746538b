"""The store as a whole: what opening makes, and what importing costs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rhflow.core.errors import StoreError
from rhflow.store.store import Store
from tests.unit.store_support import child, entry, hear, intent


def test_a_new_store_says_what_it_is(tmp_path: Path) -> None:
    root = tmp_path / "deep" / "down" / "mein store 图"
    Store.open(root).close()
    made = {path.name for path in root.iterdir() if not path.name.startswith("index.sqlite-")}
    assert made == {".gitignore", "README", "blobs", "index.sqlite", "tmp"}
    assert "paid" in (root / "README").read_text(encoding="utf-8")
    assert root.stat().st_mode & 0o077 == 0


def test_backups_are_asked_to_leave_out_only_what_is_unfinished(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    (tag,) = tmp_path.rglob("CACHEDIR.TAG")
    assert tag.parent.name == "tmp"
    assert tag.read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55")


def test_opening_again_finds_everything_and_rewrites_nothing(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.index.put(entry("k", texts=("t",)))
        store.journal.record(intent("k"))
    (tmp_path / "README").write_text("mine")
    with Store.open(tmp_path) as store:
        assert store.index.entries(["k"])["k"].outputs.texts == ("t",)
        assert store.journal.open_submissions().keys() == {"k"}
    assert (tmp_path / "README").read_text() == "mine"


def test_the_keys_are_free_after_closing_and_what_was_queued_is_written(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    assert store.locks.try_acquire("k")
    store.index.put(entry("k"))
    store.close()
    with Store.open(tmp_path) as again:
        assert again.locks.try_acquire("k")
        assert "k" in again.index.entries(["k"])


@pytest.mark.parametrize("leave", [Store.close, lambda store: store.__exit__(None, None, None)])
def test_the_locks_are_given_back_even_when_a_write_failed(tmp_path: Path, leave: Callable[[Store], None]) -> None:
    store = Store.open(tmp_path)
    assert store.locks.try_acquire("k")
    store.database.submit(lambda connection: connection.execute("DELETE FROM nowhere"))
    with pytest.raises(StoreError, match="nowhere"):
        leave(store)
    with Store.open(tmp_path) as again:
        assert again.locks.try_acquire("k")


def test_a_file_in_the_way_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for root in (tmp_path / "file", tmp_path / "file" / "store"):
        with pytest.raises(StoreError) as caught:
            Store.open(root)
        assert caught.value.problems[0].code == "store-unreachable"


LOOK = """
import sys
from pathlib import Path
from rhflow.store.store import Store

with Store.open(Path(sys.argv[1])) as store:
    assert store.index.entries(["k"]) and store.memos.get("m") is None
    heavy = {"asyncio", "concurrent.futures", "logging", "tempfile", "shutil", "httpx", "jinja2", "networkx", "rich"}
    print(*sorted(heavy & sys.modules.keys()), sum(name.startswith("rhflow.core.") for name in sys.modules), flush=True)
"""


def test_looking_up_loads_nothing_heavy(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.index.put(entry("k"))
    with child(LOOK, tmp_path) as process:
        assert hear(process) == "3", "only errors, events and values of the core"

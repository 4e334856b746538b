"""The digest memo: never a stale digest, and no second reading of an unchanged file."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from rhflow.core.errors import StoreError
from rhflow.store.digest import DigestMemo, Remembered, Sighting
from rhflow.store.files import sha256_file
from rhflow.store.store import Store


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "store") as opened:
        yield opened


def write(path: Path, content: bytes, *, age: float = 60.0) -> Path:
    """Write a file that was modified ``age`` seconds ago, as far as its time stamp says."""
    path.write_bytes(content)
    touch(path, age=age)
    return path


def touch(path: Path, *, age: float) -> None:
    then = time.time_ns() - int(age * 1e9)
    os.utime(path, ns=(then, then))


def learn(memo: DigestMemo, path: Path, **info: object) -> bool:
    done = memo.remember(Sighting.of(path), sha256_file(path), info)
    if done is not None:
        done.result()
    return done is not None


@pytest.mark.parametrize("name", ["a.png", "mit Leerzeichen 图.png", os.fsdecode(b"latin-\xe9.png")])
def test_an_unchanged_file_is_remembered(store: Store, tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, b"content")
    assert store.digests.lookup(path) is None
    assert learn(store.digests, path, width=4)
    known = Remembered(hashlib.sha256(b"content").hexdigest(), 7, {"width": 4})
    assert store.digests.lookup(path) == known
    assert store.digests.lookup(tmp_path / "store" / ".." / name) == known


def test_another_size_time_or_inode_is_another_file(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "a", b"content")
    assert learn(store.digests, path)
    touch(path, age=120)
    assert store.digests.lookup(path) is None
    assert learn(store.digests, path)
    before = path.stat()
    path.write_bytes(b"longer content")
    os.utime(path, ns=(before.st_mtime_ns, before.st_mtime_ns))
    assert store.digests.lookup(path) is None
    assert learn(store.digests, path)
    other = write(tmp_path / "b", b"LONGER content")
    os.utime(other, ns=(before.st_mtime_ns, before.st_mtime_ns))
    other.replace(path)
    assert store.digests.lookup(path) is None


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no change time")
def test_a_restored_time_stamp_does_not_hide_an_edit(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "a", b"content")
    before = path.stat()
    assert learn(store.digests, path)
    while path.stat().st_ctime_ns == before.st_ctime_ns:  # until the clock of the file system has moved on
        path.write_bytes(b"CONTENT")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert store.digests.lookup(path) is None


@pytest.mark.parametrize(("age", "kept"), [(-5.0, False), (0.0, False), (1.5, False), (2.5, True)])
def test_a_file_fresh_from_its_writer_is_not_remembered(store: Store, tmp_path: Path, age: float, kept: bool) -> None:
    path = write(tmp_path / "a", b"content")
    at = time.time()
    modified = int((at - age) * 1e9)
    os.utime(path, ns=(modified, modified))
    fresh = replace(Sighting.of(path), at=at)
    assert (store.digests.remember(fresh, "0" * 64, {}) is not None) is kept
    store.database.flush()
    assert (store.digests.lookup(path) is not None) is kept


def test_a_file_changed_while_it_was_read_is_not_remembered(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "a", b"content")
    sighting = Sighting.of(path)
    digest = sha256_file(path)
    write(path, b"CONTENT", age=30)
    assert store.digests.remember(sighting, digest, {}) is None
    path.unlink()
    assert store.digests.remember(sighting, digest, {}) is None


def test_a_missing_file_is_not_known(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "a", b"content")
    assert learn(store.digests, path)
    path.unlink()
    assert store.digests.lookup(path) is None


def test_many_files_are_looked_up_together(store: Store, tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{number}.png", str(number).encode()) for number in range(600)]
    for path in paths[:550]:
        store.digests.remember(Sighting.of(path), sha256_file(path), {})
    store.database.flush()
    asked: list[str] = []
    store.database._reader.set_trace_callback(asked.append)
    found = store.digests.lookup_all([*paths, tmp_path / "missing"])
    assert len(asked) == 2
    assert list(found) == paths[:550]
    assert found[paths[42]].digest == hashlib.sha256(b"42").hexdigest()


def test_measuring_reads_a_file_once(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", b"content")
    probed: list[Path] = []

    def probe(path: Path) -> dict[str, object]:
        probed.append(path)
        return {"width": 4}

    first = store.digests.measure(path, probe)
    store.database.flush()
    assert store.digests.measure(path, probe) == first
    assert first == Remembered(hashlib.sha256(b"content").hexdigest(), 7, {"width": 4})
    assert probed == [path]


def test_measuring_starts_over_when_the_file_changes_meanwhile(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", b"first")
    changes = iter([b"second"])

    def meddle(path: Path) -> dict[str, object]:
        for content in changes:
            write(path, content)
        return {}

    assert store.digests.measure(path, meddle).digest == hashlib.sha256(b"second").hexdigest()


def test_measuring_gives_up_on_a_file_that_never_rests(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path / "a.png", b"x")

    def append(path: Path) -> dict[str, object]:
        with path.open("ab") as file:
            file.write(b"x")
        return {}

    with pytest.raises(StoreError, match="changes while it is being read"):
        store.digests.measure(path, append)
    with pytest.raises(StoreError, match="does not exist"):
        store.digests.measure(tmp_path / "missing")

"""Blobs: whole or not at all, read-only, and checked on demand."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from pathlib import Path

import pytest

from rhflow.core.errors import StoreError
from rhflow.store.blobs import Blobs


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def keep(blobs: Blobs, content: bytes) -> Path:
    with blobs.incoming() as temporary:
        temporary.write_bytes(content)
        return blobs.commit(temporary, sha(content))


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_committed_file_lies_under_its_digest_and_is_read_only(tmp_path: Path) -> None:
    blobs, digest = Blobs(tmp_path), sha(b"content")
    assert not blobs.has(digest)
    path = keep(blobs, b"content")
    assert path == blobs.path(digest) == tmp_path / "blobs" / digest[:2] / digest[2:]
    assert blobs.has(digest) and path.read_bytes() == b"content"
    assert stat.S_IMODE(path.stat().st_mode) & 0o222 == 0
    assert files(tmp_path) == [path]


def test_committing_the_same_bytes_twice_is_harmless(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    first = keep(blobs, b"content").stat().st_ino
    assert keep(blobs, b"content").stat().st_ino == first
    assert len(files(tmp_path)) == 1


def test_a_blob_of_the_wrong_size_is_replaced(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    path = keep(blobs, b"content")
    path.unlink()
    path.write_bytes(b"cont")
    assert not blobs.verify(sha(b"content"))
    keep(blobs, b"content")
    assert blobs.verify(sha(b"content"))


def test_what_was_not_committed_is_removed_also_after_an_error(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    with pytest.raises(ValueError, match="torn"), blobs.incoming() as temporary:
        temporary.write_bytes(b"half")
        raise ValueError("torn")
    with blobs.incoming() as temporary:
        pass
    assert files(tmp_path) == []


def test_two_files_on_their_way_do_not_meet(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    with blobs.incoming() as one, blobs.incoming() as two:
        assert one != two and one.parent == two.parent == tmp_path / "tmp"


@pytest.mark.parametrize("name", ["a.png", "mit Leerzeichen 图.png"])
def test_ingesting_copies_so_that_the_original_stays_the_users(tmp_path: Path, name: str) -> None:
    blobs, original = Blobs(tmp_path / "store"), tmp_path / name
    original.write_bytes(b"first")
    digest = blobs.ingest(original)
    assert digest == sha(b"first")
    with original.open("r+b") as file:
        file.write(b"other")
    assert blobs.path(digest).read_bytes() == b"first"
    assert blobs.verify(digest)
    assert blobs.ingest_bytes(b"first") == digest


def test_a_large_file_is_copied_whole(tmp_path: Path) -> None:
    content = os.urandom(1 << 20) * 3 + b"tail"
    (tmp_path / "large").write_bytes(content)
    digest = Blobs(tmp_path).ingest(tmp_path / "large")
    assert digest == sha(content)


def test_ingesting_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not exist"):
        Blobs(tmp_path).ingest(tmp_path / "missing.png")
    with pytest.raises(StoreError):
        Blobs(tmp_path).ingest(tmp_path)
    assert files(tmp_path) == []


def test_verifying_reads_the_bytes(tmp_path: Path) -> None:
    blobs, digest = Blobs(tmp_path), sha(b"content")
    path = keep(blobs, b"content")
    assert blobs.verify(digest)
    path.chmod(0o644)
    path.write_bytes(b"c0ntent")
    assert not blobs.verify(digest)
    blobs.remove(digest)
    blobs.remove(digest)
    assert not blobs.has(digest) and not blobs.verify(digest)


def test_all_digests_are_listed_in_order_and_nothing_else(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    assert list(blobs.digests()) == []
    digests = sorted(blobs.ingest_bytes(bytes([number])) for number in range(20))
    (tmp_path / "blobs" / "note.txt").write_text("not a blob")
    (tmp_path / "blobs" / digests[0][:2] / "note.txt").write_text("neither")
    assert list(blobs.digests()) == digests


@pytest.mark.parametrize("digest", ["", "abc", "../" * 22, "A" * 64, "g" * 64, "0" * 65, "0" * 64 + "\n"])
def test_only_a_digest_names_a_blob(tmp_path: Path, digest: str) -> None:
    with pytest.raises(StoreError, match="not a SHA-256"):
        Blobs(tmp_path).path(digest)


def test_what_dead_processes_left_is_removed_after_a_day(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    old, young, other = (tmp_path / "tmp" / name for name in ("1-a.part", "2-b.part", "CACHEDIR.TAG"))
    for path in (old, young, other):
        path.write_bytes(b"x")
    long_ago = time.time() - 25 * 3600
    os.utime(old, (long_ago, long_ago))
    os.utime(other, (long_ago, long_ago))
    with Blobs(tmp_path).incoming():
        assert not old.exists() and young.exists() and other.exists()

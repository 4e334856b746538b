"""Delivery: linked or copied, never over something else, under names that work everywhere."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from rhflow.core.errors import StoreError
from rhflow.store.deliver import check_folder, deliver, delivery_signature, point_latest, read_latest
from rhflow.store.names import Names, safe_name
from rhflow.store.store import Store


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def blob(store: Store) -> Path:
    return store.blobs.path(store.blobs.ingest_bytes(b"content"))


@pytest.fixture(params=["links", "no links"])
def links(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Try a file system that has hard links, and one that has none."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "no links here")

    if request.param == "no links":
        monkeypatch.setattr(os, "link", refuse)
    return request.param == "links"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_delivered_whole_with_its_folders(blob: Path, tmp_path: Path, links: bool) -> None:
    target = tmp_path / "out" / "poster" / "ein Bild 图.png"
    assert deliver(blob, target) == ("linked" if links else "copied")
    assert target.read_bytes() == b"content"
    assert target.samefile(blob) is links
    assert names(target.parent) == [target.name]


def test_delivering_again_changes_nothing(blob: Path, tmp_path: Path, links: bool) -> None:
    target = tmp_path / "a.png"
    deliver(blob, target)
    before = target.stat()
    assert deliver(blob, target) == "present"
    assert target.stat().st_ino == before.st_ino and target.stat().st_mtime_ns == before.st_mtime_ns


def test_a_deleted_file_is_restored(blob: Path, tmp_path: Path, links: bool) -> None:
    target = tmp_path / "a.png"
    deliver(blob, target)
    target.unlink()
    assert deliver(blob, target) != "present"
    assert target.read_bytes() == b"content" and blob.read_bytes() == b"content"


@pytest.mark.parametrize("other", [b"CONTENT", b"another size", None])
def test_something_else_is_never_overwritten(blob: Path, tmp_path: Path, links: bool, other: bytes | None) -> None:
    target = tmp_path / "out" / "a.png"
    target.parent.mkdir()
    if other is None:
        target.mkdir()
    else:
        target.write_bytes(other)
    with pytest.raises(StoreError) as caught:
        deliver(blob, target)
    assert caught.value.problems[0].code == "target-exists"
    assert other is None or target.read_bytes() == other
    assert names(target.parent) == ["a.png"]


def test_a_link_into_nowhere_is_not_overwritten(blob: Path, tmp_path: Path, links: bool) -> None:
    target = tmp_path / "a.png"
    target.symlink_to(tmp_path / "nowhere")
    with pytest.raises(StoreError, match="is something else"):
        deliver(blob, target)
    assert target.is_symlink()


def test_the_same_content_from_elsewhere_is_accepted(blob: Path, tmp_path: Path, links: bool) -> None:
    (tmp_path / "a.png").write_bytes(b"content")
    assert deliver(blob, tmp_path / "a.png") == "present"


def test_a_linked_file_cannot_be_edited_in_place_and_a_copy_can(blob: Path, tmp_path: Path, links: bool) -> None:
    target = tmp_path / "a.png"
    deliver(blob, target)
    assert bool(target.stat().st_mode & 0o200) is not links


def test_a_missing_blob_and_an_impossible_folder_are_errors(blob: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is not in the store"):
        deliver(tmp_path / "missing", tmp_path / "a.png")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        deliver(blob, tmp_path / "file" / "a.png")


@pytest.mark.parametrize("symlinks", [True, False])
def test_latest_points_at_the_last_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, symlinks: bool) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no symbolic links here")

    if not symlinks:
        monkeypatch.setattr(Path, "symlink_to", refuse)
    assert read_latest(tmp_path) is None
    for run in ("r1", "r2 图"):
        (tmp_path / run).mkdir()
        point_latest(tmp_path / run)
        assert read_latest(tmp_path) == tmp_path / run
    assert (tmp_path / "latest").is_symlink() is symlinks
    assert names(tmp_path) == ["latest", "r1", "r2 图"]
    (tmp_path / "r2 图").rmdir()
    assert read_latest(tmp_path) is None


def test_latest_never_replaces_a_folder(tmp_path: Path) -> None:
    (tmp_path / "latest").mkdir()
    (tmp_path / "r1").mkdir()
    with pytest.raises(StoreError):
        point_latest(tmp_path / "r1")
    assert names(tmp_path) == ["latest", "r1"]


def test_a_delivery_is_found_by_what_was_delivered_and_where(store: Store, tmp_path: Path) -> None:
    files = [("a.png", "1" * 64), ("b.png", "2" * 64)]
    signature = delivery_signature(files, tmp_path)
    assert signature == delivery_signature(reversed(files), tmp_path)
    others = [delivery_signature(files[:1], tmp_path), delivery_signature(files, tmp_path / "x")]
    others.append(delivery_signature([("b.png", "1" * 64), ("a.png", "2" * 64)], tmp_path))
    assert signature not in others and len(set(others)) == 3
    assert store.deliveries.find_delivery(signature) is None
    folder = tmp_path / os.fsdecode(b"r1-\xe9")
    store.deliveries.remember_delivery(signature, "r1", folder).result()
    assert store.deliveries.find_delivery(signature) == ("r1", folder)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a picture.png", "a picture.png"),
        ("../../etc/passwd", "-..-etc-passwd"),
        ("C:\\temp\\x", "C-temp-x"),
        ("a<b>|c?*", "a-b-c-"),
        ("line\nbreak\ttab\0", "linebreaktab"),
        ("abc\u202egnp.exe", "abcgnp.exe"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("u\u0308ber", "über"),
        ("  .hidden. ", "hidden"),
        ("...", "file"),
        ("", "file"),
        ("con", "_con"),
        ("NUL.txt", "_NUL.txt"),
        ("com7 .tar.gz", "_com7 .tar.gz"),
        ("console.txt", "console.txt"),
        ("图像 — naïve.png", "图像 — naïve.png"),
    ],
)
def test_a_name_is_made_safe(text: str, name: str) -> None:
    assert safe_name(text) == name
    assert safe_name(name) == name, "a safe name stays"


def test_a_long_name_is_cut_between_characters_and_keeps_its_extension(tmp_path: Path) -> None:
    name = safe_name("图" * 300 + ".png")
    assert name == f"{'图' * 23}-79e313.png" and len(name.encode()) <= 80
    assert safe_name(name) == name
    assert len(safe_name("x" * 300).encode()) == 80
    ends = {safe_name("x" * 300 + each) for each in ("a.png", "b.png")}
    assert len(ends) == 2, "two that begin alike differ"
    assert safe_name("x" * 20 + ".tar", limit=14).startswith("xxx-")
    (tmp_path / name).touch()


def test_names_differ_also_where_case_does_not_count() -> None:
    names = Names()
    taken = [names.take(name) for name in ("a.png", "A.PNG", "a-2.png", "a.png", "noext", "noext", ".x", ".x")]
    assert taken == ["a.png", "A-2.PNG", "a-2-2.png", "a-3.png", "noext", "noext-2", ".x", ".x-2"]


def test_many_equal_names_are_told_apart_without_trying_all_before() -> None:
    names = Names()
    assert len({names.take("a.png") for _ in range(20_000)}) == 20_000


def test_a_folder_is_checked_without_making_it(tmp_path: Path) -> None:
    check_folder(tmp_path / "new" / "newer")
    check_folder(Path("relative") / "new")
    assert names(tmp_path) == []
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    for folder in ("file", "file/below/it", "nowhere/below"):
        with pytest.raises(StoreError, match="is not a folder"):
            check_folder(tmp_path / folder)

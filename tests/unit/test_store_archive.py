"""Archives: what goes out comes in again, and nothing else does."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from rhflow.core.errors import StoreError
from rhflow.store.archive import export
from rhflow.store.store import Store
from rhflow.store.unarchive import Imported, take_in
from rhflow.store.usage import stored
from tests.unit.care_support import file_of, keys_of, make, ran


@pytest.fixture
def store(tmp_path: Path):
    with Store.open(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def other(tmp_path: Path):
    with Store.open(tmp_path / "other") as opened:
        yield opened


@pytest.fixture
def archive(store: Store, tmp_path: Path) -> Path:
    """Return an archive of two results that share a recipe; one is simulated."""
    one, two = make(store, "one"), make(store, "two", realm="simulated")
    ran(store, "r1", "poster", {"draw": one})
    ran(store, "r2", "poster", {"draw": two}, realm="simulated")
    return written(store, tmp_path / "results.tar")


def written(store: Store, target: Path) -> Path:
    export(store, stored(store.database, store.blobs), target)
    return target


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def packed(path: Path, content: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def code_of(error: pytest.ExceptionInfo[StoreError]) -> str:
    (problem,) = error.value.problems
    assert not problem.message.endswith(".") and problem.hint
    return problem.code


def empty(store: Store) -> bool:
    return not keys_of(store) and not list(store.blobs.digests()) and not list((store.root / "tmp").glob("*.part"))


def test_results_come_over_as_they_were(store: Store, other: Store, archive: Path) -> None:
    assert take_in(other, archive) == Imported(2, 0, 2, 6)
    here, there = (list(each.index.all_entries()) for each in (store, other))
    assert sorted(here, key=lambda each: each.key) == there
    assert {each.realm for each in stored(other.database, other.blobs)} == {"live", "simulated"}
    assert [each.places for each in stored(other.database, other.blobs)] == [(("poster", "draw"),)] * 2
    assert other.index.previous("poster", "live", ["draw"]) == store.index.previous("poster", "live", ["draw"])
    assert all(other.blobs.verify(digest) for digest in store.blobs.digests())


def test_importing_again_changes_nothing(other: Store, archive: Path) -> None:
    take_in(other, archive)
    before = list(other.index.all_entries())
    assert take_in(other, archive) == Imported(0, 2, 0, 0)
    assert list(other.index.all_entries()) == before


def test_links_to_the_service_stay_at_home(archive: Path, other: Store) -> None:
    assert b"https://" not in archive.read_bytes()
    take_in(other, archive)
    assert all(file.url is None for each in other.index.all_entries() for file in each.outputs.files)


def test_the_same_results_make_the_same_archive_and_no_file_is_overwritten(store: Store, archive: Path) -> None:
    again = written(store, archive.with_name("again.tar"))
    assert again.read_bytes() == archive.read_bytes()
    with pytest.raises(StoreError) as caught:
        written(store, archive)
    assert code_of(caught) == "target-exists"
    assert sorted(path.name for path in archive.parent.glob("*.tar")) == ["again.tar", "results.tar"]
    assert not list(archive.parent.glob(".*.part"))


@pytest.mark.parametrize("how", ["cut", "changed", "gone"])
def test_a_damaged_file_is_not_exported(store: Store, tmp_path: Path, how: str) -> None:
    path = store.blobs.path(file_of(make(store, "content")))
    results = stored(store.database, store.blobs)
    path.chmod(0o644)
    path.unlink() if how == "gone" else path.write_bytes(b"cont" if how == "cut" else b"c0ntent")
    with pytest.raises(StoreError) as caught:
        export(store, results, tmp_path / "x.tar")
    assert code_of(caught) == "stored-file-damaged"
    assert not list(tmp_path.glob("*.tar")) and not list(tmp_path.glob(".*.part"))


def test_what_is_here_stays_and_what_is_damaged_here_is_healed(store: Store, other: Store, archive: Path) -> None:
    mine = make(other, "one")  # the same call, and what it gave here
    assert take_in(other, archive) == Imported(1, 1, 1, 3)
    path = other.blobs.path(file_of(mine))
    path.chmod(0o644)
    path.write_bytes(b"")
    assert take_in(other, archive) == Imported(1, 1, 1, 3)
    assert other.blobs.verify(file_of(mine)) and len(other.blobs.quarantined()) == 1


def test_a_last_call_of_this_machine_is_not_replaced(other: Store, archive: Path) -> None:
    mine = make(other, "mine")
    ran(other, "r1", "poster", {"draw": mine})
    take_in(other, archive)
    assert other.index.previous("poster", "live", ["draw"])["draw"]["inputs"]["prompt"] == "mine"


def link_to(kind: bytes) -> Callable[[tarfile.TarInfo], None]:
    def change(member: tarfile.TarInfo) -> None:
        member.type, member.linkname = kind, "/etc/passwd"

    return change


@pytest.mark.parametrize(
    "name",
    ["/etc/cron.d/x", "../../x", "blobs/../../x", "blobs/" + "0" * 63 + "/", "blobs/" + "G" * 64, "x", "blobs/a\nb"],
)
def test_a_name_that_is_not_of_an_archive_is_refused_before_anything_is_stored(
    name: str, other: Store, archive: Path, tmp_path: Path
) -> None:
    wrong = packed(tmp_path / "wrong.tar", {**members(archive), name: b"x"})
    with pytest.raises(StoreError) as caught:
        take_in(other, wrong)
    assert code_of(caught) == "bad-archive" and empty(other)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_only_plain_files_come_in(kind: bytes, other: Store, archive: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.tar"
    wrong.write_bytes(archive.read_bytes())
    with tarfile.open(wrong, "a") as tar:
        member = tarfile.TarInfo("blobs/" + "0" * 64)
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(StoreError) as caught:
        take_in(other, wrong)
    assert code_of(caught) == "bad-archive" and empty(other)


def test_a_name_twice_is_refused(other: Store, archive: Path) -> None:
    with tarfile.open(archive, "a") as tar:
        tar.addfile(tarfile.TarInfo("entries.jsonl"))
    with pytest.raises(StoreError, match="twice"):
        take_in(other, archive)
    assert empty(other)


def test_a_file_with_other_bytes_is_refused_and_no_result_comes_in(other: Store, archive: Path, tmp_path: Path) -> None:
    content = members(archive)
    (*_, last) = content
    wrong = packed(tmp_path / "wrong.tar", {**content, last: content[last][::-1]})
    with pytest.raises(StoreError) as caught:
        take_in(other, wrong)
    assert code_of(caught) == "bad-archive"
    assert keys_of(other) == set() and all(other.blobs.verify(digest) for digest in other.blobs.digests())
    assert take_in(other, archive).results == 2, "the right archive comes in afterwards"


def test_an_archive_without_a_file_it_needs_is_refused(other: Store, archive: Path, tmp_path: Path) -> None:
    content = members(archive)
    content.popitem()
    with pytest.raises(StoreError, match="does not hold the file"):
        take_in(other, packed(tmp_path / "wrong.tar", content))
    assert empty(other)


def test_an_archive_cut_anywhere_brings_whole_results_or_none(other: Store, archive: Path, tmp_path: Path) -> None:
    whole = archive.read_bytes()
    cut = tmp_path / "cut.tar"
    for length in range(0, len(whole), 512 + 100):
        cut.write_bytes(whole[:length])
        try:
            take_in(other, cut)
        except StoreError as error:
            assert error.problems[0].code == "bad-archive"
        entries = {each.key for each in other.index.all_entries()}
        assert entries == other.index.entries(sorted(entries)).keys()
    take_in(other, archive)
    assert len(keys_of(other)) == 2


def test_a_newer_archive_asks_for_an_upgrade(other: Store, archive: Path, tmp_path: Path) -> None:
    newer = packed(tmp_path / "newer.tar", {**members(archive), "rhflow-archive.json": b'{"rhflow_archive": 2}'})
    with pytest.raises(StoreError) as caught:
        take_in(other, newer)
    assert code_of(caught) == "archive-newer" and "a newer" in (caught.value.problems[0].hint or "")
    assert empty(other)


def change(line: dict, path: str, value: object) -> dict:
    *parents, name = path.split(".")
    for parent in parents:
        line = line[int(parent) if parent.isdigit() else parent]
    line[name] = value
    return line


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("document.ingredients.realm", "live"),
        ("document.ingredients.inputs", {"prompt": "another"}),
        ("key", "0" * 64),
        ("document.outputs.files.0.digest", "../../../etc/passwd"),
        ("document.outputs.files.0.size", "6"),
        ("document.outputs.files.0.name", None),
        ("document.outputs.files.0.odd", 1),
        ("document.outputs.texts", [1]),
        ("document.created", "then"),
        ("document.cost", ["much", "CNY"]),
        ("document", []),
        ("uses", [1]),
    ],
)
def test_a_result_that_is_not_what_it_says_is_refused(
    path: str, value: object, other: Store, archive: Path, tmp_path: Path
) -> None:
    content = members(archive)
    lines = [json.loads(line) for line in content["entries.jsonl"].splitlines()]
    (line,) = (each for each in lines if each["document"]["ingredients"]["realm"] == "simulated")
    change(line, path, value)
    content["entries.jsonl"] = "\n".join(map(json.dumps, lines)).encode()
    with pytest.raises(StoreError) as caught:
        take_in(other, packed(tmp_path / "wrong.tar", content))
    assert code_of(caught) == "bad-archive" and empty(other)


@pytest.mark.parametrize("content", [b"", b"no archive at all" * 100, bytes(2048)], ids=("empty", "text", "zeros"))
def test_something_else_is_not_an_archive(content: bytes, other: Store, tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        take_in(other, path)
    assert code_of(caught) == "bad-archive"
    with pytest.raises(StoreError, match="does not exist"):
        take_in(other, tmp_path / "gone.tar")

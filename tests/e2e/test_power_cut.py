"""A power cut at every write of a run: what the disk then holds never leads to a wrong result or a second payment.

One run is taped: where the database's log ended and which files there were after each write to either. From the tape
every moment is put together again: with the log also cut back to what had been flushed by then (and always torn in the
middle of what would have come next), with only those bytes in a file that had been flushed, and with delivered files
also gone. In each of these worlds the same recipe is run again, against the service that took the first run's calls.
Files are delivered as copies here, for a copy can be cut short and a link cannot.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from rhflow.app.report import RunReport
from rhflow.app.request import Request
from rhflow.app.runs.run import run
from rhflow.core.events import Event
from rhflow.settings import Settings
from rhflow.store.database import NAME, open_reader
from rhflow.store.store import Store
from rhflow.store.verify import verify
from tests.e2e.case import Simulator

RECIPE = """\
rhflow: 1
name: cut
steps:
  words: {uses: image-to-text, with: {image: photo.png, prompt: say what it is}}
  draw: {uses: text-to-image, with: {prompt: "${{ steps.words.text }}", aspect_ratio: "1:1"}}
outputs:
  picture: ${{ steps.draw.image }}
  words: ${{ steps.words.text }}
"""
WRITES = ("replace", "rename", "symlink", "unlink")
File = tuple[Path, int]
PAID = {"words", "draw"}


@dataclass
class Notes:
    """Watches a run; ``told`` is called after every event."""

    told: Callable[[Event], None] = lambda event: None
    events: list[Event] = field(default_factory=list)

    def start(self, ready: Any, plan: Any) -> None:
        pass

    def event(self, event: Event) -> None:
        self.events.append(event)
        self.told(event)

    def interrupted(self, running: int) -> None:
        pass

    def fetched(self, found: Any) -> None:
        pass

    def ask(self, doubtful: Any, tasks_now: Any) -> Any:
        raise AssertionError("nobody is there to answer")

    def sent(self) -> set[str | None]:
        """Return the nodes that the run was about to send."""
        return {event.node for event in self.events if event.type == "submit.intent"}


@dataclass(frozen=True)
class Moment:
    """What is on the disk: so much of the log, of it so much flushed, these files with so many bytes flushed.

    ``intended`` are the nodes whose intent was on the disk, so that a request may have gone out.
    """

    log: int
    flushed: int
    files: frozenset[File]
    intended: frozenset[str] = frozenset()


class Tape:
    """Notes what is on the disk after each write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.moments = [Moment(0, 0, frozenset())]
        self._flushed: dict[int, int] = {}

    def mark(self, event: Event | None = None) -> None:
        last = self.moments[-1]
        log = (self.folder / "store" / f"{NAME}-wal").stat().st_size
        durable = event is not None and event.type in ("run.started", "submit.intent", "submit.accepted")
        sent = {event.node} if event is not None and event.type == "submit.intent" and event.node else set()
        files = frozenset(self._files())
        self.moments.append(Moment(log, log if durable else last.flushed, files, last.intended | sent))

    def _files(self) -> Iterator[File]:
        for top in ("store/blobs", "store/tmp", "outputs"):
            for path in (self.folder / top).rglob("*"):
                if path.is_symlink() or path.is_file():
                    yield path.relative_to(self.folder), self._flushed.get(path.lstat().st_ino, 0)

    def flush(self, handle: int) -> None:
        """Do what ``os.fsync`` does and note how much of the file is on the disk for certain."""
        os.fdatasync(handle)
        stat = os.fstat(handle)
        self._flushed[stat.st_ino] = stat.st_size
        self.mark()

    def recording(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``call`` with a mark after it."""

        def recorded(*arguments: Any, **named: Any) -> Any:
            result = call(*arguments, **named)
            self.mark()
            return result

        return recorded


def commits(log: bytes) -> list[int]:
    """Return where each transaction ends in a log of SQLite (see "WAL File Format" in its documentation)."""
    size = struct.unpack(">I", log[8:12])[0] + 24
    frames = range(32, len(log) - size + 1, size)
    return [0, *(at + size for at in frames if struct.unpack(">I", log[at + 4 : at + 8])[0])]


@dataclass
class Recorded:
    """A finished run, and every world that a power cut may leave of it."""

    request: Request
    picture: bytes
    words: str
    final: Path
    log: bytes
    worlds: list[Moment]

    @property
    def folder(self) -> Path:
        return self.request.out.parent

    def restore(self, world: Moment) -> None:
        """Put a world on the disk, where the run was."""
        for name in ("store", "outputs"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        store = self.folder / "store"
        for name in ("blobs", "tmp"):
            (store / name).mkdir(parents=True)
        shutil.copy(self.final / "store" / NAME, store)
        (store / f"{NAME}-wal").write_bytes(self.log[: world.log] + self.log[world.log :][:1000])
        for path, size in world.files:
            self._place(path, size)

    def _place(self, path: Path, size: int) -> None:
        target, source = self.folder / path, self.final / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            target.symlink_to(source.readlink())
        else:  # a file that was only on its way has its name at most
            target.write_bytes(source.read_bytes()[:size] if source.exists() else b"")


def carry_out(request: Request, notes: Notes) -> RunReport:
    report, errors = asyncio.run(run(request, notes))
    assert report.status == "unknown" or not errors, errors
    return report


def no_links(*_: object, **__: object) -> None:
    raise OSError(errno.EOPNOTSUPP, "no links here")


def tape(folder: Path, url: str) -> Recorded:
    """Run the recipe once, recording."""
    Image.new("RGB", (32, 32), "teal").save(folder / "photo.png")
    os.utime(folder / "photo.png", (1e9, 1e9))  # old enough to be remembered
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    request = Request(folder / "recipe.yaml", Settings(folder / "store", url, "key"), out=folder / "outputs")
    with Store.open(folder / "store"):
        pass
    main = (folder / "store" / NAME).read_bytes()
    recorder = Tape(folder)
    witness = open_reader(folder / "store")  # while it is open, nobody folds the log into the file
    assert witness is not None
    with witness, pytest.MonkeyPatch.context() as patch:
        witness.rows("SELECT 1 FROM runs")
        for name in WRITES:
            patch.setattr(os, name, recorder.recording(getattr(os, name)))
        patch.setattr(os, "fsync", recorder.flush)
        patch.setattr(os, "link", no_links)
        report = carry_out(request, Notes(recorder.mark))
        log = (folder / "store" / f"{NAME}-wal").read_bytes()
        recorder.mark()
    final = folder / "final"
    for name in ("store", "outputs"):
        shutil.copytree(folder / name, final / name, symlinks=True)
    (final / "store" / NAME).write_bytes(main)
    picture = Path(report.outputs["picture"]).read_bytes()
    return Recorded(request, picture, report.outputs["words"], final, log, list(worlds(recorder.moments, log)))


def worlds(moments: list[Moment], log: bytes) -> Iterator[Moment]:
    """Yield every different world: at each write to a file and after each transaction, whole and cut back."""
    ends = commits(log)
    assert [each.log for each in moments] == sorted(each.log for each in moments), "the log only grew"
    seen: set[Any] = set()
    for at, moment in enumerate(moments):
        later = moments[at + 1].log if at + 1 < len(moments) else len(log)
        grown = [moment.log, *(end for end in ends if moment.log < end <= later)]
        for length in grown:
            for kept in {length, moment.flushed}:
                whole = max(end for end in ends if end <= kept)
                bare = frozenset(each for each in moment.files if each[0].parts[0] != "outputs")
                for files in {moment.files, bare}:
                    if (whole, files) not in seen:
                        seen.add((whole, files))
                        yield Moment(whole, moment.flushed, files, moment.intended)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, simulator: Simulator) -> Recorded:
    return tape(tmp_path_factory.mktemp("cut"), simulator.url)


def test_every_world_a_power_cut_leaves_ends_well(recorded: Recorded, simulator: Simulator) -> None:
    assert len(recorded.worlds) > 20, "the tape holds every write"
    doubtful, sent, before = 0, 0, simulator.stats()["accepted"]
    for world in recorded.worlds:
        recorded.restore(world)
        notes, again = Notes(), Notes()
        report = carry_out(recorded.request, notes)
        assert not notes.sent() & world.intended, "what may have been paid for is not sent again"
        if report.status == "unknown":
            doubtful += 1
            report = carry_out(replace(recorded.request, on_unknown="resubmit"), again)
        assert report.status == "succeeded" and report.outputs["words"] == recorded.words
        assert Path(report.outputs["picture"]).read_bytes() == recorded.picture
        assert not notes.sent() & again.sent() and notes.sent() | again.sent() <= PAID
        sent += len(notes.sent()) + len(again.sent())
        with Store.open(recorded.request.settings.store) as store:
            assert verify(store).sound
            assert store.journal.open_submissions() == {}
    assert simulator.stats()["accepted"] - before == sent, "the service has counted no more"
    assert doubtful, "some cuts fall between a request and its reply"


def test_what_was_paid_for_and_does_not_fit_on_the_disk_is_fetched_again(tmp_path: Path, simulator: Simulator) -> None:
    (tmp_path / "recipe.yaml").write_text(
        "rhflow: 1\nsteps: {draw: {uses: text-to-image, with: {prompt: too large, aspect_ratio: 1:1}}}\n"
    )
    settings = Settings(tmp_path / "store", simulator.url, "key")
    request = Request(tmp_path / "recipe.yaml", settings, out=tmp_path / "outputs")
    before, full, again = simulator.stats()["accepted"], Notes(), Notes()
    with Store.open(settings.store), pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", no_room)
        report, errors = asyncio.run(run(request, full))
    assert report.status == "failed" and [each.problems[0].code for each in errors] == ["store-full"]
    assert not list((tmp_path / "store" / "tmp").glob("*.part")) and not (tmp_path / "outputs").exists()
    report = carry_out(request, again)
    assert report.status == "succeeded" and Path(report.head[0].files[0]).stat().st_size
    assert full.sent() == {"draw"} and again.sent() == set()
    assert simulator.stats()["accepted"] - before == 1


def no_room(*_: object) -> None:
    raise OSError(errno.ENOSPC, "no space left on device")

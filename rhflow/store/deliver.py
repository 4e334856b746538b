"""Brings files from the store to where the user wants them, and remembers what lies where.

A delivered file is a hard link to its blob where the file system allows: no time, no space. The two then share one
inode, which is read-only (0444), so an editor that writes in place is refused instead of damaging the store, and one
that saves beside and renames parts the two cleanly. Where links are impossible (another disk, FAT) the file is cloned
or copied, and then is the user's own. Links as the only way were rejected (Windows across drives), copies as the only
way too: a video pipeline would take its space twice.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from rhflow.core.errors import Problem, StoreError
from rhflow.store.database import Database
from rhflow.store.failures import translated
from rhflow.store.files import READ_ONLY, copy_file, remove_file, sha256_file, sync_file, temporary_name

if TYPE_CHECKING:
    from concurrent.futures import Future

    from rhflow.store.blobs import Blobs

Delivered = Literal["linked", "copied", "present"]
LATEST: Final = "latest"


def deliver(blob: Path, target: Path) -> Delivered:
    """Put the file ``blob`` at ``target``, whole or not at all; ``present`` when the same content is there already.

    Never overwrites anything else: that is a StoreError, as is a blob that is gone.
    """
    with translated(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if not blob.exists():
            raise StoreError(Problem("store-missing-blob", f"`{blob}`, the content of `{target}`, is not in the store"))
        try:
            os.link(blob, target)
        except OSError:
            # It exists, another disk, no links here, too many links: whatever it is, the longer way finds out.
            return _copy(blob, target)
        return "linked"


def deliver_text(content: bytes, target: Path) -> Delivered:
    """Put ``content`` at ``target`` as ``deliver`` does, read-only too: a text lies in the index and is no blob."""

    def is_same() -> bool:
        return target.read_bytes() == content

    with translated(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(target):
            return _accept(target, is_same)
        return _place(target, lambda path: path.write_bytes(content), is_same, READ_ONLY)


def check_folder(folder: Path) -> None:
    """Raise StoreError where ``folder`` cannot be made or written into, as far as that shows without making it.

    Asked before anything is paid: a result that cannot be handed over should not be bought.
    """
    there = next((each for each in (folder, *folder.parents) if os.path.lexists(each)), Path())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return
    why = "may not be written to" if there.is_dir() else "is not a folder"
    hint = "deliver elsewhere with `--out DIR`"
    raise StoreError(Problem("out-unusable", f"files cannot go to `{folder}`: `{there}` {why}", hint=hint))


class FileDamagedError(StoreError):
    """A stored file is not there any more, or not what it was."""


def deliver_all(blobs: Blobs, files: Iterable[tuple[str, Path]], texts: Mapping[str, bytes] | None = None) -> int:
    """Deliver (digest, target) pairs and return how many were not there before; ``texts`` are contents by digest.

    Whatever is to be put anywhere is read and compared with its digest first, unless this process brought it. Raises
    FileDamagedError for all that is damaged or missing at once, with nothing delivered; what is damaged is then moved
    aside.
    """
    wanted, own = list(files), texts or {}
    stored = [(digest, target) for digest, target in wanted if digest not in own]
    lost = [target for digest, target in stored if not os.path.lexists(target) and not blobs.sound(digest)]
    if lost:
        hint = "`rhflow plan RECIPE` shows what it costs to make it anew; running again does so"
        raise FileDamagedError(
            Problem("stored-file-damaged", f"`{each.name}` is damaged or missing in the store", hint=hint)
            for each in lost
        )
    done = (
        deliver_text(own[digest], target) if digest in own else deliver(blobs.path(digest), target)
        for digest, target in wanted
    )
    return sum(each != "present" for each in done)


def point_latest(folder: Path) -> None:
    """Make ``latest`` beside ``folder`` point at it: a symbolic link, or a file with the name where there are none."""
    pointer = folder.parent / LATEST
    temporary = folder.parent / f".{temporary_name()}"
    with translated(pointer):
        try:
            try:
                temporary.symlink_to(folder.name, target_is_directory=True)
            except (OSError, NotImplementedError):
                temporary.write_bytes(os.fsencode(folder.name))
            temporary.replace(pointer)
        finally:
            remove_file(temporary)


def read_latest(parent: Path) -> Path | None:
    """Return the folder that ``latest`` in ``parent`` points at, or None when there is none."""
    pointer = parent / LATEST
    with translated(pointer):
        if pointer.is_symlink():
            folder = parent / pointer.readlink()
        elif pointer.is_file():
            folder = parent / os.fsdecode(pointer.read_bytes()).strip()
        else:
            return None
        return folder if folder.is_dir() else None


def delivery_signature(files: Iterable[tuple[str, str]], out: Path) -> str:
    """Return the hash of what is delivered: (name, digest) pairs in any order, and the folder of all runs."""
    text = json.dumps([os.fspath(out.absolute()), sorted(files)])
    return hashlib.sha256(f"delivery\n{text}".encode()).hexdigest()


class Deliveries:
    """Which run's folder already holds a set of files, so that a run that changed nothing delivers nothing twice."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find_delivery(self, signature: str) -> tuple[str, Path] | None:
        """Return the run and the folder; the folder may have been emptied since, so ``deliver`` into it again."""
        for run, folder in self._database.rows("SELECT run, folder FROM deliveries WHERE signature = ?", (signature,)):
            return run, Path(json.loads(folder))
        return None

    def remember_delivery(self, signature: str, run: str, folder: Path) -> Future[None]:
        """Note that ``folder`` holds the files of ``signature``."""
        row = (signature, run, json.dumps(os.fspath(folder)))  # JSON: the path need not be Unicode

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO deliveries VALUES (?, ?, ?)", row)

        return self._database.submit(write)


def _accept(target: Path, is_same: Callable[[], bool]) -> Delivered:
    """Say that ``target`` is there already, or refuse to touch it."""
    if target.is_file() and is_same():
        return "present"
    hint = "move it away, or deliver elsewhere with `--out`"
    raise StoreError(Problem("target-exists", f"`{target}` exists and is something else", hint=hint))


def _same_content(blob: Path, target: Path) -> bool:
    if target.samefile(blob):
        return True
    return target.stat().st_size == blob.stat().st_size and sha256_file(target) == sha256_file(blob)


def _copy(blob: Path, target: Path) -> Delivered:
    if os.path.lexists(target):
        return _accept(target, partial(_same_content, blob, target))
    return _place(target, partial(copy_file, blob), partial(_same_content, blob, target))


def _place(
    target: Path, fill: Callable[[Path], object], is_same: Callable[[], bool], mode: int | None = None
) -> Delivered:
    """Put a new file at ``target``, whole or not at all; ``fill`` writes it."""
    temporary = target.with_name(f".{temporary_name()}")
    try:
        fill(temporary)
        sync_file(temporary)  # or a power cut may leave the name without the bytes
        if mode is not None:
            temporary.chmod(mode)
        try:
            os.link(temporary, target)  # unlike a rename, this never replaces what somebody else has just put there
        except FileExistsError:
            return _accept(target, is_same)
        except OSError:
            temporary.rename(target)
    finally:
        remove_file(temporary)
    return "copied"

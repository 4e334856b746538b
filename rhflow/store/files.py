"""File handling that the blobs and the delivery share: streaming, copying, and making things last."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import BinaryIO, Final

CHUNK: Final = 1 << 20
READ_ONLY: Final = 0o444
_CLONE: Final = 0x40049409
"""Linux's FICLONE: the copy shares the original's disk blocks until one of the two changes (Btrfs, XFS, bcachefs)."""


def sha256_file(path: Path) -> str:
    """Return the SHA-256 (lower-case hex) of a file, read in pieces; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy_file(source: Path, target: Path) -> None:
    """Fill the new file ``target`` with the bytes of ``source``, sharing disk blocks where the file system can.

    Raises OSError, FileExistsError among them; the caller removes a target that could not be filled.
    """
    with source.open("rb") as reading, target.open("xb") as writing:
        if not _clone(reading, writing):
            while chunk := reading.read(CHUNK):
                writing.write(chunk)


def sync_file(path: Path) -> None:
    """Return once the file's bytes are on the disk."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(path: Path) -> None:
    """Return once the names in a folder are on the disk; Windows sees to that itself."""
    if sys.platform != "win32":
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_file(path: Path) -> None:
    """Remove a file if it is there, even a read-only one."""
    try:
        path.unlink(missing_ok=True)
    except PermissionError:
        # Windows refuses to remove a read-only file.
        path.chmod(0o644)
        path.unlink(missing_ok=True)


def temporary_name() -> str:
    """Return a file name that nobody else will come up with."""
    return f"{os.getpid()}-{os.urandom(8).hex()}.part"


def _clone(reading: BinaryIO, writing: BinaryIO) -> bool:
    if sys.platform == "linux":
        import fcntl  # imported late: most files are linked, not copied

        try:
            fcntl.ioctl(writing.fileno(), _CLONE, reading.fileno())
        except OSError:
            return False
        return True
    else:  # noqa: RET505 (for the type checker, which knows one platform at a time)
        return False

"""The errors of this room: a file that is not what it should be, one that cannot be written."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rhflow.core.errors import Problem, StepError


class UnreadableMediaError(StepError):
    """A media file is empty, damaged, or not of the kind that is needed."""


def unreadable(name: str, why: str, *, hint: str | None = None) -> UnreadableMediaError:
    """Return the error for the file ``name``; ``why`` completes "cannot read `name`: ..."."""
    return UnreadableMediaError(Problem("unreadable-media", f"cannot read `{name}`: {why}", hint=hint))


@contextmanager
def reading(path: Path, name: str | None = None) -> Iterator[None]:
    """Turn what Pillow and FFmpeg raise about a bad file into an UnreadableMediaError.

    A file that is missing stays an OSError: that is not the file's content. av's own errors are OSErrors and
    ValueErrors of its own classes, so they are told apart by class and not by number. Neither library is loaded for
    this: a picture needs no FFmpeg, whose modules take longer than all others of a run.
    """
    try:
        yield
    except _raised_by("av", "FFmpegError") as error:
        if isinstance(error, FileNotFoundError | PermissionError):
            raise
        raise unreadable(name or path.name, _reason(error.strerror or str(error))) from error
    except _raised_by("PIL.Image", "DecompressionBombError") as error:
        raise unreadable(name or path.name, "the picture is too large to open safely") from error
    except (*_raised_by("PIL", "UnidentifiedImageError"), SyntaxError, EOFError, ValueError) as error:
        raise unreadable(name or path.name, "the picture is damaged or of an unknown format") from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise unreadable(name or path.name, _reason(str(error))) from error


@contextmanager
def making(name: str) -> Iterator[None]:
    """Turn what FFmpeg and the system raise when a file cannot be written into a StepError about ``name``."""
    import av

    try:
        yield
    except (av.FFmpegError, OSError) as error:
        message = f"cannot make `{name}`: {_reason(error.strerror or str(error))}"
        hint = "see whether there is room on the disk of the store, and run again"
        raise StepError(Problem("cannot-make", message, hint=hint)) from error


def _raised_by(module: str, name: str) -> tuple[Any, ...]:
    """Return an exception class of a library to catch, or nothing: a library that is not loaded has raised nothing."""
    found = getattr(sys.modules.get(module), name, None)
    return () if found is None else (found,)


def _reason(text: str) -> str:
    """Return a library's message in the manner of ours: lower case, no final period."""
    text = text.strip().rstrip(".")
    return text[:1].lower() + text[1:] if text else "the file is damaged"

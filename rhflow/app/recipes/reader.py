"""Reads text files next to a recipe for ``file(…)`` and ``glob(…)``: inside its folder, and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from rhflow.core.errors import nearest
from rhflow.core.expr.bounds import SandboxError

MAX_BYTES = 1_000_000
MAX_ENTRIES = 20_000  # looked at by one pattern


class FolderReader:
    """Reads below one folder, each file once; ``seen`` are the files and folders it looked at, for the whole-run memo.

    A path stays inside the folder also where a link points elsewhere. Line ends become ``\\n``, so that a recipe means
    the same on every system.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._texts: dict[Path, str] = {}
        self.seen: set[Path] = set()

    def text(self, path: str) -> str:
        """Return the text of the file at ``path``, relative to the folder. Raises SandboxError."""
        target = self._inside(path)
        if target not in self._texts:
            self._texts[target] = _read(target, path)
            self.seen.add(target)
        return self._texts[target]

    def glob(self, pattern: str) -> list[str]:
        """Return the sorted paths of the files that match, relative to the folder. Raises SandboxError.

        ``*`` and ``?`` stay within a name, ``**`` goes into folders. Names that begin with a dot match only where the
        pattern has the dot.
        """
        parts = [part for part in _parts(pattern) if part != "."]
        walk = _Walk(self.seen)
        try:
            found = {path for path in walk.files(self._folder, parts) if self._is_inside(path)}
        except OSError as error:
            raise SandboxError("no-such-file", f"`{pattern}` cannot be looked for: {error.strerror}") from None
        return sorted(path.relative_to(self._folder).as_posix() for path in found)

    def _inside(self, path: str) -> Path:
        target = self._folder.joinpath(*_parts(path))
        if not self._is_inside(target):
            raise SandboxError("outside", f"`{path}` leads out of the recipe's folder", hint="copy the file next to it")
        return target

    def _is_inside(self, path: Path) -> bool:
        try:
            return path.resolve().is_relative_to(self._folder.resolve())
        except (OSError, RuntimeError):  # links in a circle
            return False


def _parts(path: str) -> tuple[str, ...]:
    """Return the parts of a path that stays where it begins. Raises SandboxError for any other."""
    parts = PurePosixPath(path.replace(os.sep, "/")).parts
    if "\0" in path or not parts:
        raise SandboxError("no-such-file", "a path cannot be empty or hold a zero byte")
    if ".." in parts or path.startswith("/") or Path(path).is_absolute() or Path(path).drive:
        hint = "paths count from the recipe, and stay in its folder"
        raise SandboxError("outside", f"`{path}` leads out of the recipe's folder", hint=hint)
    return parts


def _read(target: Path, path: str) -> str:
    try:
        if not target.is_file():
            what = f"`{path}` is not a file" if target.exists() else f"there is no file `{path}`"
            raise SandboxError("no-such-file", what, hint=_similar(target, path))
        if target.stat().st_size > MAX_BYTES:
            raise SandboxError("too-large", f"`{path}` is larger than {MAX_BYTES // 1_000_000} MB")
        data = target.read_bytes()
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        message = f"`{path}` is not UTF-8 text (byte {error.start})"
        raise SandboxError("not-utf8", message, hint="save it as UTF-8") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise SandboxError("no-such-file", f"`{path}` cannot be read: {why}") from None


def _similar(target: Path, path: str) -> str | None:
    if not target.parent.is_dir():
        return "paths count from the recipe's folder"
    found = nearest(target.name, [each.name for each in target.parent.iterdir()])
    return (
        f"did you mean `{PurePosixPath(path).with_name(found)}`?" if found else "paths count from the recipe's folder"
    )


class _Walk:
    """Goes through folders as far as a pattern needs, never through links to folders."""

    def __init__(self, seen: set[Path]) -> None:
        self._seen = seen
        self._left = MAX_ENTRIES

    def files(self, folder: Path, parts: list[str]) -> Iterator[Path]:
        """Yield the files below ``folder`` that match the parts of a pattern."""
        head, *rest = parts
        if head == "**":
            while rest and rest[0] == "**":
                rest = rest[1:]
            yield from self.files(folder, rest or ["*"])
        for entry in self._entries(folder):
            if head == "**":
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                    yield from self.files(Path(entry.path), parts)
            elif _matches(entry.name, head):
                if rest and entry.is_dir(follow_symlinks=False):
                    yield from self.files(Path(entry.path), rest)
                elif not rest and entry.is_file():
                    yield Path(entry.path)

    def _entries(self, folder: Path) -> list[os.DirEntry[str]]:
        self._seen.add(folder)
        with os.scandir(folder) as found:
            entries = []
            for entry in found:
                self._left -= 1
                if self._left < 0:
                    hint = "name the folder that is meant"
                    raise SandboxError("too-large", f"the pattern looks at more than {MAX_ENTRIES:,} files", hint=hint)
                entries.append(entry)
        return entries


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) and (not name.startswith(".") or pattern.startswith("."))

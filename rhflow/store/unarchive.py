"""Taking results out of an archive: looked through first, then file by file, and the entries after their files.

Nothing of an archive is ever used as a path, and one that tries is refused before anything is stored. A result that is
here already stays as it is: what a model gives differs from call to call, and what was built on it must still fit.
"""

from __future__ import annotations

import json
import re
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from rhflow.core import canonical
from rhflow.core.errors import Problem, StoreError
from rhflow.core.values import Entry
from rhflow.store.archive import BLOBS, ENTRIES_NAME, HEAD_NAME, MARK, VERSION, Hashing
from rhflow.store.failures import translated
from rhflow.store.files import CHUNK
from rhflow.store.store import Store

_BLOB: Final = re.compile(r"blobs/([0-9a-f]{64})")
_MOST_HEAD: Final = 1 << 16
_MOST_ENTRIES: Final = 1 << 29
_AGAIN = "copy the archive again, from where it was exported"


@dataclass(frozen=True, slots=True)
class Imported:
    """How many results came in and how many were here already; files and bytes that came in."""

    results: int
    present: int
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class _Line:
    entry: Entry
    uses: tuple[tuple[str, str], ...]


def take_in(store: Store, source: Path) -> Imported:
    """Bring the results of an archive into the store. Harmless when repeated. Raises StoreError."""
    with _opened(source) as tar:
        members = _members(tar, source)
        _check_head(_text(tar, members.get(HEAD_NAME), _MOST_HEAD, source), source)
        lines = list(_lines(_text(tar, members.get(ENTRIES_NAME), _MOST_ENTRIES, source), source))
        here = store.index.entries([each.entry.key for each in lines])
        new = [each for each in lines if each.entry.key not in here]
        wanted = dict.fromkeys(file.digest for each in new for file in each.entry.outputs.files)
        if missing := [digest for digest in wanted if BLOBS + digest not in members]:
            raise _bad(source, f"does not hold the file {missing[0][:12]}, which a result of it names")
        lacking = [digest for digest in wanted if not store.blobs.sound(digest)]
        sizes = [_take_file(tar, members[BLOBS + digest], store, source) for digest in lacking]
    for each in new:
        store.index.put(each.entry)
    store.database.submit(_remember(lines), durable=True).result()
    store.database.flush()
    return Imported(len(new), len(lines) - len(new), len(sizes), sum(sizes))


@contextmanager
def _opened(source: Path) -> Iterator[tarfile.TarFile]:
    with translated(source):
        try:
            with tarfile.open(source, "r:") as tar:
                yield tar
        except (tarfile.TarError, EOFError) as error:
            raise _bad(source, f"cannot be read as an archive: {error}") from error


def _bad(source: Path, what: str, hint: str = _AGAIN) -> StoreError:
    return StoreError(Problem("bad-archive", f"`{source}` {what}", hint=hint))


def _members(tar: tarfile.TarFile, source: Path) -> dict[str, tarfile.TarInfo]:
    """Return the members by name, every one of them what it should be."""
    found: dict[str, tarfile.TarInfo] = {}
    own = "`rhflow cache export FILE` makes archives that can be imported"
    for member in tar:
        plain = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not member.issparse()
        if not plain or (member.name not in (HEAD_NAME, ENTRIES_NAME) and _BLOB.fullmatch(member.name) is None):
            what = "`" + member.name.encode("unicode_escape").decode()[:80] + "`"
            raise _bad(source, f"holds {what}, which has no business in an archive of results", own)
        if member.name in found:
            raise _bad(source, f"holds `{member.name}` twice", own)
        found[member.name] = member
    if HEAD_NAME not in found:
        raise _bad(source, "is not an archive of results", own)
    return found


def _text(tar: tarfile.TarFile, member: tarfile.TarInfo | None, most: int, source: Path) -> str:
    if member is None:
        raise _bad(source, "ends before its list of results")
    if member.size > most:
        raise _bad(source, f"has a list of {member.size:,} bytes, {most:,} are the most")
    file = tar.extractfile(member)
    assert file is not None, "it is a regular file"
    content = file.read()
    if len(content) != member.size:
        raise _bad(source, "ends early")
    return content.decode("utf-8", "replace")


def _check_head(text: str, source: Path) -> None:
    try:
        version = json.loads(text)[MARK]
    except (ValueError, KeyError, TypeError):
        version = None
    if not isinstance(version, int):
        raise _bad(source, "does not say which version of archives it is")
    if version > VERSION:
        message = f"`{source}` was written by a newer rhflow (version {version} of archives, this one knows {VERSION})"
        hint = "use the rhflow that wrote it, or a newer one: `rhflow --version` tells which this is"
        raise StoreError(Problem("archive-newer", message, hint=hint))


def _lines(text: str, source: Path) -> Iterator[_Line]:
    for number, line in enumerate(text.splitlines(), 1):
        try:
            yield _line(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            raise _bad(source, f"has a result that cannot be read, on line {number} of its list") from error


def _line(data: Any) -> _Line:
    entry = Entry.from_json(data["key"], data["document"])
    # The key is the hash of what went in, the realm among it: a simulated result cannot pass for a live one.
    if canonical.digest("call", data["document"]["ingredients"]) != entry.key:
        raise ValueError("the key is not that of the call")
    files = tuple(replace(file, url=None, path=None) for file in entry.outputs.files)
    texts = (*entry.outputs.texts, *(part for file in files for part in (file.name, file.media_type)))
    numbers = (entry.created, entry.seconds, *(file.size for file in files))
    named = all(_BLOB.fullmatch(BLOBS + file.digest) for file in files)
    if not named or not all(isinstance(each, str) for each in texts):
        raise TypeError("a file or a text is not what it should be")
    if not all(isinstance(each, int | float) and each >= 0 for each in numbers):
        raise TypeError("a time or a size is not a number")
    uses = tuple((str(pipeline), str(node)) for pipeline, node in data["uses"])
    return _Line(replace(entry, outputs=replace(entry.outputs, files=files)), uses)


def _take_file(tar: tarfile.TarFile, member: tarfile.TarInfo, store: Store, source: Path) -> int:
    file = tar.extractfile(member)
    assert file is not None, "it is a regular file"
    reading, digest = Hashing(file), member.name.removeprefix(BLOBS)
    with store.blobs.incoming() as temporary:
        with translated(temporary), temporary.open("xb") as writing:
            while chunk := reading.read(CHUNK):
                writing.write(chunk)
        if reading.digest() != digest:
            raise _bad(source, f"holds the file {digest[:12]} with other bytes than it had")
        store.blobs.commit(temporary, digest)
    return member.size


def _remember(lines: list[_Line]) -> Any:
    """Note which nodes used the results, where nothing is known of those nodes here."""
    rows = [
        (pipeline, str(each.entry.ingredients.get("realm")), node, each.entry.key)
        for each in lines
        for pipeline, node in each.uses
    ]

    def write(connection: sqlite3.Connection) -> None:
        connection.executemany("INSERT OR IGNORE INTO last_calls VALUES (?, ?, ?, ?)", rows)

    return write

"""Rows of a table next to a recipe, for loops and batches: CSV with a head line, JSON lines, or names of files."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from typing import Any

from rhflow.core.errors import nearest
from rhflow.core.text.located import Reader

SOURCES = ("glob", "csv", "jsonl")
_LOOKS_LIKE = {"glob": r".*[*?].*", "csv": r".*\.[ct]sv", "jsonl": r".*\.(jsonl?|ndjson)", "range": r"[0-9]+"}
"""What stands under the names of sources, and of a range, when they are written right."""


class TableError(Exception):
    """A table that cannot be read; ``line`` counts from 1."""

    def __init__(self, line: int, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.line, self.message, self.hint = line, message, hint


def source_of(value: Any) -> str | None:
    """Return which source a mapping names (``{csv: shots.csv}``), or None when it is just a mapping."""
    name = next(iter(value)) if isinstance(value, Mapping) and len(value) == 1 else None
    return name if name in SOURCES else None


def meant_source(value: Any) -> str | None:
    """Return the source, or ``range``, that a mapping seems to mean and misspells, as in ``{cvs: shots.csv}``."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    (name, given), *_ = value.items()
    meant = None if name in _LOOKS_LIKE else nearest(str(name), _LOOKS_LIKE)
    plain = isinstance(given, str | int) and not isinstance(given, bool)
    return meant if meant is not None and plain and re.fullmatch(_LOOKS_LIKE[meant], str(given)) else None


def read_source(spec: Mapping[str, Any], reader: Reader) -> list[Any]:
    """Return the items of ``{glob: pattern}``, ``{csv: file}`` or ``{jsonl: file}``.

    Raises TableError, and SandboxError for a file that is not there or not to be read.
    """
    (name, path), *_ = spec.items()
    if not isinstance(path, str):
        raise TableError(1, f"`{name}` needs the name of a file, not `{path}`")
    if name == "glob":
        return list(reader.glob(path))
    text = reader.text(path)
    return [row for _, row in (csv_rows(text) if name == "csv" else json_rows(text))]


def csv_rows(text: str) -> list[tuple[int, dict[str, str]]]:
    """Return the rows after the head, each with the line it begins at; empty cells and rows are left out.

    Raises TableError.
    """
    # By the lines of CSV, as a cell in quotes may have some, and strictly, as a quote that nobody closes takes the rest
    table = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    rows: list[tuple[int, dict[str, str]]] = []
    head: list[str] | None = None
    begins = 1
    try:
        for cells in table:
            if head is None and cells:
                head = _head(cells, begins)
            elif head is not None and any(cells):
                if len(cells) != len(head):
                    hint = "put quotes around a text with a comma"
                    raise TableError(begins, "there are not as many cells as in the head", hint)
                rows.append((begins, {name: cell for name, cell in zip(head, cells, strict=True) if cell != ""}))
            begins = table.line_num + 1
    except csv.Error as error:
        raise _quote_error(begins, str(error)) from None
    return rows


def _head(cells: list[str], line: int) -> list[str]:
    """Return the names of the columns. Raises TableError."""
    head = [cell.strip() for cell in cells]
    for mark, what in ((";", "`;`"), ("\t", "tabs")):
        if len(head) == 1 and mark in head[0]:
            raise TableError(line, f"the columns are separated by {what}", "separate them by commas, also in the head")
    for at, name in enumerate(head):
        if name and name in head[:at]:  # columns without a name are what spreadsheets leave
            raise TableError(line, f"two columns are called `{name}`", "rename one")
    return head


def _quote_error(line: int, message: str) -> TableError:
    if "unexpected end" in message:
        return TableError(line, "a quote is opened and never closed", 'close it, or write `""` for a quote in a text')
    if "expected after" in message:
        hint = 'write `""` for a quote in a text, and nothing after the closing one'
        return TableError(line, "a closing quote is not the end of its cell", hint)
    return TableError(line, f"it is not CSV: {message}")


def json_rows(text: str) -> list[tuple[int, Any]]:
    """Return the value of every line that is not empty, with the number of the line. Raises TableError."""
    rows = []
    for at, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                rows.append((at, json.loads(line)))
            except ValueError as error:
                raise TableError(at, f"it is not JSON: {error}", "write one value per line") from None
    return rows

"""Rows of a table next to a recipe, for loops and batches: CSV with a head line, JSON lines, or names of files."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from typing import Any

from rhflow.core.text.source import Reader

SOURCES = ("glob", "csv", "jsonl")


class TableError(Exception):
    """A table that cannot be read; ``line`` counts from 1."""

    def __init__(self, line: int, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.line, self.message, self.hint = line, message, hint


def source_of(value: Any) -> str | None:
    """Return which source a mapping names (``{csv: shots.csv}``), or None when it is just a mapping."""
    name = next(iter(value)) if isinstance(value, Mapping) and len(value) == 1 else None
    return name if name in SOURCES else None


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
    return list(csv_rows(text) if name == "csv" else json_rows(text))


def csv_rows(text: str) -> list[dict[str, str]]:
    """Return a row per line after the head; empty cells are left out. Raises TableError."""
    table = csv.DictReader(text.removeprefix("\ufeff").splitlines())
    rows = []
    for row in table:
        if None in row or None in row.values():
            hint = "put quotes around a text with a comma"
            raise TableError(table.line_num, "there are not as many cells as in the head", hint)
        rows.append({name.strip(): value for name, value in row.items() if value != ""})
    return rows


def json_rows(text: str) -> list[Any]:
    """Return the value of every line that is not empty. Raises TableError."""
    rows = []
    for at, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except ValueError as error:
                raise TableError(at, f"it is not JSON: {error}", "write one value per line") from None
    return rows

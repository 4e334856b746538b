"""The variants that a command asks for: every combination of swept values, or a row of a table each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rhflow.app.recipes.load import read_text
from rhflow.app.request import Request
from rhflow.core.errors import Problem, Source, Span, UsageError, did_you_mean
from rhflow.core.graph.variants import MAX_VARIANTS, Variant, cross, named
from rhflow.core.recipe.document import Pipeline
from rhflow.core.recipe.keys import key_of
from rhflow.core.recipe.tables import TableError, csv_rows, json_rows

_RANGE = re.compile(r"(-?[0-9]+)\.\.(-?[0-9]+)\Z")
_TABLES = {".csv": csv_rows, ".jsonl": json_rows}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a batch: parameters as given, and where they stand."""

    span: Span
    values: Mapping[str, Any]


def variants_of(request: Request, pipeline: Pipeline) -> list[tuple[Variant, Row | None]]:
    """Return the variants of a request with the row each comes from, none for a plain run. Raises UsageError."""
    if not request.sweep and request.batch is None:
        return []
    for name, _ in request.sweep:
        if name not in pipeline.params:
            raise UsageError(_unknown(name, f"the recipe has no parameter `{name}`", pipeline))
        if pipeline.params[name].secret:
            hint = f"give it in a `--batch` whose rows have a `key`, or run once for each with `-p {name}=…`"
            raise UsageError(_told(name, hint))
    swept = cross({name: _values(name, text) for name, text in request.sweep}) if request.sweep else []
    rows = _rows(request.batch, pipeline) if request.batch is not None else []
    if len(rows or [0]) * len(swept or [0]) > MAX_VARIANTS:
        message = f"{len(rows or [0]) * len(swept or [0]):,} variants are more than {MAX_VARIANTS:,}"
        raise UsageError(Problem("too-many-variants", message, hint="sweep in parts"))
    named_rows = list(zip(named([row.values for row in rows]), rows, strict=True))
    if not swept:
        return list(named_rows)
    if not rows:
        return [(each, None) for each in swept]
    return [
        (Variant(f"{variant.label}-{each.label}", {**variant.params, **each.params}), row)
        for variant, row in named_rows
        for each in swept
    ]


def _unknown(name: str, message: str, pipeline: Pipeline, span: Span | None = None) -> Problem:
    hint = did_you_mean(name, pipeline.params) or "the recipe declares no parameters"
    return Problem("unknown-param", message, span, hint=hint)


def _told(name: str, hint: str, span: Span | None = None) -> Problem:
    """Return the problem of a secret that would be told: variants, and their folders, are named by their values."""
    return Problem(
        "secret-name", f"parameter `{name}` is secret, and its values would name the variants", span, hint=hint
    )


def _values(name: str, text: str) -> Sequence[str]:
    """Return ``a,b,c`` or ``1..8`` as a list of texts."""
    if (match := _RANGE.match(text)) is not None:
        first, last = int(match[1]), int(match[2])
        if abs(last - first) >= MAX_VARIANTS:
            raise UsageError(Problem("too-many-variants", f"`--sweep {name}={text}` is too long a range"))
        step = 1 if last >= first else -1
        return [str(number) for number in range(first, last + step, step)]
    values = [each.strip() for each in text.split(",") if each.strip()]
    if not values:
        hint = f"write `--sweep {name}=a,b` or `--sweep {name}=1..8`"
        raise UsageError(Problem("bad-option", f"`--sweep {name}=` has no values", hint=hint))
    return values


# --- batches ---------------------------------------------------------------------------------------------------------


def _rows(path: Path, pipeline: Pipeline) -> list[Row]:
    """Return the rows of a batch. Raises UsageError where the table is wrong in itself or for this recipe."""
    source = Source(str(path), _text(path))
    try:
        table: list[tuple[int, Any]] = list(_TABLES[path.suffix](source.text))
    except TableError as error:
        raise UsageError(Problem("bad-batch", error.message, _line(source, error.line), hint=error.hint)) from None
    if not table:
        hint = "write a line of values under the head" if path.suffix == ".csv" else "write one `{…}` per line"
        raise UsageError(Problem("bad-batch", f"`{path}` has no rows, so there is nothing to run", hint=hint))
    rows = []
    for line, values in table:
        if not isinstance(values, dict) or not values:
            message = "a row must be a mapping of parameters" + (", and this one is empty" if values == {} else "")
            hint = 'write it as `{"name": "value"}`'
            raise UsageError(Problem("bad-batch", message, _line(source, line), hint=hint))
        rows.append(Row(_line(source, line), values))
    _refuse_unknown(rows, pipeline)
    _refuse_secrets(rows, pipeline)
    _refuse_twins(rows)
    return rows


def _text(path: Path) -> str:
    """Return the text of a table; of one that is not there, say which one it may have meant."""
    if path.suffix not in _TABLES:
        hint = "use a `.csv` with a head line, or a `.jsonl`"
        raise UsageError(Problem("bad-batch", f"`{path}` is no table that can be read", hint=hint))
    return read_text(path, otherwise="paths of `--batch` count from this folder", like=f"*{path.suffix}")


def _refuse_unknown(rows: Sequence[Row], pipeline: Pipeline) -> None:
    """Refuse a column that is no parameter; ``key`` names the row."""
    for row in rows:
        for name in row.values:
            if name not in pipeline.params and name != "key":
                message = f"the batch gives `{name}`, and the recipe has no such parameter"
                raise UsageError(_unknown(name, message, pipeline, row.span))


def _refuse_secrets(rows: Sequence[Row], pipeline: Pipeline) -> None:
    """Refuse a row that has a secret and no name of its own."""
    for row in rows:
        secret = next((name for name in row.values if name in pipeline.params and pipeline.params[name].secret), None)
        if secret is not None and row.values.get("key") is None:
            raise UsageError(_told(secret, "add a column `key`, which names the row", row.span))


def _refuse_twins(rows: Sequence[Row]) -> None:
    """Refuse two rows that say themselves that they are called the same: their files would change places."""
    seen: dict[str, Row] = {}
    for row in rows:
        if row.values.get("key") is None:
            continue
        key = key_of(row.values["key"])
        if (first := seen.setdefault(key, row)) is not row:
            message = f"this row has the key `{key}`, as line {first.span.line} has"
            raise UsageError(Problem("duplicate-item", message, row.span, hint="rename one, or leave the column out"))


def _line(source: Source, number: int) -> Span:
    """Return the place of a line."""
    start = source.line_starts[number - 1] if number <= len(source.line_starts) else len(source.text)
    return source.span(start, start + max(1, len(source.line(number))))

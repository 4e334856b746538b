"""The variants that a command asks for: every combination of swept values, or a row of a table each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rhflow.app.recipes.load import read_text
from rhflow.app.request import Request
from rhflow.core.errors import Problem, UsageError, did_you_mean
from rhflow.core.graph.variants import MAX_VARIANTS, Variant, cross, named
from rhflow.core.recipe.document import Pipeline
from rhflow.core.recipe.tables import TableError, csv_rows, json_rows

_RANGE = re.compile(r"(-?[0-9]+)\.\.(-?[0-9]+)\Z")


def variants_of(request: Request, pipeline: Pipeline) -> list[Variant]:
    """Return the variants of a request, none for a plain run. Raises UsageError."""
    if not request.sweep and request.batch is None:
        return []
    swept = cross({name: _values(name, text) for name, text in request.sweep}) if request.sweep else []
    rows = named(_rows(request.batch)) if request.batch is not None else []
    both = [Variant(f"{row.label}-{each.label}", {**row.params, **each.params}) for row in rows for each in swept]
    variants = both if rows and swept else rows or swept
    if len(variants) > MAX_VARIANTS:
        message = f"{len(variants):,} variants are more than {MAX_VARIANTS:,}"
        raise UsageError(Problem("too-many-variants", message, hint="sweep in parts"))
    for name in {name for variant in variants for name in variant.params}:
        if name not in pipeline.params:
            hint = did_you_mean(name, pipeline.params) or "the recipe declares no parameters"
            raise UsageError(Problem("unknown-param", f"the recipe has no parameter `{name}`", hint=hint))
    return variants


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


def _rows(path: Path) -> list[Mapping[str, Any]]:
    readers = {".csv": csv_rows, ".jsonl": json_rows}
    if path.suffix not in readers:
        hint = "use a `.csv` with a head line, or a `.jsonl`"
        raise UsageError(Problem("bad-batch", f"`{path}` is no table that can be read", hint=hint))
    try:
        rows: list[Any] = list(readers[path.suffix](read_text(path)))
    except TableError as error:
        raise UsageError(
            Problem("bad-batch", f"line {error.line} of `{path}`: {error.message}", hint=error.hint)
        ) from None
    if not all(isinstance(row, dict) for row in rows):
        raise UsageError(Problem("bad-batch", f"every line of `{path}` must be a mapping of parameters"))
    return rows

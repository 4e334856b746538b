"""The schemas of recipes for editors, made of the loader's contract, the kinds of step and the catalogue."""

from __future__ import annotations

from pathlib import Path

from rhflow.catalog.catalog import Catalog
from rhflow.contract import load_schema
from rhflow.core.errors import Problem, UsageError
from rhflow.core.inputs.editor_schema import full_schema, light_schema, render
from rhflow.steps.kinds import all_kinds


def editor_schema(*, full: bool, catalog: Catalog | None = None) -> str:
    """Return the text of a schema: with the inputs of every model, or only kinds and models; by default the shipped."""
    make = full_schema if full else light_schema
    return render(make(load_schema("pipeline"), all_kinds(), catalog or Catalog.load()))


def write_schema(path: Path, *, full: bool, catalog: Catalog | None = None) -> None:
    """Write a schema to a file, in a folder that is made where needed. Raises UsageError."""
    text = editor_schema(full=full, catalog=catalog)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        message = f"`{path}` cannot be written: {error.strerror}"
        raise UsageError(Problem("unwritable", message, hint="name another file with `-o`")) from error

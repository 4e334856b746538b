"""From a file to a checked pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rhflow.app.reader import FolderReader
from rhflow.catalog.catalog import Catalog
from rhflow.contract import load_schema
from rhflow.core.calls import Calls
from rhflow.core.check import check, in_order
from rhflow.core.document import Pipeline, build
from rhflow.core.errors import Problem, RecipeError, Source, UsageError
from rhflow.core.source import read
from rhflow.steps.kinds import all_kinds

MAX_BYTES = 32_000_000


@dataclass(frozen=True, slots=True)
class Recipe:
    """A checked pipeline, with what it was checked against; ``reader`` knows which files it read."""

    path: Path
    pipeline: Pipeline
    calls: Calls
    catalog: Catalog
    reader: FolderReader
    warnings: Sequence[Problem]


def load(path: Path) -> Recipe:
    """Return the recipe at ``path``. Raises UsageError when it cannot be read, RecipeError with every problem."""
    reader = FolderReader(path.parent)
    located = replace(read(Source(str(path), read_text(path))), reader=reader)
    pipeline, problems = build(located, load_schema("pipeline"), name=_name(path))
    catalog = Catalog.load()
    calls = Calls(all_kinds(), catalog)
    problems = in_order([*problems, *check(pipeline, calls)])
    if any(problem.severity == "error" for problem in problems):
        raise RecipeError(problems)
    return Recipe(path, pipeline, calls, catalog, reader, problems)


def read_text(path: Path) -> str:
    """Return the text of a recipe. Raises UsageError when it cannot be read, RecipeError when it is not text."""
    try:
        if path.is_dir():
            raise UsageError(Problem("not-a-file", f"`{path}` is a folder", hint=f"name a file, as in `{path}/…yaml`"))
        if path.stat().st_size > MAX_BYTES:
            raise RecipeError(Problem("too-large", f"`{path}` is larger than {MAX_BYTES // 1_000_000} MB"))
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise UsageError(Problem("no-such-file", f"there is no file `{path}`", hint=_similar(path))) from None
    except UnicodeDecodeError as error:
        raise RecipeError(
            Problem("not-utf8", f"`{path}` is not UTF-8 text (byte {error.start})", hint="save it as UTF-8")
        ) from None
    except OSError as error:
        raise UsageError(Problem("unreadable", f"`{path}` cannot be read: {error.strerror}")) from error


def _similar(path: Path) -> str:
    from rhflow.core.errors import nearest

    folder = path.parent if path.parent.is_dir() else Path()
    found = nearest(path.name, [each.name for each in folder.glob("*.y*ml")])
    return f"did you mean `{folder / found}`?" if found else "`rhflow init` makes a recipe to begin with"


def _name(path: Path) -> str:
    """Return a name made of the file's, for a recipe that gives none."""
    kept = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "-" for char in path.stem)
    return kept.strip("._-")[:64] or "recipe"

"""From a file to a checked pipeline, with the recipes that it uses as steps."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rhflow.app.recipes.reader import FolderReader
from rhflow.catalog.catalog import Catalog
from rhflow.contract import load_schema
from rhflow.core.errors import Problem, RecipeError, Source, UsageError
from rhflow.core.plan.budget import currency_warnings
from rhflow.core.plan.calls import Calls
from rhflow.core.plan.check import check, in_order
from rhflow.core.recipe.build import build
from rhflow.core.recipe.document import Pipeline, Step, is_recipe
from rhflow.core.text.source import read
from rhflow.steps.kinds import all_kinds

MAX_BYTES = 32_000_000
MAX_DEPTH = 16


@dataclass(frozen=True, slots=True)
class Recipe:
    """A checked pipeline, with what it was checked against."""

    path: Path
    pipeline: Pipeline
    calls: Calls
    catalog: Catalog
    warnings: Sequence[Problem]
    readers: Mapping[Path, FolderReader] = field(repr=False)

    @property
    def seen(self) -> set[Path]:
        """The files and folders that the recipe rests on, besides its own file: what it uses, and what those read."""
        return {*self.readers, *(path for each in self.readers.values() for path in each.seen)} - {self.path}


def load(path: Path, catalog: Catalog | None = None, *, own_comfyui: bool = False, money: str | None = None) -> Recipe:
    """Return the recipe at ``path``, checked against a catalogue (the shipped one by default).

    ``own_comfyui``: workflows are to run on a server of the user's own. ``money`` is what the account pays in, where
    its budget is to be held against that. Raises UsageError when it cannot be read,
    RecipeError with every problem.
    """
    catalog = catalog or Catalog.load()
    loader = _Loader(Calls(all_kinds(own_comfyui=own_comfyui), catalog))
    pipeline = loader.load(path, ())
    if pipeline is not None and money is not None:
        loader.problems += currency_warnings(pipeline, loader.calls.kinds, money)
    problems = in_order(loader.problems)
    if pipeline is None or any(problem.severity == "error" for problem in problems):
        raise RecipeError(problems)
    return Recipe(path, pipeline, loader.calls, catalog, problems, loader.readers)


@dataclass(slots=True)
class _Loader:
    """Reads a recipe and those it uses, each file once, and collects what is wrong with any of them."""

    calls: Calls
    problems: list[Problem] = field(default_factory=list)
    readers: dict[Path, FolderReader] = field(default_factory=dict)
    done: dict[Path, Pipeline | None] = field(default_factory=dict)

    def load(self, path: Path, users: tuple[Path, ...]) -> Pipeline | None:
        """Return the pipeline at ``path``, used by ``users`` one in another; None where it cannot be built."""
        reader = self.readers[path] = FolderReader(path.parent)
        try:
            located = replace(read(Source(str(path), read_text(path))), reader=reader)
            pipeline, problems = build(located, load_schema("pipeline"), name=_name(path))
        except RecipeError as error:
            self.problems += error.problems
            return None
        steps = {each.id: self._with_child(each, (*users, path)) for each in pipeline.steps.values()}
        pipeline = replace(pipeline, steps=steps)
        self.problems += [*problems, *check(pipeline, self.calls)]
        return pipeline

    def _with_child(self, step: Step, users: tuple[Path, ...]) -> Step:
        if not is_recipe(step.kind):
            return step
        path = users[-1].parent / step.kind
        if (problem := _unusable(step, path, users)) is not None:
            self.problems.append(problem)
            return step
        known = path.resolve()
        if known not in self.done:
            self.done[known] = self.load(Path(os.path.normpath(path)), users)
        return replace(step, child=self.done[known])


def _unusable(step: Step, path: Path, users: Sequence[Path]) -> Problem | None:
    """Say why a recipe cannot be used as a step, if so."""

    def problem(code: str, message: str, hint: str | None = None) -> Problem:
        return step.problem(code, message, ("uses",), hint=hint)

    if Path(step.kind).is_absolute() or "\0" in step.kind:
        return problem("outside", f"`{step.kind}` is not relative to this recipe", "write it as `./other.yaml`")
    try:
        if not path.is_file():
            return problem(
                "no-such-file", f"there is no file `{step.kind}` next to this recipe", _near(step.kind, path)
            )
        if path.resolve() in [each.resolve() for each in users]:
            ring = " → ".join(f"`{each.name}`" for each in (*users, path))
            return problem("recursion", f"a recipe cannot use itself: {ring}", "remove one of the uses")
    except (OSError, RuntimeError) as error:
        return problem("no-such-file", f"`{step.kind}` cannot be read: {error}")
    if len(users) > MAX_DEPTH:
        return problem("too-deep", f"recipes use each other more than {MAX_DEPTH} deep")
    return None


def _near(kind: str, path: Path) -> str:
    """Suggest a recipe of the same folder, where that is the folder of the recipe itself."""
    from rhflow.core.errors import nearest

    found = None
    if len(Path(kind).parts) == 1:
        found = nearest(path.name, [each.name for each in path.parent.glob("*.y*ml")])
    return f"did you mean `./{found}`?" if found else "paths count from the recipe's folder"


_INIT = "`rhflow init` makes a recipe to begin with"


def read_text(path: Path, *, otherwise: str = _INIT, like: str = "*.y*ml") -> str:
    """Return the text of a file. Raises UsageError when it cannot be read, RecipeError when it is not text.

    ``otherwise`` is the hint where there is no such file, and none with a name near to it among those ``like`` it.
    """
    try:
        if path.is_dir():
            raise UsageError(
                Problem("not-a-file", f"`{path}` is a folder", hint=f"name a file, as in `{path}/…{like[-4:]}`")
            )
        if path.stat().st_size > MAX_BYTES:
            raise RecipeError(Problem("too-large", f"`{path}` is larger than {MAX_BYTES // 1_000_000} MB"))
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise UsageError(
            Problem("no-such-file", f"there is no file `{path}`", hint=_similar(path, like) or otherwise)
        ) from None
    except UnicodeDecodeError as error:
        raise RecipeError(
            Problem("not-utf8", f"`{path}` is not UTF-8 text (byte {error.start})", hint="save it as UTF-8")
        ) from None
    except OSError as error:
        raise UsageError(Problem("unreadable", f"`{path}` cannot be read: {error.strerror}")) from error


def _similar(path: Path, like: str) -> str | None:
    from rhflow.core.errors import nearest

    folder = path.parent if path.parent.is_dir() else Path()
    by_stem = {each.stem: each for each in folder.glob(like)}  # endings are alike anyway
    found = nearest(path.stem, by_stem)
    return f"did you mean `{by_stem[found]}`?" if found else None


def _name(path: Path) -> str:
    """Return a name made of the file's, for a recipe that gives none."""
    kept = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "-" for char in path.stem)
    return kept.strip("._-")[:64] or "recipe"

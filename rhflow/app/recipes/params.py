"""Parameters from the command line and from files, by their declared types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rhflow.app.recipes.files import LocalFiles
from rhflow.app.recipes.load import read_text
from rhflow.app.recipes.variants import Row
from rhflow.app.request import Request
from rhflow.core.errors import Problem, RecipeError, Source, Span, UsageError, did_you_mean
from rhflow.core.graph.nesting import all_used
from rhflow.core.graph.variants import Variant
from rhflow.core.inputs.coerce import REMOTE
from rhflow.core.plan.plan import Names
from rhflow.core.recipe.document import Param, Pipeline
from rhflow.core.recipe.params import parse_param
from rhflow.core.recipe.template import resolve
from rhflow.core.text.source import read
from rhflow.core.values import Artifact, in_words
from rhflow.settings import read_variables


def bind_params(
    request: Request, pipeline: Pipeline, files: LocalFiles, variants: Sequence[tuple[Variant, Row | None]]
) -> dict[str, dict[str, Any]]:
    """Return a value for every declared parameter, by the scope of each variant; that of a plain run is empty.

    Raises RecipeError with all that is wrong, a value of a batch at its row.
    """
    given = _given(request, pipeline)
    in_batch = {name for _, row in variants if row is not None for name in row.values}
    problems: dict[tuple[str, Span | None], Problem] = {}  # what several variants have in common is told once
    found: dict[str, dict[str, Any]] = {}
    for variant, row in variants or [(Variant("", {}), None)]:
        all_given = given | {name: (value, Path()) for name, value in variant.params.items()}
        scope = f"{variant.label}/" if variant.label else ""
        values = found[scope] = {}
        for param in pipeline.params.values():
            try:
                values[param.name] = _value(param, all_given, files, request)
            except _BadParamError as bad:
                problem = _placed(pipeline, param, bad, row if param.name in in_batch else None)
                problems[problem.message, problem.span] = problem
    if problems:
        raise RecipeError(problems.values())
    return found


def names_of(pipeline: Pipeline, params: Mapping[str, Any], run: Mapping[str, str]) -> Names:
    """Return what templates may read, variables worked out in order. Raises RecipeError."""
    env = read_variables({name: None for each in all_used(pipeline) for name in each.env})
    values: dict[str, Any] = {}
    for name, value in pipeline.vars.items():
        values[name] = resolve(value, {"params": params, "vars": values, "run": run, "env": env})
    return Names(params=params, vars=values, env=env, run=run)


class _BadParamError(Exception):
    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


def _given(request: Request, pipeline: Pipeline) -> dict[str, tuple[Any, Path]]:
    """Return what was given, with the folder that paths in it count from; the command line wins over the file."""
    given: dict[str, tuple[Any, Path]] = {}
    if request.params_file is not None:
        data = read(Source(str(request.params_file), _params_text(request.params_file))).data
        if not isinstance(data, dict):
            raise UsageError(Problem("bad-params", f"`{request.params_file}` must hold a mapping of parameters"))
        given = {str(name): (value, request.params_file.parent) for name, value in data.items()}
    given |= {name: (value, Path()) for name, value in request.params}
    for name in given:
        if name not in pipeline.params:
            hint = did_you_mean(name, pipeline.params) or "the recipe declares no parameters"
            raise UsageError(Problem("unknown-param", f"the recipe has no parameter `{name}`", hint=hint))
    return given


def _params_text(path: Path) -> str:
    like = "*.json" if path.suffix == ".json" else "*.y*ml"
    return read_text(path, otherwise="the path of `--params` counts from this folder", like=like)


def _value(param: Param, given: Mapping[str, tuple[Any, Path]], files: LocalFiles, request: Request) -> Any:
    if param.name in given:
        value, folder = given[param.name]
    elif param.required:
        example = "PATH" if param.is_media else "…"
        raise _BadParamError(
            "missing-param", f"the parameter `{param.name}` is required", f"add `-p {param.name}={example}`"
        )
    else:
        value, folder = param.default, request.recipe.parent
    if value is None:
        return None
    try:
        typed = parse_param(param, value)
    except ValueError as error:
        raise _BadParamError("bad-param", f"the parameter `{param.name}` {error}") from None
    return _media(param, typed, files, folder) if param.is_media else typed


def _media(param: Param, text: str, files: LocalFiles, folder: Path) -> Artifact | str:
    if text.startswith(REMOTE):
        return text
    try:
        artifact = files.at(folder, text)
    except RecipeError as error:
        first = error.problems[0]
        raise _BadParamError(first.code, f"the parameter `{param.name}`: {first.message}", first.hint) from None
    if param.type not in ("file", artifact.family):
        message = f"the parameter `{param.name}` must be {in_words(param.type)}, but `{text}` is {artifact.media_type}"
        raise _BadParamError("wrong-media", message)
    return artifact


def _placed(pipeline: Pipeline, param: Param, bad: _BadParamError, row: Row | None) -> Problem:
    """Return a problem at the row that gives the value, or lacks it, and else at the parameter."""
    if row is not None:
        return Problem(bad.code, bad.message, row.span, hint=bad.hint)
    return pipeline.key_problem(bad.code, bad.message, param.pointer, hint=bad.hint)

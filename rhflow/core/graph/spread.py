"""From a loop as written to one binding per node: its items, matrix and takes worked out from what is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rhflow.core.errors import Problem
from rhflow.core.expr.bounds import SandboxError
from rhflow.core.graph.edges import is_written, reads
from rhflow.core.recipe.document import Step
from rhflow.core.recipe.loops import Binding, LoopError, combine, items_of, takes_of
from rhflow.core.recipe.statics import NotKnownError
from rhflow.core.recipe.tables import TableError, meant_source, read_source, source_of
from rhflow.core.recipe.template import Template, Unresolved, resolve
from rhflow.core.text.located import Reader


def follow(step: str, bindings: Sequence[Binding]) -> list[Binding]:
    """Return bindings that take the items of an earlier loop one by one."""
    return [
        Binding(each.key, item=each.item, of=f"{step}[{each.key}]", unresolved=each.unresolved) for each in bindings
    ]


def spread(step: Step, names: Mapping[str, Any], *, over: Sequence[Binding] | None = None) -> list[Binding]:
    """Return a binding per node of a loop; ``over`` where it is known already what it runs over.

    Raises LoopError, RecipeError, or NotKnownError.
    """
    assert step.loop is not None
    loop, reader = step.loop, None if step.located is None else step.located.reader
    if over is None and loop.foreach is not None:
        written = is_written(loop.foreach)
        value: Any = _known_of(loop.foreach, names) if written else resolve(loop.foreach, names)
        if isinstance(loop.foreach, dict) and (meant := meant_source(value)) is not None:
            raise _misspelt(value, meant)
        over = items_of(value if source_of(loop.foreach) is None else _read(value, reader))
    matrix = None if loop.matrix is None else resolve(dict(loop.matrix), names)
    takes = None if loop.variations is None else takes_of(resolve(loop.variations, names))
    return combine(over, matrix, takes)


def _misspelt(value: Mapping[str, Any], meant: str) -> LoopError:
    """Refuse what would be a map of one item, and paid for, while rows of a file are meant."""
    (name, given), *_ = value.items()
    hint = f"did you mean `{meant}`? a loop over this one item is written `[{given}]`"
    return LoopError("bad-foreach", ("foreach", name), f"`foreach` knows no source `{name}`", hint)


def _read(spec: Mapping[str, Any], reader: Reader | None) -> list[Any]:
    name = source_of(spec)
    if reader is None or name is None:
        raise LoopError("no-files", "foreach", "no file can be read here")
    try:
        return read_source(spec, reader)
    except TableError as error:
        message = f"line {error.line} of `{spec[name]}`: {error.message}"
        raise LoopError("bad-table", ("foreach", name), message, error.hint) from None
    except SandboxError as error:
        raise LoopError(error.code, ("foreach", name), error.message, error.hint) from None


def _known_of(value: Unresolved, names: Mapping[str, Any]) -> Unresolved:
    """Return written items with all that is known now; what reads a step is rendered for its own node, later."""
    if isinstance(value, list):
        return [_known_of(each, names) for each in value]
    if isinstance(value, dict):
        return {key: _known_of(each, names) for key, each in value.items()}
    if not isinstance(value, Template) or any(True for _ in reads(value, "steps")):
        return value
    try:
        return resolve(value, names)  # type: ignore[no-any-return]
    except NotKnownError:
        return value


def loop_problem(step: Step, error: LoopError) -> Problem:
    """Return the problem of a loop at the key it is about."""
    message = f"step `{step.id}`: {error.message}"
    return step.problem(error.code, message, error.part, hint=error.hint)

"""What a step waits for, read from the references in its values: the edges of the graph before there is one."""

from __future__ import annotations

from collections.abc import Iterator

from rhflow.core.recipe.document import Step
from rhflow.core.recipe.keys import written_key
from rhflow.core.recipe.loops import OF_LOOPS
from rhflow.core.recipe.tables import source_of
from rhflow.core.recipe.template import Ref, Template, Unresolved, templates_in


def reads(value: Unresolved, root: str) -> Iterator[str]:
    """Yield the names under ``root`` (``params``, ``steps`` …) that a value reads."""
    for template in templates_in(value):
        for ref in template.refs:
            if ref.path[0] == root and len(ref.path) > 1 and isinstance(ref.path[1], str):
                yield ref.path[1]


def step_refs(step: Step) -> Iterator[str]:
    """Yield the ids of the steps that ``step`` reads or needs, with repeats."""
    for value in (*step.values(), *step.loop_values()):
        yield from reads(value, "steps")
    yield from step.needs


def linked_to(step: Step) -> str | None:
    """Return the step whose items a loop runs over one by one (``foreach: ${{ steps.x.items }}``), if any."""
    over = step.loop.foreach if step.loop is not None else None
    if isinstance(over, Template) and over.exact and over.parts is not None:
        match over.refs[0].path:
            case ("steps", str(earlier), "items"):
                return earlier
    return None


def item_ids(step: str, key: str | int) -> tuple[str, str]:
    """Return the ids that an item of a loop may have which is read by ``key``: as it stands, or as keys are written."""
    return f"{step}[{key}]", f"{step}[{written_key(key)}]"


def read_item(ref: Ref) -> tuple[str, ...]:
    """Return the ids of ``item_ids`` where a reference reads one item of a step, if that is a loop; else none."""
    match ref.path:
        case ("steps", str(step), str() | int() as key, *_) if key not in OF_LOOPS:
            return item_ids(step, key)
        case _:
            return ()


def is_written(over: Unresolved) -> bool:
    """Whether a recipe spells the items out; each may then hold templates of its own."""
    return isinstance(over, list) or (isinstance(over, dict) and set(over) != {"range"} and source_of(over) is None)


def grows(step: Step, *, linked: bool = False) -> bool:
    """Whether the number of nodes depends on what steps give; items of a written list may read them all the same.

    ``linked``: the items are those of an earlier loop, and known.
    """
    over, *others = list(step.loop_values()) or [None]
    known = linked or is_written(over)
    return any(True for value in (others if known else [over, *others]) for _ in reads(value, "steps"))

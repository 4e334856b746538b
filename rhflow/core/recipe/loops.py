"""From what a loop runs over to one binding per node, with keys that do not change when a list is reordered.

Two different items never share a key: where they would, both get a piece of the hash of their content, so that neither
depends on which of them comes first.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rhflow.core.errors import did_you_mean
from rhflow.core.recipe.keys import READABLE, key_of, own_key, short, written_key
from rhflow.core.recipe.template import has_templates
from rhflow.core.text.located import Pointer
from rhflow.core.values import Artifact

MAX_NODES = 100_000
OF_LOOPS = ("items", "status", "files", "images", "videos", "audios", "texts", "cost", "seconds", "cached")
"""What a whole loop gives; any other name under ``steps.<id>`` is the key of an item."""


@dataclass(frozen=True, slots=True)
class Binding:
    """What one node of a loop sees: ``key`` and ``index``, and what its kind of loop gives.

    ``of`` is the node whose outputs the item is, where a loop runs over the items of an earlier one. ``unresolved``
    tells whether ``item`` holds templates, which are rendered for the node.
    """

    key: str
    index: int = 0
    item: Any = None
    of: str | None = None
    matrix: Mapping[str, Any] | None = None
    variation: int | None = None
    unresolved: bool = False


class LoopError(Exception):
    """A loop that cannot be spread out; ``part`` says what it is about: a key of the step and a way into it."""

    def __init__(self, code: str, part: str | Pointer, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint
        self.part: Pointer = (part,) if isinstance(part, str) else part


def combine(items: Sequence[Binding] | None, matrix: Mapping[str, Any] | None, takes: int | None) -> list[Binding]:
    """Return every combination of items, matrix and takes, numbered in order. Raises LoopError."""
    axes: list[Sequence[Binding]] = []
    if items is not None:
        axes.append(items)
    if matrix is not None:
        axes.append([Binding("-".join(map(key_of, cell.values())), matrix=cell) for cell in cells(matrix)])
    if takes is not None:
        axes.append([Binding(str(take), variation=take) for take in range(1, takes + 1)])
    _refuse_too_many("foreach" if items is not None else "matrix", map(len, axes))
    found = list(itertools.product(*axes))
    keys = _numbered(["-".join([part.key for part in parts]) for parts in found])
    return [_merged(key, at, parts) for at, (key, parts) in enumerate(zip(keys, found, strict=True))]


def _refuse_too_many(part: str, sizes: Iterable[int]) -> None:
    total = math.prod(sizes)
    if total > MAX_NODES:
        raise LoopError("too-many-nodes", part, f"the loop makes {total:,} nodes, more than {MAX_NODES:,}")


def _merged(key: str, index: int, parts: Sequence[Binding]) -> Binding:
    """Return one binding of those of the axes, each of which gives something else."""
    item = of = matrix = variation = None
    unresolved = False
    for part in parts:
        item = part.item if part.item is not None else item
        of = part.of or of
        matrix = part.matrix if part.matrix is not None else matrix
        variation = part.variation or variation
        unresolved |= part.unresolved
    return Binding(key, index, item, of, matrix, variation, unresolved)


def _numbered(keys: Sequence[str]) -> Iterator[str]:
    """Yield keys that differ: of equal ones all but the first get a number."""
    taken, seen = set(keys), defaultdict[str, int](int)
    for key in keys:
        seen[key] += 1
        name = key
        while name in taken and seen[key] > 1:
            name = f"{key}-{seen[key]}"
            seen[key] += name in taken
        taken.add(name)
        yield name


def takes_of(value: Any) -> int:
    """Return the number of takes that ``variations`` asks for. Raises LoopError."""
    count = _whole(value)
    if count is None or count < 1:
        raise LoopError("bad-variations", "variations", f"`variations` must be a whole number from 1, not `{value}`")
    _refuse_too_many("variations", [count])
    return count


def _whole(value: Any) -> int | None:
    """Return a whole number, also one that was given as text (on the command line), or None."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


# --- items -----------------------------------------------------------------------------------------------------------


def items_of(value: Any) -> list[Binding]:
    """Return a binding per item of a list, a map, or ``{range: n}``. Raises LoopError."""
    if isinstance(value, dict) and set(value) == {"range"}:
        return [Binding(str(at), item=at) for at in range(_range(value["range"]))]
    if isinstance(value, dict):
        named = [(own_key(item) or written_key(name), item) for name, item in value.items()]
        _refuse_twins((name, key) for name, (key, _) in zip(value, named, strict=True))
    elif isinstance(value, list | tuple):
        own = [own_key(item) for item in value]
        named = [(key_of(item) if key is None else key, item) for key, item in zip(own, value, strict=True)]
        _refuse_twins((at, key) for at, key in enumerate(own) if key is not None)
    else:
        message = f"`foreach` needs a list or a map, not {_named(value)}"
        raise LoopError("bad-foreach", "foreach", message, _foreach_hint(value))
    _refuse_too_many("foreach", [len(named)])
    keyed = zip(_distinct(named), named, strict=True)
    return [Binding(key, item=item, unresolved=has_templates(item)) for key, (_, item) in keyed]


def _foreach_hint(value: Any) -> str | None:
    match value:
        case str() if value.lstrip().startswith(("[", "{")):
            return "add `| fromjson` to read it as JSON"
        case str() if len(value) <= READABLE:
            return f"write a list, as in `[{value}]`"
        case int() if value > 0 and value is not True:
            return f"for so many items write `{{range: {value}}}`"
        case _:
            return None


def _named(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case str():
            return f"the text `{value[:40]}`"
        case Artifact():
            return f"the file `{value.name}`"
        case Mapping():
            return "a whole step"
        case _:
            return f"`{value}`"


def _range(value: Any) -> int:
    count = _whole(value)
    if count is None or count < 0:
        raise LoopError("bad-foreach", "foreach", f"`range` needs a whole number, not {_named(value)}")
    _refuse_too_many("foreach", [count])
    return count


def _refuse_twins(keys: Iterable[tuple[str | int, str]]) -> None:
    """Refuse two items that claim the same key: one would stand for the other."""
    seen: set[str] = set()
    for place, key in keys:
        if key in seen:
            where: Pointer = ("foreach", place, "key")
            raise LoopError("duplicate-item", where, f"two items have the key `{key}`", "rename one")
        seen.add(key)


def _distinct(named: Sequence[tuple[str, Any]]) -> Iterator[str]:
    """Yield keys that differ: those of different items by their content, those of equal items by a number."""
    sharing = Counter(key for key, _ in named)
    contents: dict[str, set[str]] = defaultdict(set)
    for key, item in named:
        if sharing[key] > 1:
            contents[key].add(short(item))
    unlike = {key for key, found in contents.items() if len(found) > 1}
    keys = [f"{key}-{short(item)}" if key in unlike and own_key(item) is None else key for key, item in named]
    return _numbered(keys)


# --- matrix ----------------------------------------------------------------------------------------------------------


def cells(matrix: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the combinations of the axes, less ``exclude``, with ``include``, as in GitHub Actions.

    An entry of ``include`` adds to every combination whose axes it does not contradict; one that fits none is a
    combination of its own. Raises LoopError.
    """
    axes = {name: values for name, values in matrix.items() if name not in ("include", "exclude")}
    for name, values in axes.items():
        if not isinstance(values, list) or not values:
            message = f"the axis `{name}` needs a list of values, not {_named(values)}"
            raise LoopError("bad-matrix", ("matrix", name), message)
    _refuse_too_many("matrix", map(len, axes.values()))
    combinations = itertools.product(*axes.values()) if axes else ()
    found = [dict(zip(axes, combination, strict=True)) for combination in combinations]
    excluded, included = _rules(matrix, "exclude"), _rules(matrix, "include")
    for at, rule in enumerate(excluded):
        if unknown := [name for name in rule if name not in axes]:
            where: Pointer = ("matrix", "exclude", at)
            message = f"`exclude` names `{unknown[0]}`, which is not an axis"
            raise LoopError("bad-matrix", where, message, did_you_mean(unknown[0], axes))
    kept = [cell for cell in found if not any(_fits(cell, rule, rule) for rule in excluded)]
    return _with_included(kept, included, axes)


def _rules(matrix: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    rules = matrix.get(name) or []
    if not all(isinstance(each, dict) and each for each in rules):
        message = f"an entry of `{name}` needs a value for at least one axis"
        raise LoopError("bad-matrix", ("matrix", name), message)
    return list(rules)


def _fits(cell: Mapping[str, Any], rule: Mapping[str, Any], names: Iterable[str]) -> bool:
    """Whether a combination has the values of a rule under these names."""
    return all(cell.get(name) == rule[name] for name in names if name in rule)


def _with_included(
    kept: list[dict[str, Any]], included: Iterable[Mapping[str, Any]], axes: Mapping[str, Any]
) -> list[dict[str, Any]]:
    extended, alone = [dict(cell) for cell in kept], []
    for extra in included:
        fitting = [at for at, cell in enumerate(kept) if _fits(cell, extra, axes)]
        for at in fitting:
            extended[at] |= extra
        if not fitting:
            alone.append(dict(extra))
    return [*extended, *alone]

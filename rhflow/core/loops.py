"""From what a loop runs over to one binding per node, with keys that do not change when a list is reordered."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rhflow.core.canonical import canonical, digest

MAX_NODES = 100_000
_READABLE = 24


@dataclass(frozen=True, slots=True)
class Binding:
    """What one node of a loop sees: ``key`` and ``index``, and what its kind of loop gives.

    ``of`` is the node whose outputs the item is, where a loop runs over the items of an earlier one. ``item`` may hold
    templates that are rendered for the node.
    """

    key: str
    index: int = 0
    item: Any = None
    of: str | None = None
    matrix: Mapping[str, Any] | None = None
    variation: int | None = None


class LoopError(Exception):
    """A loop that cannot be spread out; ``part`` is the key of the step it is about."""

    def __init__(self, code: str, part: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code, self.part, self.message, self.hint = code, part, message, hint


def combine(items: Sequence[Binding] | None, matrix: Mapping[str, Any] | None, takes: Any) -> list[Binding]:
    """Return every combination of items, matrix and takes, numbered in order. Raises LoopError."""
    axes: list[Sequence[Binding]] = []
    if items is not None:
        axes.append(items)
    if matrix is not None:
        axes.append([Binding(_join(cell.values()), matrix=cell) for cell in cells(matrix)])
    if takes is not None:
        axes.append([Binding(str(take), variation=take) for take in range(1, _count(takes) + 1)])
    total = 1
    for axis in axes:
        total *= len(axis)
    if total > MAX_NODES:
        raise LoopError("too-many-nodes", "foreach", f"the loop makes {total:,} nodes, more than {MAX_NODES:,}")
    merged = [_merge(parts) for parts in itertools.product(*axes)]
    keyed = zip(merged, _unique(merged), strict=True)
    return [replace(each, index=at, key=key) for at, (each, key) in enumerate(keyed)]


def _count(takes: Any) -> int:
    if isinstance(takes, bool) or not isinstance(takes, int) or takes < 1:
        raise LoopError("bad-variations", "variations", f"`variations` must be a whole number from 1, not `{takes}`")
    return takes


def _merge(parts: Sequence[Binding]) -> Binding:
    found = Binding("-".join(part.key for part in parts))
    for part in parts:
        found = replace(
            found,
            item=part.item if part.item is not None else found.item,
            of=part.of or found.of,
            matrix=part.matrix if part.matrix is not None else found.matrix,
            variation=part.variation or found.variation,
        )
    return found


def _unique(bindings: Sequence[Binding]) -> Iterator[str]:
    """Yield keys that differ: equal items get a number."""
    seen: dict[str, int] = {}
    for each in bindings:
        seen[each.key] = seen.get(each.key, 0) + 1
        yield each.key if seen[each.key] == 1 else f"{each.key}-{seen[each.key]}"


def items_of(value: Any) -> list[Binding]:
    """Return a binding per item of a list, a map, or ``{range: n}``. Raises LoopError."""
    if isinstance(value, Mapping):
        if set(value) == {"range"}:
            count = _range(value["range"])
            return [Binding(str(at), item=at) for at in range(count)]
        return [Binding(slug(str(key)) or short(key), item=item) for key, item in value.items()]
    if isinstance(value, list | tuple):
        bindings = [Binding(key_of(item), item=item) for item in value]
        _refuse_twins(value)
        return bindings
    raise LoopError("bad-foreach", "foreach", f"`foreach` needs a list or a map, not {_named(value)}")


def _named(value: Any) -> str:
    if value is None:
        return "nothing"
    return f"the text `{value[:40]}`" if isinstance(value, str) else f"`{value}`"


def _range(count: Any) -> int:
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise LoopError("bad-foreach", "foreach", f"`range` needs a whole number, not `{count}`")
    if count > MAX_NODES:
        raise LoopError("too-many-nodes", "foreach", f"the loop makes {count:,} nodes, more than {MAX_NODES:,}")
    return count


def _refuse_twins(items: Sequence[Any]) -> None:
    """Refuse two items that claim the same key: one would stand for the other."""
    seen: set[str] = set()
    for item in items:
        if isinstance(item, Mapping) and "key" in item and isinstance(item["key"], str | int):
            key = str(item["key"])
            if key in seen:
                raise LoopError("duplicate-item", "foreach", f"two items have the key `{key}`", "rename one")
            seen.add(key)


def key_of(item: Any) -> str:
    """Return an item's own key, or a readable one made of its content: the same wherever it stands in the list."""
    if isinstance(item, Mapping) and isinstance(own := item.get("key"), str | int):
        return slug(str(own)) or short(own)
    if isinstance(item, list | tuple) and item and all(isinstance(each, Mapping) and "key" in each for each in item):
        return "-".join(key_of(each) for each in item)
    if isinstance(item, str | int | float) and not isinstance(item, bool):
        readable = slug(str(item))
        if 0 < len(readable) <= _READABLE:
            return readable
    return short(item)


def short(item: Any) -> str:
    """Return eight digits of the hash of an item's content."""
    try:
        return digest("item", canonical(item))[:8]
    except ValueError:
        return digest("item", repr(item))[:8]  # it holds templates: their text is the content


def slug(text: str) -> str:
    """Return small letters, digits and hyphens; letters of other scripts stay."""
    return re.sub(r"[\W_]+", "-", text.casefold()).strip("-")


def cells(matrix: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the combinations of the axes, less ``exclude``, plus ``include``. Raises LoopError."""
    axes = {name: values for name, values in matrix.items() if name not in ("include", "exclude")}
    for name, values in axes.items():
        if not isinstance(values, list) or not values:
            raise LoopError("bad-matrix", "matrix", f"the axis `{name}` needs a list of values, not {_named(values)}")
    found = [dict(zip(axes, combination, strict=True)) for combination in itertools.product(*axes.values())]
    if not axes:
        found = []
    excluded = matrix.get("exclude") or []
    for rule in excluded:
        if unknown := [name for name in rule if name not in axes]:
            raise LoopError("bad-matrix", "matrix", f"`exclude` names `{unknown[0]}`, which is not an axis")
    kept = [cell for cell in found if not any(_matches(cell, rule) for rule in excluded)]
    return [*kept, *(dict(extra) for extra in matrix.get("include") or [])]


def _matches(cell: Mapping[str, Any], rule: Mapping[str, Any]) -> bool:
    return all(cell.get(name) == value for name, value in rule.items())


def _join(values: Any) -> str:
    return "-".join(key_of(value) for value in values)

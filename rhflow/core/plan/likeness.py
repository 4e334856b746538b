"""Shapes of values: of those that are there, of several together, of what stands where something else is meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rhflow.core.plan.shapes import (
    ANY,
    FLAG,
    NUMBER,
    TEXT,
    Absent,
    Data,
    FileShape,
    Items,
    LoopShape,
    Made,
    Plain,
    Shape,
)
from rhflow.core.values import Pending

MOST_PARTS = 100_000  # of one value that are looked at: the same list may stand in it many times
MOST_UNIONS = 1000  # of members of members, for the same reason


def shape_of(value: object, of: Callable[[object], Shape | None] = lambda _: None) -> Shape:
    """Return the shape of a value that is there; ``of`` tells that of parts which are not plain data."""
    left = [MOST_PARTS]

    def shape(part: object) -> Shape:
        left[0] -= 1
        if left[0] < 0:
            return ANY
        if (known := of(part)) is not None:
            return known
        match part:
            case bool():
                return FLAG
            case int() | float():
                return NUMBER
            case str():
                return TEXT
            case list() | tuple():
                each = tuple(map(shape, part))
                return Items(union(enumerate(each)), len(each), len(each), each)
            case dict() if all(isinstance(name, str) for name in part):
                return Data({name: shape(member) for name, member in part.items()})
            case Pending(family=family, many=False) if family not in (None, "text"):
                return FileShape(None if family == "file" else family)
            case _:
                return ANY

    return shape(value)


def union(shapes: Iterable[tuple[object, Shape]]) -> Shape:
    """Return what is known of each of several values, told apart by their keys."""
    return _union(list(shapes), [MOST_UNIONS])


def _union(keyed: Sequence[tuple[object, Shape]], left: list[int]) -> Shape:
    left[0] -= 1
    found = [each for _, each in keyed]
    if not found or left[0] < 0:
        return ANY
    first = found[0]
    if all(each is first for each in found) or (isinstance(first, Plain) and all(each == first for each in found)):
        return first
    datas = [(key, each) for key, each in keyed if isinstance(each, Data)]
    if len(datas) == len(found):
        return _union_of_data(datas, left)
    files = [each.family for each in found if isinstance(each, FileShape)]
    if len(files) == len(found):
        return FileShape(files[0] if len(set(files)) == 1 else None)
    lists = [each for each in found if isinstance(each, Items)]
    if len(lists) == len(found):
        mosts = [each.most for each in lists]
        most = None if None in mosts else max(each for each in mosts if each is not None)
        item = _union([(at, each.item) for at, each in enumerate(lists)], left)
        return Items(item, min(each.least for each in lists), most)
    return ANY


def _union_of_data(datas: Sequence[tuple[object, Data]], left: list[int]) -> Data:
    members: dict[str, list[tuple[object, Shape]]] = {}
    lacking: dict[str, str] = {}
    for key, data in datas:
        for name, shape in data.members.items():
            members.setdefault(name, []).append((key, shape))
        lacking = {**data.lacking, **lacking}
    for name, found in members.items():
        if len(found) < len(datas) and name not in lacking:
            having = {key for key, _ in found}
            without = next(key for key, _ in datas if key not in having)
            lacking[name] = f"item `{without}`"
    return Data({name: _union(found, left) for name, found in members.items()}, lacking)


def open_ended(shape: Shape) -> Shape:
    """Return the shape of a value that may be given anew, with more items or fewer."""
    return Items(shape.item) if isinstance(shape, Items) else shape


_SCALARS = frozenset({str, int, float, bool})


def form_of(value: Any) -> object:
    """Return what values of equal shape share; the value's own identity where that is not plain to see."""
    if type(value) in _SCALARS:
        return type(value)
    if type(value) is dict and _SCALARS.issuperset(types := tuple(map(type, value.values()))):
        return tuple(value), types
    return id(value)


# --- what stands where something else is meant ------------------------------------------------------------------------


def why_not_in_text(shape: Shape, path: str | None) -> Absent | None:
    """Say why a value of this shape cannot stand inside a text, or None where it may."""
    named = f"`{path}`" if path is not None else "this"
    match shape:
        case FileShape():
            message = f"{named} is a file, and a file cannot stand inside a text"
            return Absent("not-text", message, "use its `.name` or its `.url`")
        case Items(item=FileShape(), least=least) if least:
            message = f"{named} is a list of files, and a file cannot stand inside a text"
            return Absent("not-text", message, "use `| map(attribute='name') | join(', ')`", never=False)
        case Made() | LoopShape():
            return whole(shape, path, in_text=True)
        case _:
            return whole_in(shape, path, in_text=True)


def whole(shape: Made | LoopShape, path: str | None, *, in_text: bool) -> Absent:
    """Say that a step, or an item of one, stands where one of its outputs is meant."""
    named = f"`{path}`" if path is not None else "this"
    made = shape if isinstance(shape, Made) else shape.item
    what = "a whole item" if isinstance(shape, Made) and shape.facts is not None else "a whole step"
    output = next(iter(made.outputs), "file") if made.outputs is not None else made.family or "file"
    member = f"{output}.name" if in_text and made.outputs is None and made.family != "text" else output
    member = f"{member}s" if isinstance(shape, LoopShape) and not in_text else member
    meant = f"`{path}.{member}`" if path is not None else f"`.{member}`"
    return Absent("whole-step", f"{named} is {what}, not one of its outputs", f"write {meant}")


def whole_in(shape: Shape, path: str | None, *, in_text: bool) -> Absent | None:
    """Say that a list of whole items, or steps, stands where their outputs are meant, or None where it does not."""
    inner = shape
    while isinstance(inner, Items) and inner.most != 0:
        made = next((each for each in (*inner.each, inner.item) if isinstance(each, Made | LoopShape)), None)
        if made is not None:
            what = "items" if isinstance(made, Made) and made.facts is not None else "steps"
            named = f"`{path}`" if path is not None else "this"
            hint = _outputs_in(made, path, in_text=in_text) if inner is shape and made is inner.item else None
            return Absent("whole-step", f"{named} is a list of whole {what}, not of their outputs", hint)
        inner = inner.item
    return None


def _outputs_in(made: Made | LoopShape, path: str | None, *, in_text: bool) -> str | None:
    """Return what to write for the outputs of the items of a list."""
    if not isinstance(made, Made):
        return None
    output = next(iter(made.outputs), "file") if made.outputs is not None else made.family or "file"
    if path == f"steps.{made.step}.items" and made.outputs is None and not in_text:
        return f"write `steps.{made.step}.{output}s`"
    member = f"{output}.name" if in_text and made.outputs is None and made.family != "text" else output
    joined = " | join(', ')" if in_text else ""
    return f"add `| map(attribute='{member}'){joined}`"


# --- what goes into inputs -------------------------------------------------------------------------------------------


def value_of(shape: Shape, otherwise: Pending) -> Pending | list[Pending]:
    """Return what an input is given by a value that is not known yet: as much of it as its shape tells."""
    match shape:
        case Items(item=FileShape(family=family), least=least) if least > 1:
            return [Pending(family if family is not None else otherwise.family)] * least
        case Items(item=FileShape(family=family)) if otherwise == Pending():
            return Pending(family, many=True)
        case FileShape(family=family) if otherwise.family is None and not otherwise.many:
            return Pending(family)
        case Items(least=least) if least > 1:
            return [Pending(otherwise.family)] * least
        case _:
            return otherwise

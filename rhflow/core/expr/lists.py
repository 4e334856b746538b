"""The filters for lists and mappings that the recipe language keeps of Jinja's, each with its bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rhflow.core.expr.bounds import MAX_ITEMS, Missing, SandboxError, named
from rhflow.core.expr.functions import Tools, as_text, listed, number, whole
from rhflow.core.values import Artifact

_NOTHING: Any = object()


def length(tools: Tools, value: Any) -> int:
    if not isinstance(value, str | list | tuple | Mapping):
        raise SandboxError("template-failed", f"`length` needs a list or a text, not {named(value)}")
    return len(value)


def list_(tools: Tools, value: Any) -> list[Any]:
    return list(listed("list", value))


def join(tools: Tools, value: Any, d: Any = "", attribute: Any = None) -> str:
    between = as_text(tools.meter, d)
    texts = [as_text(tools.meter, each) for each in _column(tools, "join", value, attribute)]
    tools.meter.room(sum(map(len, texts)) + len(between) * max(0, len(texts) - 1))
    return between.join(texts)


def reverse(tools: Tools, value: Any) -> Any:
    return value[::-1] if isinstance(value, str) else listed("reverse", value)[::-1]


def sort(
    tools: Tools, value: Any, reverse: Any = False, case_sensitive: Any = False, attribute: Any = None
) -> list[Any]:
    paths = attribute.split(",") if isinstance(attribute, str) else [attribute]
    items = listed("sort", value)
    keys = [[_folded(_part(tools, each, path), case_sensitive) for path in paths] for each in items]
    order = _in_order(tools, keys, reverse=bool(reverse))
    return [items[at] for at in order]


def _in_order(tools: Tools, keys: list[Any], *, reverse: bool) -> list[int]:
    tools.meter.work(len(keys) * 4 * max(1, len(keys).bit_length()))
    try:
        return sorted(range(len(keys)), key=keys.__getitem__, reverse=reverse)
    except TypeError:
        raise SandboxError("template-failed", "these values have no order: sort texts or numbers, not both") from None


def unique(tools: Tools, value: Any, case_sensitive: Any = False, attribute: Any = None) -> list[Any]:
    found: dict[Any, Any] = {}
    for each in listed("unique", value):
        found.setdefault(_identity(_folded(_part(tools, each, attribute), case_sensitive)), each)
    return list(found.values())


def _identity(value: Any) -> Any:
    """Return something to look a value up by; as text where it is no text: numbers can be made to collide."""
    if isinstance(value, Artifact):
        return (value.digest,)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, str) else (repr(value),)


def sum_(tools: Tools, value: Any, attribute: Any = None, start: Any = 0) -> int | float:
    total: int | float = number("sum", start)
    for each in _column(tools, "sum", value, attribute):
        total += number("sum", each)
        tools.meter.made(total)
    return total


def _nothing(name: str) -> Missing:
    return Missing(lambda: SandboxError("empty-list", f"an empty list has no `{name}`", hint="add `| default(…)`"))


def _extreme(name: str, last: bool) -> Callable[..., Any]:
    def apply(tools: Tools, value: Any, case_sensitive: Any = False, attribute: Any = None) -> Any:
        items = listed(name, value)
        if not items:
            return _nothing(name)
        keys = [_folded(_part(tools, each, attribute), case_sensitive) for each in items]
        try:
            return items[(max if last else min)(range(len(keys)), key=keys.__getitem__)]
        except TypeError:
            raise SandboxError("template-failed", f"these values have no `{name}`: use texts or numbers") from None

    return apply


def _end(name: str, at: int) -> Callable[..., Any]:
    def apply(tools: Tools, value: Any) -> Any:
        items = value if isinstance(value, str) else listed(name, value)
        if not items:
            return _nothing(name)
        return items[at]

    return apply


def map_(tools: Tools, value: Any, name: Any = None, *given: Any, **options: Any) -> list[Any]:
    items = listed("map", value)
    if name is None:
        if "attribute" not in options or options.keys() - {"attribute", "default"}:
            raise SandboxError(
                "template-failed", "`map` needs a filter or an attribute", hint="as in `map(attribute='name')`"
            )
        default = options.get("default", _NOTHING)
        return [_part(tools, each, options["attribute"], default) for each in items]
    return [tools.filter(_word("map", name), each, *given, **options) for each in items]


def _chosen(kind: str, *, keep: bool, by_attribute: bool) -> Callable[..., list[Any]]:
    def apply(tools: Tools, value: Any, *given: Any) -> list[Any]:
        path, rest = (given[0], given[1:]) if by_attribute and given else (None, given)
        if by_attribute and path is None:
            raise SandboxError("template-failed", f"`{kind}` needs an attribute", hint=f"as in `{kind}('name')`")
        test = _word(kind, rest[0]) if rest else None

        def holds(each: Any) -> bool:
            part = _part(tools, each, path)
            return bool(part) if test is None else tools.test(test, part, *rest[1:])

        return [each for each in listed(kind, value) if holds(each) is keep]

    return apply


def _word(kind: str, name: Any) -> str:
    if not isinstance(name, str):
        raise SandboxError("template-failed", f"`{kind}` needs a name in quotes, not {named(name)}")
    return name


def batch(tools: Tools, value: Any, linecount: Any, fill_with: Any = None) -> list[list[Any]]:
    items, size = listed("batch", value), whole("batch", linecount)
    if not 0 < size <= MAX_ITEMS:
        raise SandboxError("template-failed", f"`batch` needs a number from 1 to {MAX_ITEMS:,}")
    rows = [items[at : at + size] for at in range(0, len(items), size)]
    if rows and fill_with is not None:
        rows[-1] = rows[-1] + [fill_with] * (size - len(rows[-1]))
    return rows


def slice_(tools: Tools, value: Any, slices: Any, fill_with: Any = None) -> list[list[Any]]:
    items, count = listed("slice", value), whole("slice", slices)
    if not 0 < count <= MAX_ITEMS:
        raise SandboxError("template-failed", f"`slice` needs a number from 1 to {MAX_ITEMS:,}")
    size, longer = divmod(len(items), count)
    rows: list[list[Any]] = []
    start = 0
    for at in range(count):
        end = start + size + (at < longer)
        filled = [fill_with] if fill_with is not None and at >= longer else []
        rows.append([*items[start:end], *filled])
        start = end
    return rows


def items(tools: Tools, value: Any) -> list[tuple[Any, Any]]:
    return list(_mapping("items", value).items())


def dictsort(
    tools: Tools, value: Any, case_sensitive: Any = False, by: Any = "key", reverse: Any = False
) -> list[tuple[Any, Any]]:
    if by not in ("key", "value"):
        raise SandboxError("template-failed", "`dictsort` sorts by `'key'` or by `'value'`")
    members = items(tools, value)
    keys = [_folded(each[by == "value"], case_sensitive) for each in members]
    return [members[at] for at in _in_order(tools, keys, reverse=bool(reverse))]


def _mapping(name: str, value: Any) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise SandboxError("template-failed", f"`{name}` needs a mapping, not {named(value)}")
    return value


def _column(tools: Tools, name: str, value: Any, attribute: Any) -> list[Any]:
    return [_part(tools, each, attribute) for each in listed(name, value)]


def _part(tools: Tools, value: Any, path: Any, otherwise: Any = _NOTHING) -> Any:
    """Return ``value.path``, where a path is a name, a number, or several of them with dots; None is the value."""
    if path is None:
        return value
    if not isinstance(path, str | int):
        raise SandboxError("template-failed", f"an attribute is a name, not {named(path)}")
    for name in path.split(".") if isinstance(path, str) else [path]:
        step = int(name) if isinstance(name, str) and name.isdecimal() else name
        if otherwise is not _NOTHING and not tools.has(value, step):
            return otherwise
        value = tools.member(value, step)
    return value


def _folded(value: Any, case_sensitive: Any) -> Any:
    return value.lower() if isinstance(value, str) and not case_sensitive else value


LIST_FILTERS: Mapping[str, Callable[..., Any]] = {
    "length": length, "count": length, "list": list_, "join": join, "reverse": reverse, "sort": sort,
    "unique": unique, "sum": sum_, "min": _extreme("min", last=False), "max": _extreme("max", last=True),
    "first": _end("first", 0), "last": _end("last", -1), "map": map_, "batch": batch, "slice": slice_,
    **{
        name: _chosen(name, keep=name.startswith("s"), by_attribute=name.endswith("attr"))
        for name in ("select", "reject", "selectattr", "rejectattr")
    },
    "items": items, "dictsort": dictsort,
}  # fmt: skip

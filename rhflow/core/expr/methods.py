"""The tests (``is even``) and methods (``.split(',')``) of the recipe language, and no others.

Methods are looked up here by the type of the value, never on a Python object.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from rhflow.core.expr.bounds import SandboxError, named
from rhflow.core.expr.filters import replace
from rhflow.core.expr.formats import braces
from rhflow.core.expr.functions import Tools, as_text, listed, whole, written

# --- tests -----------------------------------------------------------------------------------------------------------


def contains(tools: Tools, value: Any, part: Any) -> bool:
    """Whether ``part`` is in a text, a list, or among the keys of a mapping."""
    tools.meter.read(value)
    if isinstance(value, str):
        return written("in", part) in value
    if isinstance(value, Mapping):
        return isinstance(part, str | int | float) and part in value
    return part in listed("in", value)


def compare(tools: Tools, name: str, left: Any, right: Any) -> bool:
    """Return ``left < right`` and the like. Raises SandboxError for what has no order."""
    tools.meter.read(left)
    tools.meter.read(right)
    try:
        return bool(_ORDER[name](left, right))
    except TypeError:
        message = f"{named(left)} and {named(right)} cannot be compared"
        hint = "add `| int` or `| float` to the text" if str in (type(left), type(right)) else None
        raise SandboxError("template-failed", message, hint=hint) from None


_ORDER: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "lteq": operator.le, "gt": operator.gt,
    "gteq": operator.ge,
}  # fmt: skip


def _compared(name: str) -> Callable[[Tools, Any, Any], bool]:
    return lambda tools, value, other: compare(tools, name, value, other)


def _kind(*kinds: type, but: type = object) -> Callable[[Tools, Any], bool]:
    return lambda tools, value: isinstance(value, kinds) and type(value) is not but


def _remainder(value: Any, divisor: Any, name: str) -> int:
    by = whole(name, divisor)
    if by == 0:
        raise SandboxError("template-failed", "nothing can be divided by 0")
    return whole(name, value) % by


def divisibleby(tools: Tools, value: Any, num: Any) -> bool:
    return _remainder(value, num, "divisibleby") == 0


def odd(tools: Tools, value: Any) -> bool:
    return _remainder(value, 2, "odd") == 1


def even(tools: Tools, value: Any) -> bool:
    return _remainder(value, 2, "even") == 0


TESTS: Mapping[str, Callable[..., bool]] = {
    "defined": lambda tools, value: True, "undefined": lambda tools, value: False,
    "odd": odd, "even": even, "divisibleby": divisibleby,
    "none": lambda tools, value: value is None,
    "true": lambda tools, value: value is True, "false": lambda tools, value: value is False,
    "boolean": _kind(bool), "integer": _kind(int, but=bool), "float": _kind(float), "number": _kind(int, float),
    "string": _kind(str), "mapping": _kind(Mapping), "sequence": _kind(str, list, tuple, Mapping),
    "iterable": _kind(str, list, tuple, Mapping),
    "lower": lambda tools, value: written("lower", value).islower(),
    "upper": lambda tools, value: written("upper", value).isupper(),
    "in": lambda tools, value, seq: contains(tools, seq, value),
    **dict.fromkeys(("==", "eq", "equalto"), _compared("eq")), **dict.fromkeys(("!=", "ne"), _compared("ne")),
    **dict.fromkeys((">", "gt", "greaterthan"), _compared("gt")), **dict.fromkeys((">=", "ge"), _compared("gteq")),
    **dict.fromkeys(("<", "lt", "lessthan"), _compared("lt")), **dict.fromkeys(("<=", "le"), _compared("lteq")),
}  # fmt: skip

# --- methods ---------------------------------------------------------------------------------------------------------


def _plain(name: str, *kinds: Any) -> Callable[..., Any]:
    """Return a method of texts that takes arguments of these types, each of which may be left out."""

    def apply(tools: Tools, value: str, *given: Any) -> Any:
        if len(given) > len(kinds) or not all(isinstance(each, kind) for each, kind in zip(given, kinds, strict=False)):
            needs = " and ".join("a whole number" if kind is int else "a text" for kind in kinds) or "nothing"
            raise SandboxError("template-failed", f"`.{name}()` takes {needs} in its brackets")
        for each in given:
            if isinstance(each, str):
                tools.meter.work(len(each) * len(value) // 100)  # the worst that a search may take
        try:
            return getattr(str, name)(value, *given)
        except (TypeError, ValueError) as error:
            raise SandboxError("template-failed", f"`.{name}()` cannot do this: {error}") from None

    return apply


def _padded(name: str) -> Callable[..., str]:
    def apply(tools: Tools, value: str, width: Any, fillchar: Any = " ") -> str:
        tools.meter.room(whole(name, width))
        fill = written(name, fillchar)
        if len(fill) != 1:
            raise SandboxError("template-failed", f"`.{name}()` fills up with one character, not with {len(fill)}")
        return str(getattr(str, name)(value, whole(name, width), fill))

    return apply


def zfill(tools: Tools, value: str, width: Any) -> str:
    tools.meter.room(whole("zfill", width))
    return value.zfill(whole("zfill", width))


def join(tools: Tools, value: str, iterable: Any) -> str:
    texts = [as_text(tools.meter, each) for each in listed("join", iterable)]
    tools.meter.room(sum(map(len, texts)) + len(value) * max(0, len(texts) - 1))
    return value.join(texts)


def format_(tools: Tools, value: str, *given: Any, **options: Any) -> str:
    return braces(tools.meter, value, given, options)


def index(tools: Tools, value: Any, item: Any) -> int:
    if item not in value:
        raise SandboxError("template-failed", "what `.index()` looks for is not in the list")
    return int(value.index(item))


def count(tools: Tools, value: Any, item: Any) -> int:
    return int(value.count(item))


def get(tools: Tools, value: Mapping[Any, Any], key: Any, default: Any = None) -> Any:
    return value[key] if isinstance(key, str | int | float) and key in value else default


_OF_TEXT: Mapping[str, Callable[..., Any]] = {
    **{
        name: _plain(name)
        for name in (
            "upper", "lower", "capitalize", "title", "casefold", "swapcase", "isdigit", "isalpha", "isalnum",
            "isnumeric", "isdecimal", "isspace", "islower", "isupper",
        )
    },
    **{name: _plain(name, str) for name in ("strip", "lstrip", "rstrip", "removeprefix", "removesuffix")},
    **{name: _plain(name, str) for name in ("startswith", "endswith", "partition", "rpartition")},
    **{name: _plain(name, str | None, int) for name in ("split", "rsplit")},
    **{name: _plain(name, str, int, int) for name in ("find", "rfind", "count")},
    "splitlines": _plain("splitlines", int),
    "replace": replace, "join": join, "format": format_, "zfill": zfill,
    **{name: _padded(name) for name in ("center", "ljust", "rjust")},
}  # fmt: skip
_OF_LIST: Mapping[str, Callable[..., Any]] = {"index": index, "count": count}
_OF_MAPPING: Mapping[str, Callable[..., Any]] = {
    "keys": lambda tools, value: list(value),
    "values": lambda tools, value: list(value.values()),
    "items": lambda tools, value: list(value.items()),
    "get": get,
}


class LoopState:
    """What ``loop`` is inside ``{% for %}``."""

    __slots__ = ("at", "depth", "items")

    def __init__(self, items: list[Any], depth: int) -> None:
        self.items, self.depth, self.at = items, depth, 0

    def member(self, name: str) -> Any:
        """Return ``loop.name``. Raises KeyError where there is none."""
        size = len(self.items)
        match name:
            case "previtem" if self.at > 0:
                return self.items[self.at - 1]
            case "nextitem" if self.at + 1 < size:
                return self.items[self.at + 1]
            case _:
                return {
                    "index": self.at + 1, "index0": self.at, "revindex": size - self.at,
                    "revindex0": size - self.at - 1, "first": self.at == 0, "last": self.at == size - 1,
                    "length": size, "depth": self.depth, "depth0": self.depth - 1,
                }[name]  # fmt: skip


def cycle(tools: Tools, loop: LoopState, *given: Any) -> Any:
    if not given:
        raise SandboxError("template-failed", "`loop.cycle` needs values to go through")
    return given[loop.at % len(given)]


LOOP_MEMBERS = (
    "index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0", "previtem", "nextitem",
)  # fmt: skip
METHODS = frozenset({*_OF_TEXT, *_OF_LIST, *_OF_MAPPING, "cycle"})


def methods_of(value: Any) -> Mapping[str, Callable[..., Any]]:
    """Return the methods that a value has."""
    match value:
        case str():
            return _OF_TEXT
        case list() | tuple():
            return _OF_LIST
        case Mapping():
            return _OF_MAPPING
        case LoopState():
            return {"cycle": cycle}
        case _:
            return {}

"""``'%03d' % n`` and ``'{:03d}'.format(n)``, for plain values and with widths that are bounded."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rhflow.core.expr.bounds import Meter, SandboxError, named
from rhflow.core.values import text_of

MAX_WIDTH = 999

_DIRECTIVE = re.compile(r"%(?:\((?P<key>[^()]*)\))?(?P<how>[#0\- +]*(?P<width>\d*)(?:\.(?P<digits>\d*))?)(?P<kind>.?)")
_SPEC = re.compile(r"(?:.?[<>=^])?[-+ ]?#?0?(?P<width>\d*)[,_]?(?:\.(?P<digits>\d*))?(?P<kind>[bdeEfFgGosxX%]?)")
_NUMBERS = frozenset("diouxXeEfFgG")
_WHOLE = frozenset("bdiouxX")


def percent(meter: Meter, template: str, given: Any) -> str:
    """Return ``template % given``. Raises SandboxError for what does not fit."""
    source = _Given(given if isinstance(given, tuple) else (given,), given if isinstance(given, Mapping) else {})
    pieces = _Pieces(meter)
    end = 0
    for match in _DIRECTIVE.finditer(template):
        pieces.add(template[end : match.start()])
        pieces.add("%" if match[0] == "%%" else _directive(match, source))
        end = match.end()
    pieces.add(template[end:])
    if not isinstance(given, Mapping) and source.left:
        raise _wrong("more values are given than the text takes", "write `%s` where each of them goes")
    return pieces.text()


def braces(meter: Meter, template: str, given: Sequence[Any], keywords: Mapping[str, Any]) -> str:
    """Return ``template.format(*given, **keywords)``, without attributes and indexes. Raises SandboxError."""
    source = _Given(given, keywords)
    pieces = _Pieces(meter)
    for literal, name, spec, conversion in _fields(template):
        pieces.add(literal)
        if name is not None:
            if conversion not in (None, "s") or not re.fullmatch(r"[0-9]{0,4}|[^\W\d]\w*", name):
                raise _wrong(f"`{{{_cut(name)}}}` can hold a number or a name only", "work the value out before")
            match = _SPEC.fullmatch(spec or "")
            if match is None:
                raise _wrong(f"`{_cut(spec or '')}` is not a way to write a value", "such as `{:03d}` or `{:.2f}`")
            pieces.add(_formatted(match, source.named(name) if name and not name.isdigit() else source.at(name)))
    return pieces.text()


class _Pieces:
    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._pieces: list[str] = []
        self._size = 0

    def add(self, piece: str) -> None:
        self._size += len(piece)
        self._meter.room(self._size)
        self._pieces.append(piece)

    def text(self) -> str:
        return "".join(self._pieces)


class _Given:
    """The values to put in, each checked to be plain."""

    def __init__(self, values: Sequence[Any], by_name: Mapping[str, Any]) -> None:
        self._values, self._by_name = values, by_name
        self._next = 0

    @property
    def left(self) -> int:
        return len(self._values) - self._next

    def at(self, number: str) -> Any:
        index = int(number) if number else self._next
        self._next += not number
        if index >= len(self._values):
            raise _wrong("fewer values are given than the text takes")
        return _scalar(self._values[index])

    def named(self, name: str) -> Any:
        if name not in self._by_name:
            raise _wrong(f"no value is given for `{_cut(name)}`")
        return _scalar(self._by_name[name])


def _directive(match: re.Match[str], source: _Given) -> str:
    kind = match["kind"]
    if kind != "s" and kind not in _NUMBERS:
        hint = "such as `%s`, `%03d` or `%.2f`; `%%` for `%`"
        raise _wrong(f"`{_cut(match[0])}` is not a way to write a value", hint)
    _check_width(match)
    value = source.at("") if match["key"] is None else source.named(match["key"])
    if kind == "s":
        return f"%{match['how']}s" % text_of(value)
    return f"%{match['how']}{kind}" % _number(value, whole=kind in "oxX")


def _formatted(match: re.Match[str], value: Any) -> str:
    _check_width(match)
    kind = match["kind"]
    if kind and kind != "s":
        value = _number(value, whole=kind in _WHOLE)
    elif isinstance(value, bool) or value is None or kind == "s":
        value = text_of(value)
    try:
        return format(value, match[0])
    except ValueError:
        raise _wrong(f"`{match[0]}` cannot write {named(value)}") from None


def _check_width(match: re.Match[str]) -> None:
    if any(int((match[part] or "0")[:9]) > MAX_WIDTH for part in ("width", "digits")):
        raise _wrong(f"a value can be written with at most {MAX_WIDTH} characters")


def _number(value: Any, *, whole: bool) -> int | float:
    if not isinstance(value, int | float) or (whole and not isinstance(value, int)):
        raise _wrong(f"{'a whole number' if whole else 'a number'} is needed, not {named(value)}")
    return value


def _scalar(value: Any) -> Any:
    if not isinstance(value, str | int | float | None):
        raise _wrong(f"{named(value)} cannot be written into a text this way", "use one of its parts")
    return value


def _fields(template: str) -> Iterator[tuple[str, str | None, str | None, str | None]]:
    try:
        yield from string.Formatter().parse(template)
    except ValueError:
        raise _wrong(f"`{_cut(template)}` has a brace that is not closed", "write `{{` and `}}` for braces") from None


def _wrong(message: str, hint: str | None = None) -> SandboxError:
    return SandboxError("template-failed", message, hint=hint)


def _cut(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"

"""Arithmetic of expressions: what can be added to what, and how large the result may be."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from rhflow.core.expr.bounds import MAX_BITS, Meter, SandboxError, named
from rhflow.core.expr.formats import percent

_SEQUENCES = (str, list, tuple)


def _add(meter: Meter, left: Any, right: Any) -> Any:
    for kind in (str, list, tuple):
        if type(left) is kind and type(right) is kind:
            _room(meter, left, len(left) + len(right))
            return left + right
    return _numbers("added to", operator.add, left, right)


def _multiply(meter: Meter, left: Any, right: Any) -> Any:
    for sequence, times in ((left, right), (right, left)):
        if isinstance(sequence, _SEQUENCES) and isinstance(times, int) and not isinstance(times, bool):
            _room(meter, sequence, len(sequence) * max(0, times))
            return sequence * times
    return _numbers("multiplied by", operator.mul, left, right)


def _room(meter: Meter, kind: Any, length: int) -> None:
    if isinstance(kind, str):
        meter.room(length)
    else:
        meter.room_for_items(length)


def _modulo(meter: Meter, left: Any, right: Any) -> Any:
    if isinstance(left, str):
        return percent(meter, left, right)
    return _numbers("divided by", operator.mod, left, right)


def _power(meter: Meter, left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int) and right > 0 and left.bit_length() * right > 2 * MAX_BITS:
        if abs(left) > 1:
            raise SandboxError("number-too-large", "this number grows beyond 400 digits")
        right = 2 - right % 2  # 0, 1 and -1 stay small: only whether it is even matters
    made = _numbers("raised to the power of", operator.pow, left, right)
    if isinstance(made, complex):
        raise SandboxError("template-failed", "a negative number has no such root")
    return made


def _only_numbers(verb: str, apply: Callable[[Any, Any], Any]) -> Callable[[Meter, Any, Any], Any]:
    return lambda meter, left, right: _numbers(verb, apply, left, right)


def _numbers(verb: str, apply: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        hint = None
        if isinstance(left, str) or isinstance(right, str):
            hint = "write `~` to join texts" if verb == "added to" else "add `| int` or `| float` to the text"
        raise SandboxError("template-failed", f"{named(left)} cannot be {verb} {named(right)}", hint=hint)
    try:
        made = apply(left, right)
    except ZeroDivisionError:
        raise SandboxError("template-failed", "nothing can be divided by 0") from None
    except OverflowError:
        raise SandboxError("number-too-large", "this number grows too large") from None
    if isinstance(made, float) and not math.isfinite(made):
        raise SandboxError("number-too-large", "this number grows too large")
    return made


def negative(value: Any) -> Any:
    """Return ``-value``."""
    return _signed(operator.neg, value)


def positive(value: Any) -> Any:
    """Return ``+value``."""
    return _signed(operator.pos, value)


def _signed(apply: Callable[[Any], Any], value: Any) -> Any:
    if not isinstance(value, int | float):
        raise SandboxError("template-failed", f"{named(value)} has no sign: only numbers have")
    return apply(value)


OPERATORS: Mapping[str, Callable[[Meter, Any, Any], Any]] = {
    "Add": _add,
    "Sub": _only_numbers("reduced by", operator.sub),
    "Mul": _multiply,
    "Div": _only_numbers("divided by", operator.truediv),
    "FloorDiv": _only_numbers("divided by", operator.floordiv),
    "Mod": _modulo,
    "Pow": _power,
}

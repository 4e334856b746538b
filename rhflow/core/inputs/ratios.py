"""Aspect ratios where a model knows only sizes: a listed size, or a width and a height."""

from __future__ import annotations

import math
from typing import Any

from rhflow.core.inputs.coerce import BadValueError, as_number, fold
from rhflow.core.kinds import Field
from rhflow.core.values import Pending


def pixels(text: str) -> tuple[int, int] | None:
    """Return ``1024*768`` (or with ``x``, ``×``) as a pair, or None for any other text."""
    wide, mark, high = fold(text).partition("x")
    return (int(wide), int(high)) if mark and wide.isdigit() and high.isdigit() and int(high) else None


def parse_ratio(value: Any) -> float:
    """Return ``16:9`` as a number. Raises BadValueError."""
    wide, _, high = str(value).partition(":")
    try:
        ratio = float(wide) / float(high)
    except (ValueError, ZeroDivisionError):
        ratio = 0.0
    if not 0.02 < ratio < 50:
        raise BadValueError("wrong-choice", f"`{value}` is not a ratio", "write a ratio such as `16:9`")
    return ratio


def size_of_ratio(target: Field, value: Any) -> Any:
    """Return the listed pixel size of a ratio (within 4 %). Raises BadValueError naming the choices."""
    if isinstance(value, Pending):
        return value
    ratio = parse_ratio(value)
    sizes = {each: sides for each in target.enum if (sides := pixels(each)) is not None}
    close = {each: abs(math.log(wide / high / ratio)) for each, (wide, high) in sizes.items()}
    best = min(close, key=lambda each: (round(close[each], 3), -sizes[each][0] * sizes[each][1]))
    if close[best] > 0.04:
        listed = ", ".join(f"`{each}`" for each in sizes)
        raise BadValueError("wrong-choice", f"no listed size has the ratio {value}", f"set `size` to one of {listed}")
    return best


def sides_of_ratio(width: Field, height: Field, value: Any) -> tuple[Any, Any]:
    """Return width and height of a ratio with the area of the defaults, within both fields' limits."""
    if isinstance(value, Pending):
        return value, value
    ratio = parse_ratio(value)
    area = float(as_number(width.default or 1024)) * float(as_number(height.default or 1024))
    wide, high = math.sqrt(area * ratio), math.sqrt(area / ratio)
    # Both limits at once, so that the ratio survives
    shrink = min(1.0, (width.maximum or wide) / wide, (height.maximum or high) / high)
    grow = max(1.0, (width.minimum or 0) / wide, (height.minimum or 0) / high)
    return _stepped(width, wide * shrink * grow), _stepped(height, high * shrink * grow)


def _stepped(side: Field, length: float) -> int:
    step = max(16, int(side.step or 1))
    return int(max(side.minimum or 0, min(side.maximum or math.inf, round(length / step) * step)))

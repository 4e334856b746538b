"""A parameter's value by its declared type, whether it comes from the recipe or was typed on the command line."""

from __future__ import annotations

import math
import re
from typing import Any

from rhflow.core.recipe.document import Param
from rhflow.core.recipe.patterns import matches

_LONGEST_SHOWN = 60


def parse_param(param: Param, value: Any) -> Any:
    """Return a parameter's value by its declared type; texts are read as typed.

    Raises ValueError in words that go on from the parameter's name. A secret value is not among them.
    """
    typed = typed_param(param, value)
    if (wanted := _broken_rule(param, typed)) is not None:
        raise ValueError(_but_not(param, wanted, value))
    return typed


def typed_param(param: Param, value: Any) -> Any:
    """Return a value by the type of a parameter, without its other rules. Raises ValueError in words."""
    try:
        return _typed(param, value)
    except _WantedError as error:
        raise ValueError(_but_not(param, str(error), value)) from None


class _WantedError(ValueError):
    """What a value must be and is not."""


def _but_not(param: Param, wanted: str, value: Any) -> str:
    text = str(value)
    cut = f"{text[:_LONGEST_SHOWN]}…" if len(text) > _LONGEST_SHOWN else text
    return wanted if param.secret else f"{wanted}, not `{cut}`"


def _broken_rule(param: Param, typed: Any) -> str | None:
    """Return what a value of the right type must be beyond that and is not, or None."""
    if param.enum and typed not in [_typed(param, each) for each in param.enum]:
        return "must be one of " + ", ".join(f"`{each}`" for each in param.enum)
    if isinstance(typed, int | float) and not isinstance(typed, bool):
        if param.minimum is not None and typed < param.minimum:
            return f"must be at least {param.minimum}"
        if param.maximum is not None and typed > param.maximum:
            return f"must be at most {param.maximum}"
    if param.pattern is not None and isinstance(typed, str) and not matches(param.pattern, typed):
        return f"must match `{param.pattern}`"
    return None


def _typed(param: Param, value: Any) -> Any:
    match param.type:
        case "string":
            return _string(value)
        case "integer":
            return _whole(value)
        case "number":
            return _real(value)
        case "boolean":
            if isinstance(value, bool):
                return value
            if isinstance(value, str) and value.casefold() in ("true", "false"):
                return value.casefold() == "true"
            raise _WantedError("must be true or false")
        case "list" | "object":
            return _structure(param, value)
        case _:
            if not isinstance(value, str):
                raise _WantedError("must be a path or a link")
            return value


def _string(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise _WantedError("must be text")


def _whole(value: Any) -> int:
    number = _real(value, "a whole number")
    if not float(number).is_integer():
        raise _WantedError("must be a whole number")
    return int(number)


def _real(value: Any, what: str = "a number") -> int | float:
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            is_whole = isinstance(value, int) or (isinstance(value, str) and re.fullmatch(r"\s*[-+]?\d+\s*", value))
            number: int | float = int(value) if is_whole else float(value)
            if math.isfinite(number):
                return number
        except (ValueError, OverflowError):
            pass
    raise _WantedError(f"must be {what}")


def _structure(param: Param, value: Any) -> Any:
    import json

    wanted: type = list if param.type == "list" else dict
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = [each.strip() for each in value.split(",")] if wanted is list else value
    if not isinstance(value, wanted):
        raise _WantedError("must be a list" if wanted is list else "must be an object")
    return value

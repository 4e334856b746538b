"""A parameter's value by its declared type, whether it comes from the recipe or was typed on the command line."""

from __future__ import annotations

import re
from typing import Any

from rhflow.core.document import Param


def parse_param(param: Param, value: Any) -> Any:
    """Return a parameter's value by its declared type; texts are read as typed. Raises ValueError in words."""
    typed = _typed(param, value)
    if param.enum and typed not in param.enum:
        listed = ", ".join(f"`{each}`" for each in param.enum)
        raise ValueError(f"must be one of {listed}, not `{value}`")
    if isinstance(typed, int | float) and not isinstance(typed, bool):
        if param.minimum is not None and typed < param.minimum:
            raise ValueError(f"must be at least {param.minimum}, not {typed}")
        if param.maximum is not None and typed > param.maximum:
            raise ValueError(f"must be at most {param.maximum}, not {typed}")
    if param.pattern is not None and isinstance(typed, str) and re.fullmatch(param.pattern, typed) is None:
        raise ValueError(f"must match `{param.pattern}`, which `{typed}` does not")
    return typed


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
            raise ValueError(f"must be true or false, not `{value}`")
        case "list" | "object":
            return _structure(param, value)
        case _:
            if not isinstance(value, str):
                raise ValueError(f"must be a path or a link, not `{value}`")
            return value


def _string(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError(f"must be text, not `{value}`")


def _whole(value: Any) -> int:
    number = _real(value)
    if not float(number).is_integer():
        raise ValueError(f"must be a whole number, not `{value}`")
    return int(number)


def _real(value: Any) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            return int(value) if re.fullmatch(r"[-+]?\d+", value.strip()) else float(value)
        except ValueError:
            pass
    raise ValueError(f"must be a number, not `{value}`")


def _structure(param: Param, value: Any) -> Any:
    import json

    wanted: type = list if param.type == "list" else dict
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = [each.strip() for each in value.split(",")] if wanted is list else value
    if not isinstance(value, wanted):
        raise ValueError(f"must be a {param.type}, not `{value}`")
    return value

"""Whether a payload is what a model takes, as strictly as the service reads it.

Written apart from the client's own check on purpose: a payload that both let through has been looked at twice.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from rhflow.core.kinds import Field, Model
from rhflow.core.values import Json

_LINK = re.compile(r"https?://[^\s/]+(/\S*)?|data:[\w.+-]+/[\w.+-]+(;[\w=.+-]+)*,\S*|asset://\S+", re.IGNORECASE)
_EXTRA = frozenset({"webhookUrl"})


def problem_in(model: Model, payload: Mapping[str, Json]) -> str | None:
    """Return what is wrong with ``payload``, by field, or None when the model takes it."""
    for name in payload:
        if model.field_named(name) is None and name not in _EXTRA:
            return f"`{name}` is not a parameter of this model"
    if not isinstance(payload.get("webhookUrl", ""), str):
        return "`webhookUrl` must be a string"
    for field in model.fields:
        if field.name not in payload:
            if field.required:
                return f"`{field.name}` is required"
        elif (why := _problem(field, payload[field.name])) is not None:
            return f"`{field.name}` {why}"
    for group in model.any_of:
        if not any(name in payload for name in group):
            return "one of " + ", ".join(f"`{name}`" for name in group) + " is required"
    return None


def _problem(field: Field, value: Json) -> str | None:
    if not field.is_list:
        return _problem_of_one(field, field.type, value)
    if not isinstance(value, list):
        return "must be a list"
    if field.required and not value:
        return "must not be empty"
    if field.max_items is not None and len(value) > field.max_items:
        return f"takes at most {field.max_items} items, not {len(value)}"
    kind = field.type.removesuffix("[]")
    return next((why for each in value if (why := _problem_of_one(field, kind, each)) is not None), None)


def _problem_of_one(field: Field, kind: str, value: Json) -> str | None:
    match kind:
        case "string":
            return _problem_of_text(field, value)
        case "enum":
            listed = ", ".join(field.enum)
            return None if isinstance(value, str) and value in field.enum else f"must be one of {listed}, as a string"
        case "boolean":
            return None if isinstance(value, bool) else "must be true or false"
        case "integer" | "number":
            return _problem_of_number(field, kind, value)
        case "object":
            return None if isinstance(value, dict) else "must be an object"
        case _:
            good = isinstance(value, str) and _LINK.fullmatch(value) is not None
            return None if good else "must be a URL or a data: URI"


def _problem_of_text(field: Field, value: Json) -> str | None:
    if not isinstance(value, str):
        return "must be a string"
    if field.required and not value.strip():
        return "must not be blank"
    if field.max_length is not None and len(value) > field.max_length:
        return f"is longer than {field.max_length} characters"
    return None


def _problem_of_number(field: Field, kind: str, value: Json) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return "must be a number"
    if kind == "integer" and not isinstance(value, int):
        return "must be a whole number"
    if field.minimum is not None and value < field.minimum:
        return f"must be at least {field.minimum:g}"
    if field.maximum is not None and value > field.maximum:
        return f"must be at most {field.maximum:g}"
    if field.step:
        steps = (value - (field.minimum or 0)) / field.step
        if abs(steps - round(steps)) > 1e-6:
            return f"must be a multiple of {field.step:g}"
    return None

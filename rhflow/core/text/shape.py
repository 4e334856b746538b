"""What the schema has against a recipe, in our words and with places."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from rhflow.core.errors import Problem, did_you_mean, nearest
from rhflow.core.text.located import Located, Pointer

_JSON_NAMES: Mapping[type, str] = {
    bool: "a boolean", int: "a number", float: "a number", str: "text", list: "a list", dict: "a mapping",
    type(None): "empty",
}  # fmt: skip
_SCHEMA_NAMES = {
    "object": "a mapping", "array": "a list", "string": "text", "number": "a number", "boolean": "true or false",
    "integer": "a whole number", "null": "empty",
}  # fmt: skip


_DEFS = "#/$defs/"


def shape_problems(located: Located, schema: Mapping[str, Any], *, whole: str = "the recipe") -> list[Problem]:
    """Return what the schema has against the data, in our words and with places; ``whole`` is what the text is."""
    data = located.data
    if isinstance(data, dict):
        _drop_empty(data)
    errors = list(validator(schema).iter_errors(data))
    misspelt = {(tuple(each.absolute_path), meant) for each in errors for meant in _unknown_keys(each).values()}
    return [problem for error in errors for problem in _problems_of(located, error, whole, misspelt)]


def validator(schema: Mapping[str, Any]) -> Any:
    """Return what finds errors in data by a schema.

    To JSON Schema 2.0 is a whole number, and in YAML `.nan` is a number that no limit holds: neither counts here.
    """
    from jsonschema import Draft202012Validator  # imported late: 80 ms that a cached run does not need
    from jsonschema.validators import extend

    types = Draft202012Validator.TYPE_CHECKER.redefine_many({"number": _is_number, "integer": _is_whole})
    return extend(Draft202012Validator, type_checker=types)(_spelled_out(schema))  # type: ignore[no-untyped-call]


def _is_number(_: Any, value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(_: Any, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _spelled_out(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema with its own definitions in the place of references: validating is twice as fast without."""
    definitions: Mapping[str, Any] = schema.get("$defs", {})

    def filled(part: Any) -> Any:
        if isinstance(part, list):
            return [filled(each) for each in part]
        if not isinstance(part, Mapping):
            return part
        name = part.get("$ref", "")
        if isinstance(name, str) and name.startswith(_DEFS):
            return filled(
                {**definitions[name.removeprefix(_DEFS)], **{key: part[key] for key in part if key != "$ref"}}
            )
        return {key: filled(each) for key, each in part.items()}

    return {key: filled(each) for key, each in schema.items() if key != "$defs"}


def _drop_empty(data: dict[str, Any]) -> None:
    """Treat a section that was left empty (``params:`` with nothing under it) as not there."""
    for name in ("params", "vars", "env", "defaults", "budget", "outputs", "description"):
        if name in data and data[name] is None:
            del data[name]


def _unknown_keys(error: Any) -> dict[str, str | None]:
    """Return the keys that the schema does not know, each with the one that was most likely meant."""
    if error.validator != "additionalProperties" or not isinstance(error.instance, dict):
        return {}
    known = list(error.schema.get("properties", {}))
    unknown = [each for each in error.instance if each not in known and not str(each).startswith("x-")]
    return {each: nearest(str(each), known) for each in unknown}


def _problems_of(
    located: Located, error: Any, whole: str, misspelt: Collection[tuple[Pointer, str | None]]
) -> Iterable[Problem]:
    pointer: Pointer = tuple(error.absolute_path)
    owner = _owner(_by_id(located, pointer)) if pointer else whole
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = list(error.schema.get("properties", {}))
        for key, meant in _unknown_keys(error).items():
            hint = did_you_mean(key, known, limit=12) if meant is None else f"did you mean `{meant}`?"
            yield Problem("unknown-key", f"`{key}` is not a key of {owner}", located.key_span((*pointer, key)), hint)
    elif error.validator == "required":
        missing = [each for each in error.validator_value if each not in error.instance]
        yield from (_missing(located, pointer, owner, key) for key in missing if (pointer, key) not in misspelt)
    else:
        code, message, hint = _words_for(error, owner)
        name = error.validator == "pattern" and "propertyNames" in error.absolute_schema_path
        span = located.key_span((*pointer, error.instance)) if name else located.span(pointer)
        yield Problem(code, message, span, hint)


def _missing(located: Located, pointer: Pointer, owner: str, key: str) -> Problem:
    hints = {
        "rhflow": "begin the file with `rhflow: 1`",
        "steps": "add a `steps:` section",
        "uses": "add its kind, such as `uses: text-to-image`",
        "faults": "begin the file with `faults: 1`",
        "rules": "add `rules:` with a list of faults, as in `- {fault: drop, at: 1}`",
        "fault": "name what goes wrong, as in `fault: drop`",
    }
    span = located.key_span(pointer) if pointer else located.span_of(0, 0)
    return Problem("missing-key", f"{owner} lacks `{key}`", span, hints.get(key))


def _words_for(error: Any, owner: str) -> tuple[str, str, str | None]:
    value, wanted = error.instance, error.validator_value
    if error.validator == "type":
        names = [wanted] if isinstance(wanted, str) else wanted
        kinds = " or ".join(dict.fromkeys(_SCHEMA_NAMES[each] for each in names))
        odd = isinstance(value, float) and ("integer" in names or not math.isfinite(value))
        message = f"{owner} must be {kinds}, not {f'`{value}`' if odd else _JSON_NAMES.get(type(value), 'that')}"
        return "wrong-type", f"{owner} is empty" if value is None else message, _hint_of_type(error, names)
    if error.validator == "enum":
        return "wrong-choice", f"{owner} cannot be `{value}`", did_you_mean(str(value), map(str, wanted), limit=12)
    if error.validator == "const":
        key = next(iter(error.absolute_path), "rhflow")
        return "wrong-version", f"{owner} must be `{wanted}`", f"write `{key}: {wanted}`"
    if error.validator == "pattern":
        hint = f"use {_lower(_describe(error.schema))}"
        if error.absolute_schema_path and "propertyNames" not in error.absolute_schema_path:
            return "wrong-form", f"{owner} cannot be `{value}`", _form_hint(error)
        return "bad-name", f"`{value}` cannot be used as a name here", hint
    if error.validator in ("minProperties", "minItems"):
        return "empty", f"{owner} is empty", "add at least one step" if owner == "`steps`" else None
    if error.validator in ("minimum", "maximum"):
        word = "least" if error.validator == "minimum" else "most"
        return "out-of-range", f"{owner} must be at {word} {wanted}, not {value}", None
    if error.validator == "exclusiveMinimum":
        return "out-of-range", f"{owner} must be more than {wanted}, not {value}", None
    if error.validator == "anyOf":
        last = str(next(reversed(error.absolute_path), ""))
        return "wrong-type", f"{owner} must be {_describe(error.schema)}", _FORMS.get(last)
    return "shape", f"{owner} is not valid: {error.message}", None


def _hint_of_type(error: Any, names: list[str]) -> str | None:
    value, last = error.instance, list(error.absolute_path)[-1:]
    if not error.absolute_path:
        recipe = "rhflow" in error.schema.get("required", ())
        return "`rhflow init` makes a recipe to begin with" if recipe else "begin the file with `faults: 1`"
    if value is None:
        return _hint_of_empty(tuple(error.absolute_path))
    if names == ["array"] and isinstance(value, str):
        return f"write `[{value}]`"
    return "write `with: {prompt: …}`" if last == ["with"] else None


def _hint_of_empty(pointer: Pointer) -> str:
    """Return what to write where nothing is written."""
    match pointer:
        case ("steps",):
            return "add a step under it, as in `draw: {uses: text-to-image, with: {prompt: a fox}}`"
        case ("steps", _) | ("steps", _, "uses"):
            return "begin with its kind, such as `uses: text-to-image`"
        case (*_, "with"):
            return "leave `with` out where there is nothing to give"
        case (*_, "model"):
            return "leave `model` out for the default of its kind, or name one: `rhflow models search WORD` finds them"
        case ("params", _):
            return "write a default, or `{type: string}` for a parameter that must be given"
        case _:
            return f"leave `{pointer[-1]}` out, or give it a value"


def _form_hint(error: Any) -> str:
    if list(error.absolute_path) == ["name"]:
        tidy = re.sub(r"[^A-Za-z0-9._-]+", "-", error.instance).strip("-._")
        return f"use letters, digits, `.`, `-` and `_`, as in `{tidy or 'poster'}`"
    return _FORMS.get(list(error.absolute_path)[-1], _lower(_describe(error.schema)))


_FORMS = {
    "timeout": "write a number above 0 and `s`, `m` or `h`, as in `90s`, `20m`",
    "max_cost": "write an amount, as in `12 CNY`, or `12 CNY + 500 coins`",
    "at": "write `at: 1`, or `at: [1, 3]`",
    "on": "write `on: submit`, or `on: [query, download]`",
    "pool": "use small letters, digits, `-` and `_`, as in `my-pool`",
}


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _describe(schema: Mapping[str, Any]) -> str:
    return str(schema.get("description", "something else")).rstrip(".")


def _by_id(located: Located, pointer: Pointer) -> Pointer:
    """Return a pointer with the id of a step in the place of its number, where steps stand in a list."""
    match pointer:
        case ("steps", int(at), *rest):
            step = located.data["steps"][at]
            own = step.get("id") if isinstance(step, dict) else None
            return ("steps", str(own or f"number {at + 1}"), *rest)
        case _:
            return pointer


def _owner(pointer: Pointer) -> str:
    """Say in words what a pointer leads to."""
    match pointer:
        case ("steps", key):
            return f"step `{key}`"
        case ("params", key):
            return f"parameter `{key}`"
        case ("outputs", key):
            return f"output `{key}`"
        case ("defaults", key):
            return f"the defaults of `{key}`"
        case ("rules", int(at)):
            return f"rule {at + 1}"
        case ("rules", int(at), str(last), *_):
            return f"`{last}` of rule {at + 1}"
        case ("steps", key, *_, str(last), int()):
            return f"an item of `{last}` of step `{key}`"
        case ("steps", key, *_, last):
            return f"`{last}` of step `{key}`"
        case _:
            return f"`{pointer[-1]}`"

"""What the author wrote, checked for shape: a Pipeline whose every part knows its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rhflow.core.errors import Problem, RecipeError, did_you_mean
from rhflow.core.source import Located, Pointer
from rhflow.core.template import Template, Unresolved, parse_value

_PARAM_TYPES: Mapping[type, str] = {
    bool: "boolean", int: "integer", float: "number", str: "string", list: "list", dict: "object",
}  # fmt: skip
_JSON_NAMES: Mapping[type, str] = {
    bool: "a boolean", int: "a number", float: "a number", str: "text", list: "a list", dict: "a mapping",
    type(None): "empty",
}  # fmt: skip
_SCHEMA_NAMES = {
    "object": "a mapping", "array": "a list", "string": "text", "number": "a number", "boolean": "true or false",
    "integer": "a whole number", "null": "empty",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Param:
    """A declared parameter; ``required`` when it has no default."""

    name: str
    type: str
    pointer: Pointer
    required: bool = True
    default: Any = None
    enum: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    description: str = ""
    secret: bool = False

    @property
    def is_media(self) -> bool:
        """Whether values are files."""
        return self.type in ("image", "video", "audio", "file")


@dataclass(frozen=True, slots=True)
class Step:
    """A step as written, with the defaults of its kind merged in."""

    id: str
    kind: str
    pointer: Pointer
    inputs: Mapping[str, Unresolved]
    model: Unresolved = None
    needs: tuple[str, ...] = ()
    cache: bool = True
    salt: str | None = None
    save_as: Unresolved = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """Something the run delivers."""

    name: str
    value: Unresolved
    pointer: Pointer
    save_as: Unresolved = None


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A recipe. ``outputs`` is None where the author left it out: then every made file is delivered."""

    name: str
    located: Located = field(repr=False)
    params: Mapping[str, Param]
    vars: Mapping[str, Unresolved]
    steps: Mapping[str, Step]
    outputs: Mapping[str, Output] | None
    description: str = ""

    def problem(self, code: str, message: str, pointer: Pointer, *, hint: str | None = None) -> Problem:
        """Return a problem with the value at ``pointer``."""
        return Problem(code, message, self.located.span(pointer), hint)

    def key_problem(self, code: str, message: str, pointer: Pointer, *, hint: str | None = None) -> Problem:
        """Return a problem with the key at ``pointer``."""
        return Problem(code, message, self.located.key_span(pointer), hint)


def build(located: Located, schema: Mapping[str, Any], *, name: str) -> tuple[Pipeline, list[Problem]]:
    """Return the pipeline and the problems of its templates.

    ``name`` is used where the recipe gives none. Raises RecipeError when the shape is wrong, with every problem.
    """
    if problems := shape_problems(located, schema):
        raise RecipeError(problems)
    found: list[Problem] = []
    data: dict[str, Any] = located.data
    pipeline = Pipeline(
        name=data.get("name", name),
        located=located,
        params={key: _param(key, each) for key, each in data.get("params", {}).items()},
        vars={key: parse_value(each, located, ("vars", key), found) for key, each in data.get("vars", {}).items()},
        steps={key: _step(located, key, found) for key in data["steps"]},
        outputs=_outputs(located, found),
        description=data.get("description", ""),
    )
    return pipeline, found


def _param(name: str, data: Any) -> Param:
    pointer = ("params", name)
    if not isinstance(data, dict):
        return Param(name, _PARAM_TYPES[type(data)], pointer, required=False, default=data)
    default = data.get("default")
    return Param(
        name=name,
        type=data.get("type") or _PARAM_TYPES.get(type(default), "string"),
        pointer=pointer,
        required="default" not in data,
        default=default,
        enum=tuple(data.get("enum", ())),
        minimum=data.get("minimum"),
        maximum=data.get("maximum"),
        pattern=data.get("pattern"),
        description=data.get("description", ""),
        secret=data.get("secret", False),
    )


def _step(located: Located, key: str, found: list[Problem]) -> Step:
    written: dict[str, Any] = located.data["steps"][key]
    kind = written["uses"]
    base: dict[str, Any] = located.data.get("defaults", {}).get(kind, {})
    here, there = ("steps", key), ("defaults", kind)

    def value(name: str) -> Unresolved:
        if name in written:
            return parse_value(written[name], located, (*here, name), found)
        return parse_value(base.get(name), located, (*there, name), found)

    inputs = {
        name: parse_value(each, located, (*there, "with", name), found)
        for name, each in base.get("with", {}).items()
        if name not in written.get("with", {})
    }
    for name, each in written.get("with", {}).items():
        inputs[name] = parse_value(each, located, (*here, "with", name), found)
    cache = written.get("cache", base.get("cache", True))
    return Step(
        id=key,
        kind=kind,
        pointer=here,
        inputs=inputs,
        model=value("model"),
        needs=tuple(written.get("needs", base.get("needs", ()))),
        cache=cache is not False,
        salt=cache["salt"] if isinstance(cache, dict) else None,
        save_as=value("save_as"),
        description=written.get("description", ""),
    )


def _outputs(located: Located, found: list[Problem]) -> Mapping[str, Output] | None:
    if "outputs" not in located.data:
        return None
    outputs: dict[str, Output] = {}
    for name, each in located.data["outputs"].items():
        pointer: Pointer = ("outputs", name)
        if isinstance(each, dict):
            value = parse_value(each["from"], located, (*pointer, "from"), found)
            save_as = parse_value(each.get("save_as"), located, (*pointer, "save_as"), found)
            outputs[name] = Output(name, value, pointer, save_as)
        else:
            outputs[name] = Output(name, parse_value(each, located, pointer, found), pointer)
    return outputs


# --- shape -----------------------------------------------------------------------------------------------------------


def shape_problems(located: Located, schema: Mapping[str, Any]) -> list[Problem]:
    """Return what the schema has against the data, in our words and with places."""
    from jsonschema import Draft202012Validator  # imported late: 80 ms that a cached run does not need

    data = located.data
    if isinstance(data, dict):
        _drop_empty(data)
    errors = Draft202012Validator(schema).iter_errors(data)
    return [problem for error in errors for problem in _problems_of(located, error)]


def _drop_empty(data: dict[str, Any]) -> None:
    """Treat a section that was left empty (``params:`` with nothing under it) as not there."""
    for name in ("params", "vars", "defaults", "outputs", "description"):
        if name in data and data[name] is None:
            del data[name]


def _problems_of(located: Located, error: Any) -> Iterable[Problem]:
    pointer: Pointer = tuple(error.absolute_path)
    owner = _owner(pointer)
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = list(error.schema.get("properties", {}))
        for key in [each for each in error.instance if each not in known and not str(each).startswith("x-")]:
            message = f"`{key}` is not a key of {owner}"
            yield Problem("unknown-key", message, located.key_span((*pointer, key)), did_you_mean(key, known, limit=12))
    elif error.validator == "required":
        missing = [each for each in error.validator_value if each not in error.instance]
        yield from (_missing(located, pointer, owner, key) for key in missing)
    else:
        code, message, hint = _words_for(error, owner)
        name = error.validator == "pattern" and "propertyNames" in error.absolute_schema_path
        span = located.key_span((*pointer, error.instance)) if name else located.span(pointer)
        yield Problem(code, message, span, hint)


def _missing(located: Located, pointer: Pointer, owner: str, key: str) -> Problem:
    hints = {"rhflow": "begin the file with `rhflow: 1`", "steps": "add a `steps:` section", "uses": "add `uses: KIND`"}
    span = located.key_span(pointer) if pointer else located.span_of(0, 0)
    return Problem("missing-key", f"{owner} lacks `{key}`", span, hints.get(key))


def _words_for(error: Any, owner: str) -> tuple[str, str, str | None]:
    value, wanted = error.instance, error.validator_value
    if error.validator == "type":
        names = [wanted] if isinstance(wanted, str) else wanted
        kinds = " or ".join(dict.fromkeys(_SCHEMA_NAMES[each] for each in names))
        return "wrong-type", f"{owner} must be {kinds}, not {_JSON_NAMES.get(type(value), 'that')}", None
    if error.validator == "enum":
        return "wrong-choice", f"{owner} cannot be `{value}`", did_you_mean(str(value), map(str, wanted), limit=12)
    if error.validator == "const":
        return "wrong-version", f"{owner} must be `{wanted}`", f"write `rhflow: {wanted}`"
    if error.validator == "pattern":
        return "bad-name", f"`{value}` cannot be used as a name here", f"use {_lower(_describe(error.schema))}"
    if error.validator == "minProperties":
        return "empty", f"{owner} is empty", "add at least one step"
    if error.validator == "anyOf":
        return "wrong-type", f"{owner} must be {_describe(error.schema)}", None
    return "shape", f"{owner} is not valid: {error.message}", None


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _describe(schema: Mapping[str, Any]) -> str:
    return str(schema.get("description", "something else")).rstrip(".")


def _owner(pointer: Pointer) -> str:
    """Say in words what a pointer leads to."""
    match pointer:
        case ():
            return "the recipe"
        case ("steps", key):
            return f"step `{key}`"
        case ("params", key):
            return f"parameter `{key}`"
        case ("outputs", key):
            return f"output `{key}`"
        case ("defaults", key):
            return f"the defaults of `{key}`"
        case ("steps", key, *_, last):
            return f"`{last}` of step `{key}`"
        case _:
            return f"`{pointer[-1]}`"


def is_static(value: Unresolved) -> bool:
    """Whether a value holds no template."""
    if isinstance(value, Template):
        return False
    if isinstance(value, list):
        return all(is_static(each) for each in value)
    return all(is_static(each) for each in value.values()) if isinstance(value, dict) else True

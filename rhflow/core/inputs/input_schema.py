"""What one input accepts, as JSON Schema for editors: the mirror of ``coerce``, with completion in mind.

An editor proposes what a schema lists, so a value is listed once, in the spelling that reads best (``5``, not ``"5"``),
and every other spelling that the loader takes is allowed by a pattern, which proposes nothing. Any input may also be
an expression. What an editor refuses the loader refuses too, but for what nobody means: an input left empty, a plain
value as a list of one, a plain value among mappings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from rhflow.core.inputs.describe import input_words, limit_words, type_words, values_words
from rhflow.core.inputs.ratios import pixels
from rhflow.core.kinds import Field

Schema = dict[str, Any]

EXPRESSION = r"\$\{\{"
_INTEGER, _NUMBER = r"^\s*[-+]?\d+(\.0*)?\s*$", r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"
_RATIO = r"^\s*\d+(\.\d+)?\s*:\s*\d+(\.\d+)?\s*$"
_SYNTAX = r"\^$.|?*+()[]{}/"  # what a JavaScript expression may escape; `re.escape` escapes more
_RATIOS = ["16:9", "9:16", "1:1", "4:3", "3:4"]


def input_schema(field: Field, name: str) -> Schema:
    """Return what ``field`` accepts by the ``name`` an author uses, with a description and the default."""
    schema: Schema = {"description": input_words(field, name), **_accepted(field)}
    if field.default is not None and field.default != "":
        schema["default"] = [*map(_typed, field.default)] if isinstance(field.default, list) else _typed(field.default)
    return schema


def ratio_schema() -> Schema:
    """Return what ``aspect_ratio`` accepts where the model only knows pixel sizes."""
    return {
        "description": "Width to height, as in `16:9`. The size of this ratio is taken.",
        "type": "string",
        "pattern": f"{EXPRESSION}|{_RATIO}",
        "patternErrorMessage": "takes a ratio such as 16:9, or an expression",
        "examples": _RATIOS,
    }


def spread_schema(fields: Iterable[Field]) -> Schema:
    """Return what a list accepts that goes over several fields of one file each."""
    names = [each.name for each in fields]
    listed = ", ".join(f"`{each}`" for each in names)
    return {"description": f"Up to {len(names)} files, one each for {listed}.", **_files(len(names))}


def _accepted(field: Field) -> Schema:
    """Return what a value must be, without what is said about it."""
    if field.is_media:
        many = _files(field.max_items if field.is_list else 1)
        return many if field.is_list else {"anyOf": [{"type": "string"}, many | {"type": "array"}]}
    match field.type:
        case "string":
            return _text(field.max_length) if field.pattern is None else _formed(field)
        case "boolean":
            return _plain(field, "boolean", "^(true|false|True|False|TRUE|FALSE)$")
        case "integer":
            return _plain(field, "integer", _INTEGER) | _range(field)
        case "number":
            return _plain(field, "number", _NUMBER) | _range(field)
        case "enum":
            return {"anyOf": _choice(field)}
        case "enum[]":
            return {"anyOf": [{"type": "array", "items": {"anyOf": _choice(field)}, **_count(field)}, *_choice(field)]}
        case "string[]":
            return {"type": ["array", "string", "number"], "items": _text(field.max_length), **_count(field)}
        case "values":
            return {"type": ["object", "string"]}
        case "object[]":
            return {"type": ["array", "object", "string"], **_count(field)}
        case _:
            return {}


def _files(most: int | None) -> Schema:
    schema: Schema = {"type": ["string", "array"], "items": {"type": "string"}}
    return schema if most is None else schema | {"maxItems": most}


def _count(field: Field) -> Schema:
    return {} if field.max_items is None else {"maxItems": field.max_items}


def _text(longest: int | None) -> Schema:
    """Return a text; one that is rendered first may be longer as it stands."""
    schema: Schema = {"type": ["string", "number"]}
    return schema if longest is None else schema | {"anyOf": [{"maxLength": longest}, {"pattern": r"\$\{\{|\{%"}]}


def _formed(field: Field) -> Schema:
    """Return a text of a given form; a number is judged by the loader."""
    pattern = f"{EXPRESSION}|^({field.pattern})$"
    message = f"takes {field.form}, or an expression"
    return {"type": ["string", "number"], "pattern": pattern, "patternErrorMessage": message}


def _plain(field: Field, kind: str, pattern: str) -> Schema:
    taken = " ".join(filter(None, (type_words(field), values_words(field), limit_words(field))))
    return {
        "type": [kind, "string"],
        "pattern": f"{EXPRESSION}|{pattern}",
        "patternErrorMessage": f"takes {taken}, or an expression",
    }


def _range(field: Field) -> Schema:
    low, high, step = field.minimum, field.maximum, field.step
    schema: Schema = {"minimum": low, "maximum": high}
    if field.type == "integer" and step is not None and step > 1 and (low or 0) % step == 0:
        schema["multipleOf"] = step
    return {name: _whole(value) for name, value in schema.items() if value is not None}


def _whole(value: float) -> int | float:
    return int(value) if float(value).is_integer() else value


def _choice(field: Field) -> list[Schema]:
    """Return the listed values to propose, and every other spelling of them without proposing it."""
    if not field.enum:
        return [{"type": ["string", "number", "boolean"]}]
    listed: Schema = {"enum": [_typed(each) for each in field.enum]}
    spelt = {"type": "string", "pattern": f"{EXPRESSION}|^({'|'.join(map(_spelt, field.enum))})$"}
    heights = [int(each[:-1]) for each in field.enum if re.fullmatch(r"\d+[pP]", each)]
    if not heights:
        return [listed, spelt]
    # `1080` means `1080p`; a range, because an enum would be proposed
    return [listed, spelt, {"type": "integer", "minimum": min(heights), "maximum": max(heights)}]


def _typed(text: Any) -> Any:
    """Return a listed value as it reads best in YAML: a number or a boolean where it is one."""
    if text in ("true", "false"):
        return text == "true"
    if isinstance(text, str) and re.fullmatch(r"-?(0|[1-9]\d*)(\.\d*[1-9])?", text):
        return float(text) if "." in text else int(text)
    return text


def escaped(text: str) -> str:
    """Return a text as a pattern that matches it, in Python and in JavaScript."""
    return "".join(f"\\{char}" if char in _SYNTAX else char for char in text)


def _folded(text: str) -> str:
    return "".join(_letter(each, text) for each in text)


def _spelt(text: str) -> str:
    """Return the pattern of every spelling that ``coerce`` takes for a listed value."""
    return _folded(text[:-1]) + "[pP]?" if text[-1:] in ("p", "P") else _folded(text)


def _letter(char: str, text: str) -> str:
    if char in "x*×" and pixels(text) is not None:
        return "[xX*×]"
    if char == " ":
        return " *"
    if char.isalpha() and char.lower() != char.upper():
        return f"[{char.upper()}{char.lower()}]"
    return escaped(char)

"""One value to what its field takes: coerced and checked by the catalogue's type.

The *field* decides what a value becomes, never the template: ``duration: 5`` is sent as ``"5"`` where the service
wants a listed text, and ``720P`` matches ``720p``. A value that is not known yet passes with its family checked.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rhflow.core.cost import wire_text
from rhflow.core.errors import RecipeError, did_you_mean
from rhflow.core.kinds import Field
from rhflow.core.values import MEDIA_TYPES, Artifact, Family, Pending, in_words

REMOTE = ("http://", "https://", "asset://", "data:")
"""What a file begins with that the service reads by itself."""


class BadValueError(Exception):
    """A value that its field does not take; ``item`` is its place in a list."""

    def __init__(self, code: str, message: str, hint: str | None = None, *, item: int | str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.item = code, message, hint, item


LocalFile = Callable[[str], Artifact | Pending]


def is_pending(value: Any) -> bool:
    """Whether a value, or an item of it, is not known yet."""
    return isinstance(value, Pending) or (isinstance(value, list) and any(isinstance(each, Pending) for each in value))


def coerce(target: Field, value: Any, local: LocalFile) -> Any:
    """Return ``value`` as the service wants it in this field. Raises BadValueError, or RecipeError from ``local``."""
    if target.is_list:
        return _coerce_list(target, value, local)
    if isinstance(value, list) and target.type != "values":
        if len(value) != 1 or target.type == "object":
            raise BadValueError(
                "not-a-list", f"takes one value, not a list of {len(value)}", "give one, or pick one as in `[0]`"
            )
        value = value[0]
    return _coerce_one(target, target.type, value, local)


def _coerce_list(target: Field, value: Any, local: LocalFile) -> Any:
    if isinstance(value, Pending) and value.many:
        return _coerce_one(target, target.type[:-2], value, local)
    items = value if isinstance(value, list) else [value]
    if not items and target.required:
        raise BadValueError("empty-list", "an empty list given, at least one item needed")
    if target.max_items is not None and len(items) > target.max_items:
        raise BadValueError("too-many", f"{len(items)} items given, at most {target.max_items} taken")
    if not isinstance(value, list):
        return [_coerce_item(target, 0, value, local)]
    return one_by_one(items, lambda at, item: _coerce_item(target, at, item, local))


def _coerce_item(target: Field, at: int, value: Any, local: LocalFile) -> Any:
    if not target.item or isinstance(value, dict):
        return _coerce_one(target, target.type[:-2], value, local)
    file = _coerce_one(target, str(target.alias).removesuffix("s"), value, local)
    return {name: file if text == "{file}" else text.format(n=at + 1) for name, text in target.item}


def one_by_one(items: Sequence[Any], take: Callable[[int, Any], Any]) -> list[Any]:
    """Return what ``take`` makes of each item. Raises BadValueError that says which item it was."""
    taken: list[Any] = []
    for at, item in enumerate(items):
        try:
            taken.append(take(at, item))
        except BadValueError as error:
            raise BadValueError(error.code, error.message, error.hint, item=at) from error
        except RecipeError as error:
            first = error.problems[0]
            raise BadValueError(first.code, first.message, first.hint, item=at) from error
    return taken


def _coerce_one(target: Field, kind: str, value: Any, local: LocalFile) -> Any:
    if isinstance(value, Pending):
        _check_family(target, kind, value.family)
        return value
    match kind:
        case "string":
            # A link or an asset id, spelled as text: a file is uploaded and its link sent
            takes_file = target.alias in ("image", "video", "audio") and (
                isinstance(value, Artifact) or _is_path(value)
            )
            return _media(target, str(target.alias), value, local) if takes_file else _text(target, value)
        case "enum":
            return _choice(target, value)
        case "boolean":
            return _boolean(value)
        case "integer" | "number":
            return _number(target, value, whole=kind == "integer")
        case "object":
            return _structure(value, local)
        case "values":
            return _named_values(target, value)
        case _:
            return _media(target, kind, value, local)


_TURNED: Mapping[tuple[str, str | None], str] = {
    ("image", "video"): "take a picture out of the clip with a step of its own: `uses: frame`",
    ("video", "image"): "make a clip of the picture with a step of its own: `uses: ken-burns`, or `image-to-video`",
}


def _check_family(target: Field, kind: str, family: Family | None) -> None:
    """Refuse what will be a file of another family, or a file where a plain value is wanted.

    A text may turn out to be a link, and a file of no known family may turn out to be the right one.
    """
    if family in (None, "text", kind) or kind in ("file", "object", "values"):
        return
    media = kind in ("image", "video", "audio")
    if (media and family == "file") or (kind == "string" and target.alias == family):
        return
    link = kind == "string" and target.alias in ("image", "video", "audio")
    plain = {"string": "text", "boolean": "true or false"}.get(kind, "a plain value")
    wanted = in_words(str(target.alias) if link else kind) if media or link else plain
    raise BadValueError("wrong-media", f"takes {wanted}, not {in_words(str(family))}", _TURNED.get((kind, family)))


def _text(target: Field, value: Any) -> str:
    text = _scalar(value, "text")
    if target.max_length is not None and len(text) > target.max_length:
        raise BadValueError("too-long", f"{len(text)} characters given, at most {target.max_length} taken")
    if target.pattern is not None and re.fullmatch(target.pattern, text) is None:
        raise BadValueError("wrong-form", f"takes {target.form}, not `{text[:40]}`")
    return text


def _choice(target: Field, value: Any) -> str:
    text = _scalar(value, "one of its listed values", boolean=True)
    if text in target.enum or not target.enum:
        return text
    folded = fold(text)
    for each in target.enum:
        if fold(each) == folded or (folded.isdigit() and fold(each) == f"{folded}p"):  # `1080` means `1080p`
            return each
    raise BadValueError("wrong-choice", f"`{text}` is not one of its {len(target.enum)} values", _choices(target, text))


def _scalar(value: Any, wanted: str, *, boolean: bool = False) -> str:
    """Return the text of a text or a number. Raises BadValueError for what would only print as something odd."""
    if isinstance(value, str):
        return value
    finite = isinstance(value, int | float) and not (isinstance(value, float) and not math.isfinite(value))
    if not finite or (isinstance(value, bool) and not boolean):
        raise BadValueError("wrong-type", f"takes {wanted}, not {_name_of(value)}")
    return wire_text(value)


def _structure(value: Any, local: LocalFile) -> Any:
    """Return plain data, with files in it or without: local paths under a name that ends in ``url`` become files.

    Raises BadValueError for what is no plain data.
    """
    match value:
        case dict() as members if all(isinstance(each, str) for each in members):
            return {
                name: local(each) if name.casefold().endswith("url") and _is_path(each) else _structure(each, local)
                for name, each in members.items()
            }
        case list() as items:
            return [_structure(each, local) for each in items]
        case None | bool() | Artifact() | Pending():
            return value
        case _:
            _scalar(value, "plain data")
            return value


def _named_values(target: Field, value: Any) -> dict[str, Any]:
    """Return plain values and files by name, without those that are null; a text is never taken for a path."""
    if not isinstance(value, dict):
        raise BadValueError("wrong-type", f"takes a mapping, not {_name_of(value)}", "write `name: value`, a line each")
    for name in value:
        if target.dotted and not all(str(name).partition(".")):
            message = f"`{name}` does not name an input of a node"
            hint = "write the node's id and the input's name, such as `6.text`"
            raise BadValueError("node-name", message, hint, item=str(name))
    return {str(name): _structure(each, _no_path) for name, each in value.items() if each is not None}


def _no_path(text: str) -> Any:
    return text


def _is_path(value: Any) -> bool:
    """Whether a text names a local picture, clip or sound, and not a link or an id."""
    if not isinstance(value, str) or value.startswith(REMOTE):
        return False
    return value.rpartition(".")[2].casefold() in MEDIA_TYPES and "." in value


def _choices(target: Field, text: str) -> str:
    """Name all values when they are few, else the likeliest."""
    if len(target.enum) <= 12:
        return "choose from " + ", ".join(f"`{each}`" for each in target.enum)
    return did_you_mean(text, target.enum) or "such as " + ", ".join(f"`{each}`" for each in target.enum[:12])


def fold(text: str) -> str:
    """Return a listed value as it is compared: case, spaces and the sign between two sides do not matter."""
    return text.casefold().replace("×", "x").replace("*", "x").replace(" ", "")


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.casefold() in ("true", "false"):
        return value.casefold() == "true"
    raise BadValueError("wrong-type", f"takes true or false, not {_name_of(value)}")


def _number(target: Field, value: Any, *, whole: bool) -> int | float:
    number = as_number(value)
    if whole and not float(number).is_integer():
        raise BadValueError("wrong-type", f"takes a whole number, not `{value}`")
    result: int | float = int(number) if whole or float(number).is_integer() else float(number)
    low, high = target.minimum, target.maximum
    if (low is not None and result < low) or (high is not None and result > high):
        raise BadValueError("out-of-range", f"`{wire_text(result)}` is outside {_range(low, high)}")
    if whole and target.step and target.step > 1 and (result - (low or 0)) % target.step:
        below = int(result - (result - (low or 0)) % target.step)
        raise BadValueError(
            "out-of-range",
            f"`{result}` is not a multiple of {wire_text(target.step)}",
            f"use {below} or {below + int(target.step)}",
        )
    return result


def as_number(value: Any) -> int | float:
    """Return a finite number. Raises BadValueError."""
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number):
            return number if isinstance(value, str) else value
    raise BadValueError("wrong-type", f"takes a number, not {_name_of(value)}")


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {wire_text(high)}"
    return f"at least {wire_text(low)}" if high is None else f"{wire_text(low)} to {wire_text(high)}"


def _media(target: Field, kind: str, value: Any, local: LocalFile) -> Any:
    if isinstance(value, str):
        if value.startswith(REMOTE):
            return value
        value = local(value)
        if isinstance(value, Pending):
            return value
    if not isinstance(value, Artifact):
        raise BadValueError("wrong-type", f"takes {in_words(kind)}, not {_name_of(value)}")
    if kind != "file" and value.family != kind:
        message = f"takes {in_words(kind)}, but `{value.name}` is {value.media_type}"
        raise BadValueError("wrong-media", message, _TURNED.get((kind, value.family)))
    if target.formats and value.media_type not in {MEDIA_TYPES.get(each.casefold()) for each in target.formats}:
        listed = ", ".join(target.formats)
        raise BadValueError(
            "wrong-format",
            f"`{value.name}` is {value.extension}; taken are {listed}",
            f"save it as {target.formats[0]} first, and give that file",
        )
    if target.max_mb is not None and value.size > target.max_mb * 1_000_000:
        size = f"{value.size / 1_000_000:.1f} MB"
        raise BadValueError("too-large", f"`{value.name}` has {size}; at most {wire_text(target.max_mb)} MB are taken")
    return value


def _name_of(value: Any) -> str:
    if isinstance(value, Artifact):
        return f"the file `{value.name}`"
    if isinstance(value, str):
        return f"the text `{value[:40]}{'…' if len(value) > 40 else ''}`"
    if isinstance(value, Mapping):
        return "a mapping"
    if callable(value):
        return "a function"
    names = {bool: "true or false", list: "a list", int: f"`{value}`", float: f"`{value}`", type(None): "nothing"}
    return names.get(type(value), f"a {type(value).__name__}")

"""What the recipe language adds to Jinja's own filters and functions: each pure, each bounded.

``file`` and ``glob`` need the outside. The core reads no files: they ask the ``Reader`` that came with the recipe.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Protocol

from rhflow.core.expr.bounds import MAX_DEPTH, MAX_DIGITS, Meter, SandboxError, named
from rhflow.core.text.located import Reader
from rhflow.core.values import Artifact, text_of, why_no_text


class Tools(Protocol):
    """What functions, filters, tests and methods are given: the meter, and what only an evaluation can do."""

    meter: Meter
    reader: Reader

    def member(self, value: Any, name: str | int) -> Any:
        """Return ``value.name``. Raises SandboxError where there is none."""

    def has(self, value: Any, name: str | int) -> bool:
        """Whether there is ``value.name``."""

    def filter(self, name: str, value: Any, /, *given: Any, **options: Any) -> Any:
        """Return ``value | name(...)``."""

    def test(self, name: str, value: Any, /, *given: Any) -> bool:
        """Return ``value is name(...)``."""


# --- what can be called ----------------------------------------------------------------------------------------------


def range_(tools: Tools, start: Any, stop: Any = None, step: Any = 1) -> list[int]:
    """Return whole numbers from ``start`` (or 0) to before ``stop``."""
    numbers = [whole("range", each) for each in ((0, start, step) if stop is None else (start, stop, step))]
    if numbers[2] == 0:
        raise SandboxError("template-failed", "`range` needs a step other than 0")
    found = range(*numbers)
    tools.meter.room_for_items(max(0, (found.stop - found.start + found.step - _sign(found.step)) // found.step))
    return list(found)


def _sign(number: int) -> int:
    return 1 if number > 0 else -1


def zip_(tools: Tools, *lists: Any) -> list[list[Any]]:
    """Return the first items of all lists, then the second …, up to the end of the shortest."""
    return [list(each) for each in zip(*(listed("zip", each) for each in lists), strict=False)]


def file(tools: Tools, path: Any) -> str:
    """Return the text of a file next to the recipe."""
    text: str = _asked(tools.reader.text, _path("file", path))
    tools.meter.work(len(text))
    return text


def glob(tools: Tools, pattern: Any) -> list[str]:
    """Return the sorted paths of files next to the recipe."""
    return list(_asked(tools.reader.glob, _path("glob", pattern)))


def _asked(read: Callable[[str], Any], path: str) -> Any:
    """Return what a reader gives; what it refuses is pointed at where the path is written out."""
    try:
        return read(path)
    except SandboxError as error:
        error.snippet = error.snippet or path
        raise


def _path(name: str, path: Any) -> str:
    if not isinstance(path, str) or not path:
        raise SandboxError(
            "template-failed", f"`{name}` needs a path, not {named(path) if path != '' else 'an empty text'}"
        )
    return path


FUNCTIONS: Mapping[str, Callable[..., Any]] = {"range": range_, "zip": zip_, "file": file, "glob": glob}


# --- what stands after a bar -----------------------------------------------------------------------------------------


def fromjson(tools: Tools, value: Any) -> Any:
    """Return the value of a JSON text, also of one inside a fenced block."""
    text = written("fromjson", value)
    tools.meter.room(len(text))
    try:
        return parse_json(text)
    except ValueError as error:
        raise SandboxError("not-json", f"this text cannot be read: {error}") from None


def tojson(tools: Tools, value: Any, indent: Any = None) -> str:
    """Return a value as JSON text; files are refused."""
    width = None if indent is None else whole("tojson", indent)
    if width is not None and not 0 <= width <= 8:
        raise SandboxError("template-failed", "`tojson` can indent by 0 to 8 spaces")
    if (why := why_no_text(value)) is not None:
        raise SandboxError("not-text", why[0], hint=why[1])
    tools.meter.weigh(value)
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=width)
    except (ValueError, TypeError):
        hint = "its numbers are finite, its keys are texts"
        raise SandboxError("not-json", "JSON has no such value", hint=hint) from None


def slug(tools: Tools, value: Any) -> str:
    """Return small letters, digits and hyphens; letters of other scripts stay."""
    return slug_of(written("slug", value))


def slug_of(text: str) -> str:
    """Return small letters, digits and hyphens; letters of other scripts stay."""
    return re.sub(r"[\W_]+", "-", unicodedata.normalize("NFC", text.casefold())).strip("-")


def basename(tools: Tools, value: Any) -> str:
    """Return the last part of a path or a link, or the name of a file."""
    if isinstance(value, Artifact):
        return value.name
    return re.split(r"[/\\]", written("basename", value).rstrip("/\\"))[-1]


def pairs(tools: Tools, value: Any) -> list[list[Any]]:
    """Return each item of a list with the next one."""
    return [list(each) for each in pairwise(listed("pairs", value))]


def sha256(tools: Tools, value: Any) -> str:
    """Return the SHA-256 of a text in UTF-8, in lower-case hex."""
    if isinstance(value, Artifact):
        return value.digest
    return hashlib.sha256(written("sha256", value).encode()).hexdigest()


# --- JSON ------------------------------------------------------------------------------------------------------------


def parse_json(text: str) -> Any:
    """Return the value of a JSON text, also when it stands inside a fenced block as text models like to give.

    Raises ValueError in words for what is not JSON, nested too deep, or no Unicode.
    """
    body = text.strip()
    if body.startswith("```"):
        body = body.partition("\n")[2].rpartition("```")[0]
    try:
        value = json.loads(body, parse_constant=_no_constant, parse_float=_finite, parse_int=_short)
    except json.JSONDecodeError as error:
        why = error.msg[:1].lower() + error.msg[1:]
        raise ValueError(f"it is not JSON ({why}, line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep") from None
    _check_json(value, escapes="\\u" in body)
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"it is not JSON (`{name}` is no number there)")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"it has a number that is too large: `{text[:20]}`")
    return number


def _short(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"it has a number that is too large: `{text[:20]}…`")
    return int(text)


def _check_json(value: Any, *, escapes: bool) -> None:
    stack = [(value, 0)]
    while stack:
        each, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
        if isinstance(each, dict):
            stack.extend((part, depth + 1) for part in each.values())
            stack.extend((key, depth) for key in each if escapes)
        elif isinstance(each, list):
            stack.extend((part, depth + 1) for part in each)
        elif escapes and isinstance(each, str) and not is_unicode(each):
            raise ValueError("it has an escape such as `\\ud800` that stands for no character")


def is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8: one with half a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# --- what goes in ----------------------------------------------------------------------------------------------------


def written(name: str, value: Any) -> str:
    """Return a text or a number as text, for the filter ``name``. Raises SandboxError for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return text_of(value)
    hint = "use its `.name` or its `.url`" if isinstance(value, Artifact) else None
    raise SandboxError("template-failed", f"`{name}` needs a text, not {named(value)}", hint=hint)


def number(name: str, value: Any) -> int | float:
    """Return a number, for the filter ``name``. Raises SandboxError for anything else."""
    if not isinstance(value, int | float):
        hint = "add `| int` or `| float` before it" if isinstance(value, str) else None
        raise SandboxError("template-failed", f"`{name}` needs a number, not {named(value)}", hint=hint)
    return value


def whole(name: str, value: Any) -> int:
    """Return a whole number, for the filter ``name``. Raises SandboxError for anything else."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        shown = f"`{value}`" if isinstance(value, float) else named(value)
        raise SandboxError("template-failed", f"`{name}` needs a whole number, not {shown}")
    return value


def listed(name: str, value: Any) -> list[Any]:
    """Return the items of a list, the keys of a mapping or the characters of a text, for ``name``."""
    if isinstance(value, list):
        return value
    if isinstance(value, tuple | str | Mapping):
        return list(value)
    raise SandboxError("template-failed", f"`{name}` needs a list, not {named(value)}")


def as_text(meter: Meter, value: Any) -> str:
    """Return a value as it stands in a text. Raises SandboxError for what has none of its own: a file, a step."""
    if isinstance(value, str):
        return value
    if (why := why_no_text(value)) is not None:
        raise SandboxError("not-text", why[0], hint=why[1])
    meter.made(value)
    return text_of(value)

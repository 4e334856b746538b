"""The filters of the recipe language, and no others: what is not in this table does not exist.

They mean what they mean in Jinja, but are written out here, each with its bounds; none reads an attribute of a Python
object. What Jinja has for web pages (``escape``, ``urlize`` …) and what is not pure (``random``) is left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from rhflow.core.expr import functions
from rhflow.core.expr.bounds import SandboxError
from rhflow.core.expr.formats import percent
from rhflow.core.expr.functions import Tools, as_text, number, whole, written
from rhflow.core.expr.lists import LIST_FILTERS

# --- texts -----------------------------------------------------------------------------------------------------------


def title(tools: Tools, value: Any) -> str:
    parts = re.split(r"([-\s({\[<]+)", written("title", value))
    return "".join(part[:1].upper() + part[1:].lower() for part in parts)


def trim(tools: Tools, value: Any, chars: Any = None) -> str:
    return written("trim", value).strip(None if chars is None else _few("trim", chars))


def replace(tools: Tools, value: Any, old: Any, new: Any, count: Any = None) -> str:
    text, before, after = written("replace", value), written("replace", old), written("replace", new)
    times = text.count(before)
    most = times if count is None else min(times, max(0, whole("replace", count)))
    tools.meter.room(len(text) + most * (len(after) - len(before)))
    return text.replace(before, after, most)


def truncate(
    tools: Tools, value: Any, length: Any = 255, killwords: Any = False, end: Any = "...", leeway: Any = 5
) -> str:
    text, tail = written("truncate", value), written("truncate", end)
    most = whole("truncate", length)
    if most < len(tail):
        raise SandboxError("template-failed", f"`truncate` needs a length of at least {len(tail)}: that of `{tail}`")
    if len(text) <= most + whole("truncate", leeway):
        return text
    cut = text[: most - len(tail)]
    return (cut if killwords else cut.rsplit(" ", 1)[0]) + tail


def indent(tools: Tools, value: Any, width: Any = 4, first: Any = False, blank: Any = False) -> str:
    text = written("indent", value)
    if isinstance(width, str):
        margin = width
    else:
        tools.meter.room(whole("indent", width))
        margin = " " * width
    lines = f"{text}\n".splitlines()
    tools.meter.room(len(text) + len(lines) * (len(margin) + 1))
    begun = [margin + line if line or blank else line for line in lines[1:]]
    return "\n".join([margin + lines[0] if first else lines[0], *begun])


def center(tools: Tools, value: Any, width: Any = 80) -> str:
    tools.meter.room(whole("center", width))
    return written("center", value).center(whole("center", width))


def format_(tools: Tools, value: Any, *given: Any, **options: Any) -> str:
    return percent(tools.meter, written("format", value), options or given)


def string(tools: Tools, value: Any) -> str:
    return as_text(tools.meter, value)


def urlencode(tools: Tools, value: Any) -> str:
    if isinstance(value, Mapping):
        members = [(written("urlencode", key), written("urlencode", each)) for key, each in value.items()]
        return "&".join(f"{quote(key, safe='')}={quote(each, safe='')}".replace("%20", "+") for key, each in members)
    return quote(written("urlencode", value), safe="/")


def wordcount(tools: Tools, value: Any) -> int:
    return len(re.findall(r"\w+", written("wordcount", value)))


def _few(name: str, chars: Any) -> str:
    """Return the characters to strip, each once: what is long to search for takes long to strip."""
    return "".join(dict.fromkeys(written(name, chars)[:1000]))


def _texts(method: str) -> Callable[[Tools, Any], str]:
    def apply(tools: Tools, value: Any) -> str:
        return str(getattr(str, method)(written(method, value)))

    return apply


# --- numbers ---------------------------------------------------------------------------------------------------------


def abs_(tools: Tools, value: Any) -> int | float:
    return abs(number("abs", value))


def int_(tools: Tools, value: Any, default: Any = 0, base: Any = 10) -> Any:
    try:
        return int(value, whole("int", base)) if isinstance(value, str) else int(number("int", value))
    except (SandboxError, ValueError, OverflowError):
        try:
            return int(float(value))
        except (TypeError, ValueError, OverflowError):
            return default


def float_(tools: Tools, value: Any, default: Any = 0.0) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return default


def round_(tools: Tools, value: Any, precision: Any = 0, method: Any = "common") -> int | float:
    exact, digits = number("round", value), whole("round", precision)
    if abs(digits) > 100:
        raise SandboxError("template-failed", "`round` takes at most 100 digits")
    if method == "common":
        return round(exact, digits)
    if method not in ("ceil", "floor"):
        raise SandboxError("template-failed", "`round` knows `'common'`, `'ceil'` and `'floor'`")
    scale: int | float = 10**digits
    return (math.ceil(exact * scale) if method == "ceil" else math.floor(exact * scale)) / scale


def default(tools: Tools, value: Any, default_value: Any = "", boolean: Any = False) -> Any:
    return value if value or not boolean else default_value


FILTERS: Mapping[str, Callable[..., Any]] = {
    **{name: _texts(name) for name in ("upper", "lower", "capitalize")},
    "title": title, "trim": trim, "replace": replace, "truncate": truncate, "indent": indent, "center": center,
    "format": format_, "string": string, "urlencode": urlencode, "wordcount": wordcount,
    "abs": abs_, "int": int_, "float": float_, "round": round_,
    "default": default, "d": default, **LIST_FILTERS,
    "fromjson": functions.fromjson, "tojson": functions.tojson, "slug": functions.slug,
    "basename": functions.basename, "pairs": functions.pairs, "zip": functions.zip_, "sha256": functions.sha256,
}  # fmt: skip

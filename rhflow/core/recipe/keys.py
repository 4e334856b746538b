"""Keys of the items of a loop: what the author said, or else made of the item itself, wherever it stands."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from rhflow.core.canonical import canonical, digest
from rhflow.core.recipe.template import Template

READABLE = 24
_LONGEST = 40


def own_key(item: Any) -> str | None:
    """Return the key that an item itself has, or None."""
    if isinstance(item, Mapping) and isinstance(own := item.get("key"), str | int | float):
        return written_key(own)
    return None


def key_of(item: Any) -> str:
    """Return an item's own key, or a readable one made of its content: the same wherever it stands in the list."""
    if (own := own_key(item)) is not None:
        return own
    if isinstance(item, list | tuple) and item and all(own_key(each) is not None for each in item):
        return "-".join(key_of(each) for each in item)
    if isinstance(item, str | int | float):
        readable = slug(item) if isinstance(item, str) else _number(item)
        if 0 < len(readable) <= READABLE:
            return readable
    return short(item)


def written_key(key: Any) -> str:
    """Return a key that the author wrote as it is used: fit for the name of a node and of a file."""
    name = slug(key) if isinstance(key, str) else _number(key)
    return name if 0 < len(name) <= _LONGEST else f"{name[:_LONGEST]}-{short(key)}".lstrip("-")


def _number(value: float) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def short(item: Any) -> str:
    """Return eight digits of the hash of an item's content."""
    return digest("item", _content(item))[:8]


def _content(item: Any) -> Any:
    """Return what an item is told apart by: of a template its text, of what a step gave its key and files."""
    match item:
        case Template(text=text):
            return {"template": text}
        case list() | tuple():
            return [_content(each) for each in item]
        case dict():
            return {str(name): _content(each) for name, each in item.items()}
        case Mapping():
            return [item.get("key"), _content(item.get("files", [])), item.get("texts", [])]
        case float() if not math.isfinite(item):
            return str(item)
        case _:
            return canonical(item)


def slug(text: str) -> str:
    """Return small letters, digits and hyphens; letters of other scripts stay."""
    return re.sub(r"[\W_]+", "-", text.casefold()).strip("-")

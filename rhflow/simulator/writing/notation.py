"""Shapes as people write them into prompts: JSON, JSON with bare keys and dots, TypeScript, a JSON schema.

Reading is lenient, for an example in a prompt is meant for somebody who understands it anyway.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

_DEEPEST: Final = 12
_TRIES: Final = 40
_TOKEN: Final = re.compile(
    r"""\s+|//[^\n]*|(?P<text>"(?:[^"\\]|\\.)*"|'[^'\n]*'|`[^`\n]*`)|(?P<dots>\.{2,}|…)|(?P<number>-?\d+(?:\.\d+)?\b)"""
    r"""|(?P<sign>[{}\[\],:;|?])|(?P<word>[^\s{}\[\],:;|?"'`]+)"""
)
TYPES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("string", "str", "text"), "string"),
    **dict.fromkeys(("integer", "int", "whole"), "integer"),
    **dict.fromkeys(("number", "float", "double", "decimal", "num"), "number"),
    **dict.fromkeys(("boolean", "bool"), "boolean"),
    **dict.fromkeys(("slug", "kebab-case", "id"), "slug"),
    **dict.fromkeys(("array", "list"), "list"),
}


@dataclass(frozen=True, slots=True)
class Slot:
    """A value that is asked for: its type (``any`` when only its name tells), or the values it may have."""

    type: str = "any"
    choices: tuple[str | float, ...] = ()


Sample: TypeAlias = "dict[str, Sample] | list[Sample] | Slot | str | float | bool"


class _NoShapeError(Exception):
    """What stands there is prose."""


def find_sample(prompt: str) -> Sample | None:
    """Return the first object or list of values that ``prompt`` shows, or None."""
    for opening in list(re.finditer(r"[{\[]", prompt))[:_TRIES]:
        try:
            sample = _Reader(prompt, opening.start()).value(0)
        except _NoShapeError:
            continue
        if isinstance(sample, dict) and sample.get("type") in ("object", "array") and sample.keys() & _HOLDERS:
            return _of_schema(sample, 0)
        if isinstance(sample, list) and sample and (isinstance(sample[0], str | dict) or _typed(sample[0])):
            return sample
        if isinstance(sample, dict) and (len(sample) > 1 or not _bare(sample)):
            return sample
    return None


_HOLDERS: Final = frozenset({"properties", "items"})


def _typed(sample: Sample) -> bool:
    return isinstance(sample, Slot) and sample.type != "any"


def _bare(sample: dict[str, Sample]) -> bool:
    return all(each == Slot() for each in sample.values())


class _Reader:
    """Reads one value from a place in a text on."""

    def __init__(self, text: str, at: int) -> None:
        self._text, self._at = text, at
        self._kind, self._token = "", ""
        self._step()

    def _step(self) -> None:
        while (found := _TOKEN.match(self._text, self._at)) is not None:
            self._at = found.end()
            if found.lastgroup is not None:
                self._kind, self._token = found.lastgroup, found[0]
                return
        self._kind, self._token = "end", ""

    def value(self, depth: int) -> Sample:
        if depth > _DEEPEST or self._kind == "end":
            raise _NoShapeError
        if self._token == "{":
            return self._object(depth)
        if self._token == "[":
            return self._list(depth)
        options = [self._scalar()]
        while self._token == "|":
            self._step()
            options.append(self._scalar())
        if len(options) > 1:
            return Slot(choices=tuple(each for each in options if isinstance(each, str | int | float)))
        first = options[0]
        if self._token == "[" and isinstance(first, Slot):  # string[]
            self._list(depth)
            return [first]
        return first

    def _scalar(self) -> Slot | str | float | bool:
        kind, token = self._kind, self._token
        if kind == "text":
            self._step()
            return _told(token[1:-1])
        if kind == "number":
            self._step()
            return float(token) if "." in token else int(token)
        words = []
        while self._kind in ("word", "number", "dots"):
            words.append(self._token)
            self._step()
        if not words:
            raise _NoShapeError
        if words in (["true"], ["false"]):
            return words == ["true"]
        return _slot(words)

    def _object(self, depth: int) -> dict[str, Sample]:
        members: dict[str, Sample] = {}
        self._step()
        while self._token != "}":
            if self._kind == "dots" or self._token in (",", ";"):
                self._step()
                continue
            quoted = self._kind == "text"
            name = self._token[1:-1] if quoted else self._token
            if self._kind not in ("text", "word") or not re.fullmatch(r"[\w $.-]{1,60}" if quoted else r"\w+", name):
                raise _NoShapeError
            self._step()
            if self._token == "?":
                self._step()
            members[name] = Slot()
            if self._token == ":":
                self._step()
                members[name] = self.value(depth + 1)
            elif self._token not in (",", ";", "}"):
                raise _NoShapeError
        self._step()
        return members

    def _list(self, depth: int) -> list[Sample]:
        items: list[Sample] = []
        self._step()
        while self._token != "]":
            if self._kind == "dots" or self._token in (",", ";"):
                self._step()
                continue
            items.append(self.value(depth + 1))
        self._step()
        return items


def _told(text: str) -> Slot | str:
    """Return an example text, or what it says when it is no example: a type, choices, dots."""
    if "|" in text and len(options := [each.strip() for each in text.split("|")]) > 1 and all(options):
        return Slot(choices=tuple(options))
    if not text.strip(" .…<>"):
        return Slot()
    plain = text.strip(" <>").casefold()
    return Slot(TYPES[plain]) if plain in TYPES else text


def _slot(words: Sequence[str]) -> Slot:
    known = [TYPES[word] for each in words if (word := each.casefold().strip("<>.")) in TYPES]
    return Slot(known[0] if known else "any")


def _of_schema(schema: Sample, depth: int) -> Sample:
    """Return what a JSON schema describes."""
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return Slot()
    if isinstance(options := schema.get("enum"), list):
        return Slot(choices=tuple(each for each in options if isinstance(each, str | int | float)))
    if isinstance(members := schema.get("properties"), dict):
        return {name: _of_schema(each, depth + 1) for name, each in members.items()}
    if "items" in schema:
        least = schema.get("minItems")
        return [_of_schema(schema["items"], depth + 1)] * max(1, min(100, least if isinstance(least, int) else 1))
    kind = schema.get("type")
    return kind if isinstance(kind, Slot) else Slot()

"""Plain data that knows where every part of it stands in its text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from rhflow.core.errors import Source, Span

Pointer: TypeAlias = tuple[str | int, ...]

_CODE_BEGINS = re.compile(r"\$\{\{|\{%")
_LONGEST_SNIPPET = 500


class Reader(Protocol):
    """Reads what lies next to a text and nothing else; both raise SandboxError in words for what cannot be read."""

    def text(self, path: str) -> str:
        """Return the text of the file at ``path``, relative to the folder of the text."""

    def glob(self, pattern: str) -> list[str]:
        """Return the sorted paths, relative to the folder of the text, of the files that match."""


@dataclass(frozen=True, slots=True)
class Located:
    """Plain data and the place of every value and key in its text. ``reader`` reads next to that text, if at all."""

    source: Source
    data: Any
    places: dict[Pointer, tuple[int, int]] = field(repr=False)
    keys: dict[Pointer, tuple[int, int]] = field(repr=False)
    reader: Reader | None = field(default=None, repr=False, compare=False)

    def span(self, pointer: Pointer) -> Span:
        """Return the place of the value at ``pointer``, or of its nearest parent that has one."""
        while pointer and pointer not in self.places:
            pointer = pointer[:-1]
        return self.span_of(*self.places.get(pointer, (0, 0)))

    def key_span(self, pointer: Pointer) -> Span:
        """Return the place of the key that leads to ``pointer`` (of the value in a list)."""
        return self.span_of(*self.keys[pointer]) if pointer in self.keys else self.span(pointer)

    def find(self, pointer: Pointer, snippet: str) -> Span:
        """Return the place of ``snippet`` inside the value at ``pointer``: as a whole word, rather in an expression.

        Falls back to the whole value where escapes or line folding hide the snippet.
        """
        while pointer and pointer not in self.places:
            pointer = pointer[:-1]
        start, end = self.places.get(pointer, (0, 0))
        text, named = self.source.text, snippet[:1].isalpha() or snippet[:1] == "_"
        if not 0 < len(snippet) <= _LONGEST_SNIPPET:
            return self.span_of(start, end)
        word = re.compile(rf"(?<![\w.]){re.escape(snippet)}(?!\w)" if named else re.escape(snippet))
        codes = list(_code_spans(text, start, end))
        if named or _CODE_BEGINS.match(snippet):
            for code in codes:
                if found := word.search(text, *code):
                    return self.span_of(*found.span())
        for gap in _gaps(codes, start, end):
            if found := word.search(text, *gap):
                return self.span_of(*found.span())
        return self.span_of(start, end)

    def span_of(self, start: int, end: int) -> Span:
        """Return the span between two offsets of the text."""
        return self.source.span(start, end)


def _code_spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where each expression or block begins and ends; what is not closed is none. Takes linear time."""
    unclosed: set[str] = set()
    while (begin := _CODE_BEGINS.search(text, start, end)) is not None:
        closing = "}}" if begin[0] == "${{" else "%}"
        stop = -1 if closing in unclosed else text.find(closing, begin.end(), end)
        if stop < 0:
            unclosed.add(closing)
            start = begin.end()
        else:
            yield begin.start(), stop + 2
            start = stop + 2


def _gaps(codes: list[tuple[int, int]], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield what lies between expressions."""
    for begin, stop in codes:
        yield start, begin
        start = stop
    yield start, end

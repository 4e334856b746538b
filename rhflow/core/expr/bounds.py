"""How much one expression may do and make: work, text, lists, numbers, depth.

Everything is counted before or while it is made, so that a few characters of a recipe cannot ask for gigabytes or
hours. The limits are far above what recipes need; one meter serves one rendering.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rhflow.core.values import MAX_TEXT, Artifact, Pending

MAX_TEMPLATE = 100_000  # characters of one text with expressions
MAX_ITEMS = 100_000  # values in one list or mapping, those inside its parts included
MAX_DEPTH = 64  # lists in lists, as in the file itself
MAX_DIGITS = 400  # of a number, as in the file itself
MAX_BITS = 1_400  # of a whole number: about as many digits
MAX_WORK = 10_000_000  # about a second

STEP = 20  # work of one part of an expression
ITEM = 10  # work of one item of a list; one character of a text is 1


class SandboxError(Exception):
    """An expression that cannot be read or worked out; ``snippet`` is the part of its text to point at."""

    def __init__(self, code: str, message: str, *, hint: str | None = None, snippet: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.snippet = code, message, hint, snippet


@dataclass(frozen=True, slots=True)
class Missing:
    """What an expression finds where nothing is: only ``default`` and ``is defined`` may look at it.

    ``say`` makes the error, for those who may not: a hint takes longer than what is looked for.
    """

    say: Callable[[], SandboxError]


class Meter:
    """Counts what one rendering does, and stops it in time. Every method may raise SandboxError."""

    __slots__ = ("_left", "_written")

    def __init__(self, work: int = MAX_WORK) -> None:
        self._left = work
        self._written = 0

    def work(self, amount: int) -> None:
        """Take ``amount`` from what is left to do."""
        self._left -= amount
        if self._left < 0:
            hint = "loop over less, or shorten the texts it works on"
            raise SandboxError("too-much-work", "this expression takes too much work", hint=hint)

    def read(self, value: Any) -> None:
        """Count that something walks through all of a value, its parts left aside."""
        if isinstance(value, str):
            self.work(len(value) // 2)
        elif isinstance(value, list | tuple | dict):
            self.work(len(value) * ITEM)

    def room(self, characters: int) -> None:
        """Refuse a text of so many characters before it is made."""
        if characters > MAX_TEXT:
            raise SandboxError("text-too-long", f"this text grows beyond {MAX_TEXT:,} characters")
        self.work(max(characters, 0))

    def room_for_items(self, count: int) -> None:
        """Refuse a list of so many items before it is made."""
        if count > MAX_ITEMS:
            raise SandboxError("list-too-long", f"this list grows beyond {MAX_ITEMS:,} values")
        self.work(max(count, 0) * ITEM)

    def wrote(self, characters: int) -> None:
        """Count what goes into the text that is being made."""
        self._written += characters
        if self._written > MAX_TEXT:
            raise SandboxError("text-too-long", f"this text grows beyond {MAX_TEXT:,} characters")

    def made(self, value: Any) -> Any:
        """Return a value that an expression made, once it is known to be no larger than allowed."""
        kind = type(value)
        if kind is str:
            self.room(len(value))
        elif kind is int:
            _check_bits(value)
        elif kind is list or kind is dict or kind is tuple:
            self.weigh(value)
        return value

    def weigh(self, value: Any, *, most: int = MAX_ITEMS, letters: int = MAX_TEXT) -> None:
        """Count every part of a value, also the same part as often as it occurs: it would be written so often."""
        items = characters = 0
        stack = [(value, 0)]
        while stack:
            each, depth = stack.pop()
            if isinstance(each, str):
                characters += len(each)
            elif isinstance(each, list | tuple | dict):
                _check_depth(depth)
                items += len(each)
                if items > most:
                    raise SandboxError("list-too-long", f"this list grows beyond {most:,} values")
                self.work(len(each) * ITEM)
                parts = [*each, *each.values()] if isinstance(each, dict) else each
                stack.extend((part, depth + 1) for part in parts)
            elif isinstance(each, int):
                _check_bits(each)
            if characters > letters:
                raise SandboxError("text-too-long", f"the texts of this list grow beyond {letters:,} characters")
        self.work(characters)


def _check_depth(depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise SandboxError("too-deep", f"this list is nested more than {MAX_DEPTH} levels deep")


def _check_bits(value: int) -> None:
    if value.bit_length() > MAX_BITS:
        raise SandboxError("number-too-large", "this number grows beyond 400 digits")


def plain(meter: Meter, value: Any) -> Any:
    """Return what an expression gave as the rest of rhflow knows values: lists for tuples, texts as keys.

    Files and whole steps pass. Raises SandboxError for what is neither those nor JSON.
    """
    meter.made(value)
    return _plain(value)


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | str() | Artifact() | Pending():
            return value
        case float():
            if not math.isfinite(value):
                raise SandboxError("number-too-large", "the result is not a finite number")
            return value
        case list() | tuple():
            return [_plain(each) for each in value]
        case dict():
            for key in value:
                if not isinstance(key, str):
                    hint = f"write `'{key}'` for `{key}`" if isinstance(key, int | float) else None
                    raise SandboxError("not-a-value", "the keys of a mapping must be texts", hint=hint)
            return {key: _plain(each) for key, each in value.items()}
        case Mapping():
            return value
        case _:
            raise SandboxError("not-a-value", "the result is not a value", hint="add `()` to call it")


def named(value: Any) -> str:
    """Return what a value is, as messages say it."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list() | tuple():
            return "a list"
        case Artifact(name=name):
            return f"the file `{name}`"
        case dict():
            return "a mapping"
        case Mapping():
            return "a whole step"
        case _:
            return "something else"

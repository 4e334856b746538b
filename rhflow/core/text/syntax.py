"""What is wrong with a text that is not YAML, in words and with a hint for the usual slips."""

from __future__ import annotations

import re

import yaml

from rhflow.core.errors import Problem, Source

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WIDE_COLON = re.compile(r"^\s*(?:- )?[\w-]+(：)")  # easily typed with a Chinese keyboard
_NO_COLON = re.compile(r"\s*([\w.-]+)\s*\Z")
_ONLY_KEY = re.compile(r"\s*[\w.-]+\s*\Z")
# What the parser says where the cause lies at the beginning of what it was reading, not where it gave up
_CAUSE_BEFORE = ("could not find expected ':'", "found unexpected end of stream", "unexpected end of stream")
# The first that is part of what the parser says
_HINTS = (
    ("could not find expected ':'", "write `key: value`, with a space after the colon"),
    ("unexpected end of stream", "close the quote that begins here"),
    ("unknown escape character", "write `\\\\` for a backslash, or use single quotes"),
    ("expected ',' or", "close the bracket, or put quotes around the text"),
    ("expected key", "check the indentation, and that nothing follows a closing quote"),
    ("expected <block end>", "check the indentation, and that nothing follows a closing quote"),
    ("expected '-' indicator", "check the indentation: a list and a mapping cannot be mixed"),
)


def syntax_problem(source: Source, error: yaml.YAMLError) -> Problem:
    """Return what the parser says as a problem with a place and, for the usual slips, a hint."""
    mark = getattr(error, "problem_mark", None)
    if mark is None and (bad := _UNPRINTABLE.search(source.text)):
        message = f"this is not YAML: the character U+{ord(bad[0]):04X} is not allowed"
        hint = "remove it, or write it as an escape in double quotes"
        return Problem("yaml", message, source.span(*bad.span()), hint)
    what = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    began = getattr(error, "context_mark", None)
    if began is not None and what in _CAUSE_BEFORE:
        mark = began
    index = min(mark.index, len(source.text)) if mark is not None else len(source.text)
    if (colon := _wide_colon(source, index)) is not None:
        hint = "write `:` and a space instead of the full-width `：`"
        return Problem("yaml", f"this is not YAML: {what}", source.span(colon, colon + 1), hint)
    return Problem("yaml", f"this is not YAML: {what}", source.span(index, index + 1), _hint(source, index, what))


def _wide_colon(source: Source, index: int) -> int | None:
    """Return where a full-width colon stands after a key, on the line at ``index`` or the one above."""
    line = source.span(index, index).line
    for number in (line, line - 1):
        if found := _WIDE_COLON.match(source.line(number)):
            return source.line_starts[number - 1] + found.start(1)
    return None


def _hint(source: Source, index: int, what: str) -> str | None:
    place = source.span(index, index)
    line = source.line(place.line)
    before = line[: place.column - 1]
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "indent with spaces: YAML does not allow tabs"
    if "${{" in line:
        return "put quotes around a value with `${{ … }}` inside `{ }` or `[ ]`"
    if "mapping values are not allowed" in what:
        if _ONLY_KEY.match(before):
            if above := _NO_COLON.match(source.line(place.line - 1)):
                return f"put a colon after `{above[1]}` on the line above"
            return "check the indentation: the line above has a value already"
        return "put quotes around a value that holds `: `"
    if "cannot start any token" in what:
        return f"put quotes around a text that begins with `{line[place.column - 1 : place.column]}`"
    return next((hint for part, hint in _HINTS if part in what), None)

"""The one printer of problems and tables. Plain text that reads without colour; colour only on a terminal."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import click

from rhflow.cli.again import typed
from rhflow.core.errors import Problem, Span

_WIDEST = 110
_MOST = 100
_THE_SAME = "the same for {:,} items"


def problems(found: Sequence[Problem]) -> None:
    """Print problems to standard error, with place and hint: all of them, unless there are very many.

    One that several items of a loop have, or several variants, is printed once.
    """
    times = Counter(map(problem_text, found))
    texts = [text if count == 1 else f"{text}\n{_THE_SAME.format(count)}" for text, count in times.items()]
    more = [f"… and {len(texts) - _MOST:,} more"] if len(texts) > _MOST else []
    click.echo("\n\n".join([*texts[:_MOST], *more]), err=True)


def say(text: str) -> None:
    """Print lines to standard output; the commands they name are told whole, as hints tell them."""
    click.echo(typed(text))


def problem_text(problem: Problem) -> str:
    """Return one problem as it is shown: code, message, place with carets, fields, hint."""
    error = problem.severity == "error"
    head = click.style(f"{problem.severity}[{problem.code}]", fg="red" if error else "yellow", bold=True)
    lines = [f"{head}: {problem.message}"]
    if problem.span is not None:
        lines += _snippet(problem.span)
    lines += [f"{name}: {text}" for name, text in problem.fields.items() if text]
    if problem.hint is not None:
        lines.append(f"{click.style('hint', fg='cyan')}: {typed(problem.hint)}")
    return "\n".join(lines)


def problem_document(problem: Problem) -> dict[str, Any]:
    """Return one problem for programs: lines and columns count from 1, the end is exclusive."""
    told = {name: getattr(problem, name) for name in ("severity", "code", "message", "hint")}
    span = problem.span
    if span is not None:
        place = {name: getattr(span, name) for name in ("line", "column", "end_line", "end_column")}
        told |= {"file": span.source.name, **place}
    return told | ({"fields": dict(problem.fields)} if problem.fields else {})


def _snippet(span: Span) -> list[str]:
    number = str(span.line)
    margin = " " * len(number)
    lines = [f"{margin}--> {span.source.name}:{span.line}:{span.column}"]
    text = span.source.line(span.line)
    if not text.strip():
        return lines
    end = span.end_column if span.end_line == span.line else len(text) + 1
    start, end = span.column - 1, max(span.column, end - 1)
    if len(text) > _WIDEST:  # show the part that matters
        cut = max(0, min(start - 20, len(text) - _WIDEST))
        text, start, end = text[cut : cut + _WIDEST], start - cut, min(end - cut, _WIDEST)
    shown = "".join(char if char == "\t" or char.isprintable() else "\ufffd" for char in text)
    blank = "".join("\t" if char == "\t" else " " * width(char) for char in shown[:start])
    carets = "^" * max(1, sum(width(char) for char in shown[start:end]))
    return [*lines, f"{margin} |", f"{number} | {shown}", f"{margin} | {blank}{click.style(carets, fg='red')}"]


def width(text: str) -> int:
    """Return how many columns a text takes on a terminal."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)


def cut(text: str, columns: int) -> str:
    """Return as much of a text as fits into so many columns."""
    while width(text) > columns:
        text = text[: -max(1, (width(text) - columns) // 2)]
    return text.rstrip()


def document(data: Any) -> None:
    """Print data as one JSON document to standard output, in escapes where that cannot take all of its letters."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # a narrow terminal, or a file name that is not Unicode
        text = json.dumps(data, indent=2)
    click.echo(text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows as aligned columns under a head; columns that hold nothing are left out."""
    body = [tuple(row) for row in rows]
    kept = [at for at in range(len(head)) if any(row[at] for row in body)] or list(range(len(head)))
    lines = [tuple(head), *body]
    widths = {at: max(width(line[at]) for line in lines) for at in kept}

    def joined(line: Sequence[str]) -> str:
        cells = [line[at] + " " * (widths[at] - width(line[at])) for at in kept]
        return "  ".join(cells).rstrip()

    first, *rest = [joined(line) for line in lines]
    return "\n".join([click.style(first, bold=True), *rest])


def part(shown: int, total: int, noun: str, *, then: int | None) -> str:
    """Return how much of a long list is shown, and how to see the next page, where there is one."""
    more = f"; `--page {then}` goes on" if then is not None else ""
    return f"{shown} of {plural(total, noun)}{more}"


def amount(cost: Sequence[str] | None) -> str:
    """Return amounts with their currencies, which come by turns, without trailing zeros."""
    pairs = zip(cost[::2], cost[1::2], strict=True) if cost else ()
    return " + ".join(
        [f"{each.rstrip('0').rstrip('.') if '.' in each else each} {currency}" for each, currency in pairs]
    )


def seconds(value: float) -> str:
    """Return a duration for people."""
    if value < 0.05:
        return ""
    return f"{value:.1f} s" if value < 100 else f"{int(value // 60)} min {int(value % 60)} s"


def plural(count: int, noun: str) -> str:
    """Return ``1 step`` or ``3 steps``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"

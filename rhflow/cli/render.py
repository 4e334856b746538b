"""The one printer of problems and tables. Plain text that reads without colour; colour only on a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

import click

from rhflow.core.errors import Problem, Span

_WIDEST = 110
_MOST = 100


def problems(found: Sequence[Problem]) -> None:
    """Print problems to standard error, with place and hint: all of them, unless there are very many."""
    texts = [problem_text(each) for each in found[:_MOST]]
    if len(found) > _MOST:
        texts.append(f"… and {len(found) - _MOST:,} more")
    click.echo("\n\n".join(texts), err=True)


def problem_text(problem: Problem) -> str:
    """Return one problem as it is shown: message, place with carets, fields, hint."""
    error = problem.severity == "error"
    head = click.style(problem.severity, fg="red" if error else "yellow", bold=True)
    lines = [f"{head}: {problem.message}"]
    if problem.span is not None:
        lines += _snippet(problem.span)
    lines += [f"{name}: {text}" for name, text in problem.fields.items() if text]
    if problem.hint is not None:
        lines.append(f"{click.style('hint', fg='cyan')}: {problem.hint}")
    return "\n".join(lines)


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
    blank = "".join("\t" if char == "\t" else " " * _width(char) for char in shown[:start])
    carets = "^" * max(1, sum(_width(char) for char in shown[start:end]))
    return [*lines, f"{margin} |", f"{number} | {shown}", f"{margin} | {blank}{click.style(carets, fg='red')}"]


def _width(text: str) -> int:
    """Return how many columns a text takes on a terminal."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows as aligned columns under a head; columns that hold nothing are left out."""
    body = [tuple(row) for row in rows]
    kept = [at for at in range(len(head)) if any(row[at] for row in body)] or list(range(len(head)))
    lines = [tuple(head), *body]
    widths = {at: max(_width(line[at]) for line in lines) for at in kept}

    def joined(line: Sequence[str]) -> str:
        cells = [line[at] + " " * (widths[at] - _width(line[at])) for at in kept]
        return "  ".join(cells).rstrip()

    first, *rest = [joined(line) for line in lines]
    return "\n".join([click.style(first, bold=True), *rest])


def amount(cost: tuple[str, str] | None) -> str:
    """Return an amount with its currency, without trailing zeros."""
    if cost is None:
        return ""
    number, currency = cost
    return f"{number.rstrip('0').rstrip('.') if '.' in number else number} {currency}"


def seconds(value: float) -> str:
    """Return a duration for people."""
    if value < 0.05:
        return ""
    return f"{value:.1f} s" if value < 100 else f"{int(value // 60)} min {int(value % 60)} s"


def plural(count: int, noun: str) -> str:
    """Return ``1 step`` or ``3 steps``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"

"""Outputs that are values, one line each: short ones whole, long ones with where all of it is to be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rhflow.cli import render

if TYPE_CHECKING:
    from rhflow.app.report import Told

_COLUMNS = 80


def value_lines(told: Sequence[Told], count: int) -> Iterator[str]:
    """Yield a line for each of the first outputs that are values, and how many more there are."""
    for each in told:
        yield _line(each)
    if count > len(told):
        yield f"… and {render.plural(count - len(told), 'more value')}: `--json` prints all"


def _line(told: Told) -> str:
    head = f"{told.label}: "
    if told.whole and render.width(head + told.text) <= _COLUMNS:
        return head + told.text
    where = f" in {told.file}" if told.file is not None else ": `--json` prints all"
    tail = f" … ({told.size:,} characters{where})"
    return head + render.cut(told.text, max(20, _COLUMNS - render.width(head + tail))) + tail

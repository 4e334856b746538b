"""One line per measurement: what, how long, against what, the ratio and its bound."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Rows:
    """Collects and prints measurements; ``failed`` tells whether a ratio was above its bound."""

    failed: bool = False

    def add(self, what: str, measured: float, against: float, bound: float | None = None, *, note: str = "") -> None:
        """Print one measurement, in the unit of both numbers."""
        ratio = measured / against
        over = bound is not None and ratio > bound
        self.failed |= over
        limit = "" if bound is None else f"bound {bound:g}{'  ABOVE' if over else ''}"
        print(f"{what:<58} {measured:8.3f} / {against:8.3f} = {ratio:6.2f}  {limit} {note}".rstrip(), flush=True)

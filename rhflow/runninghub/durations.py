"""What a kind of task usually takes, learnt from those that ended: it decides when a task is first asked about."""

from __future__ import annotations

import math
from collections.abc import Mapping

_MEMORY = 12


class Durations:
    """Typical seconds by label (a model, a workflow id). Nothing is written anywhere: ``known`` goes to the caller.

    The typical value is a running mean of logarithms, so that one task stuck for an hour does not spoil it; it leans
    on about the last dozen.
    """

    def __init__(self, known: Mapping[str, tuple[float, int]] | None = None) -> None:
        self._known = dict(known or {})

    @property
    def known(self) -> Mapping[str, tuple[float, int]]:
        """Typical seconds and number of tasks seen, by label: what the constructor takes."""
        return dict(self._known)

    def expected(self, label: str, default: float) -> float:
        """Return what a task of this label usually takes, or ``default`` while none has ended."""
        return self._known[label][0] if label in self._known else default

    def observe(self, label: str, seconds: float) -> None:
        """Take in that one more task of this label took ``seconds``."""
        if not (math.isfinite(seconds) and seconds > 0):
            return
        typical, count = self._known.get(label, (seconds, 0))
        weight = 1 / min(count + 1, _MEMORY)
        mean = math.log(typical) * (1 - weight) + math.log(seconds) * weight
        self._known[label] = (math.exp(mean), count + 1)

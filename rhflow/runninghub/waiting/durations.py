"""What a kind of task usually takes, learnt from those that ended: it decides when a task is first asked about."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

_MEMORY = 12


class Durations:
    """Typical seconds by label: a model or a workflow, and behind a space what else makes a difference.

    A label never seen counts as its part before the space (``some-model`` for ``some-model 10s``), which is learnt
    along with it. The typical value is a running mean of logarithms, so that one task stuck for an hour does not spoil
    it; it leans on about the last dozen. ``known`` is what was learnt before: typical seconds and number of tasks seen,
    by label. ``keep(label, seconds, seen)`` is told what is learnt.
    """

    def __init__(
        self,
        known: Mapping[str, tuple[float, int]] | None = None,
        keep: Callable[[str, float, int], object] = lambda label, seconds, seen: None,
    ) -> None:
        self._known = dict(known or {})
        self._keep = keep

    @property
    def known(self) -> Mapping[str, tuple[float, int]]:
        """Typical seconds and number of tasks seen, by label: what the constructor takes."""
        return dict(self._known)

    def expected(self, label: str, default: float) -> float:
        """Return what a task of this label usually takes, or ``default`` while none has ended."""
        for name in (label, _general(label)):
            if name in self._known:
                return self._known[name][0]
        return default

    def observe(self, label: str, seconds: float) -> None:
        """Take in that one more task of this label took ``seconds``."""
        if not (math.isfinite(seconds) and seconds > 0):
            return
        for name in dict.fromkeys((label, _general(label))):
            typical, seen = self._known.get(name, (seconds, 0))
            weight = 1 / min(seen + 1, _MEMORY)
            mean = math.log(typical) * (1 - weight) + math.log(seconds) * weight
            self._known[name] = (math.exp(mean), seen + 1)
            self._keep(name, *self._known[name])


def _general(label: str) -> str:
    return label.partition(" ")[0]

"""Camera moves over a still picture, by the words of a prompt.

A view is a window on the picture: its centre (shares of the width and height) and how much it magnifies. The path is
eased at both ends and never leaves the picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from rhflow.media.image import Box, Size

Place = tuple[float, float, float]
_AMOUNTS: Mapping[str, float] = {
    "slow": 0.8,
    "slowly": 0.8,
    "gentle": 0.7,
    "subtle": 0.6,
    "fast": 1.4,
    "quick": 1.4,
    "dramatic": 1.3,
}


@dataclass(frozen=True, slots=True)
class View:
    """Where the camera looks: the centre as shares of width and height, and the magnification (1.0 shows all)."""

    x: float
    y: float
    zoom: float

    def box(self, size: Size) -> Box:
        """Return the window on a picture of ``size`` in pixels, moved inside where it would leave it."""
        width, height = size[0] / self.zoom, size[1] / self.zoom
        left = min(max(self.x * size[0] - width / 2, 0.0), size[0] - width)
        top = min(max(self.y * size[1] - height / 2, 0.0), size[1] - height)
        return left, top, left + width, top + height


def _between(first: Place, last: Place) -> Callable[[float], View]:
    def path(share: float) -> View:
        x, y, zoom = (a + (b - a) * share for a, b in zip(first, last, strict=True))
        return View(x, y, zoom)

    return path


def _arc(amount: float) -> Callable[[float], View]:
    def path(share: float) -> View:
        turn = math.pi * (1 - share)
        zoom = 1.16 + 0.14 * amount * math.sin(math.pi * share)
        return View(0.5 + 0.075 * amount * math.cos(turn), 0.5 - 0.03 * amount * math.sin(turn), zoom)

    return path


def _shaken(amount: float) -> Callable[[float], View]:
    def path(share: float) -> View:
        drift = 0.012 * amount
        x = 0.5 + drift * (math.sin(share * 13) + 0.6 * math.sin(share * 29 + 1))
        y = 0.5 + drift * (math.cos(share * 11) + 0.6 * math.sin(share * 23 + 2))
        return View(x, y, 1.09 + 0.07 * amount * share)

    return path


def _moves(amount: float) -> Mapping[str, Callable[[float], View]]:
    """Return the moves by the words that call for them, the more particular first."""
    wide, shift = 1.0 + 0.02 * amount, 0.5 / 1.2 * 0.2 * amount
    near = 1.0 + 0.28 * amount
    return {
        "orbit|rotate|around|360|arc shot|revolve": _arc(amount),
        "handheld|hand-held|shaky|shake": _shaken(amount),
        "pull out|pull back|zoom out|dolly out|pull away|reveal|retreat": _between((0.5, 0.47, near), (0.5, 0.5, 1.0)),
        "pan left|truck left|move left|slide left": _between((0.5 + shift, 0.5, 1.2), (0.5 - shift, 0.5, 1.2)),
        "pan right|truck right|move right|slide right|pan": _between((0.5 - shift, 0.5, 1.2), (0.5 + shift, 0.5, 1.2)),
        "tilt up|crane up|pedestal up|rise|rising|ascend": _between((0.5, 0.5 + shift, 1.2), (0.5, 0.5 - shift, 1.2)),
        "tilt down|crane down|pedestal down|descend": _between((0.5, 0.5 - shift, 1.2), (0.5, 0.5 + shift, 1.2)),
        "static|still camera|locked": _between((0.5, 0.5, 1.0), (0.5, 0.5, wide)),
        "push in|push-in|zoom in|dolly in|closer|forward|fly|approach": _between((0.5, 0.5, 1.0), (0.5, 0.47, near)),
    }


def camera(prompt: str, *, seed: int) -> Callable[[float], View]:
    """Return the path that ``prompt`` asks for, as a function of the share of time (0 to 1).

    A prompt without a known word gets a slow push towards a point that the seed picks.
    """
    text = prompt.casefold()
    amount = next((value for word, value in _AMOUNTS.items() if word in text.split()), 1.0)
    for signs, path in _moves(amount).items():
        if any(sign in text for sign in signs.split("|")):
            return path
    x, y = 0.4 + 0.2 * (seed % 101) / 100, 0.42 + 0.12 * (seed // 101 % 101) / 100
    return _between((0.5, 0.5, 1.02), (x, y, 1.02 + 0.17 * amount))


def eased(share: float) -> float:
    """Return a share of time that starts and ends gently."""
    return 0.5 - 0.5 * math.cos(math.pi * min(1.0, max(0.0, share)))


def views(prompt: str, *, count: int, seed: int) -> Iterator[View]:
    """Yield the views of ``count`` frames."""
    path = camera(prompt, seed=seed)
    for index in range(count):
        yield path(eased(index / max(1, count - 1)))

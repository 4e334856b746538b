"""Camera moves over a still picture, by the words of a prompt.

The path is a function of the share of it; what it does at a time is eased at both ends.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from rhflow.media.camera import View, between, eased

_AMOUNTS: Mapping[str, float] = {
    "slow": 0.8,
    "slowly": 0.8,
    "gentle": 0.7,
    "subtle": 0.6,
    "fast": 1.4,
    "quick": 1.4,
    "dramatic": 1.3,
}


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
        "pull out|pull back|zoom out|dolly out|pull away|reveal|retreat": between((0.5, 0.47, near), (0.5, 0.5, 1.0)),
        "pan left|truck left|move left|slide left": between((0.5 + shift, 0.5, 1.2), (0.5 - shift, 0.5, 1.2)),
        "pan right|truck right|move right|slide right|pan": between((0.5 - shift, 0.5, 1.2), (0.5 + shift, 0.5, 1.2)),
        "tilt up|crane up|pedestal up|rise|rising|ascend": between((0.5, 0.5 + shift, 1.2), (0.5, 0.5 - shift, 1.2)),
        "tilt down|crane down|pedestal down|descend": between((0.5, 0.5 - shift, 1.2), (0.5, 0.5 + shift, 1.2)),
        "static|still camera|locked": between((0.5, 0.5, 1.0), (0.5, 0.5, wide)),
        "push in|push-in|zoom in|dolly in|closer|forward|fly|approach": between((0.5, 0.5, 1.0), (0.5, 0.47, near)),
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
    return between((0.5, 0.5, 1.02), (x, y, 1.02 + 0.17 * amount))


def views(prompt: str, *, count: int, seed: int) -> Iterator[View]:
    """Yield the views of ``count`` frames."""
    path = camera(prompt, seed=seed)
    for index in range(count):
        yield path(eased(index / max(1, count - 1)))

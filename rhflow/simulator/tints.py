"""Colour changes quick enough for every frame of a clip: tables over brightness and colour, chosen by words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rhflow.media.planes import Planes
from rhflow.simulator.art.brief import words_of


@dataclass(frozen=True, slots=True)
class Tint:
    """How a clip is changed: contrast and light, strength of colour, and a push towards blue or red."""

    contrast: float = 1.0
    light: float = 0.0
    colour: float = 1.0
    blue: float = 0.0
    red: float = 0.0

    def over(self, frame: Planes) -> Planes:
        """Return ``frame`` changed."""
        luma = [_limited(126 + (value - 126) * self.contrast + self.light, 16, 235) for value in range(256)]
        blue = [_limited(128 + (value - 128) * self.colour + self.blue, 16, 240) for value in range(256)]
        red = [_limited(128 + (value - 128) * self.colour + self.red, 16, 240) for value in range(256)]
        return Planes(frame.y.point(luma), frame.u.point(blue), frame.v.point(red))


def _limited(value: float, low: int, high: int) -> int:
    return min(high, max(low, round(value)))


_TINTS: Mapping[str, Tint] = {
    "noir monochrome black grayscale greyscale": Tint(contrast=1.25, colour=0.0),
    "night midnight moonlight dark": Tint(contrast=0.9, light=-34, colour=0.6, blue=9, red=-6),
    "neon cyberpunk synthwave": Tint(contrast=1.2, light=-12, colour=1.3, blue=20, red=18),
    "sunset dusk golden warm sunny autumn fire": Tint(contrast=1.06, light=4, colour=1.15, blue=-17, red=15),
    "vintage retro sepia old film": Tint(contrast=0.86, light=8, colour=0.35, blue=-14, red=9),
    "snow snowy winter fog foggy mist misty": Tint(contrast=0.78, light=26, colour=0.5, blue=6, red=-4),
    "cool cold blue icy rain rainy teal storm": Tint(contrast=1.04, light=-6, colour=0.85, blue=14, red=-10),
    "bright vivid vibrant colorful colourful": Tint(contrast=1.1, light=8, colour=1.4),
}
_DEFAULTS = (Tint(contrast=1.15, blue=-7, red=6), Tint(contrast=1.08, colour=0.9, blue=9, red=-6))


def tint_for(prompt: str, *, seed: int) -> Tint:
    """Return the change that ``prompt`` asks for, or a mild one that the seed picks."""
    words = set(words_of(prompt))
    for signs, tint in _TINTS.items():
        if not words.isdisjoint(signs.split()):
            return tint
    return _DEFAULTS[seed % 2]

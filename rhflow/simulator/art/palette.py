"""The light of a scene: what the sky, the ground and the things in it are coloured like at an hour of the day."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace

from rhflow.media.image import Colour
from rhflow.simulator.art.colour import Ambient, lit, mix, rgb, turned


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of an hour: the sky from top to horizon, the light's source, what lies in shadow or far away.

    ``sun_height`` is a share of the sky, 0 hides the sun; ``named`` tells that the prompt gave the accent.
    """

    sky: tuple[Colour, ...]
    sun: Colour
    glow: Colour
    ambient: Ambient
    haze: Colour
    ink: Colour
    accent: Colour
    dark: bool = False
    sun_height: float = 0.3
    bloom: Colour | None = None
    named: bool = False

    def ground(self, base: Colour, depth: float) -> Colour:
        """Return ``base`` as seen at ``depth``: 0 is in front, 1 is lost in the haze."""
        return mix(lit(base, self.ambient), self.haze, depth)


def _sky(*colours: str) -> tuple[Colour, ...]:
    return tuple(rgb(colour) for colour in colours)


HOURS: Mapping[str, Palette] = {
    "day": Palette(
        sky=_sky("3d83bd", "7db9e0", "bfe0ee", "f6ecd6"), sun=rgb("fffdf2"), glow=rgb("fff3cf"),
        ambient=(1.0, 1.0, 1.0), haze=rgb("cfe3ea"), ink=rgb("1d2b38"), accent=rgb("e2583e"), sun_height=0.24,
    ),
    "dawn": Palette(
        sky=_sky("6d8fb8", "b7b4cb", "f0c8bd", "fde6c8"), sun=rgb("fff6e0"), glow=rgb("ffe2b8"),
        ambient=(0.98, 0.86, 0.88), haze=rgb("f0d3c6"), ink=rgb("2f3247"), accent=rgb("d9694f"), sun_height=0.5,
    ),
    "sunset": Palette(
        sky=_sky("27234f", "7b3a70", "d95f5c", "fba65a", "fedb8f"), sun=rgb("fff0c2"), glow=rgb("ffb45e"),
        ambient=(0.86, 0.58, 0.54), haze=rgb("ec9a6c"), ink=rgb("241a33"), accent=rgb("f2c14e"), sun_height=0.52,
    ),
    "night": Palette(
        sky=_sky("050a1c", "0c1b3d", "1b3764", "3a5c8a"), sun=rgb("f6f2de"), glow=rgb("a9c4ea"),
        ambient=(0.27, 0.35, 0.58), haze=rgb("2a4670"), ink=rgb("060a18"), accent=rgb("ffcf70"), dark=True,
        sun_height=0.22,
    ),
    "neon": Palette(
        sky=_sky("0a0420", "2a0d55", "7a1a80", "e0418f"), sun=rgb("ffd9f0"), glow=rgb("ff5fb0"),
        ambient=(0.42, 0.3, 0.66), haze=rgb("8a2d86"), ink=rgb("0b0620"), accent=rgb("2de2e6"), dark=True,
        sun_height=0.42,
    ),
    "overcast": Palette(
        sky=_sky("4a5661", "76848d", "a3adb0", "cfd2cd"), sun=rgb("eef0ec"), glow=rgb("e3e6e2"),
        ambient=(0.72, 0.76, 0.8), haze=rgb("b4bcbd"), ink=rgb("20272d"), accent=rgb("d8a23a"), sun_height=0.0,
    ),
    "winter": Palette(
        sky=_sky("6f9cc4", "aacbe2", "dbe9ef", "f9efe6"), sun=rgb("fffaf0"), glow=rgb("fff0dc"),
        ambient=(0.92, 0.98, 1.06), haze=rgb("dfe9ef"), ink=rgb("2a3a4c"), accent=rgb("c8453c"), sun_height=0.36,
    ),
    "autumn": Palette(
        sky=_sky("5b87a6", "a9c1c4", "eed9b4", "f9c98a"), sun=rgb("fff6dc"), glow=rgb("ffdf9e"),
        ambient=(1.06, 0.88, 0.7), haze=rgb("efd3a4"), ink=rgb("33241c"), accent=rgb("c4481f"), sun_height=0.36,
    ),
    "noir": Palette(
        sky=_sky("16181b", "3a3d42", "74787d", "b9bbbc"), sun=rgb("f4f4f2"), glow=rgb("d8d8d6"),
        ambient=(0.6, 0.62, 0.64), haze=rgb("8d9093"), ink=rgb("101113"), accent=rgb("d9d9d6"), dark=True,
        sun_height=0.3,
    ),
    "pastel": Palette(
        sky=_sky("a9bfe8", "cdbfe6", "f3c6d3", "fde3cf"), sun=rgb("fffaf2"), glow=rgb("fff0e2"),
        ambient=(1.0, 0.94, 0.98), haze=rgb("f0d5dd"), ink=rgb("4a3f5c"), accent=rgb("ef8a8f"), sun_height=0.36,
    ),
}  # fmt: skip

_PIGMENTS = _sky("c4644a", "2f7f86", "3a5f9e", "85507f", "7f9c70", "d0963a", "c46d86")


def palette_for(hour: str, *, accent: Colour | None, bloom: Colour | None, indoors: bool, seed: int) -> Palette:
    """Return the palette of an hour, its hues turned a little by the seed so that takes differ."""
    palette = HOURS[hour]
    dice = random.Random(seed)
    degrees = dice.uniform(-7.0, 7.0)
    return replace(
        palette,
        sky=tuple(turned(colour, degrees) for colour in palette.sky),
        haze=turned(palette.haze, degrees),
        bloom=bloom,
        named=accent is not None,
        accent=accent or (dice.choice(_PIGMENTS) if indoors else palette.accent),
    )

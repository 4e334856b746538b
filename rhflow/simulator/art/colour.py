"""Arithmetic on colours: three whole numbers from 0 to 255."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from typing import TypeAlias

from rhflow.media.image import Colour

Ambient: TypeAlias = tuple[float, float, float]

WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)


def rgb(text: str) -> Colour:
    """Return the colour written as six hex digits."""
    return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return a mixture: ``share`` 0 is the first colour, 1 the second."""
    share = min(1.0, max(0.0, share))
    a, b, c = (round(x + (y - x) * share) for x, y in zip(first, second, strict=True))
    return a, b, c


def lit(colour: Colour, light: Ambient) -> Colour:
    """Return ``colour`` as it looks under a light whose parts are about 1.0."""
    a, b, c = (min(255, max(0, round(x * part))) for x, part in zip(colour, light, strict=True))
    return a, b, c


def lighter(colour: Colour, share: float) -> Colour:
    """Return ``colour`` moved towards white."""
    return mix(colour, WHITE, share)


def darker(colour: Colour, share: float) -> Colour:
    """Return ``colour`` moved towards a deep blue black, which looks richer than black."""
    return mix(colour, (10, 10, 22), share)


def turned(colour: Colour, degrees: float, *, saturation: float = 1.0) -> Colour:
    """Return ``colour`` with its hue turned and its saturation multiplied."""
    hue, light, strength = colorsys.rgb_to_hls(*(part / 255 for part in colour))
    back = colorsys.hls_to_rgb((hue + degrees / 360) % 1, light, min(1.0, strength * saturation))
    a, b, c = (round(part * 255) for part in back)
    return a, b, c


def brightness(colour: Colour) -> float:
    """Return how bright a colour looks, from 0 to 1."""
    return (0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]) / 255


def along(stops: Sequence[Colour], share: float) -> Colour:
    """Return the colour at ``share`` of the way through evenly spaced ``stops``."""
    place = min(1.0, max(0.0, share)) * (len(stops) - 1)
    index = min(int(place), len(stops) - 2)
    return mix(stops[index], stops[index + 1], place - index)

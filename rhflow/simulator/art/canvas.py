"""What scenes and subjects paint on: gradients, glows, smooth shapes, and a pen with its own scale.

Everything is drawn larger than asked and shrunk at the end, which makes the edges smooth. Chance comes from one seeded
generator, so the same words give the same picture.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeAlias

from PIL import Image, ImageDraw

from rhflow.media.image import Colour, Size
from rhflow.simulator.art.colour import along
from rhflow.simulator.art.palette import Palette

Point: TypeAlias = tuple[float, float]


@lru_cache(maxsize=8)
def _radial(softness: float) -> Image.Image:
    """Return a round mask: full at the centre, nothing at the rim; a larger ``softness`` falls off sooner.

    Pillow's gradient reaches 181 at the middle of its sides and 255 in the corners only.
    """
    falls = [max(0.0, 1 - value / 180) for value in range(256)]
    return Image.radial_gradient("L").point([round(255 * (t * t * (3 - 2 * t)) ** softness) for t in falls])


class Canvas:
    """A picture in the making. ``unit`` is the length of its shorter side; places are in pixels.

    ``draw`` lets what lies below show through colours with a fourth part; ``opaque`` is quicker for many shapes.
    """

    def __init__(self, size: Size, *, palette: Palette, seed: int) -> None:
        self.width, self.height = size
        self.unit = min(size)
        self.palette = palette
        self.random = random.Random(seed)
        self.image = Image.new("RGB", size, palette.sky[0])
        self.draw = ImageDraw.Draw(self.image, "RGBA")
        self.opaque = ImageDraw.Draw(self.image)

    def replace(self, image: Image.Image) -> None:
        """Go on with another picture of the same size."""
        self.image = image
        self.draw, self.opaque = ImageDraw.Draw(image, "RGBA"), ImageDraw.Draw(image)

    def gradient(self, stops: Sequence[Colour], *, top: float = 0.0, bottom: float | None = None) -> None:
        """Fill the rows from ``top`` to ``bottom`` with a vertical gradient."""
        first, last = round(top), round(self.height if bottom is None else bottom)
        if last > first:
            self.image.paste(ramp(stops, (self.width, last - first)), (0, first))

    def shape(self, points: Sequence[Point], fill: Sequence[Colour], *, sideways: bool = False) -> None:
        """Fill a polygon with a gradient over its own height, or width."""
        left, top = (math.floor(min(point[axis] for point in points)) for axis in (0, 1))
        right, bottom = (math.ceil(max(point[axis] for point in points)) + 1 for axis in (0, 1))
        left, top = max(0, left), max(-self.height, top)
        right, bottom = min(self.width, right), min(2 * self.height, bottom)
        if right <= left or bottom <= top:
            return
        mask = Image.new("L", (right - left, bottom - top), 0)
        ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in points], fill=255)
        self.image.paste(ramp(fill, mask.size, sideways=sideways), (left, top), mask)

    def soft(self, centre: Point, radii: Point, colour: Colour, strength: float, *, softness: float = 1.0) -> None:
        """Lay a soft-edged ellipse over the picture: a glow, a cloud, a shadow. ``strength`` is from 0 to 1."""
        width, height = max(2, round(2 * radii[0])), max(2, round(2 * radii[1]))
        mask = _radial(softness).resize((width, height), Image.Resampling.BILINEAR)
        mask = mask.point([round(value * strength) for value in range(256)])
        self.image.paste(colour, (round(centre[0] - radii[0]), round(centre[1] - radii[1])), mask)

    def pen(self, base: Point, height: float) -> Pen:
        """Return a pen whose origin is ``base`` (x to the right, y upwards) and whose unit is ``height`` pixels."""
        return Pen(self, base, height)


@lru_cache(maxsize=4)
def _strip(stops: tuple[Colour, ...]) -> Image.Image:
    strip = Image.new("RGB", (1, 512))
    strip.putdata([along(stops, row / 511) for row in range(512)])
    return strip


def ramp(stops: Sequence[Colour], size: Size, *, sideways: bool = False) -> Image.Image:
    """Return a gradient of ``size``, from top to bottom or from left to right."""
    strip = _strip(tuple(stops) if len(stops) > 1 else (stops[0], stops[0]))
    if sideways:
        strip = strip.transpose(Image.Transpose.ROTATE_90)
    along_it = (size[0], 1) if sideways else (1, size[1])  # only one way is there anything to blend
    return strip.resize(along_it, Image.Resampling.BILINEAR).resize(size, Image.Resampling.NEAREST)


@lru_cache(maxsize=256)
def outline(text: str) -> tuple[Point, ...]:
    """Return the places written in ``text`` as ``x,y`` pairs in thousandths: shapes are data and read as such."""
    return tuple((int(x) / 1000, int(y) / 1000) for x, y in (pair.split(",") for pair in text.split()))


def smooth(points: Sequence[Point], *, closed: bool = True, steps: int = 8) -> list[Point]:
    """Return a round curve through ``points`` (Catmull-Rom), ``steps`` places for each stretch."""
    count = len(points)
    curve: list[Point] = []
    for index in range(count if closed else count - 1):
        around = [
            points[(index + shift) % count] if closed else points[min(max(index + shift, 0), count - 1)]
            for shift in (-1, 0, 1, 2)
        ]
        curve += [_between(around, step / steps) for step in range(steps)]
    return curve if closed else [*curve, points[-1]]


def _between(around: Sequence[Point], t: float) -> Point:
    def part(axis: int) -> float:
        a, b, c, d = (point[axis] for point in around)
        return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)

    return part(0), part(1)


class Pen:
    """Draws a subject in its own measure: x to the right, y upwards, 1.0 is the subject's height."""

    def __init__(self, canvas: Canvas, base: Point, height: float) -> None:
        self.canvas, self.base, self.height = canvas, base, height

    def at(self, x: float, y: float) -> Point:
        """Return the pixel of a place."""
        return self.base[0] + x * self.height, self.base[1] - y * self.height

    def fill(self, points: Sequence[Point], colours: Colour | Sequence[Colour], *, sideways: bool = False) -> None:
        """Fill a polygon with one colour, or with a gradient."""
        placed = [self.at(*point) for point in points]
        if isinstance(colours[0], int):
            self.canvas.draw.polygon(placed, fill=colours)  # type: ignore[arg-type]
        else:
            self.canvas.shape(placed, colours, sideways=sideways)  # type: ignore[arg-type]

    def blob(self, points: Sequence[Point], colours: Colour | Sequence[Colour], *, sideways: bool = False) -> None:
        """Fill the round shape through ``points``."""
        self.fill(smooth(points), colours, sideways=sideways)

    def oval(self, centre: Point, radii: Point, colours: Colour | Sequence[Colour], *, sideways: bool = False) -> None:
        """Fill an ellipse."""
        turns = [math.tau * step / 64 for step in range(64)]
        around = [(centre[0] + radii[0] * math.cos(turn), centre[1] + radii[1] * math.sin(turn)) for turn in turns]
        self.fill(around, colours, sideways=sideways)

    def box(
        self,
        corner: Point,
        size: Point,
        colours: Colour | Sequence[Colour],
        *,
        round_by: float = 0.0,
        sideways: bool = False,
    ) -> None:
        """Fill a rectangle from its lower left ``corner``, its corners rounded by ``round_by``."""
        self.fill(_rounded(corner, size, round_by), colours, sideways=sideways)

    def line(self, points: Sequence[Point], colour: tuple[int, ...], width: float, *, curved: bool = False) -> None:
        """Draw a line with round ends; ``width`` is in the subject's measure."""
        places = smooth(points, closed=False) if curved else list(points)
        placed = [self.at(*point) for point in places]
        thick = max(1, round(width * self.height))
        self.canvas.draw.line(placed, fill=colour, width=thick, joint="curve")
        if len(colour) == 3 and thick > 2:
            for x, y in (placed[0], placed[-1]):
                self.canvas.draw.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=colour)

    def veil(self, points: Sequence[Point], colour: Colour, strength: float) -> None:
        """Lay a see-through polygon over the picture."""
        self.canvas.draw.polygon([self.at(*point) for point in points], fill=(*colour, round(255 * strength)))

    def soft(self, centre: Point, radii: Point, colour: Colour, strength: float, *, softness: float = 1.0) -> None:
        """Lay a soft-edged ellipse over the picture."""
        spread = (radii[0] * self.height, radii[1] * self.height)
        self.canvas.soft(self.at(*centre), spread, colour, strength, softness=softness)

    def shadow(self, reach: float, *, strength: float = 0.45) -> None:
        """Put a soft shadow under the subject, ``reach`` to either side."""
        self.soft((0.0, 0.0), (reach, reach * 0.22), (8, 8, 18), strength, softness=0.8)

    def turned(self, degrees: float) -> Callable[[Point], Point]:
        """Return what turns a place around the origin, counter-clockwise."""
        cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        return lambda point: (point[0] * cosine - point[1] * sine, point[0] * sine + point[1] * cosine)


def _rounded(corner: Point, size: Point, radius: float) -> list[Point]:
    x, y = corner
    width, height = size
    radius = min(radius, width / 2, height / 2)
    if radius <= 0:
        return [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    centres = ((x + width - radius, y + height - radius), (x + radius, y + height - radius),
               (x + radius, y + radius), (x + width - radius, y + radius))  # fmt: skip
    turns = [(quarter * 90 + step * 15, centre) for quarter, centre in enumerate(centres) for step in range(7)]
    return [
        (cx + radius * math.cos(math.radians(turn)), cy + radius * math.sin(math.radians(turn)))
        for turn, (cx, cy) in turns
    ]

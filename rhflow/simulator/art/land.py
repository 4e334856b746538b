"""The open country: sea, hills, a field of flowers, desert.

Each painter fills the canvas and returns the place where a subject stands: its foot in pixels and a fitting height.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image

from rhflow.media.image import Colour
from rhflow.simulator.art.canvas import Canvas, Point, smooth
from rhflow.simulator.art.colour import darker, lighter, lit, mix, rgb
from rhflow.simulator.art.sky import paint_sky


class Spot(NamedTuple):
    """Where the subject stands, and how tall it may be, in pixels."""

    foot: Point
    height: float


def sea(canvas: Canvas) -> Spot:
    """Water to the horizon, far land, a path of light, and a rock in front."""
    palette, dice = canvas.palette, canvas.random
    line = canvas.height * 0.6
    sun = paint_sky(canvas, horizon=0.6)
    for depth, height in ((0.82, 0.05), (0.66, 0.03)):
        ridge(canvas, line + 1, height, palette.ground(rgb("4a6a78"), depth), waves=3)
    deep = lit(rgb("1d5a7a"), palette.ambient)
    canvas.gradient(
        [mix(palette.sky[-1], deep, 0.35), mix(palette.sky[1], deep, 0.62), deep, darker(deep, 0.4)], top=line
    )
    _ripples(canvas, line, sun[0])
    side = 0.3 if sun[0] > canvas.width / 2 else 0.7
    foot = (canvas.width * side, canvas.height * 0.76)
    return Spot((foot[0] + canvas.unit * 0.02 * dice.uniform(-1, 1), foot[1]), canvas.unit * 0.56)


def beach(canvas: Canvas) -> None:
    """Lay sand along the lower edge of a sea, with the last of a wave on it."""
    sand = canvas.palette.ground(rgb("e2c595"), 0.06)
    edge = ridge(canvas, canvas.height * 0.75, 0.035, lighter(canvas.palette.sky[-1], 0.45), waves=2)
    wet = [(x, y + canvas.unit * 0.012) for x, y in edge]
    corners = [(canvas.width, canvas.height), (0, canvas.height)]
    canvas.shape([*wet, *corners], [darker(sand, 0.25), darker(sand, 0.25)])
    dry = [(x, y + canvas.unit * (0.05 + 0.012 * math.sin(x / canvas.unit * 7))) for x, y in edge]
    canvas.shape([*dry, *corners], [lighter(sand, 0.1), sand, darker(sand, 0.3)])
    for _ in range(260):
        x, y = canvas.random.random() * canvas.width, canvas.height * canvas.random.uniform(0.82, 1.0)
        half = canvas.unit * canvas.random.uniform(0.002, 0.012)
        _dash(canvas, (x, y), half, half * 0.25, (*darker(sand, 0.5), 45))


def _ripples(canvas: Canvas, line: float, sun: float) -> None:
    """Draw the sun's path and the shadows of waves as dashes that grow towards the viewer."""
    dice, palette = canvas.random, canvas.palette
    y, step = line + canvas.unit * 0.004, canvas.unit * 0.005
    while y < canvas.height:
        near = (y - line) / (canvas.height - line)
        thick = max(1.0, canvas.unit * (0.0009 + 0.0034 * near))
        for _ in range(round(3 + 9 * (1 - near))):
            x = sun + dice.gauss(0, canvas.unit * (0.035 + 0.1 * near))
            _dash(canvas, (x, y), canvas.unit * dice.uniform(0.01, 0.045) * (0.5 + near), thick, (*palette.sun, 150))
        for _ in range(5):
            x = dice.random() * canvas.width
            tone = (*lighter(palette.sky[-1], 0.1), 46) if dice.random() < 0.5 else (*palette.ink, 38)
            _dash(canvas, (x, y), canvas.unit * dice.uniform(0.03, 0.11) * (0.4 + near), thick, tone)
        y += step
        step *= 1.09


def _dash(canvas: Canvas, centre: Point, half: float, thick: float, colour: tuple[int, ...]) -> None:
    x, y = centre
    canvas.draw.polygon([(x - half, y), (x, y - thick), (x + half, y), (x, y + thick)], fill=colour)


def ridge(
    canvas: Canvas, base: float, height: float, colour: Colour | Sequence[Colour], *, waves: int = 4
) -> list[Point]:
    """Fill a rolling skyline down to the bottom; ``height`` is a share of the canvas height. Return the skyline."""
    dice = canvas.random
    parts = [(dice.uniform(0.6, 1.6) * waves, dice.random() * math.tau, dice.uniform(0.3, 1.0)) for _ in range(4)]
    total = sum(part[2] for part in parts)
    line: list[Point] = []
    for step in range(121):
        x = step / 120
        swell = sum(weight * math.sin(math.pi * speed * x + phase) for speed, phase, weight in parts) / total
        line.append((x * canvas.width, base - canvas.height * height * (0.5 + 0.5 * swell)))
    outline = [*line, (canvas.width, canvas.height), (0, canvas.height)]
    if isinstance(colour[0], int):
        canvas.draw.polygon(outline, fill=colour)  # type: ignore[arg-type]
    else:
        canvas.shape(outline, colour)  # type: ignore[arg-type]
    return line


def mirror(canvas: Canvas, line: float, tint: Colour, *, strength: float = 0.42, squash: float = 0.9) -> None:
    """Turn what lies below ``line`` into water that mirrors what is above."""
    top, below = round(line), canvas.height - round(line)
    source = canvas.image.crop((0, max(0, round(top - below / squash)), canvas.width, top))
    turned = source.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((canvas.width // 8, max(2, below // 3)))
    turned = turned.resize((canvas.width, below), Image.Resampling.BILINEAR)
    canvas.image.paste(Image.blend(turned, Image.new("RGB", turned.size, tint), strength), (0, top))
    for _ in range(60):
        near = canvas.random.random() ** 1.4
        place = (canvas.random.random() * canvas.width, top + near * below)
        half = canvas.unit * canvas.random.uniform(0.02, 0.1) * (0.4 + near)
        _dash(canvas, place, half, canvas.unit * 0.0016, (*lighter(canvas.palette.sky[-1], 0.2), 44))


def hills(canvas: Canvas) -> Spot:
    """Rolling country in five layers, lines of trees, a path that leads in."""
    palette, dice = canvas.palette, canvas.random
    paint_sky(canvas, horizon=0.62)
    tones = (("6f93a0", 0.72), ("6c9482", 0.5), ("6b9b5f", 0.3), ("5c8f4c", 0.14))
    for index, (base, depth) in enumerate(tones):
        colour = palette.ground(_seasonal(canvas, rgb(base)), depth)
        foot = canvas.height * (0.63 + 0.085 * index)
        line = ridge(canvas, foot, 0.1, [lighter(colour, 0.1), darker(colour, 0.14)], waves=2 + index % 2)
        if index in (1, 2):
            _hedge(
                canvas,
                line,
                mix(colour, lit(rgb("2f5233"), palette.ambient), 0.6),
                size=canvas.unit * (0.006 + 0.008 * index),
            )
    front = palette.ground(_seasonal(canvas, rgb("4a7a3f")), 0.0)
    ridge(canvas, canvas.height * 0.93, 0.06, [lighter(front, 0.06), darker(front, 0.35)], waves=2)
    return Spot((canvas.width * dice.choice((0.36, 0.62)), canvas.height * 0.85), canvas.unit * 0.4)


def _seasonal(canvas: Canvas, green: Colour) -> Colour:
    """Return a green as the season has it: under snow it is white."""
    return (
        mix(green, rgb("f2f6fa"), 0.82) if canvas.palette.sky[-1][2] > 225 and canvas.palette.ambient[2] > 1 else green
    )


def _hedge(canvas: Canvas, line: Sequence[Point], colour: Colour, *, size: float) -> None:
    """Set clumps of small round trees on a skyline."""
    dice = canvas.random
    for _ in range(6):
        start = dice.randrange(len(line) - 8)
        for x, y in line[start : start + dice.randrange(2, 8)]:
            radius = size * dice.uniform(0.5, 1.25)
            place = (x + dice.uniform(-1, 1) * size, y - radius * 0.8)
            box = (place[0] - radius * 0.85, place[1] - radius * 1.2, place[0] + radius * 0.85, place[1] + radius)
            canvas.draw.ellipse(box, fill=mix(colour, darker(colour, 0.3), dice.random() * 0.6))


def field(canvas: Canvas) -> Spot:
    """Rows of flowers that run to a far line of hills."""
    palette, dice = canvas.palette, canvas.random
    paint_sky(canvas, horizon=0.52)
    line = canvas.height * 0.53
    for base, depth in (("7a8fa6", 0.7), ("5f7f66", 0.45)):
        ridge(canvas, line, 0.08, palette.ground(rgb(base), depth), waves=3)
    green = lit(rgb("4f8145"), palette.ambient)
    canvas.gradient([mix(green, palette.haze, 0.35), green, darker(green, 0.45)], top=line)
    vanish, bloom = canvas.width * dice.uniform(0.4, 0.6), palette.bloom or palette.accent
    for row in range(1, 64):
        near = (row / 63) ** 2.0
        y = line + near * (canvas.height * 1.03 - line)
        size = canvas.unit * (0.0025 + 0.0165 * near)
        for column in range(-26, 27):
            x = vanish + column * canvas.unit * (0.02 + 0.1 * near) + dice.gauss(0, 0.9) * size
            if -size < x < canvas.width + size:
                tone = lit(mix(darker(bloom, 0.12), lighter(bloom, 0.35), dice.random()), palette.ambient)
                _bloom(
                    canvas,
                    (x, y + dice.uniform(-1, 1) * size),
                    size * dice.uniform(0.7, 1.1),
                    mix(tone, palette.haze, 0.35 * (1 - near)),
                )
    return Spot((canvas.width * 0.5, canvas.height * 0.88), canvas.unit * 0.42)


def _bloom(canvas: Canvas, centre: Point, size: float, colour: Colour) -> None:
    x, y = centre
    canvas.draw.line((x, y, x, y + size * 2.2), fill=(38, 66, 40, 150), width=max(1, round(size * 0.25)))
    canvas.draw.ellipse((x - size, y - size * 0.8, x + size, y + size * 0.8), fill=colour)
    canvas.draw.ellipse((x - size * 0.5, y - size * 0.62, x + size * 0.62, y + size * 0.1), fill=lighter(colour, 0.22))


def desert(canvas: Canvas) -> Spot:
    """Dunes with a lit and a shaded side, mesas far off."""
    palette, dice = canvas.palette, canvas.random
    paint_sky(canvas, horizon=0.58, cloudy=0.25)
    line = canvas.height * 0.58
    far = palette.ground(rgb("dba263"), 0.58)
    canvas.gradient([lighter(far, 0.1), far], top=line)
    for _ in range(3):
        _mesa(canvas, dice.random() * canvas.width, line, palette.ground(rgb("a8674a"), 0.58))
    for index in range(4):
        colour = palette.ground(rgb("dba263"), 0.46 - 0.13 * index)
        _dune(canvas, line + canvas.height * (0.02 + 0.105 * index), colour, rise=0.07 + 0.015 * index)
    front = palette.ground(rgb("c98a4b"), 0.0)
    ridge(canvas, canvas.height * 0.98, 0.09, [lighter(front, 0.08), darker(front, 0.4)], waves=1)
    return Spot((canvas.width * 0.6, canvas.height * 0.88), canvas.unit * 0.34)


def _dune(canvas: Canvas, base: float, colour: Colour, *, rise: float) -> None:
    """Draw one dune: a long lit slope, a knife-edge crest that winds towards the viewer, a slope in shadow."""
    dice, width, high = canvas.random, canvas.width, canvas.height * rise
    peak = width * dice.uniform(0.15, 0.85)
    deep = canvas.height * 0.3
    left = [
        (-width * 0.1, base + high * 0.2),
        (peak - width * 0.42, base + high * 0.1),
        (peak - width * 0.16, base - high * 0.42),
    ]
    right = [
        (peak + width * 0.13, base - high * 0.5),
        (peak + width * 0.4, base + high * 0.25),
        (width * 1.1, base + high * 0.3),
    ]
    top = (peak, base - high)
    lee = smooth([top, *right], closed=False)
    skyline = [*smooth([*left, top], closed=False), *lee]
    canvas.shape(
        [*skyline, (width * 1.1, base + deep), (-width * 0.1, base + deep)],
        [lighter(colour, 0.16), darker(colour, 0.06)],
    )
    bend = dice.choice((-1, 1)) * 0.05
    crest = smooth(
        [
            top,
            (peak + width * bend, base + deep * 0.12),
            (peak - width * bend, base + deep * 0.34),
            (peak + width * 0.2, base + deep),
        ],
        closed=False,
    )
    shade = darker(colour, 0.3)
    canvas.shape(
        [*reversed(crest), *lee, (width * 1.1, base + deep)], [shade, mix(shade, colour, 0.45), mix(shade, colour, 0.8)]
    )


def _mesa(canvas: Canvas, x: float, line: float, colour: Colour) -> None:
    dice = canvas.random
    wide, tall = canvas.unit * dice.uniform(0.08, 0.2), canvas.unit * dice.uniform(0.04, 0.1)
    outline = [
        (x - wide, line + 3),
        (x - wide * 0.72, line - tall),
        (x + wide * 0.6, line - tall * 0.96),
        (x + wide, line + 3),
    ]
    canvas.shape(outline, [lighter(colour, 0.08), darker(colour, 0.12)])

"""Mountains over a lake, and woods."""

from __future__ import annotations

from rhflow.media.image import Colour
from rhflow.simulator.art.canvas import Canvas, Point
from rhflow.simulator.art.colour import darker, lighter, lit, mix, rgb
from rhflow.simulator.art.land import Spot, mirror, ridge
from rhflow.simulator.art.sky import paint_sky


def mountains(canvas: Canvas) -> Spot:
    """Three ranges with lit and shaded faces, snow on the far one, and a lake that mirrors them."""
    palette, dice = canvas.palette, canvas.random
    sun = paint_sky(canvas, horizon=0.66)
    shore = canvas.height * 0.72
    for depth, height, count in ((0.58, 0.46, 4), (0.34, 0.3, 4)):
        base = rgb("5d6f86")
        for index in sorted(range(count), key=lambda _: dice.random()):
            x = canvas.width * ((index + dice.uniform(0.2, 0.8)) / count)
            tall = canvas.height * height * dice.uniform(0.55, 1.0)
            _peak(canvas, (x, shore), tall, palette.ground(base, depth), light=sun[0] < x)
        canvas.soft((canvas.width / 2, shore), (canvas.width * 0.9, canvas.height * 0.12), palette.haze, 0.6)
    for depth, height in ((0.3, 0.07), (0.16, 0.035)):
        tone = palette.ground(rgb("47664f"), depth)
        ridge(canvas, shore, height, [lighter(tone, 0.06), darker(tone, 0.15)], waves=4)
        pines(canvas, shore, count=44, height=0.055, colour=darker(tone, 0.12))
    mirror(canvas, shore, palette.ground(rgb("2c5568"), 0.1))
    ridge(canvas, canvas.height * 0.985, 0.1, [palette.ground(rgb("36533f"), 0.02), darker(palette.ink, 0.2)], waves=3)
    pines(canvas, canvas.height * 0.97, count=26, height=0.13, colour=darker(lit(rgb("23402f"), palette.ambient), 0.15))
    return Spot((canvas.width * dice.uniform(0.36, 0.64), canvas.height * 0.93), canvas.unit * 0.36)


def _peak(canvas: Canvas, foot: Point, tall: float, colour: Colour, *, light: bool) -> None:
    """Draw one mountain: two faces along a broken crest, and snow above a ragged line."""
    dice = canvas.random
    wide = tall * dice.uniform(0.75, 1.05)
    top = (foot[0], foot[1] - tall)
    left, right = (foot[0] - wide, foot[1]), (foot[0] + wide, foot[1])
    crest = [top] + [
        (foot[0] + wide * 0.16 * share * dice.uniform(-1, 1.2), top[1] + tall * share)
        for share in (0.18, 0.36, 0.6, 1.0)
    ]
    bright, dim = lighter(colour, 0.13), darker(colour, 0.2)
    faces = (bright, dim) if light else (dim, bright)
    canvas.draw.polygon([left, *crest], fill=faces[0])
    canvas.draw.polygon([right, *crest], fill=faces[1])
    line = dice.uniform(0.24, 0.36)
    white = mix(lighter(canvas.palette.sky[-1], 0.55), colour, 0.12)
    for side, face in ((-1, faces[0]), (1, faces[1])):
        cap = [top]
        for step in range(1, 7):
            share = line * (1 if step % 2 else 0.62) * dice.uniform(0.85, 1.15)
            cap.append((top[0] + side * wide * share * (1 - (step - 1) / 6), top[1] + tall * share))
        canvas.draw.polygon(
            [*cap, (crest[1][0], top[1] + tall * line * 0.5)], fill=mix(white, face, 0.0 if face == bright else 0.4)
        )


def pines(canvas: Canvas, base: float, *, count: int, height: float, colour: Colour) -> None:
    """Plant a row of pines along ``base``; the smaller their number, the wider the middle stays open."""
    dice = canvas.random
    for index in range(count):
        share = (index + dice.uniform(0.1, 0.9)) / count
        if count < 26 and abs(share - 0.5) < (26 - count) / 80:
            continue
        tall = canvas.height * height * dice.uniform(0.55, 1.0)
        foot = (share * canvas.width, base + canvas.height * 0.02 * dice.random())
        pine(canvas, foot, tall, mix(colour, canvas.palette.haze, dice.uniform(0.0, 0.08)))


def pine(canvas: Canvas, foot: Point, tall: float, colour: Colour) -> None:
    """Draw one pine: a trunk and five tiers, the right side in shadow."""
    x, y = foot
    wide = tall * 0.24
    canvas.draw.rectangle((x - tall * 0.018, y - tall * 0.16, x + tall * 0.018, y), fill=darker(colour, 0.4))
    for tier in range(5):
        bottom, top = y - tall * (0.1 + 0.155 * tier), y - tall * (0.36 + 0.16 * tier)
        half = wide * (1 - 0.17 * tier)
        canvas.draw.polygon([(x - half, bottom), (x, top), (x + half, bottom), (x, bottom + half * 0.2)], fill=colour)
        shade = (*darker(colour, 0.35), 120)
        canvas.draw.polygon([(x, top), (x + half, bottom), (x, bottom + half * 0.2)], fill=shade)


def forest(canvas: Canvas) -> Spot:
    """Pines in five rows of haze around a clearing."""
    palette = canvas.palette
    paint_sky(canvas, horizon=0.74, cloudy=0.3)
    canvas.soft((canvas.width / 2, canvas.height * 0.62), (canvas.unit * 0.6, canvas.height * 0.5), palette.glow, 0.7)
    for index in range(5):
        depth = 0.78 - 0.17 * index
        base = canvas.height * (0.66 + 0.06 * index)
        tone = palette.ground(rgb("2f5a45"), depth)
        ridge(canvas, base + canvas.height * 0.02, 0.03, tone, waves=3)
        pines(canvas, base, count=26 - 4 * index, height=0.34 + 0.13 * index, colour=tone)
        canvas.soft(
            (canvas.width / 2, base), (canvas.width * 0.75, canvas.height * 0.1), palette.haze, 0.5 - 0.08 * index
        )
    floor = palette.ground(rgb("41613c"), 0.04)
    edge = ridge(canvas, canvas.height * 0.93, 0.04, floor)
    canvas.shape([*edge, (canvas.width, canvas.height), (0, canvas.height)], [lighter(floor, 0.08), darker(floor, 0.5)])
    return Spot((canvas.width * 0.5, canvas.height * 0.92), canvas.unit * 0.4)

"""A picture of nothing in particular, for subjects that nobody has drawn yet: shapes, rhythm, a few good colours.

A wrong scene would look like a misunderstanding; the caption under the picture says what was asked for.
"""

from __future__ import annotations

import math

from rhflow.media.image import Colour
from rhflow.simulator.art.canvas import Canvas
from rhflow.simulator.art.colour import darker, lighter, mix, rgb, turned
from rhflow.simulator.art.land import Spot, ridge


def abstract(canvas: Canvas) -> Spot:
    """Fill the canvas with one of three compositions."""
    canvas.random.choice((_discs, _waves, _arches))(canvas)
    return Spot((canvas.width * 0.5, canvas.height * 0.86), canvas.unit * 0.4)


def _tones(canvas: Canvas) -> list[Colour]:
    accent = canvas.palette.accent
    return [accent, *(mix(turned(accent, turn, saturation=0.8), rgb("efe3d0"), 0.2) for turn in (24, -32, 170, 205))]


def _ground(canvas: Canvas) -> None:
    paper = mix(canvas.palette.sky[-1], rgb("f3ece0"), 0.6)
    if canvas.palette.dark:
        paper = mix(canvas.palette.sky[1], rgb("14161f"), 0.4)
    canvas.gradient([lighter(paper, 0.08), darker(paper, 0.1)])


def _discs(canvas: Canvas) -> None:
    """Overlapping discs and half discs with soft shadows."""
    _ground(canvas)
    dice, unit, tones = canvas.random, canvas.unit, _tones(canvas)
    for index in range(7):
        turn = index * 2.4 + dice.random()
        far = 0.16 * math.sqrt(index)
        x = canvas.width * (0.5 + far * math.cos(turn))
        y = canvas.height * (0.5 + far * 0.9 * math.sin(turn))
        pen = canvas.pen((x, y), unit * dice.uniform(0.12, 0.27) * (1.25 if index == 0 else 1.0))
        tone = tones[index % len(tones)]
        pen.soft((0.08, -0.1), (1.2, 1.2), (12, 12, 22), 0.35)
        if index % 3 == 2:
            around = pen.turned(dice.choice((0, 90, 180, 270)))
            half = [around((math.cos(t), math.sin(t))) for t in (math.pi * step / 40 for step in range(41))]
            pen.fill(half, [lighter(tone, 0.25), tone])
        else:
            pen.oval((0, 0), (1, 1), [lighter(tone, 0.25), tone, darker(tone, 0.2)])


def _waves(canvas: Canvas) -> None:
    """Layers of cut paper under a large disc."""
    _ground(canvas)
    dice, tones = canvas.random, _tones(canvas)
    pen = canvas.pen((canvas.width * dice.uniform(0.3, 0.7), canvas.height * 0.4), canvas.unit * 0.24)
    pen.soft((0, 0), (1.5, 1.5), lighter(tones[1], 0.3), 0.5)
    pen.oval((0, 0), (1, 1), [lighter(tones[1], 0.35), tones[1]])
    for index in range(6):
        tone = mix(tones[(0, 3, 4)[index % 3]], canvas.palette.ink, 0.1 * index)
        base = canvas.height * (0.56 + 0.09 * index)
        ridge(canvas, base - canvas.unit * 0.012, 0.14, darker(tone, 0.45), waves=2)
        ridge(canvas, base, 0.14, [lighter(tone, 0.15), tone], waves=2 + index % 2)


def _arches(canvas: Canvas) -> None:
    """A row of arches, each of several bands, and a ball in front."""
    _ground(canvas)
    dice, unit, tones = canvas.random, canvas.unit, _tones(canvas)
    floor = canvas.height * 0.8
    canvas.gradient([darker(tones[3], 0.12), darker(tones[3], 0.4)], top=floor)
    count = max(2, round(canvas.width / unit * 2.2))
    for index in range(count):
        pen = canvas.pen((canvas.width * (index + 0.5) / count, floor), unit * dice.uniform(0.32, 0.6))
        half = canvas.width / count * 0.44 / pen.height
        for band in range(4):
            wide = half * (1 - 0.24 * band)
            arch = [(wide * math.cos(t), 1 - half + wide * math.sin(t)) for t in (math.pi * s / 40 for s in range(41))]
            tone = tones[(index + band) % len(tones)]
            pen.fill([*arch, (-wide, 0), (wide, 0)], [lighter(tone, 0.2), darker(tone, 0.08)])
    ball = canvas.pen((canvas.width * dice.choice((0.36, 0.64)), canvas.height * 0.86), unit * 0.13)
    ball.soft((0.1, -0.02), (1.2, 0.25), (10, 10, 20), 0.55)
    ball.oval((0, 0.95), (1, 1), [lighter(tones[1], 0.4), tones[1], darker(tones[1], 0.4)])

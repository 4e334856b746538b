"""What stands in rooms and streets. Each draws itself standing on the pen's origin, about 1.0 tall."""

from __future__ import annotations

import math

from rhflow.simulator.art.canvas import Pen, outline
from rhflow.simulator.art.colour import darker, lighter, lit, mix, rgb
from rhflow.simulator.art.indoors import SHINE

SEAT = 0.44
"""How high the seats are on which others sit."""


def sofa(pen: Pen) -> None:
    """A sofa for three."""
    cloth = pen.canvas.palette.accent
    pen.soft((0, 0.0), (1.35, 0.13), (8, 8, 18), 0.55, softness=0.8)
    for x in (-1.02, 0.94):
        pen.box((x, 0.0), (0.08, 0.12), rgb("4a3222"))
    pen.box((-1.05, 0.3), (2.1, 0.66), [lighter(cloth, 0.1), darker(cloth, 0.25)], round_by=0.16)
    for index in range(3):
        pen.box((-0.93 + 0.625 * index, 0.42), (0.6, 0.48), [lighter(cloth, 0.16), darker(cloth, 0.1)], round_by=0.1)
    pen.box((-0.98, 0.1), (1.96, 0.2), [cloth, darker(cloth, 0.4)], round_by=0.04)
    for index in range(3):
        pen.box(
            (-0.93 + 0.625 * index, 0.27),
            (0.6, SEAT - 0.25),
            [lighter(cloth, 0.24), darker(cloth, 0.12)],
            round_by=0.07,
        )
    for way in (-1, 1):
        left = -1.2 if way < 0 else 0.95
        pen.box(
            (left, 0.08), (0.25, 0.58), [lighter(cloth, 0.18), cloth, darker(cloth, 0.4)], round_by=0.11, sideways=True
        )


def chair(pen: Pen) -> None:
    """An armchair."""
    cloth = pen.canvas.palette.accent
    pen.shadow(0.6, strength=0.55)
    for x in (-0.42, 0.34):
        pen.box((x, 0.0), (0.08, 0.16), rgb("4a3222"))
    pen.box((-0.42, 0.3), (0.84, 0.7), [lighter(cloth, 0.14), darker(cloth, 0.25)], round_by=0.18)
    pen.box((-0.44, 0.14), (0.88, 0.22), [cloth, darker(cloth, 0.4)], round_by=0.05)
    pen.box((-0.34, 0.3), (0.68, SEAT - 0.27), [lighter(cloth, 0.26), darker(cloth, 0.1)], round_by=0.07)
    for left in (-0.55, 0.34):
        pen.box(
            (left, 0.12), (0.21, 0.5), [lighter(cloth, 0.18), cloth, darker(cloth, 0.4)], round_by=0.1, sideways=True
        )


def lamp(pen: Pen) -> None:
    """A standing lamp, lit."""
    pen.shadow(0.22, strength=0.5)
    pen.soft((0, 0.85), (0.7, 0.6), rgb("ffe2a0"), 0.6, softness=1.4)
    pen.oval((0, 0.02), (0.14, 0.03), rgb("3b3b40"))
    pen.line([(0, 0.02), (0, 0.75)], rgb("3b3b40"), 0.02)
    pen.fill(outline("-220,700 220,700 140,1000 -140,1000"), [rgb("fff3cf"), rgb("f0c878")])


def book(pen: Pen) -> None:
    """An open book."""
    cover = pen.canvas.palette.accent
    pen.shadow(0.8, strength=0.55)
    pen.fill(outline("-740,60 -660,400 0,330 660,400 740,60 0,0"), darker(cover, 0.2))
    for way in (-1, 1):
        page = outline("0,40 200,110 480,110 700,80 630,410 430,430 180,420 0,350")
        pen.fill([(way * x, y) for x, y in page], [rgb("fbf6e8"), rgb("e6dcc4")])
        for line in range(7):
            y = 0.37 - 0.038 * line
            pen.line([(way * 0.08, y - 0.02), (way * (0.56 + 0.012 * line), y)], (90, 80, 70, 120), 0.01)
    pen.line([(0, 0.04), (0, 0.35)], rgb("b9ab8c"), 0.012)


def candle(pen: Pen) -> None:
    """A burning candle."""
    wax = rgb("f1e6cf")
    pen.shadow(0.3, strength=0.55)
    pen.oval((0, 0.03), (0.26, 0.05), [rgb("d2b36a"), rgb("8a6a30")])
    pen.box(
        (-0.12, 0.04),
        (0.24, 0.6),
        [darker(wax, 0.1), lighter(wax, 0.3), darker(wax, 0.25)],
        round_by=0.03,
        sideways=True,
    )
    pen.soft((0, 0.8), (0.5, 0.5), rgb("ffce7a"), 0.7, softness=1.6)
    pen.line([(0, 0.63), (0, 0.7)], rgb("2b2420"), 0.012)
    pen.blob(outline("-50,720 0,900 50,720 0,670"), [rgb("fff6d2"), rgb("f5962e")])


def bicycle(pen: Pen) -> None:
    """A bicycle from the side."""
    paint = lit(pen.canvas.palette.accent, pen.canvas.palette.ambient)
    dark = rgb("22242a")
    pen.soft((0, 0.0), (0.95, 0.07), (8, 8, 18), 0.5, softness=0.8)
    for x in (-0.52, 0.52):
        ring = [(x + 0.33 * math.cos(t), 0.33 + 0.33 * math.sin(t)) for t in (math.tau * s / 40 for s in range(41))]
        pen.line(ring, dark, 0.035)
        for spoke in range(8):
            turn = math.pi * spoke / 8
            ends = [(x + way * 0.32 * math.cos(turn), 0.33 + way * 0.32 * math.sin(turn)) for way in (-1, 1)]
            pen.line(ends, (190, 195, 200, 150), 0.006)
    for line in ("-520,330 -60,300 -200,760 -520,330", "-200,700 360,720 -60,300", "520,330 340,800"):
        pen.line(outline(line), paint, 0.045)
    pen.line(outline("-200,760 -220,840"), dark, 0.03)
    pen.box((-0.34, 0.83), (0.24, 0.05), mix(dark, rgb("6a4630"), 0.6), round_by=0.025)
    pen.line(outline("340,800 320,900 440,930 470,870"), dark, 0.03, curved=True)
    pen.oval((-0.06, 0.3), (0.09, 0.09), dark)
    pen.oval((-0.06, 0.3), (0.05, 0.05), SHINE)

"""Subjects with a face, and the car, which nearly has one. Each stands on the pen's origin, about 1.0 tall."""

from __future__ import annotations

import math

from rhflow.media.image import Colour
from rhflow.simulator.art.canvas import Pen, outline, smooth
from rhflow.simulator.art.colour import BLACK, brightness, darker, lighter, lit, mix, rgb
from rhflow.simulator.art.indoors import SHINE

_FURS = (rgb("d98a45"), rgb("8d8f98"), rgb("3a3a42"), rgb("e8ddcb"), rgb("a8764d"))


def _fur(pen: Pen) -> Colour:
    """Return the colour of an animal: the prompt's when it names a likely one."""
    accent = pen.canvas.palette.accent
    likely = max(accent) - min(accent) < 60 or accent[0] > accent[2] + 40
    return accent if pen.canvas.palette.named and likely else pen.canvas.random.choice(_FURS)


def cat(pen: Pen) -> None:
    """A cat sitting upright, its tail around its feet."""
    fur = _fur(pen)
    dim, pale = darker(fur, 0.34), lighter(fur, 0.42)
    pen.shadow(0.46, strength=0.6)
    tail = outline("160,70 400,60 460,200 380,330")
    pen.line(tail, dim, 0.09, curved=True)
    pen.line([(x, y + 0.012) for x, y in tail], fur, 0.055, curved=True)
    body = outline("-230,20 -270,200 -200,440 -120,600 120,600 210,420 290,190 240,20")
    pen.blob(body, [fur, lighter(fur, 0.1), dim], sideways=True)
    pen.blob(outline("-100,140 -130,340 0,520 130,340 100,140"), [pale, mix(pale, fur, 0.5)])
    for x in (-0.085, 0.085):
        pen.blob(
            [(x - 0.065, 0.02), (x - 0.055, 0.32), (x + 0.055, 0.32), (x + 0.065, 0.02)],
            [lighter(fur, 0.06), mix(fur, dim, 0.5)],
            sideways=True,
        )
        pen.oval((x, 0.032), (0.078, 0.036), pale)
        for toe in (-0.025, 0.02):
            pen.line([(x + toe, 0.012), (x + toe, 0.04)], dim, 0.006)
    for way in (-1, 1):
        pen.fill([(way * 0.215, 0.75), (way * 0.205, 0.995), (way * 0.045, 0.86)], mix(fur, dim, 0.3 if way > 0 else 0))
        pen.fill([(way * 0.18, 0.79), (way * 0.182, 0.935), (way * 0.085, 0.85)], mix(rgb("e79c94"), fur, 0.25))
    head = outline("-235,700 -200,830 -90,895 90,895 200,830 235,700 130,585 0,560 -130,585")
    pen.blob(head, [lighter(fur, 0.1), fur, mix(fur, dim, 0.6)], sideways=True)
    for x in (-0.05, 0.0, 0.05):
        pen.line([(x, 0.878), (x * 0.8, 0.815)], dim, 0.018)
    pen.blob(outline("-95,640 -50,690 50,690 95,640 0,580"), pale)
    _eyes(pen, y=0.735, apart=0.1, iris=rgb("e0b53a") if brightness(fur) < 0.6 else rgb("6fa35a"))
    pen.fill([(-0.026, 0.678), (0.026, 0.678), (0.0, 0.652)], rgb("c9776f"))
    pen.line([(0, 0.655), (0, 0.635)], darker(dim, 0.4), 0.007)
    for way in (-1, 1):
        pen.line([(0, 0.635), (way * 0.024, 0.622), (way * 0.046, 0.632)], darker(dim, 0.4), 0.007, curved=True)
        for lift in (-0.02, 0.004, 0.028):
            pen.line(
                [(way * 0.085, 0.648 + lift * 0.4), (way * 0.3, 0.65 + lift * 1.6)], (*lighter(pale, 0.5), 210), 0.0045
            )


def _eyes(pen: Pen, *, y: float, apart: float, iris: Colour) -> None:
    for way in (-1, 1):
        x = way * apart
        pen.oval((x, y), (0.047, 0.042), darker(iris, 0.6))
        pen.oval((x, y), (0.042, 0.037), [darker(iris, 0.15), lighter(iris, 0.25)])
        pen.oval((x, y), (0.016, 0.034), BLACK)
        pen.oval((x - 0.014, y + 0.016), (0.009, 0.009), SHINE)


def dog(pen: Pen) -> None:
    """A dog sitting, its ears hanging."""
    fur = _fur(pen)
    dim, pale = darker(fur, 0.38), lighter(fur, 0.5)
    pen.shadow(0.48, strength=0.6)
    pen.line([(0.2, 0.08), (0.4, 0.12), (0.47, 0.27)], mix(fur, dim, 0.4), 0.075, curved=True)
    body = outline("-250,20 -280,200 -200,460 -120,620 120,620 210,440 300,190 260,20")
    pen.blob(body, [fur, lighter(fur, 0.1), dim], sideways=True)
    pen.blob(outline("-110,120 -130,360 0,550 130,360 110,120"), [pale, mix(pale, fur, 0.5)])
    for x in (-0.095, 0.095):
        pen.blob(
            [(x - 0.07, 0.02), (x - 0.06, 0.34), (x + 0.06, 0.34), (x + 0.07, 0.02)],
            [lighter(fur, 0.05), mix(fur, dim, 0.5)],
            sideways=True,
        )
        pen.oval((x, 0.034), (0.088, 0.04), pale)
    collar = pen.canvas.palette.accent if brightness(pen.canvas.palette.accent) > 0.2 else rgb("b63a34")
    pen.line([(-0.13, 0.575), (0.0, 0.54), (0.13, 0.575)], collar, 0.04, curved=True)
    pen.oval((0.0, 0.51), (0.03, 0.03), rgb("e2bd58"))
    head = outline("-200,720 -170,880 0,940 170,880 200,720 120,580 0,550 -120,580")
    pen.blob(head, [lighter(fur, 0.08), fur, mix(fur, dim, 0.5)], sideways=True)
    pen.blob(outline("0,920 45,800 100,680 0,600 -100,680 -45,800"), pale)
    for way in (-1, 1):
        ear = [(way * 0.13, 0.91), (way * 0.24, 0.87), (way * 0.285, 0.68), (way * 0.22, 0.58), (way * 0.16, 0.72)]
        pen.blob(ear, mix(dim, BLACK, 0.12) if way > 0 else dim)
        pen.oval((way * 0.092, 0.77), (0.03, 0.034), rgb("2a1a12"))
        pen.oval((way * 0.092 - 0.01, 0.783), (0.009, 0.009), SHINE)
    pen.blob(outline("-55,695 0,715 55,695 0,645"), rgb("241a18"))
    pen.oval((-0.014, 0.695), (0.014, 0.007), (120, 110, 110))
    pen.blob(outline("-35,600 35,600 26,530 -26,530"), rgb("d96f74"))
    for way in (-1, 1):
        pen.line([(0, 0.65), (way * 0.035, 0.61), (way * 0.085, 0.63)], rgb("241a18"), 0.008, curved=True)


def robot(pen: Pen) -> None:
    """A friendly robot with lit eyes."""
    palette = pen.canvas.palette
    shell, glow = mix(palette.accent, rgb("e9ebee"), 0.35), lighter(mix(palette.accent, rgb("39e0e8"), 0.7), 0.3)
    steel = [rgb("565c66"), rgb("c6cbd2"), rgb("7c828c"), rgb("3c4048")]
    skin = [darker(shell, 0.3), lighter(shell, 0.42), shell, darker(shell, 0.48)]
    pen.shadow(0.46, strength=0.6)
    for way in (-1, 1):
        pen.box((way * 0.13 - 0.04, 0.04), (0.08, 0.18), steel, sideways=True)
        pen.box((way * 0.14 - 0.1, 0.0), (0.2, 0.075), skin, round_by=0.035, sideways=True)
        arm = [(way * 0.25, 0.48), (way * 0.36, 0.36), (way * 0.34, 0.22)]
        pen.line(arm, steel[2], 0.05, curved=True)
        pen.oval((way * 0.34, 0.2), (0.06, 0.06), skin, sideways=True)
        pen.oval((way * 0.25, 0.49), (0.055, 0.055), skin, sideways=True)
    pen.box((-0.24, 0.19), (0.48, 0.37), skin, round_by=0.09, sideways=True)
    pen.box((-0.13, 0.27), (0.26, 0.17), rgb("1b2029"), round_by=0.03)
    for index, height in enumerate((0.05, 0.11, 0.07, 0.13, 0.09)):
        pen.box((-0.098 + 0.042 * index, 0.29), (0.026, height), glow, round_by=0.008)
    pen.box((-0.06, 0.55), (0.12, 0.06), steel, sideways=True)
    pen.box((-0.26, 0.59), (0.52, 0.31), skin, round_by=0.12, sideways=True)
    pen.box((-0.2, 0.645), (0.4, 0.19), [rgb("10141c"), rgb("222a36")], round_by=0.08)
    for x in (-0.09, 0.09):
        pen.soft((x, 0.745), (0.1, 0.1), glow, 0.8, softness=1.5)
        pen.oval((x, 0.745), (0.042, 0.05), lighter(glow, 0.35))
        pen.oval((x - 0.012, 0.762), (0.013, 0.015), SHINE)
    pen.line([(-0.04, 0.682), (0.0, 0.668), (0.04, 0.682)], glow, 0.012, curved=True)
    pen.line([(0, 0.9), (0, 0.965)], steel[2], 0.016)
    pen.soft((0, 0.98), (0.08, 0.08), palette.accent, 0.8, softness=1.6)
    pen.oval((0, 0.98), (0.03, 0.03), [lighter(palette.accent, 0.4), palette.accent])
    pen.veil(outline("-200,860 -120,870 -200,700 -235,720"), SHINE, 0.4)


def car(pen: Pen) -> None:
    """A small rounded car from the side."""
    palette = pen.canvas.palette
    paint = lit(palette.accent, palette.ambient)
    glass = mix(palette.sky[1], rgb("20303c"), 0.4)
    pen.soft((0, 0.01), (1.15, 0.1), BLACK, 0.6, softness=0.7)
    body = outline(
        "-1000,200 -980,400 -820,500 -560,560 -340,860 0,970 300,880 520,580 860,500 1000,380 1000,200 700,140 -700,140"
    )
    pen.blob(body, [lighter(paint, 0.34), paint, paint, darker(paint, 0.5)])
    windows = outline("-440,570 -270,800 0,885 240,800 390,580")
    pen.fill(smooth(windows, closed=False), [lighter(glass, 0.35), glass])
    pen.fill(outline("-35,560 -35,900 20,900 20,560"), paint)
    pen.veil(outline("-330,600 -190,800 -120,820 -250,600"), SHINE, 0.35)
    pen.line([(-0.035, 0.56), (-0.03, 0.2)], darker(paint, 0.4), 0.01)
    pen.line([(0.42, 0.56), (0.44, 0.3)], darker(paint, 0.4), 0.01)
    pen.box((0.06, 0.49), (0.1, 0.022), lighter(paint, 0.65), round_by=0.01)
    pen.line([(-0.96, 0.36), (0.0, 0.33), (0.97, 0.36)], lighter(paint, 0.5), 0.016, curved=True)
    for x in (-1.01, 0.93):
        pen.box((x, 0.17), (0.09, 0.07), [rgb("e4e7ea"), rgb("7d848c")], round_by=0.03)
    pen.oval((0.93, 0.42), (0.05, 0.065), [rgb("fffbe6"), rgb("e8d48c")])
    pen.oval((-0.955, 0.4), (0.035, 0.055), rgb("c42f2b"))
    if palette.dark or palette.sun_height > 0.49:
        pen.soft((1.02, 0.41), (0.36, 0.22), rgb("fff0bd"), 0.7, softness=1.6)
        pen.veil(outline("980,440 2400,550 2400,20 980,380"), rgb("fff0bd"), 0.13)
    for x in (-0.58, 0.58):
        arch = [
            (x + 0.275 * math.cos(math.pi * step / 24), 0.17 + 0.275 * math.sin(math.pi * step / 24))
            for step in range(25)
        ]
        pen.fill(arch, darker(paint, 0.72))
        pen.oval((x, 0.18), (0.215, 0.215), rgb("1c1d22"))
        pen.oval((x, 0.18), (0.125, 0.125), [rgb("eceef0"), rgb("82888f")])
        pen.oval((x, 0.18), (0.055, 0.055), [rgb("9aa0a7"), rgb("4a4f56")])

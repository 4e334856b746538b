"""Subjects for a table or a plinth. Each draws itself standing on the pen's origin, about 1.0 tall."""

from __future__ import annotations

import math

from rhflow.media.image import Colour
from rhflow.simulator.art.canvas import Pen, outline, smooth
from rhflow.simulator.art.colour import brightness, darker, lighter, lit, mix, rgb

SHINE: Colour = (255, 255, 255)


def bottle(pen: Pen) -> None:
    """A glass bottle, half see-through, with a label and a metal cap."""
    tint = pen.canvas.palette.accent
    if brightness(tint) > 0.85:
        tint = mix(tint, rgb("b9a58a"), 0.35)
    pen.shadow(0.42, strength=0.6)
    pen.soft((0.2, 0.01), (0.32, 0.05), lighter(tint, 0.35), 0.5)
    glass = outline("-235,50 -215,0 215,0 235,50 235,500 200,585 75,635 68,700 -68,700 -75,635 -200,585 -235,500")
    edge = darker(tint, 0.42)
    pen.fill(glass, [edge, lighter(tint, 0.38), lighter(tint, 0.1), tint, darker(tint, 0.18), edge], sideways=True)
    inner = outline("-200,75 200,75 200,460 -200,460")
    pen.veil(inner, darker(tint, 0.25), 0.4)
    pen.veil(outline("-200,452 200,452 200,468 -200,468"), SHINE, 0.3)
    pen.veil(outline("-215,0 215,0 200,60 -200,60"), SHINE, 0.22)
    _label(pen, tint)
    pen.veil(outline("-192,90 -152,90 -152,530 -178,540"), SHINE, 0.5)
    pen.veil(outline("178,100 196,100 196,500 184,520"), SHINE, 0.32)
    metal = [rgb("6d5a34"), rgb("f5e6b8"), rgb("c9a85c"), rgb("8a6c33"), rgb("e3c986")]
    pen.box((-0.078, 0.69), (0.156, 0.035), metal, sideways=True)
    cap = [darker(tint, 0.75), lighter(tint, 0.15), darker(tint, 0.5), darker(tint, 0.82)]
    pen.box((-0.105, 0.725), (0.21, 0.255), cap, round_by=0.022, sideways=True)
    pen.veil(outline("-75,740 -52,740 -52,965 -75,965"), SHINE, 0.42)


def _label(pen: Pen, tint: Colour) -> None:
    """Paste a paper label with a small device and lines of unreadable text."""
    paper = rgb("f7f1e6")
    pen.box(
        (-0.145, 0.13),
        (0.29, 0.27),
        [darker(paper, 0.12), paper, lighter(paper, 0.4), darker(paper, 0.14)],
        sideways=True,
    )
    ink = darker(tint, 0.6)
    pen.oval((0, 0.335), (0.03, 0.03), ink)
    pen.oval((0.009, 0.343), (0.024, 0.024), paper)
    for height, half, thick in (
        (0.265, 0.088, 0.016),
        (0.225, 0.055, 0.007),
        (0.175, 0.098, 0.005),
        (0.158, 0.075, 0.005),
    ):
        pen.line([(-half, height), (half, height)], ink, thick)


def _steam(pen: Pen, *, x: float, low: float) -> None:
    for index in range(3):
        for step in range(16):
            share = step / 15
            drift = x + (index - 1) * 0.09 + 0.045 * math.sin(share * 6.5 + index * 1.9)
            strength = 0.34 * math.sin(math.pi * min(1.0, share * 1.05)) + 0.03
            pen.soft((drift, low + 0.42 * share), (0.05 + 0.05 * share, 0.06), SHINE, 0.6 * strength, softness=1.2)


def cup(pen: Pen) -> None:
    """A cup on a saucer, steaming."""
    accent = pen.canvas.palette.accent
    china = mix(accent, rgb("f6f0e6"), 0.25) if brightness(accent) < 0.8 else accent
    pen.shadow(0.62, strength=0.6)
    pen.oval((0, 0.05), (0.52, 0.105), [lighter(china, 0.3), darker(china, 0.28)])
    pen.oval((0, 0.062), (0.43, 0.08), [darker(china, 0.18), lighter(china, 0.24)])
    ring = [
        (0.42 + 0.15 * math.cos(t), 0.36 + 0.14 * math.sin(t))
        for t in (math.pi * 0.62 - math.pi * 1.24 * s / 30 for s in range(31))
    ]
    pen.line(ring, darker(china, 0.22), 0.062)
    pen.line(ring, lighter(china, 0.12), 0.03)
    side = outline("-400,560 -385,360 -300,170 -170,85 170,85 300,170 385,360 400,560")
    pen.fill(
        smooth(side, closed=False),
        [darker(china, 0.25), lighter(china, 0.36), china, darker(china, 0.44)],
        sideways=True,
    )
    pen.oval((0, 0.56), (0.4, 0.095), lighter(china, 0.45))
    drink = rgb("7a4319") if pen.canvas.random.random() < 0.5 else rgb("a8622a")
    pen.oval((0, 0.553), (0.362, 0.08), [darker(china, 0.35), darker(china, 0.1)])
    pen.oval((0, 0.538), (0.335, 0.064), [darker(drink, 0.3), lighter(drink, 0.16)])
    pen.soft((-0.13, 0.545), (0.14, 0.018), SHINE, 0.55)
    pen.veil(outline("-325,460 -270,455 -220,210 -262,240"), SHINE, 0.35)
    _steam(pen, x=0.0, low=0.6)


def teapot(pen: Pen) -> None:
    """A round teapot."""
    glaze = pen.canvas.palette.accent
    pen.shadow(0.62, strength=0.6)
    handle = [
        (-0.3 + 0.2 * math.cos(t), 0.4 + 0.2 * math.sin(t))
        for t in (math.pi * 0.42 + math.pi * 1.16 * s / 30 for s in range(31))
    ]
    pen.line(handle, darker(glaze, 0.4), 0.062)
    pen.line(handle, lighter(glaze, 0.1), 0.022)
    spout = outline("260,200 440,300 520,480 600,620 680,600 600,400 500,200 300,100")
    pen.blob(spout, [lighter(glaze, 0.15), darker(glaze, 0.42)])
    body = outline("-160,30 -360,160 -400,360 -260,580 0,630 260,580 400,360 360,160 160,30")
    pen.blob(body, [darker(glaze, 0.3), lighter(glaze, 0.3), glaze, darker(glaze, 0.5)], sideways=True)
    pen.box((-0.17, 0.0), (0.34, 0.05), [darker(glaze, 0.3), glaze, darker(glaze, 0.6)], round_by=0.02, sideways=True)
    pen.blob(outline("-200,600 -130,690 0,720 130,690 200,600 0,580"), [lighter(glaze, 0.25), darker(glaze, 0.25)])
    pen.oval((0, 0.755), (0.05, 0.05), [lighter(glaze, 0.3), darker(glaze, 0.4)])
    pen.soft((-0.17, 0.45), (0.11, 0.1), SHINE, 0.75, softness=1.3)
    for index in range(7):
        turn = -0.72 + 0.24 * index
        pen.oval((0.33 * math.sin(turn), 0.26 + 0.012 * math.cos(index * 2)), (0.026, 0.026), lighter(glaze, 0.55))
    _steam(pen, x=0.66, low=0.66)


def wildflower(pen: Pen) -> None:
    """Three flowers growing out of the grass."""
    dice = pen.canvas.random
    grass = lit(rgb("4a7a3f"), pen.canvas.palette.ambient)
    pen.soft((0, 0.02), (0.5, 0.09), darker(grass, 0.5), 0.5)
    flower(pen, vase=False)
    for _ in range(60):
        x, tall = dice.gauss(0, 0.2), dice.uniform(0.1, 0.3)
        lean = dice.uniform(-0.05, 0.05)
        pen.fill(
            [(x - 0.008, -0.02), (x + lean, tall), (x + 0.008, -0.02)], mix(grass, darker(grass, 0.45), dice.random())
        )


def flower(pen: Pen, *, vase: bool = True) -> None:
    """Three flowers in a glazed vase."""
    accent = pen.canvas.palette.accent
    petal = accent if brightness(accent) > 0.2 else rgb("c23b56")
    leaf = rgb("4f7d4c")
    if vase:
        pen.shadow(0.36, strength=0.55)
    else:
        pen.line([(0, 0), (0, 0.3)], darker(leaf, 0.15), 0.02)
    for end in ((-0.2, 0.74), (0.2, 0.68), (0.0, 0.86)):
        pen.line([(0, 0.26), (end[0] * 0.5, 0.5), end], darker(leaf, 0.15), 0.014, curved=True)
    for way, low in ((-1, 0.4), (1, 0.44), (-1, 0.56), (1, 0.58)):
        pen.blob(
            [(way * 0.02, low), (way * 0.11, low + 0.08), (way * 0.22, low + 0.07), (way * 0.12, low)],
            [lighter(leaf, 0.18), darker(leaf, 0.25)],
        )
    if vase:
        _vase(pen, petal)
    for centre, size in (((-0.2, 0.74), 0.125), ((0.2, 0.68), 0.115), ((0.0, 0.86), 0.145)):
        _petals(pen, centre, size, petal)


def _vase(pen: Pen, petal: Colour) -> None:
    clay = mix(lighter(petal, 0.75), rgb("dfe6e8"), 0.6)
    body = outline("-70,340 -100,260 -165,150 -120,20 120,20 165,150 100,260 70,340")
    pen.fill(smooth(body), [darker(clay, 0.28), lighter(clay, 0.3), clay, darker(clay, 0.42)], sideways=True)
    pen.oval((0, 0.335), (0.074, 0.017), darker(clay, 0.5))
    pen.veil(outline("-110,80 -85,60 -90,200 -115,190"), SHINE, 0.5)


def _petals(pen: Pen, centre: tuple[float, float], size: float, petal: Colour) -> None:
    for ring, count, far in ((darker(petal, 0.3), 9, 1.0), (petal, 9, 0.84), (lighter(petal, 0.24), 7, 0.58)):
        for index in range(count):
            turn = math.tau * (index + (0.5 if far < 0.9 else 0)) / count
            place = (centre[0] + 0.55 * far * size * math.cos(turn), centre[1] + 0.5 * far * size * math.sin(turn))
            pen.oval(place, (0.4 * far * size, 0.36 * far * size), ring)
    pen.oval(centre, (0.27 * size, 0.25 * size), [rgb("f7cf5a"), rgb("b97a1e")])
    for index in range(8):
        turn = math.tau * index / 8
        pen.oval(
            (centre[0] + 0.15 * size * math.cos(turn), centre[1] + 0.14 * size * math.sin(turn)),
            (0.03 * size, 0.03 * size),
            rgb("7c4a12"),
        )


def phone(pen: Pen) -> None:
    """A telephone standing upright, its screen alight."""
    palette = pen.canvas.palette
    pen.shadow(0.34, strength=0.55)
    pen.box(
        (-0.235, 0.0),
        (0.47, 0.95),
        [rgb("8d929b"), rgb("e6e9ee"), rgb("5f646e"), rgb("a9aeb6")],
        round_by=0.065,
        sideways=True,
    )
    pen.box((-0.222, 0.012), (0.444, 0.926), rgb("0c0d12"), round_by=0.056)
    screen = [palette.sky[0], mix(palette.accent, palette.sky[1], 0.4), lighter(palette.accent, 0.35)]
    pen.box((-0.205, 0.03), (0.41, 0.89), screen, round_by=0.044)
    pen.oval((0.06, 0.56), (0.085, 0.085), lighter(palette.accent, 0.65))
    peaks = smooth(outline("-205,200 -100,400 0,280 100,440 205,240"), closed=False)
    pen.fill([*peaks, (0.205, 0.075), (-0.205, 0.075)], darker(palette.accent, 0.45))
    pen.box((-0.055, 0.875), (0.11, 0.026), rgb("0c0d12"), round_by=0.013)
    pen.veil(outline("-205,420 205,800 205,900 -205,620"), SHINE, 0.13)


def box(pen: Pen) -> None:
    """A closed carton seen from its corner, with a band around it."""
    paper = pen.canvas.palette.accent
    pen.shadow(0.62, strength=0.6)
    pen.fill(outline("-420,160 20,0 20,600 -420,720"), [lighter(paper, 0.16), darker(paper, 0.06)], sideways=True)
    pen.fill(outline("20,0 440,150 440,710 20,600"), [darker(paper, 0.2), darker(paper, 0.46)], sideways=True)
    pen.fill(outline("-420,720 20,600 440,710 20,840"), [lighter(paper, 0.5), lighter(paper, 0.26)])
    band = lighter(paper, 0.78)
    pen.fill(outline("-240,95 -150,62 -150,646 -240,671"), band)
    pen.fill(outline("-240,671 -150,646 275,756 185,786"), lighter(band, 0.4))
    pen.fill(outline("200,300 360,345 360,470 200,430"), mix(band, darker(paper, 0.4), 0.25))
    for height in (0.335, 0.37, 0.4):
        pen.line([(0.225, height), (0.335, height + 0.03)], darker(paper, 0.45), 0.008)


def shoe(pen: Pen) -> None:
    """A running shoe from the side."""
    accent = pen.canvas.palette.accent
    upper, sole = mix(accent, rgb("f4f1ec"), 0.08), rgb("f5f2ec")
    pen.shadow(0.85, strength=0.6)
    body = outline(
        "-700,160 -720,400 -660,600 -540,570 -400,500 -240,620 -120,640 60,460 340,330 620,270 740,170 "
        "700,100 0,100 -600,100"
    )
    pen.blob(body, [lighter(upper, 0.24), upper, darker(upper, 0.32)])
    pen.blob(outline("-640,575 -500,520 -380,470 -240,560 -360,420 -540,440"), darker(upper, 0.62))
    pen.blob(outline("420,300 600,260 720,170 680,110 400,110"), [lighter(upper, 0.3), darker(upper, 0.16)])
    pen.blob(outline("-700,140 -710,360 -600,330 -500,130"), [darker(upper, 0.14), darker(upper, 0.42)])
    swoop = outline("-460,160 -200,200 140,360 200,330 -120,140 -400,120")
    pen.blob(swoop, lighter(sole, 0.4))
    for index in range(5):
        x, y = -0.09 + 0.075 * index, 0.585 - 0.055 * index
        pen.line([(x - 0.045, y - 0.055), (x + 0.055, y + 0.005)], rgb("ffffff"), 0.024)
    base = outline("-740,140 0,120 720,160 770,100 700,0 100,0 -660,0 -760,50")
    pen.fill(smooth(base), [lighter(sole, 0.5), darker(sole, 0.22)])
    pen.line([(-0.7, 0.065), (0.0, 0.05), (0.71, 0.07)], accent, 0.016, curved=True)

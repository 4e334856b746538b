"""Made places: city, street, road, space."""

from __future__ import annotations

import math

from PIL import Image

from rhflow.media.image import Colour
from rhflow.simulator.art.canvas import Canvas
from rhflow.simulator.art.colour import brightness, darker, lighter, lit, mix, rgb, turned
from rhflow.simulator.art.land import Spot, mirror, ridge
from rhflow.simulator.art.sky import paint_sky


def city(canvas: Canvas) -> Spot:
    """A skyline in four layers of haze with lit windows, mirrored in a river."""
    palette = canvas.palette
    paint_sky(canvas, horizon=0.74, cloudy=0.4)
    line = canvas.height * 0.76
    canvas.soft((canvas.width / 2, line), (canvas.width * 0.8, canvas.height * 0.3), palette.glow, 0.5, softness=1.3)
    for depth, tall, wide in ((0.68, 0.46, 0.05), (0.46, 0.46, 0.07), (0.24, 0.34, 0.09), (0.06, 0.16, 0.11)):
        x = -canvas.random.random() * canvas.unit * wide
        while x < canvas.width:
            width = canvas.unit * wide * canvas.random.uniform(0.6, 1.3)
            height = canvas.height * tall * (0.28 + 0.8 * canvas.random.random() ** 2)
            _tower(canvas, (x, line), (width, height), depth=depth)
            x += width * canvas.random.uniform(0.98, 1.25)
    mirror(canvas, line, darker(palette.ground(rgb("28405c"), 0.0), 0.3), strength=0.4)
    canvas.soft((canvas.width / 2, line), (canvas.width * 0.8, canvas.unit * 0.022), palette.haze, 0.75)
    return Spot((canvas.width * canvas.random.choice((0.34, 0.66)), canvas.height * 0.9), canvas.unit * 0.3)


def _tower(canvas: Canvas, foot: tuple[float, float], size: tuple[float, float], *, depth: float) -> None:
    """Draw one building with its rows of windows."""
    dice, palette = canvas.random, canvas.palette
    x, base = foot
    width, height = size
    top = base - height
    wall = palette.ground(rgb("4a5870"), depth)
    canvas.shape(
        [(x, top), (x + width, top), (x + width, base), (x, base)], [darker(wall, 0.1), mix(wall, palette.haze, 0.3)]
    )
    canvas.draw.rectangle((x + width * 0.7, top, x + width, base), fill=(*darker(wall, 0.5), 60))
    if dice.random() < 0.3:
        canvas.draw.line(
            (x + width / 2, top, x + width / 2, top - height * 0.12), fill=wall, width=max(1, round(width * 0.05))
        )
    pane = canvas.unit * (0.0145 - 0.008 * depth)
    share = 0.42 if palette.dark else (0.26 if palette.sun_height > 0.5 else 0.0)
    glass = lighter(wall, 0.16)
    draw = canvas.opaque
    warm = (palette.accent, lighter(palette.accent, 0.4), rgb("ffe3a6"))
    y = top + pane
    while y < base - pane:
        spot = x + pane * 0.8
        while spot < x + width - pane * 0.9:
            if dice.random() < share:
                tone = mix(dice.choice(warm), wall, 0.1 + depth * 0.6)
                draw.rectangle((spot, y, spot + pane * 0.55, y + pane * 0.8), fill=tone)
            elif not share:
                draw.rectangle((spot, y, spot + pane * 0.55, y + pane * 0.8), fill=glass)
            spot += pane * 1.15
        y += pane * 1.6


def street(canvas: Canvas) -> Spot:
    """A row of houses with shops, a pavement and a road in front."""
    palette, unit, dice = canvas.palette, canvas.unit, canvas.random
    paint_sky(canvas, horizon=0.7, cloudy=0.5)
    base = canvas.height * 0.74
    x = -unit * dice.uniform(0.0, 0.2)
    while x < canvas.width:
        wide = unit * dice.uniform(0.26, 0.4)
        _front(canvas, x, base, wide, canvas.height * dice.uniform(0.46, 0.62))
        x += wide
    stone = palette.ground(rgb("a9a49b"), 0.02)
    canvas.gradient([lighter(stone, 0.1), darker(stone, 0.15)], top=base, bottom=canvas.height * 0.82)
    tar = palette.ground(rgb("464a51"), 0.02)
    canvas.gradient([darker(tar, 0.25), tar, darker(tar, 0.3)], top=canvas.height * 0.82)
    canvas.draw.rectangle((0, canvas.height * 0.812, canvas.width, canvas.height * 0.825), fill=lighter(stone, 0.3))
    if palette.dark or palette.sun_height > 0.49:
        for index in range(6):
            place = (canvas.width * (index + dice.random()) / 6, canvas.height * dice.uniform(0.84, 0.97))
            tone = dice.choice((palette.accent, palette.glow, rgb("ffd98a")))
            canvas.soft(place, (unit * 0.16, unit * 0.025), tone, 0.4, softness=1.3)
    return Spot((canvas.width * dice.uniform(0.44, 0.56), canvas.height * 0.9), unit * 0.3)


_WALLS = (rgb("c98f6b"), rgb("d8c3a0"), rgb("8fa3ad"), rgb("b5655a"), rgb("a9b08c"), rgb("cbb6ae"), rgb("e0d3b8"))


def _front(canvas: Canvas, x: float, base: float, wide: float, tall: float) -> None:
    """Draw the front of one house: floors of windows over a shop with an awning."""
    palette, unit, dice = canvas.palette, canvas.unit, canvas.random
    wall = palette.ground(dice.choice(_WALLS), 0.08)
    lit_up = palette.dark or palette.sun_height > 0.49
    top = base - tall
    corners = [(x, top), (x + wide, top), (x + wide, base), (x, base)]
    canvas.shape(corners, [lighter(wall, 0.1), darker(wall, 0.16)])
    draw = canvas.draw
    draw.rectangle((x, top - unit * 0.014, x + wide, top + unit * 0.006), fill=darker(wall, 0.4))
    draw.rectangle((x + wide - unit * 0.006, top, x + wide, base), fill=darker(wall, 0.35))
    columns, shop = max(2, round(wide / unit * 9)), unit * 0.2
    floors = max(1, round((tall - shop) / (unit * 0.14)))
    step, high = wide / columns, (tall - shop) / floors
    dim = mix(palette.sky[1], rgb("22303e"), 0.6)
    for floor in range(floors):
        for column in range(columns):
            left, up = x + step * (column + 0.24), top + high * (floor + 0.2)
            tone = rgb("ffdf9a") if lit_up and dice.random() < 0.5 else dim
            box = (left, up, left + step * 0.52, up + high * 0.6)
            draw.rectangle((box[0] - 2, box[1] - 2, box[2] + 2, box[3] + 2), fill=lighter(wall, 0.35))
            draw.rectangle(box, fill=tone)
            draw.line((left, up + high * 0.3, box[2], up + high * 0.3), fill=lighter(wall, 0.3), width=2)
    pane = rgb("ffe3a6") if lit_up else mix(dim, rgb("cfe0e6"), 0.25)
    draw.rectangle((x + wide * 0.08, base - shop * 0.68, x + wide * 0.62, base - shop * 0.12), fill=pane)
    draw.rectangle((x + wide * 0.7, base - shop * 0.74, x + wide * 0.9, base), fill=darker(wall, 0.55))
    sign = (
        lit(turned(palette.accent, dice.uniform(-60, 200)), palette.ambient)
        if not palette.dark
        else turned(palette.accent, dice.uniform(-60, 200))
    )
    for stripe in range(8):
        left = x + wide * (0.05 + 0.9 * stripe / 8)
        tone = sign if stripe % 2 else lighter(sign, 0.7)
        draw.polygon(
            [(left, base - shop * 0.95), (left + wide * 0.1125, base - shop * 0.95),
             (left + wide * 0.1125, base - shop * 0.72), (left, base - shop * 0.72)], fill=tone,
        )  # fmt: skip
    if palette.dark:
        canvas.soft((x + wide / 2, base - shop * 0.8), (wide * 0.7, shop * 0.7), sign, 0.5, softness=1.4)
        draw.rectangle((x + wide * 0.78, top + tall * 0.2, x + wide * 0.9, top + tall * 0.52), fill=lighter(sign, 0.3))
        canvas.soft((x + wide * 0.84, top + tall * 0.36), (wide * 0.4, tall * 0.3), sign, 0.6, softness=1.4)


def road(canvas: Canvas) -> Spot:
    """A road that runs past hills, seen from its side."""
    palette = canvas.palette
    paint_sky(canvas, horizon=0.6)
    for index, (base, depth) in enumerate((("7793a3", 0.68), ("6d927f", 0.44), ("668f57", 0.2))):
        tone = palette.ground(rgb(base), depth)
        ridge(canvas, canvas.height * (0.61 + 0.05 * index), 0.13, [lighter(tone, 0.08), darker(tone, 0.12)], waves=2)
    top, bottom = canvas.height * 0.74, canvas.height * 0.92
    tar = palette.ground(rgb("4c5057"), 0.04)
    grass = palette.ground(rgb("557d48"), 0.02)
    canvas.gradient([lighter(tar, 0.12), tar, darker(tar, 0.2)], top=top, bottom=bottom)
    canvas.draw.rectangle(
        (0, top, canvas.width, top + canvas.unit * 0.008), fill=mix(lighter(tar, 0.55), palette.haze, 0.2)
    )
    for index in range(-1, 9):
        x = canvas.width * index / 8
        line = canvas.height * 0.853
        canvas.draw.polygon(
            [(x, line), (x + canvas.unit * 0.1, line), (x + canvas.unit * 0.092, line + canvas.unit * 0.009),
             (x - canvas.unit * 0.008, line + canvas.unit * 0.009)], fill=lighter(tar, 0.62),
        )  # fmt: skip
    canvas.gradient([lighter(grass, 0.05), darker(grass, 0.45)], top=bottom)
    return Spot((canvas.width * canvas.random.uniform(0.42, 0.58), canvas.height * 0.835), canvas.unit * 0.27)


def space(canvas: Canvas) -> Spot:
    """Clouds of gas, stars, a planet with a ring and its night side."""
    palette, dice, unit = canvas.palette, canvas.random, canvas.unit
    hue = palette.accent if brightness(palette.accent) < 0.75 else rgb("c0518f")
    canvas.gradient([rgb("05061a"), mix(rgb("0b0d2a"), hue, 0.1), rgb("070818")])
    gas = Canvas((canvas.width // 6, canvas.height // 6), palette=palette, seed=dice.getrandbits(32))
    gas.replace(canvas.image.resize(gas.image.size))
    for _ in range(22):
        place = (gas.width * (0.5 + dice.gauss(0, 0.3)), gas.height * (0.5 + dice.gauss(0, 0.22)))
        tone = turned(mix(hue, rgb("2f5fd0"), dice.random()), dice.uniform(-30, 30))
        spread = (gas.unit * dice.uniform(0.2, 0.55), gas.unit * dice.uniform(0.14, 0.36))
        gas.soft(place, spread, tone, 0.24, softness=1.3)
    canvas.replace(gas.image.resize(canvas.image.size, Image.Resampling.BICUBIC))
    for _ in range(round(420 * canvas.width / unit)):
        x, y, size = (
            dice.random() * canvas.width,
            dice.random() * canvas.height,
            unit * (0.0006 + 0.0022 * dice.random() ** 6),
        )
        tone = mix((255, 255, 255), dice.choice((rgb("ffd9a8"), rgb("b8d0ff"))), dice.random())
        canvas.draw.ellipse((x - size, y - size, x + size, y + size), fill=(*tone, dice.randrange(90, 255)))
    for _ in range(5):
        canvas.soft(
            (dice.random() * canvas.width, dice.random() * canvas.height),
            (unit * 0.03, unit * 0.03),
            (220, 230, 255),
            0.7,
            softness=2.5,
        )
    side = dice.choice((0.3, 0.7))
    _planet(
        canvas, (canvas.width * side, canvas.height * dice.uniform(0.36, 0.5)), unit * dice.uniform(0.19, 0.25), hue
    )
    return Spot((canvas.width * (1.04 - side), canvas.height * 0.84), unit * 0.5)


def _planet(canvas: Canvas, centre: tuple[float, float], radius: float, hue: Colour) -> None:
    """Draw a banded globe lit from the upper left, and a ring in front of and behind it."""
    pen = canvas.pen(centre, radius)
    tilt = pen.turned(-17)
    ring = [tilt((1.95 * math.cos(math.tau * step / 90), 0.42 * math.sin(math.tau * step / 90))) for step in range(91)]
    inner = [tilt((1.45 * math.cos(math.tau * step / 90), 0.3 * math.sin(math.tau * step / 90))) for step in range(91)]
    dust = (*lighter(mix(hue, rgb("e8c69a"), 0.6), 0.2), 190)
    canvas.draw.polygon([pen.at(*point) for point in [*ring[:46], *reversed(inner[:46])]], fill=dust)
    pen.soft((0, 0), (1.35, 1.35), lighter(hue, 0.4), 0.5, softness=1.6)
    pen.oval((0, 0), (1, 1), mix(hue, rgb("d8a878"), 0.35))
    for index in range(9):
        low, high = -0.92 + 0.2 * index, -0.83 + 0.2 * index + 0.03 * (index % 3)
        ends = [(math.sqrt(1 - y * y), y) for y in (low, (low + high) / 2, min(high, 0.99))]
        band = [tilt(point) for point in [*ends, *((-x, y) for x, y in reversed(ends))]]
        pen.veil(band, darker(hue, 0.3) if index % 2 else lighter(hue, 0.35), 0.3)
    for step in range(22):
        share = step / 22
        edge = [(math.sin(t) * 1.004, math.cos(t) * 1.004) for t in (math.pi * part / 40 for part in range(41))]
        inside = [(math.sin(t) * (1 - 1.55 * share), math.cos(t)) for t in (math.pi * part / 40 for part in range(41))]
        turn = pen.turned(-38)
        pen.veil([turn(point) for point in [*edge, *reversed(inside)]], (4, 5, 18), 0.085)
    canvas.draw.polygon([pen.at(*point) for point in [*ring[45:], *reversed(inner[45:])]], fill=dust)

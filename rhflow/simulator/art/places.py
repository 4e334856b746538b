"""Made places: city, road, space, a studio with a plinth, a table by a window."""

from __future__ import annotations

import math

from PIL import Image

from rhflow.media.image import Colour
from rhflow.simulator.art.canvas import Canvas, ramp
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


def backdrop(canvas: Canvas) -> Spot:
    """A seamless backdrop with a pool of light."""
    _paper(canvas, floor=1.0)
    return Spot((canvas.width * 0.5, canvas.height * 0.92), canvas.unit * 0.7)


def studio(canvas: Canvas) -> Spot:
    """A backdrop, an arch or a disc, and a round plinth in front."""
    unit = canvas.unit
    tone = _paper(canvas, floor=0.73)
    _backdrop_shapes(canvas, tone)
    pen = canvas.pen((canvas.width * 0.5, canvas.height * 0.86), unit)
    dark = brightness(tone) < 0.35
    stone = lighter(tone, 0.2) if dark else mix(tone, rgb("f5efe6"), 0.82)
    pen.soft((0.05, 0.005), (0.56, 0.1), darker(tone, 0.75), 0.6, softness=0.8)
    side = [darker(stone, 0.3), lighter(stone, 0.1), stone, darker(stone, 0.4)]
    rim = [(0.33 * math.cos(t), 0.055 * math.sin(t)) for t in (math.pi + math.pi * step / 40 for step in range(41))]
    pen.fill([(-0.33, 0.09), *rim, (0.33, 0.09)], side, sideways=True)
    pen.oval((0, 0.09), (0.33, 0.055), [lighter(stone, 0.12), lighter(stone, 0.42)])
    return Spot((canvas.width * 0.5, canvas.height * 0.86 - unit * 0.085), unit * 0.56)


def _paper(canvas: Canvas, *, floor: float) -> Colour:
    """Hang a paper whose lower end, from ``floor`` on, is the ground; return its colour."""
    tone, unit, line = _backdrop(canvas), canvas.unit, canvas.height * floor
    dark = brightness(tone) < 0.35
    canvas.gradient([darker(tone, 0.26), tone, lighter(tone, 0.08 if dark else 0.22)], bottom=line)
    canvas.gradient([lighter(tone, 0.12 if dark else 0.28), tone, darker(tone, 0.26)], top=line)
    canvas.soft((canvas.width / 2, line), (canvas.width, unit * 0.07), lighter(tone, 0.2), 0.6)
    light = (canvas.width * canvas.random.uniform(0.36, 0.6), canvas.height * 0.42)
    canvas.soft(light, (unit * 0.85, unit * 0.75), lighter(tone, 0.6), 0.7)
    return tone


def _backdrop(canvas: Canvas) -> Colour:
    """Return the colour of the paper behind: it sets the accent off without shouting."""
    palette, dice = canvas.palette, canvas.random
    if palette.dark:
        return mix(palette.sky[1], palette.sky[2], 0.5)
    accent = palette.accent
    if max(accent) - min(accent) < 40:
        return mix(dice.choice((rgb("c98f6b"), rgb("6f93a8"), rgb("9aa77f"), rgb("b98596"))), palette.sky[-1], 0.3)
    quiet = turned(accent, dice.choice((-20, 150, 180, 205)), saturation=0.6)
    return mix(quiet, rgb("d8c8b8"), 0.5 if brightness(quiet) < 0.6 else 0.3)


def _backdrop_shapes(canvas: Canvas, tone: Colour) -> None:
    """Stand an arch or a disc behind the plinth."""
    pen = canvas.pen((canvas.width * 0.5, canvas.height * 0.79), canvas.unit)
    edge = [lighter(tone, 0.42), lighter(tone, 0.1)]
    if canvas.random.random() < 0.5:
        pen.soft((0.03, 0.35), (0.43, 0.45), darker(tone, 0.6), 0.3)
        pen.oval((0, 0.37), (0.33, 0.33), edge)
    else:
        pen.soft((0.04, 0.3), (0.42, 0.56), darker(tone, 0.6), 0.3)
        arch = [(0.29 * math.cos(t), 0.42 + 0.29 * math.sin(t)) for t in (math.pi * step / 40 for step in range(41))]
        pen.fill([*arch, (-0.29, 0), (0.29, 0)], edge)


def table(canvas: Canvas) -> Spot:
    """A wooden table in front of a wall, a window's light on both."""
    palette, unit, dice = canvas.palette, canvas.unit, canvas.random
    wall = mix(lit(rgb("c9b8a2"), palette.ambient), palette.sky[1], 0.22)
    edge = canvas.height * 0.66
    canvas.gradient([darker(wall, 0.32), wall, lighter(wall, 0.12)], bottom=edge)
    _window(canvas, wall, dice.choice((0.2, 0.8)))
    wood = lit(rgb("9a653c"), tuple(max(0.5, part) for part in palette.ambient))  # type: ignore[arg-type]
    canvas.image.paste(
        ramp([lighter(wood, 0.24), wood, darker(wood, 0.42)], (canvas.width, canvas.height - round(edge))),
        (0, round(edge)),
    )
    for index in range(1, 7):
        y = edge + (canvas.height - edge) * (index / 7) ** 1.5
        canvas.draw.line(
            (0, y, canvas.width, y + dice.uniform(-1, 1)),
            fill=(*darker(wood, 0.5), 110),
            width=max(1, round(unit * 0.002)),
        )
        for _ in range(9):
            x, long = dice.random() * canvas.width, unit * dice.uniform(0.05, 0.3)
            grain = y - dice.random() * unit * 0.03
            canvas.draw.line(
                (x, grain, x + long, grain), fill=(*darker(wood, 0.4), 50), width=max(1, round(unit * 0.0015))
            )
    canvas.draw.rectangle((0, edge - unit * 0.002, canvas.width, edge + unit * 0.006), fill=lighter(wood, 0.42))
    canvas.soft((canvas.width / 2, edge + unit * 0.16), (unit * 0.62, unit * 0.16), palette.glow, 0.4)
    return Spot((canvas.width * 0.5, canvas.height * 0.84), unit * 0.46)


def _window(canvas: Canvas, wall: Colour, side: float) -> None:
    """Set a window with a view of the sky into the wall, and its light in the room."""
    palette, unit = canvas.palette, canvas.unit
    pen = canvas.pen((canvas.width * side, canvas.height * 0.13 + unit * 0.44), unit)
    frame = lighter(wall, 0.45)
    pen.soft((0, 0.2), (0.62, 0.55), lighter(palette.sky[-1], 0.2), 0.55, softness=1.2)
    pen.box((-0.19, -0.03), (0.38, 0.5), frame, round_by=0.008)
    for left in (-0.165, 0.0125):
        for low in (0.0, 0.2325):
            pen.box((left, low), (0.1525, 0.21), palette.sky[-3:] if low else palette.sky[-2:])
    pen.box((-0.22, -0.06), (0.44, 0.035), [lighter(frame, 0.2), darker(frame, 0.15)], round_by=0.006)
    way = 1 if side < 0.5 else -1
    for column in range(2):
        for row in range(2):
            x, y = 0.34 + 0.15 * column + 0.075 * row, 0.36 - 0.22 * row - 0.03 * column
            pane = [(x, y), (x + 0.135, y - 0.027), (x + 0.205, y - 0.227), (x + 0.07, y - 0.2)]
            pen.veil([(way * px, py) for px, py in pane], lighter(palette.glow, 0.3), 0.16)

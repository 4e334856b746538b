"""Rooms: a backdrop, a studio with a plinth, a marble worktop, a table by a window, a room with a floor."""

from __future__ import annotations

import math

from rhflow.media.image import Colour
from rhflow.simulator.art.canvas import Canvas, ramp, smooth
from rhflow.simulator.art.colour import brightness, darker, lighter, lit, mix, rgb, turned
from rhflow.simulator.art.land import Spot


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


def room(canvas: Canvas) -> Spot:
    """A room with a window, a picture on the wall, a wooden floor and a rug."""
    palette, unit, dice = canvas.palette, canvas.unit, canvas.random
    wall = mix(lit(rgb("c4cbbf"), palette.ambient), palette.sky[1], 0.18)
    edge = canvas.height * 0.72
    canvas.gradient([darker(wall, 0.22), wall, lighter(wall, 0.1)], bottom=edge)
    side = dice.choice((0.17, 0.83))
    _window(canvas, wall, side)
    pen = canvas.pen((canvas.width * (1 - side), canvas.height * 0.42), unit)
    pen.box((-0.15, 0.0), (0.3, 0.22), darker(wall, 0.6))
    pen.box((-0.135, 0.015), (0.27, 0.19), rgb("efe9dc"))
    pen.box((-0.1, 0.045), (0.2, 0.13), [palette.sky[1], palette.sky[-1]])
    pen.fill([(-0.1, 0.045), (-0.1, 0.09), (-0.03, 0.13), (0.03, 0.08), (0.1, 0.11), (0.1, 0.045)], darker(wall, 0.35))
    ambient = (max(0.5, palette.ambient[0]), max(0.5, palette.ambient[1]), max(0.5, palette.ambient[2]))
    wood = lit(rgb("a8794d"), ambient)
    canvas.gradient([lighter(wood, 0.1), wood, darker(wood, 0.35)], top=edge)
    for index in range(15):
        x = canvas.width * (index - 7) / 7
        middle = canvas.width / 2
        line = (middle + x * 0.6, edge, middle + x * 1.2, canvas.height)
        canvas.draw.line(line, fill=(*darker(wood, 0.5), 100), width=max(1, round(unit * 0.002)))
    canvas.draw.rectangle((0, edge - unit * 0.03, canvas.width, edge), fill=lighter(wall, 0.45))
    rug = canvas.pen((canvas.width / 2, canvas.height * 0.9), unit)
    tone = mix(turned(palette.accent, 150, saturation=0.5), rgb("d8cbb6"), 0.55)
    rug.oval((0, 0), (0.8, 0.085), darker(tone, 0.15))
    rug.oval((0, 0), (0.74, 0.075), tone)
    return Spot((canvas.width * 0.5, canvas.height * 0.88), unit * 0.46)


def marble(canvas: Canvas) -> Spot:
    """A marble worktop in front of a plain wall."""
    unit, dice = canvas.unit, canvas.random
    _paper(canvas, floor=1.0)
    edge = canvas.height * 0.7
    light = max(0.72, min(1.0, sum(canvas.palette.ambient) / 3))
    stone = lit(rgb("f1efec"), (light, light, light))
    canvas.gradient([lighter(stone, 0.3), stone, darker(stone, 0.12)], top=edge)
    for index in range(16):
        x = canvas.width * (index + dice.random()) / 16 - unit * 0.2
        y = edge + dice.random() ** 1.3 * (canvas.height - edge)
        points = [(x, y)]
        for _ in range(9):
            x, y = x + unit * dice.uniform(0.02, 0.11), max(edge, y + unit * dice.uniform(-0.028, 0.034))
            points.append((x, y))
        tone = darker(mix(stone, rgb("8b8a90"), 0.4), dice.uniform(0.05, 0.3))
        soft = smooth(points, closed=False, steps=4)
        canvas.draw.line(soft, fill=(*tone, 46), width=max(1, round(unit * dice.uniform(0.006, 0.02))), joint="curve")
        canvas.draw.line(soft, fill=(*tone, 110), width=max(1, round(unit * 0.0018)))
    canvas.draw.rectangle((0, edge, canvas.width, edge + unit * 0.008), fill=lighter(stone, 0.6))
    canvas.soft((canvas.width / 2, edge + unit * 0.13), (unit * 0.5, unit * 0.09), lighter(stone, 0.7), 0.5)
    return Spot((canvas.width * 0.5, canvas.height * 0.86), unit * 0.62)

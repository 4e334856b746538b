"""Subjects at home under the sky. Each draws itself standing on the pen's origin, about 1.0 tall."""

from __future__ import annotations

import math

from rhflow.simulator.art.canvas import Pen, outline, smooth
from rhflow.simulator.art.colour import darker, lighter, lit, mix, rgb


def _rock(pen: Pen, *, half: float, low: float, top: float) -> None:
    """Draw a broken rock with a lit top, from ``low`` (below the origin) to ``top``."""
    stone = lit(rgb("5a5a60"), pen.canvas.palette.ambient)
    dice = pen.canvas.random
    crown = [
        (-half + 2 * half * step / 8, top - abs(step - 4) * 0.022 + dice.uniform(-0.012, 0.012)) for step in range(9)
    ]
    pen.fill([(-half * 1.55, low), *crown, (half * 1.7, low)], [lighter(stone, 0.1), stone, darker(stone, 0.6)])
    for step in range(0, 8, 2):
        x, y = crown[step]
        pen.veil([(x, y), crown[step + 1], (x + 0.05, low), (x - 0.03, low)], darker(stone, 0.7), 0.28)
    foam = lighter(pen.canvas.palette.sky[-1], 0.35)
    for step in range(14):
        x = -half * 1.6 + 3.3 * half * step / 13
        pen.soft((x, low + 0.004), (0.07, 0.013), foam, 0.55)


def lighthouse(pen: Pen) -> None:
    """A striped tower on a rock; its beam shows in the dark and at dusk."""
    palette = pen.canvas.palette
    light = palette.ambient
    white, red = (
        lit(rgb("f4efe6"), light),
        lit(palette.accent if palette.named else rgb("c23b30"), light),
    )
    _rock(pen, half=0.3, low=-0.1, top=0.09)
    lamp = (0.0, 0.885)
    if palette.dark or palette.sun_height > 0.49:
        for way in (-1, 1):
            for spread in (0.05, 0.09, 0.14):
                pen.veil(
                    [lamp, (way * 5.0, 1.05 + 2.7 * spread), (way * 5.0, 0.85 - 2.7 * spread)], rgb("fff0bf"), 0.11
                )
    half = [0.115 - 0.05 * step / 7 for step in range(8)]
    for step in range(7):
        low, high = 0.07 + 0.72 * step / 7, 0.07 + 0.72 * (step + 1) / 7
        tone = red if step % 2 else white
        ring = [(-half[step], low), (half[step], low), (half[step + 1], high), (-half[step + 1], high)]
        pen.fill(ring, [darker(tone, 0.18), lighter(tone, 0.12), tone, darker(tone, 0.48)], sideways=True)
    for x, y in ((0.0, 0.2), (0.012, 0.42), (0.0, 0.62)):
        pen.box((x - 0.016, y), (0.032, 0.05), darker(red, 0.6), round_by=0.016)
    steel = lit(rgb("3b3f46"), light)
    pen.box((-0.1, 0.785), (0.2, 0.022), [lighter(steel, 0.2), darker(steel, 0.4)], sideways=True)
    for step in range(9):
        pen.line([(-0.096 + 0.024 * step, 0.807), (-0.096 + 0.024 * step, 0.842)], steel, 0.004)
    pen.line([(-0.098, 0.842), (0.098, 0.842)], steel, 0.006)
    pen.box((-0.05, 0.807), (0.1, 0.13), [rgb("ffd97a"), rgb("fff6d4"), rgb("ffd070")], sideways=True)
    for x in (-0.05, -0.017, 0.017, 0.05):
        pen.line([(x, 0.807), (x, 0.937)], steel, 0.006)
    pen.soft(lamp, (0.3, 0.3), rgb("ffe7a0"), 0.75 if palette.dark else 0.5, softness=2.0)
    pen.blob(outline("-70,935 70,935 45,985 0,1010 -45,985"), [lighter(red, 0.1), darker(red, 0.4)])
    pen.line([(0, 1.0), (0, 1.05)], steel, 0.008)


def boat(pen: Pen) -> None:
    """A sailing boat on the water, with its reflection."""
    palette = pen.canvas.palette
    hull = lit(palette.accent, palette.ambient)
    sail = lit(rgb("f7f0e2"), tuple(min(1.1, part + 0.12) for part in palette.ambient))  # type: ignore[arg-type]
    pen.soft((0.0, -0.04), (0.55, 0.075), palette.ink, 0.5)
    for shape, tone in (
        ([(0.0, -0.03), (0.0, -0.52), (0.3, -0.03)], sail),
        ([(0.0, -0.03), (0.0, -0.44), (-0.24, -0.03)], sail),
    ):
        pen.veil(shape, tone, 0.2)
    pen.fill(outline("-400,90 440,110 300,-30 -270,-30"), [lighter(hull, 0.12), darker(hull, 0.45)])
    pen.fill(outline("-400,90 440,110 430,85 -390,66"), lighter(sail, 0.1))
    wood = lit(rgb("6b4a33"), palette.ambient)
    pen.line([(0, 0.09), (0, 1.0)], wood, 0.016)
    main = smooth(outline("20,160 20,980 200,560 400,170"), closed=False)
    pen.fill(main, [lighter(sail, 0.2), sail, darker(sail, 0.22)], sideways=True)
    jib = smooth(outline("-20,150 -20,860 -160,460 -350,150"), closed=False)
    pen.fill(jib, [darker(sail, 0.28), sail], sideways=True)
    for height in (0.34, 0.54, 0.74):
        pen.line(
            [(0.02, height), (0.4 * (1 - (height - 0.17) / 0.83) ** 0.9, height - 0.02)],
            (*darker(sail, 0.4), 90),
            0.006,
        )
    pen.fill([(0, 1.0), (0, 0.955), (-0.09, 0.98)], hull)


def tree(pen: Pen) -> None:
    """A broad tree with a lit and a shaded side."""
    palette, dice = pen.canvas.palette, pen.canvas.random
    pen.shadow(0.5)
    bark = lit(rgb("5d4434"), palette.ambient)
    pen.blob(
        outline("-75,0 -30,200 -50,500 50,500 30,200 85,0"), [lighter(bark, 0.12), darker(bark, 0.4)], sideways=True
    )
    for end in ((-0.22, 0.56), (0.22, 0.6), (0.05, 0.7)):
        pen.line([(0, 0.3), (end[0] * 0.5, 0.46), end], bark, 0.035, curved=True)
    warm = palette.ambient[0] > 1.03
    green = lit(rgb("c8742e") if warm else rgb("4c8646"), palette.ambient)
    for tone, shift, size in ((darker(green, 0.42), -0.03, 1.0), (green, 0.0, 0.88), (lighter(green, 0.16), 0.05, 0.6)):
        for _ in range(26):
            turn, far = dice.random() * math.tau, dice.random() ** 0.6
            x, y = 0.31 * far * math.cos(turn) - shift, 0.69 + 0.22 * far * math.sin(turn) + shift
            pen.oval(
                (x * size**0.4, y), (0.105 * size, 0.09 * size), mix(tone, darker(tone, 0.25), dice.random() * 0.4)
            )


def house(pen: Pen) -> None:
    """A cottage with a lit window, a door and a smoking chimney."""
    palette = pen.canvas.palette
    pen.shadow(0.85, strength=0.4)
    wall, roof = lit(rgb("efe3cf"), palette.ambient), lit(palette.accent, palette.ambient)
    wood = lit(rgb("6a4630"), palette.ambient)
    for step in range(7):
        drift = 0.012 * step * step
        pen.soft(
            (0.3 + drift, 0.98 + 0.07 * step),
            (0.05 + 0.013 * step, 0.04 + 0.01 * step),
            lighter(palette.sky[-1], 0.4),
            0.4 - 0.045 * step,
        )
    pen.box((0.25, 0.62), (0.1, 0.32), [darker(roof, 0.2), darker(roof, 0.5)], sideways=True)
    pen.box((-0.5, 0.0), (1.0, 0.48), [lighter(wall, 0.12), wall, darker(wall, 0.3)], sideways=True)
    pen.fill(outline("-600,450 -400,860 440,860 620,450"), [lighter(roof, 0.16), darker(roof, 0.3)])
    for row in range(1, 5):
        height = 0.45 + 0.082 * row
        pen.line([(-0.6 + 0.04 * row, height), (0.62 - 0.036 * row, height)], (*darker(roof, 0.5), 80), 0.006)
    pen.box((-0.52, 0.43), (1.06, 0.028), darker(wall, 0.5))
    pane = rgb("ffd98a") if palette.dark or palette.sun_height > 0.49 else mix(palette.sky[1], rgb("2b3a48"), 0.45)
    for x in (-0.39, 0.17):
        pen.box((x - 0.015, 0.155), (0.23, 0.2), lighter(wall, 0.35))
        pen.box((x, 0.17), (0.2, 0.17), [lighter(pane, 0.2), pane])
        pen.line([(x + 0.1, 0.17), (x + 0.1, 0.34)], lighter(wall, 0.35), 0.014)
        pen.line([(x, 0.255), (x + 0.2, 0.255)], lighter(wall, 0.35), 0.014)
        if pane[0] == 255:
            pen.soft((x + 0.1, 0.25), (0.24, 0.22), pane, 0.4, softness=1.6)
    pen.box((-0.095, 0.0), (0.17, 0.33), [lighter(wood, 0.12), darker(wood, 0.25)], round_by=0.03)
    pen.oval((0.045, 0.16), (0.011, 0.011), rgb("e6c15c"))
    pen.box((-0.14, -0.02), (0.26, 0.035), darker(wall, 0.4))


def balloon(pen: Pen) -> None:
    """A hot-air balloon, its gores in two colours."""
    palette = pen.canvas.palette
    bright, pale = lit(palette.accent, palette.ambient), lit(rgb("f6ead3"), palette.ambient)
    third = lit(mix(palette.accent, rgb("f3c443"), 0.6), palette.ambient)

    def half(height: float) -> float:
        """Half the width of the envelope at ``height``: a ball above, a cone towards the mouth."""
        if height >= 0.56:
            return math.sqrt(max(0.0, 0.34**2 - (height - 0.66) ** 2))
        share = (0.56 - height) / 0.29
        return 0.325 - 0.27 * math.pow(share, 1.25)

    steps = [0.27 + 0.73 * step / 40 for step in range(41)]
    edges = [math.sin(math.pi * (gore / 10 - 0.5)) for gore in range(11)]
    for gore in range(10):
        left = [(edges[gore] * half(step), step) for step in steps]
        right = [(edges[gore + 1] * half(step), step) for step in reversed(steps)]
        tone = (bright, pale, third, pale)[gore % 4]
        pen.fill([*left, *right], mix(lighter(tone, 0.12), darker(tone, 0.4), (gore / 9) ** 1.6))
    pen.soft((-0.12, 0.8), (0.2, 0.24), (255, 255, 255), 0.35, softness=1.5)
    rope = lit(rgb("4a3728"), palette.ambient)
    for x in (-0.05, -0.018, 0.018, 0.05):
        pen.line([(x * 0.85, 0.275), (x, 0.12)], rope, 0.005)
    if palette.dark or palette.sun_height > 0.49:
        pen.soft((0, 0.25), (0.14, 0.16), rgb("ffd071"), 0.8, softness=1.7)
    basket = lit(rgb("9a6a3d"), palette.ambient)
    pen.box((-0.055, 0.03), (0.11, 0.09), [lighter(basket, 0.15), darker(basket, 0.4)], round_by=0.014, sideways=True)
    pen.box((-0.062, 0.108), (0.124, 0.018), darker(basket, 0.35), round_by=0.008)


def bird(pen: Pen) -> None:
    """A small flock in flight."""
    dice = pen.canvas.random
    ink = mix(pen.canvas.palette.ink, pen.canvas.palette.haze, 0.15)
    for index in range(7):
        x, y = 0.13 * (index - 3) + dice.uniform(-0.05, 0.05), 0.75 - 0.05 * abs(index - 2) + dice.uniform(-0.05, 0.05)
        size = dice.uniform(0.045, 0.085) * (1.4 if index == 2 else 1.0)
        lift = dice.uniform(0.2, 0.6)
        for way in (-1, 1):
            wing = [(x, y), (x + way * size * 0.5, y + size * lift), (x + way * size * 1.25, y + size * (lift - 0.28))]
            under = [(x + way * size * 0.5, y + size * (lift - 0.17)), (x, y - size * 0.1)]
            pen.fill([*smooth(wing, closed=False), *under], ink)


def rocket(pen: Pen) -> None:
    """A rocket climbing on its flame."""
    palette = pen.canvas.palette
    body, trim = lit(rgb("eef0f2"), (0.95, 0.96, 1.0)), palette.accent
    for step in range(10):
        pen.soft(
            (0.03 * math.sin(step), 0.02 - 0.06 * step),
            (0.08 + 0.028 * step, 0.075 + 0.01 * step),
            rgb("e9e4ee"),
            0.42 - 0.035 * step,
        )
    pen.soft((0, 0.1), (0.22, 0.34), rgb("ff9b3d"), 0.8, softness=1.7)
    pen.blob(outline("-50,200 50,200 40,60 0,-100 -40,60"), [rgb("fff3c4"), rgb("ff9a32")])
    for way in (-1, 1):
        fin = [(way * 0.1, 0.45), (way * 0.22, 0.26), (way * 0.21, 0.16), (way * 0.09, 0.24)]
        pen.fill(fin, trim if way < 0 else darker(trim, 0.4))
    hull = smooth(outline("0,1000 85,820 120,580 105,340 75,210 -75,210 -105,340 -120,580 -85,820"))
    pen.fill(hull, [darker(body, 0.12), lighter(body, 0.5), body, darker(body, 0.55)], sideways=True)
    nose = smooth(outline("0,1000 52,905 79,830 0,812 -79,830 -52,905"))
    pen.fill(nose, [lighter(trim, 0.2), trim, darker(trim, 0.45)], sideways=True)
    pen.oval((0, 0.64), (0.056, 0.056), darker(body, 0.4))
    pen.oval((0, 0.64), (0.042, 0.042), [rgb("7fc4e8"), rgb("1e3f66")])
    pen.soft((-0.016, 0.658), (0.018, 0.018), (255, 255, 255), 0.9)
    pen.box((-0.112, 0.36), (0.224, 0.03), [lighter(trim, 0.15), trim, darker(trim, 0.45)], sideways=True)
    pen.box((-0.07, 0.18), (0.14, 0.035), [rgb("8b9098"), rgb("3a3d45")], sideways=True)

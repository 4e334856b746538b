"""Food on its plate. Each dish stands on the pen's origin; the plate is about 1.2 wide."""

from __future__ import annotations

import math

from rhflow.media.image import Colour
from rhflow.simulator.art.canvas import Pen, outline
from rhflow.simulator.art.colour import brightness, darker, lighter, mix, rgb
from rhflow.simulator.art.indoors import SHINE


def _plate(pen: Pen, *, colour: Colour | None = None) -> None:
    china = colour or rgb("f3efe7")
    pen.shadow(0.72, strength=0.6)
    pen.oval((0, 0.1), (0.66, 0.15), [lighter(china, 0.3), darker(china, 0.22)])
    pen.oval((0, 0.115), (0.52, 0.1), [darker(china, 0.13), lighter(china, 0.25)])


def sushi(pen: Pen) -> None:
    """Three nigiri and two rolls on a dark slate, with chopsticks."""
    slate = rgb("3b3f45")
    pen.shadow(0.85, strength=0.6)
    pen.fill(outline("-760,60 -620,240 620,240 760,60"), [lighter(slate, 0.16), slate])
    pen.fill(outline("-760,60 760,60 760,20 -760,20"), darker(slate, 0.4))
    for x, fish in ((-0.42, rgb("f0824e")), (0.0, rgb("d84a4a")), (0.42, rgb("f3a57a"))):
        rice = rgb("faf7ef")
        pen.blob([(x - 0.19, 0.14), (x - 0.17, 0.28), (x + 0.17, 0.28), (x + 0.19, 0.14)], [rice, darker(rice, 0.14)])
        top = [(x - 0.22, 0.25), (x - 0.15, 0.37), (x + 0.14, 0.38), (x + 0.23, 0.26), (x, 0.3)]
        pen.blob(top, [lighter(fish, 0.2), fish, darker(fish, 0.15)])
        for step in range(4):
            at = x - 0.12 + 0.075 * step
            pen.line([(at, 0.3), (at + 0.05, 0.36)], (*lighter(fish, 0.65), 190), 0.012)
    for x, inside in ((-0.22, rgb("f0824e")), (0.22, rgb("8fb354"))):
        pen.box((x - 0.12, 0.06), (0.24, 0.11), rgb("1d2b22"), round_by=0.02)
        pen.oval((x, 0.17), (0.12, 0.06), rgb("1d2b22"))
        pen.oval((x, 0.172), (0.1, 0.046), rgb("faf7ef"))
        pen.oval((x, 0.172), (0.045, 0.022), inside)
    for low in (0.07, 0.1):
        pen.line([(-0.95, low - 0.03), (-0.5, low + 0.24)], rgb("8a5a35"), 0.018)
    pen.blob([(0.56, 0.1), (0.58, 0.17), (0.66, 0.18), (0.68, 0.1)], [rgb("a9c76a"), rgb("6f9440")])


def bowl(pen: Pen) -> None:
    """A bowl of noodles with an egg, greens and chopsticks."""
    accent = pen.canvas.palette.accent
    glaze = mix(accent, rgb("2e3f57"), 0.35) if brightness(accent) < 0.8 else accent
    pen.shadow(0.62, strength=0.6)
    side = outline("-560,520 -520,330 -360,120 -180,40 180,40 360,120 520,330 560,520")
    pen.blob(side, [lighter(glaze, 0.2), glaze, darker(glaze, 0.42)], sideways=True)
    pen.oval((0, 0.52), (0.57, 0.15), lighter(glaze, 0.4))
    pen.oval((0, 0.515), (0.52, 0.125), [rgb("a5642a"), rgb("d59a4c")])
    for index in range(9):
        start = math.tau * index / 9
        curl = [(0.3 * math.cos(start + t / 2) * (1 - t / 9), 0.515 + 0.07 * math.sin(start + t / 2)) for t in range(6)]
        pen.line(curl, rgb("f3dc9a") if index % 2 else rgb("e6c57a"), 0.028, curved=True)
    for x, y in ((-0.22, 0.56), (0.24, 0.5)):
        pen.oval((x, y), (0.13, 0.06), rgb("fbf7ec"))
        pen.oval((x + 0.01, y), (0.06, 0.03), rgb("f09a2e"))
    for index in range(12):
        turn = index * 2.4
        pen.oval((0.02 + 0.2 * math.cos(turn), 0.545 + 0.05 * math.sin(turn)), (0.03, 0.014), rgb("5f9a48"))
    pen.fill(outline("300,480 470,480 450,640 320,640"), rgb("24352a"))
    for shift in (0.0, 0.06):
        pen.line([(-0.05 + shift, 0.54), (-0.75 + shift, 0.92)], rgb("7a4a2a"), 0.022)
    _steam(pen, low=0.66)


def _steam(pen: Pen, *, low: float) -> None:
    for step in range(10):
        share = step / 9
        x = 0.07 * math.sin(share * 6)
        pen.soft((x, low + 0.4 * share), (0.09 + 0.05 * share, 0.08), SHINE, 0.2 * (1 - share), softness=1.2)


def pizza(pen: Pen) -> None:
    """A pizza on a board, seen from the side a little above."""
    wood = rgb("b07a48")
    pen.shadow(0.85, strength=0.6)
    pen.oval((0, 0.12), (0.82, 0.21), darker(wood, 0.35))
    pen.oval((0, 0.15), (0.82, 0.21), [lighter(wood, 0.2), wood])
    pen.oval((0, 0.2), (0.7, 0.18), [rgb("e0aa5e"), rgb("a8682c")])
    pen.oval((0, 0.215), (0.6, 0.14), [rgb("f4cf6c"), rgb("d9662f")])
    dice = pen.canvas.random
    for index in range(13):
        turn, far = index * 2.4, 0.85 * math.sqrt((index + 0.5) / 13)
        x, y = 0.55 * far * math.cos(turn), 0.218 + 0.12 * far * math.sin(turn)
        pen.oval((x, y), (0.07, 0.028), [rgb("d6453a"), rgb("9c2822")])
        pen.oval((x + dice.uniform(-0.1, 0.1), y - 0.02), (0.03, 0.012), rgb("4c8a3f"))
    _steam(pen, low=0.36)


def burger(pen: Pen) -> None:
    """A burger on a plate."""
    _plate(pen)
    bun = rgb("d9903f")
    pen.box((-0.4, 0.13), (0.8, 0.13), [lighter(bun, 0.1), darker(bun, 0.25)], round_by=0.06)
    pen.box((-0.43, 0.25), (0.86, 0.12), [rgb("6b3a22"), rgb("3d1f13")], round_by=0.05)
    pen.fill(outline("-420,380 420,380 300,300 200,370 60,290 -60,370 -220,300 -330,370"), rgb("f6c33c"))
    leaf = [(-0.46 + 0.115 * step, 0.4 + (0.035 if step % 2 else -0.02)) for step in range(9)]
    pen.line(leaf, rgb("6fae45"), 0.06, curved=True)
    pen.box((-0.4, 0.43), (0.8, 0.06), rgb("d2402f"), round_by=0.03)
    pen.blob(
        outline("-440,480 -410,680 -200,800 200,800 410,680 440,480 0,460"), [lighter(bun, 0.3), bun, darker(bun, 0.25)]
    )
    for index in range(11):
        pen.oval((-0.28 + 0.056 * index, 0.68 + 0.06 * math.sin(index * 2.1)), (0.018, 0.012), rgb("fbe9c2"))


def cake(pen: Pen) -> None:
    """A cake with icing that runs down, and candles."""
    accent = pen.canvas.palette.accent
    sponge, icing = mix(rgb("f2d6b0"), accent, 0.12), mix(accent, rgb("fbeef0"), 0.6)
    _plate(pen)
    pen.box(
        (-0.42, 0.12), (0.84, 0.38), [lighter(sponge, 0.2), sponge, darker(sponge, 0.28)], sideways=True, round_by=0.03
    )
    pen.box((-0.42, 0.29), (0.84, 0.035), mix(rgb("b94a5c"), sponge, 0.2))
    drips = [(-0.42 + 0.084 * step, 0.44 if step % 2 else 0.34 + 0.03 * (step % 4)) for step in range(11)]
    pen.fill([(-0.42, 0.52), *drips, (0.42, 0.52)], darker(icing, 0.08))
    pen.oval((0, 0.51), (0.42, 0.085), [lighter(icing, 0.45), icing])
    for index, x in enumerate((-0.24, -0.08, 0.08, 0.24)):
        pen.box((x - 0.014, 0.52), (0.028, 0.2), (rgb("6fa8d6"), rgb("f2c14e"))[index % 2])
        pen.soft((x, 0.77), (0.08, 0.1), rgb("ffd98a"), 0.7, softness=1.6)
        pen.blob([(x - 0.018, 0.74), (x, 0.82), (x + 0.018, 0.74), (x, 0.72)], [rgb("fff6d2"), rgb("f5962e")])


def fruit(pen: Pen) -> None:
    """Apples and an orange in a bowl."""
    accent = pen.canvas.palette.accent
    first = accent if pen.canvas.palette.named else rgb("c8382f")
    places = (
        (-0.26, 0.5, first),
        (0.26, 0.5, rgb("7fae3c")),
        (0.0, 0.62, rgb("ee8a2a")),
        (-0.02, 0.45, darker(first, 0.12)),
    )
    pen.shadow(0.6, strength=0.6)
    for x, y, tone in places:
        pen.oval((x, y), (0.2, 0.19), [lighter(tone, 0.22), tone, darker(tone, 0.34)])
        pen.soft((x - 0.06, y + 0.08), (0.07, 0.06), SHINE, 0.6, softness=1.4)
        pen.line([(x, y + 0.16), (x + 0.02, y + 0.24)], rgb("4a3422"), 0.016)
        pen.blob(
            [(x + 0.02, y + 0.21), (x + 0.08, y + 0.26), (x + 0.14, y + 0.22), (x + 0.08, y + 0.19)], rgb("5b9444")
        )
    clay = mix(rgb("d8d3c6"), accent, 0.15)
    side = outline("-500,440 -440,220 -220,60 220,60 440,220 500,440 0,400")
    pen.blob(side, [lighter(clay, 0.3), clay, darker(clay, 0.36)], sideways=True)


def bread(pen: Pen) -> None:
    """A loaf on a board, slashed."""
    wood, crust = rgb("a9774a"), rgb("c4803a")
    pen.shadow(0.85, strength=0.6)
    pen.box((-0.85, 0.02), (1.7, 0.08), [lighter(wood, 0.2), darker(wood, 0.3)], round_by=0.03)
    pen.blob(
        outline("-680,110 -720,300 -420,470 0,510 420,470 720,300 680,110 0,80"),
        [lighter(crust, 0.3), crust, darker(crust, 0.4)],
    )
    for x in (-0.4, -0.13, 0.14, 0.41):
        pen.line([(x - 0.08, 0.3), (x, 0.4), (x + 0.1, 0.45)], rgb("f3d9a8"), 0.045, curved=True)
    pen.soft((-0.3, 0.42), (0.25, 0.06), SHINE, 0.3)


def plate(pen: Pen) -> None:
    """A warm meal on a plate."""
    _plate(pen)
    meat, green = rgb("8a4a2a"), rgb("5d9a48")
    pen.blob(outline("-420,140 -400,260 -200,320 20,270 60,160 -180,110"), [lighter(meat, 0.2), darker(meat, 0.25)])
    for step in range(4):
        pen.line([(-0.34 + 0.1 * step, 0.17), (-0.26 + 0.1 * step, 0.27)], darker(meat, 0.5), 0.015)
    for index in range(7):
        x, y = 0.2 + 0.05 * (index % 4), 0.17 + 0.045 * (index // 3)
        pen.oval((x, y), (0.055, 0.05), [lighter(green, 0.2 * (index % 2)), darker(green, 0.25)])
    for x in (0.08, 0.14, 0.34):
        pen.oval((x, 0.13), (0.05, 0.04), [rgb("f2b04a"), rgb("c9752a")])
    pen.line([(-0.8, 0.02), (-0.8, 0.3)], rgb("c9ccd0"), 0.02)
    pen.line([(0.8, 0.02), (0.8, 0.3)], rgb("c9ccd0"), 0.02)
    _steam(pen, low=0.36)

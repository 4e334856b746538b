"""People from the chest up, calm: women and men, children and the old, with what they wear on their heads."""

from __future__ import annotations

import math
from typing import NamedTuple

from rhflow.media.image import Colour
from rhflow.simulator.art.canvas import Pen, outline, smooth
from rhflow.simulator.art.colour import brightness, darker, lighter, lit, mix, rgb
from rhflow.simulator.art.indoors import SHINE

_SKINS = (rgb("f2cdb0"), rgb("d9a47c"), rgb("a8724b"), rgb("74482f"))
_HAIRS = (rgb("2a1d1a"), rgb("5a3722"), rgb("a8632c"), rgb("1a1a22"), rgb("c79a52"))
_GREYS = (rgb("d9dadb"), rgb("c3c6c9"), rgb("eceae6"))


class _Tones(NamedTuple):
    skin: Colour
    shade: Colour
    hair: Colour
    cloth: Colour


def person(pen: Pen, *, sex: str, age: str = "", hat: str = "") -> None:
    """Draw somebody; ``sex`` is woman, man, or portrait for either, ``age`` old, child or neither."""
    dice = pen.canvas.random
    tones = _tones(pen, age)
    female = sex == "woman" or (sex == "portrait" and dice.random() < 0.5)
    broad = {"child": 0.72}.get(age, 0.88 if female else 1.0)
    bun = female and age == "old"
    if female and not bun:
        mane = outline("-200,920 -290,700 -270,400 -310,200 310,200 270,400 290,700 200,920 0,990")
        pen.blob(mane, [darker(tones.hair, 0.1), darker(tones.hair, 0.4)], sideways=True)
    if bun:
        pen.oval((0, 0.99), (0.1, 0.09), [lighter(tones.hair, 0.1), darker(tones.hair, 0.3)])
    _body(pen, tones, broad)
    _head(pen, tones, age)
    _features(pen, tones, age, female=female)
    if age == "old":
        _wrinkles(pen, tones)
    if not female and (age == "old" or (age != "child" and dice.random() < 0.35)):
        _beard(pen, tones)
    bald = age == "old" and not female and not hat and dice.random() < 0.4
    _hair(pen, tones, bald=bald)
    if hat:
        _HATS[hat](pen, tones)


def _tones(pen: Pen, age: str) -> _Tones:
    palette, dice = pen.canvas.palette, pen.canvas.random
    red, green, blue = (max(0.74, part) for part in palette.ambient)
    light = (red, green, blue)
    tone = dice.choice(_SKINS)
    fitting = _GREYS if age == "old" else [hair for hair in _HAIRS if brightness(hair) < brightness(tone) - 0.12]
    skin = lit(tone, light)
    return _Tones(skin, darker(skin, 0.24), lit(dice.choice(fitting), light), lit(palette.accent, light))


def _body(pen: Pen, tones: _Tones, broad: float) -> None:
    cloth = tones.cloth
    line = outline("-620,-250 -560,80 -400,200 -150,270 150,270 400,200 560,80 620,-250")
    shoulders = [(x * broad if abs(x) > 0.2 else x, y) for x, y in line]
    pen.fill(smooth(shoulders, closed=False), [lighter(cloth, 0.12), cloth, darker(cloth, 0.42)], sideways=True)
    pen.blob(outline("-100,460 -115,280 0,190 115,280 100,460"), [tones.skin, tones.shade], sideways=True)
    pen.blob(outline("-100,420 0,330 100,420 0,440"), darker(tones.skin, 0.34))
    pen.line([(-0.16, 0.275), (0.0, 0.165), (0.16, 0.275)], darker(cloth, 0.3), 0.03, curved=True)


def _head(pen: Pen, tones: _Tones, age: str) -> None:
    skin, shade = tones.skin, tones.shade
    for way in (-1, 1):
        pen.oval((way * 0.2, 0.61), (0.035, 0.055), mix(skin, shade, 0.3 + 0.4 * (way > 0)))
    face = outline("0,365 -110,420 -185,560 -195,720 -120,870 120,870 195,720 185,560 110,420")
    if age == "child":
        face = outline("0,395 -130,435 -205,560 -200,720 -120,870 120,870 200,720 205,560 130,435")
    pen.blob(face, [lighter(skin, 0.1), skin, mix(skin, shade, 0.85)], sideways=True)
    blush = 0.45 if age == "child" else 0.28
    for x in (-0.11, 0.11):
        pen.soft((x, 0.52), (0.08, 0.06), rgb("e0705f"), blush)


def _features(pen: Pen, tones: _Tones, age: str, *, female: bool) -> None:
    line = darker(tones.hair, 0.45 if age == "old" else 0.2)
    lift = -0.025 if age == "child" else 0.0
    for way in (-1, 1):
        if age == "child":
            pen.oval((way * 0.092, 0.615), (0.036, 0.042), rgb("fbfaf6"))
            pen.oval((way * 0.092, 0.612), (0.026, 0.034), rgb("3a2a20"))
            pen.oval((way * 0.092 - 0.009, 0.624), (0.009, 0.01), SHINE)
        else:
            eye = [(way * 0.045, 0.632), (way * 0.09, 0.615), (way * 0.138, 0.636)]
            pen.line(eye, darker(line, 0.3), 0.015 if female else 0.011, curved=True)
        brow = [(way * 0.04, 0.7 + lift), (way * 0.095, 0.722 + lift), (way * 0.15, 0.7 + lift)]
        pen.line(brow, line, 0.026 if age == "old" else 0.011 if female else 0.018, curved=True)
    nose = 0.55 - lift
    pen.line([(0.008, 0.65 + lift), (0.026, nose), (-0.012, nose - 0.01)], tones.shade, 0.012, curved=True)
    lip = mix(rgb("b4504c"), tones.skin, 0.15 if female else 0.45)
    pen.blob(outline("-58,473 -18,487 0,481 18,487 58,473 0,449"), lip)
    pen.line([(-0.055, 0.473), (0.0, 0.468), (0.055, 0.473)], darker(lip, 0.4), 0.006, curved=True)


def _wrinkles(pen: Pen, tones: _Tones) -> None:
    crease = (*darker(tones.shade, 0.25), 150)
    for y, half in ((0.775, 0.1), (0.805, 0.085)):
        pen.line([(-half, y), (0, y + 0.01), (half, y)], crease, 0.007, curved=True)
    for way in (-1, 1):
        pen.line([(way * 0.055, 0.55), (way * 0.095, 0.5), (way * 0.1, 0.45)], crease, 0.008, curved=True)
        pen.line([(way * 0.06, 0.592), (way * 0.1, 0.578), (way * 0.135, 0.598)], crease, 0.007, curved=True)
        for y in (0.66, 0.64, 0.62):
            pen.line([(way * 0.152, 0.64), (way * 0.18, y)], crease, 0.006)


def _beard(pen: Pen, tones: _Tones) -> None:
    hair = tones.hair
    beard = outline("-188,600 -195,480 -130,340 0,270 130,340 195,480 188,600 140,500 70,505 0,495 -70,505 -140,500")
    pen.blob(beard, [lighter(hair, 0.12), darker(hair, 0.22)])
    pen.blob(outline("-95,490 -40,525 0,512 40,525 95,490 40,485 0,492 -40,485"), lighter(hair, 0.18))
    pen.line([(-0.045, 0.462), (0.0, 0.456), (0.045, 0.462)], darker(mix(rgb("b4504c"), tones.skin, 0.4), 0.2), 0.016)


def _hair(pen: Pen, tones: _Tones, *, bald: bool) -> None:
    hair = tones.hair
    if bald:
        for way in (-1, 1):
            side = [(0.175, 0.62), (0.225, 0.66), (0.23, 0.78), (0.19, 0.82), (0.18, 0.72)]
            pen.blob([(way * x, y) for x, y in side], [lighter(hair, 0.1), darker(hair, 0.25)])
        return
    crown = outline("-200,660 -225,800 -150,950 20,995 170,940 225,800 200,660 165,770 60,845 -80,830 -165,750")
    pen.blob(crown, [lighter(hair, 0.06), lighter(hair, 0.12), darker(hair, 0.4)], sideways=True)


def _cap(pen: Pen, tones: _Tones) -> None:
    """A knitted cap."""
    wool = mix(rgb("2c4a63"), tones.cloth, 0.25)
    pen.blob(
        outline("-232,770 -225,930 -110,1045 110,1045 225,930 232,770 0,800"), [lighter(wool, 0.15), darker(wool, 0.25)]
    )
    pen.box((-0.245, 0.745), (0.49, 0.085), [lighter(wool, 0.22), darker(wool, 0.15)], round_by=0.04)
    for step in range(11):
        x = -0.21 + 0.042 * step
        pen.line([(x, 0.755), (x, 0.82)], (*darker(wool, 0.45), 120), 0.006)


def _toque(pen: Pen, tones: _Tones) -> None:
    """A cook's hat."""
    cloth = rgb("f6f4ee")
    for x, y in ((-0.14, 1.02), (0.14, 1.02), (0.0, 1.08)):
        pen.oval((x, y), (0.15, 0.12), [lighter(cloth, 0.4), darker(cloth, 0.12)])
    pen.box(
        (-0.205, 0.79), (0.41, 0.2), [darker(cloth, 0.05), cloth, darker(cloth, 0.16)], round_by=0.02, sideways=True
    )


def _fedora(pen: Pen, tones: _Tones) -> None:
    """A felt hat with a band."""
    felt = mix(rgb("5a4636"), tones.cloth, 0.12)
    pen.blob(
        outline("-215,800 -195,990 -70,1060 0,1030 70,1060 195,990 215,800 0,780"),
        [lighter(felt, 0.15), darker(felt, 0.25)],
    )
    pen.box((-0.212, 0.795), (0.424, 0.07), darker(felt, 0.6))
    pen.oval((0, 0.795), (0.36, 0.05), [lighter(felt, 0.12), darker(felt, 0.35)])


def _crown(pen: Pen, tones: _Tones) -> None:
    gold = rgb("e2b84e")
    points = outline("-190,850 -215,1040 -110,950 0,1070 110,950 215,1040 190,850")
    pen.fill(points, [lighter(gold, 0.4), gold, darker(gold, 0.35)], sideways=True)
    for x in (-0.1, 0.0, 0.1):
        pen.oval((x, 0.9), (0.022, 0.028), rgb("b3202e"))


def _helmet(pen: Pen, tones: _Tones) -> None:
    """A space helmet: a glass ball in a white rim."""
    shell = rgb("eef0f2")
    pen.veil(_ring(0.36), SHINE, 0.14)
    for radius, tone in ((0.37, darker(shell, 0.15)), (0.36, shell)):
        pen.line(_ring(radius), tone, 0.035)
    pen.blob(outline("-380,330 -300,240 300,240 380,330 0,290"), [shell, darker(shell, 0.3)])
    pen.line([(-0.24, 0.8), (-0.14, 0.9), (-0.02, 0.94)], (*SHINE, 170), 0.03, curved=True)


def _ring(radius: float) -> list[tuple[float, float]]:
    turns = [math.tau * step / 48 for step in range(49)]
    return [(radius * math.cos(turn), 0.62 + radius * math.sin(turn)) for turn in turns]


_HATS = {"cap": _cap, "toque": _toque, "fedora": _fedora, "crown": _crown, "helmet": _helmet}

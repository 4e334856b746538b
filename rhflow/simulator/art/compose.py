"""From a prompt to a painted picture: place, subjects, light, grain."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from functools import lru_cache

from PIL import Image, ImageChops

from rhflow.media.image import Size
from rhflow.simulator.art import beings, indoors, land, outdoors, places, wild
from rhflow.simulator.art.brief import OUTDOORS, PEOPLE, Brief, read_brief
from rhflow.simulator.art.canvas import Canvas, Pen
from rhflow.simulator.art.palette import palette_for

_PLACES: Mapping[str, Callable[[Canvas], land.Spot]] = {
    "sea": land.sea, "hills": land.hills, "field": land.field, "desert": land.desert,
    "mountains": wild.mountains, "forest": wild.forest,
    "city": places.city, "road": places.road, "space": places.space,
    "studio": places.studio, "backdrop": places.backdrop, "table": places.table,
}  # fmt: skip
_SUBJECTS: Mapping[str, Callable[[Pen], None]] = {
    "lighthouse": outdoors.lighthouse, "boat": outdoors.boat, "tree": outdoors.tree, "house": outdoors.house,
    "balloon": outdoors.balloon, "bird": outdoors.bird, "rocket": outdoors.rocket,
    "bottle": indoors.bottle, "cup": indoors.cup, "teapot": indoors.teapot,
    "flower": indoors.flower, "wildflower": indoors.wildflower,
    "phone": indoors.phone, "box": indoors.box, "shoe": indoors.shoe,
    "cat": beings.cat, "dog": beings.dog, "robot": beings.robot, "car": beings.car,
    "portrait": beings.portrait, "woman": beings.woman, "man": beings.man,
}  # fmt: skip
_SCALES: Mapping[str, float] = {
    "shoe": 0.62,
    "car": 1.0,
    "house": 0.8,
    "cup": 0.86,
    "box": 0.86,
    "teapot": 0.9,
    "flower": 1.25,
    "tree": 1.3,
    "boat": 0.86,
    "balloon": 0.9,
}
_AT_SEA = frozenset({"lighthouse", "boat", "bird", "balloon", "rocket"})
_FLYING = frozenset({"balloon", "bird", "rocket"})
_MOST_PIXELS = 4_400_000
_DETAIL = 1.9


def paint(prompt: str, size: Size, *, seed: int) -> Image.Image:
    """Return a picture of ``size`` pixels for ``prompt``; another ``seed`` gives another take of the same subject."""
    brief = read_brief(prompt, seed=seed)
    scale = min(_DETAIL, math.sqrt(_MOST_PIXELS / (size[0] * size[1])))
    indoors = brief.place in ("studio", "backdrop", "table")
    palette = palette_for(brief.hour, accent=brief.accent, bloom=brief.bloom, indoors=indoors, seed=seed)
    canvas = Canvas((max(8, round(size[0] * scale)), max(8, round(size[1] * scale))), palette=palette, seed=seed)
    spot = _PLACES[brief.place](canvas)
    _stand(canvas, brief, spot)
    _vignette(canvas)
    image = canvas.image.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
    return with_grain(image, seed=seed)


def add_subject(image: Image.Image, prompt: str, *, seed: int) -> Image.Image:
    """Return ``image`` with the first subject that ``prompt`` names drawn into it, or unchanged when it names none."""
    brief = read_brief(prompt, seed=seed)
    if not brief.subjects:
        return image
    palette = palette_for("day", accent=brief.accent, bloom=None, indoors=True, seed=seed)
    canvas = Canvas((2 * image.width, 2 * image.height), palette=palette, seed=seed)
    canvas.replace(image.resize(canvas.image.size, Image.Resampling.BILINEAR))
    name = brief.subjects[0]
    flying = name in _FLYING
    foot = (canvas.width * canvas.random.choice((0.26, 0.74)), canvas.height * (0.5 if flying else 0.88))
    _SUBJECTS[name](canvas.pen(foot, canvas.unit * 0.34 * _SCALES.get(name, 1.0)))
    return canvas.image.resize(image.size, Image.Resampling.BOX)


def _stand(canvas: Canvas, brief: Brief, spot: land.Spot) -> None:
    """Put the subjects in: the second one smaller, further off and on the other side."""
    if brief.place == "sea" and brief.subjects and brief.subjects[0] not in _AT_SEA:
        land.beach(canvas)
        spot = land.Spot((spot.foot[0], canvas.height * 0.9), spot.height * 0.85)
    for index, name in reversed(list(enumerate(brief.subjects))):
        x, y = spot.foot
        height = spot.height * _SCALES.get(name, 1.0)
        if name in PEOPLE:
            x, y, height = canvas.width * 0.5, canvas.height * 1.0, min(canvas.height * 0.8, canvas.unit)
        if name in _FLYING and brief.place not in ("studio", "table"):
            y -= canvas.height * (0.4 if name == "balloon" else 0.2)
        if name == "lighthouse" and brief.place == "sea":
            height *= 1.08
        if name == "boat" and brief.place == "mountains":
            x, y, height = canvas.width * 0.62, canvas.height * 0.83, height * 0.7
        if name == "flower" and brief.place in OUTDOORS:
            name = "wildflower"
        if index:
            x, y, height = _second_place(canvas, brief, (x, y), height)
        _SUBJECTS[name](canvas.pen((x, y), height))


def _second_place(
    canvas: Canvas, brief: Brief, first: tuple[float, float], height: float
) -> tuple[float, float, float]:
    if brief.place in OUTDOORS:
        if brief.place == "mountains":
            return canvas.width * 0.24, canvas.height * 0.728, height * 0.3
        x = canvas.width - first[0] + canvas.unit * 0.05
        apart = 0.55 if brief.subjects[0] in PEOPLE else 0.3
        if abs(x - first[0]) < canvas.unit * apart:
            x = first[0] + canvas.unit * (apart if first[0] < canvas.width / 2 else -apart)
        return x, min(first[1], canvas.height * 0.95) - canvas.height * 0.05, height * 0.45
    side = canvas.random.choice((-1, 1))
    return first[0] + side * canvas.unit * 0.36, first[1] + canvas.unit * 0.06, height * 0.6


def _vignette(canvas: Canvas) -> None:
    """Darken the corners a little."""
    small = Image.radial_gradient("L").point([round(max(0, value - 135) * 0.55) for value in range(256)])
    mask = small.resize((64, 64)).resize(canvas.image.size, Image.Resampling.BICUBIC)
    canvas.image.paste((8, 8, 20), (0, 0), mask)


@lru_cache(maxsize=2)
def _noise(seed: int) -> Image.Image:
    return Image.frombytes("L", (512, 512), random.Random(seed).randbytes(512 * 512))


def with_grain(image: Image.Image, *, seed: int) -> Image.Image:
    """Return ``image`` with a trace of grain, which also hides the steps of its gradients."""
    tile = _noise(seed % 2).point([value // 86 for value in range(256)])
    grain = Image.new("L", image.size)
    for top in range(0, image.height, 512):
        for left in range(0, image.width, 512):
            grain.paste(tile, (left, top))
    return ImageChops.subtract(image, Image.merge("RGB", (grain, grain, grain)))

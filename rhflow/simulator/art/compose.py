"""From a prompt to a painted picture: place, subjects, light, manner, grain."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

from PIL import Image, ImageChops

from rhflow.media.image import Size
from rhflow.simulator.art import abstract, beings, food, furniture, indoors, land, outdoors, places, rooms, wild
from rhflow.simulator.art.brief import Brief, Figure, read_brief
from rhflow.simulator.art.canvas import Canvas, Pen
from rhflow.simulator.art.layout import AT_SEA, FLYING, SCALES, TABLE_EDGE, arrange
from rhflow.simulator.art.manners import MANNERS
from rhflow.simulator.art.palette import palette_for
from rhflow.simulator.art.people import person
from rhflow.simulator.art.vocabulary import OUTDOORS, PEOPLE

_PLACES: Mapping[str, Callable[[Canvas], land.Spot]] = {
    "sea": land.sea, "hills": land.hills, "field": land.field, "desert": land.desert,
    "mountains": wild.mountains, "forest": wild.forest,
    "city": places.city, "street": places.street, "road": places.road, "space": places.space,
    "studio": rooms.studio, "backdrop": rooms.backdrop, "table": rooms.table, "marble": rooms.marble,
    "room": rooms.room, "abstract": abstract.abstract,
}  # fmt: skip
_SUBJECTS: Mapping[str, Callable[[Pen], None]] = {
    "lighthouse": outdoors.lighthouse, "boat": outdoors.boat, "tree": outdoors.tree, "house": outdoors.house,
    "balloon": outdoors.balloon, "bird": outdoors.bird, "rocket": outdoors.rocket,
    "bottle": indoors.bottle, "cup": indoors.cup, "teapot": indoors.teapot,
    "flower": indoors.flower, "wildflower": indoors.wildflower,
    "phone": indoors.phone, "box": indoors.box, "shoe": indoors.shoe,
    "sofa": furniture.sofa, "chair": furniture.chair, "lamp": furniture.lamp, "book": furniture.book,
    "candle": furniture.candle, "bicycle": furniture.bicycle,
    "sushi": food.sushi, "bowl": food.bowl, "pizza": food.pizza, "burger": food.burger, "cake": food.cake,
    "fruit": food.fruit, "bread": food.bread, "plate": food.plate,
    "cat": beings.cat, "dog": beings.dog, "robot": beings.robot, "car": beings.car,
}  # fmt: skip
_MOST_PIXELS = 4_400_000
_DETAIL = 1.9
_DETAIL_IN_A_MANNER = 1.25


def paint(prompt: str, size: Size, *, seed: int) -> Image.Image:
    """Return a picture of ``size`` pixels for ``prompt``; another ``seed`` gives another take of the same subject."""
    brief = read_brief(prompt, seed=seed)
    detail = _DETAIL_IN_A_MANNER if brief.manner else _DETAIL
    scale = min(detail, math.sqrt(_MOST_PIXELS / (size[0] * size[1])))
    indoors = brief.place not in OUTDOORS and brief.place != "space"
    palette = palette_for(brief.hour, accent=brief.accent, bloom=brief.bloom, indoors=indoors, seed=seed)
    canvas = Canvas((max(8, round(size[0] * scale)), max(8, round(size[1] * scale))), palette=palette, seed=seed)
    spot = _PLACES[brief.place](canvas)
    if brief.manner == "photo":
        _out_of_focus(canvas)
    _stand(canvas, brief, spot)
    _vignette(canvas)
    image = canvas.image.resize(size, Image.Resampling.BICUBIC, reducing_gap=3.0)
    if brief.manner:
        image = MANNERS[brief.manner](image, random.Random(seed))
    return with_grain(image, seed=seed)


def add_subject(image: Image.Image, prompt: str, *, seed: int) -> Image.Image:
    """Return ``image`` with the first subject that ``prompt`` names drawn into it, or unchanged when it names none."""
    brief = read_brief(prompt, seed=seed)
    if not brief.figures:
        return image
    palette = palette_for("day", accent=brief.accent, bloom=None, indoors=True, seed=seed)
    canvas = Canvas((2 * image.width, 2 * image.height), palette=palette, seed=seed)
    canvas.replace(image.resize(canvas.image.size, Image.Resampling.BILINEAR))
    figure = brief.figures[0]
    flying = figure.name in FLYING
    foot = (canvas.width * canvas.random.choice((0.26, 0.74)), canvas.height * (0.5 if flying else 0.88))
    height = canvas.unit * 0.34 * SCALES.get(figure.name, 1.0)
    if figure.name in PEOPLE:
        foot, height = (foot[0], float(canvas.height)), canvas.unit * 0.55
    _draw(canvas.pen(foot, height), figure, wild_flowers=False)
    return canvas.image.resize(image.size, Image.Resampling.BOX)


def _stand(canvas: Canvas, brief: Brief, spot: land.Spot) -> None:
    """Put the subjects in; people at a table sit behind it."""
    ashore = [each for each in brief.figures if each.name not in AT_SEA and each.name not in PEOPLE]
    if brief.place == "sea" and ashore:
        land.beach(canvas)
        spot = land.Spot(spot.foot, spot.height * 0.85)
    if brief.place == "field" and len(brief.figures) > 1:  # its flowers are there already
        brief = replace(brief, figures=tuple(each for each in brief.figures if each.name != "flower"))
    placed = arrange(canvas, brief, spot)
    front = None
    if brief.place == "table" and any(each.figure.name in PEOPLE for each in placed):
        edge = round(canvas.height * TABLE_EDGE)
        front = (canvas.image.crop((0, edge, canvas.width, canvas.height)), (0, edge))
        placed.sort(key=lambda each: each.figure.name not in PEOPLE)
    for each in placed:
        if front is not None and each.figure.name not in PEOPLE:
            canvas.image.paste(*front)
            front = None
        pen = canvas.pen(each.foot, each.height)
        _draw(pen, each.figure, wild_flowers=brief.place in OUTDOORS)
    if front is not None:
        canvas.image.paste(*front)


def _draw(pen: Pen, figure: Figure, *, wild_flowers: bool) -> None:
    """Draw one of a figure, in its own colour where the prompt says one."""
    palette = pen.canvas.palette
    if figure.accent is not None:
        pen.canvas.palette = replace(palette, accent=figure.accent, named=True)
    elif palette.named:
        pen.canvas.palette = replace(palette, named=False)
    if figure.name in PEOPLE:
        person(pen, sex=figure.name, age=figure.age, hat=figure.hat)
    else:
        _SUBJECTS["wildflower" if figure.name == "flower" and wild_flowers else figure.name](pen)
    pen.canvas.palette = palette


def _out_of_focus(canvas: Canvas) -> None:
    """Blur what is behind the subjects, as a lens does."""
    small = canvas.image.resize((max(4, canvas.width // 14), max(4, canvas.height // 14)), Image.Resampling.BOX)
    canvas.replace(small.resize(canvas.image.size, Image.Resampling.BICUBIC))


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

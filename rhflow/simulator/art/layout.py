"""Who stands where: people in front, things beside each other on the ground, what flies above; nobody hides anybody.

Widths are known for every subject, so a row is made to fit the room there is, and many stand in two rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from rhflow.simulator.art.brief import Brief, Figure
from rhflow.simulator.art.canvas import Canvas, Point
from rhflow.simulator.art.furniture import SEAT
from rhflow.simulator.art.land import Spot
from rhflow.simulator.art.vocabulary import FOOD, OUTDOORS, PEOPLE

SCALES: Final[Mapping[str, float]] = {
    "shoe": 0.62, "house": 0.8, "cup": 0.86, "box": 0.86, "teapot": 0.9, "flower": 1.25, "tree": 1.3, "boat": 0.86,
    "balloon": 0.9, "burger": 0.95, "cake": 1.0, "bowl": 1.1, "fruit": 1.1, "sushi": 1.3, "bread": 1.15,
    "pizza": 1.2, "plate": 1.2,
    "book": 0.62, "lamp": 1.5, "bicycle": 0.7, "candle": 0.8, "chair": 0.9,
}  # fmt: skip
HALVES: Final[Mapping[str, float]] = {
    "lighthouse": 0.36, "boat": 0.46, "bottle": 0.26, "teapot": 0.68, "cup": 0.6, "cat": 0.36, "dog": 0.4, "car": 1.05,
    "balloon": 0.37, "house": 0.64, "flower": 0.34, "rocket": 0.24, "robot": 0.42, "phone": 0.26, "box": 0.47,
    "shoe": 0.8, "tree": 0.44, "bird": 0.5, "sofa": 1.24, "chair": 0.58, "lamp": 0.26, "book": 0.78, "candle": 0.28,
    "sushi": 0.92, "bowl": 0.78, "pizza": 0.86, "burger": 0.68, "cake": 0.68, "fruit": 0.54, "bread": 0.9,
    "plate": 0.84, "bicycle": 0.88,
}  # fmt: skip
"""Half of how wide a subject is, for a height of 1.0."""
FLYING: Final = frozenset({"balloon", "bird", "rocket"})
AT_SEA: Final = frozenset({"lighthouse", "boat"}) | FLYING
_LARGE: Final = frozenset({"lighthouse", "house", "tree", "sofa", "car"})
_SEATS: Final = frozenset({"sofa", "chair"})
_SITTING: Final = frozenset({"cat", "dog", "robot", "book", "box"})
_MOST: Final = 7
TABLE_EDGE: Final = 0.66


class Placed(NamedTuple):
    """One of a figure, where its foot is and how tall it is, in pixels."""

    figure: Figure
    foot: Point
    height: float


def arrange(canvas: Canvas, brief: Brief, spot: Spot) -> list[Placed]:
    """Return everybody who is in the picture, those at the back first."""
    spot = Spot(spot.foot, spot.height * brief.scale)
    people = [each for each in brief.figures if each.name in PEOPLE]
    flying = [each for each in brief.figures if each.name in FLYING and brief.place not in ("studio", "table")]
    things = [each for each in brief.figures if each not in people and each not in flying]
    left, right = 0.04, 0.96
    middle = 0.5
    if people and (things or flying):
        broad = canvas.width > 1.25 * canvas.height
        middle = 0.3 if broad else 0.36
        left = 0.56 if broad else 0.6
        if spot.foot[0] < canvas.width / 2:
            middle, left, right = 1 - middle, 0.04, 1 - left
    ground = _ground(canvas, brief, things, spot, (left * canvas.width, right * canvas.width))
    above = _sky(canvas, brief, flying, spot, (left * canvas.width, right * canvas.width))
    alone = not things and not flying
    return [*above, *ground, *_people(canvas, brief, people, middle * canvas.width, alone=alone)]


def _each(figures: Sequence[Figure]) -> list[Figure]:
    return [each for each in figures for _ in range(min(each.count, _MOST))][: _MOST + 2]


def _people(canvas: Canvas, brief: Brief, figures: Sequence[Figure], middle: float, *, alone: bool) -> list[Placed]:
    """Return people from the chest up along the lower edge, or behind the table."""
    everybody = _each(figures)
    if not everybody:
        return []
    count, width = len(everybody), canvas.width
    at_table = brief.place == "table"
    room = 0.96 * width if alone else 2 * min(middle, width - middle)
    height = min(canvas.height * (0.52 if at_table else 0.8 if alone else 0.72), canvas.unit * (1.0 if alone else 0.86))
    height = min(height, room / (0.3 + 0.84 * count)) if count > 1 else min(height, max(room, 0.62 * width) / 0.95)
    height *= brief.scale if alone or brief.scale < 1 else 1.0
    floor = canvas.height * (TABLE_EDGE + 0.02 if at_table else 1.0)
    placed = []
    for index, each in enumerate(everybody):
        x = middle + (index - (count - 1) / 2) * 0.84 * height
        tall = height * (0.8 if each.age == "child" else 1.0)
        tall *= 1.0 - 0.05 * (index % 2) * (count > 1)
        placed.append(Placed(each, (x, floor), tall))
    return placed


def _sky(
    canvas: Canvas, brief: Brief, figures: Sequence[Figure], spot: Spot, room: tuple[float, float]
) -> list[Placed]:
    everybody = _each(figures)
    placed = []
    span = (room[1] - room[0]) / max(1, len(everybody))
    for index, each in enumerate(everybody):
        one = len(everybody) == 1
        x = spot.foot[0] if one and room[0] < spot.foot[0] < room[1] else room[0] + span * (index + 0.5)
        height = min(spot.height * SCALES.get(each.name, 1.0), span / (2 * HALVES[each.name]) * 1.1)
        height *= 1.0 if one else (1.0, 0.62, 0.8)[index % 3]
        lift = 0.4 if each.name == "balloon" else 0.2
        y = spot.foot[1] - canvas.height * (lift + 0.07 * (index % 3) * (not one))
        if brief.place == "space":
            y = spot.foot[1]
        placed.append(Placed(each, (x, max(y, height * 1.03)), height))
    return placed


def _ground(
    canvas: Canvas, brief: Brief, figures: Sequence[Figure], spot: Spot, room: tuple[float, float]
) -> list[Placed]:
    """Return things in a row, or on the seat that one of them is."""
    seats = [each for each in figures if each.name in _SEATS]
    if seats and (sitting := [each for each in figures if each.name in _SITTING]):
        rest = [each for each in figures if each not in sitting]
        placed = _row(canvas, brief, rest, spot, room)
        seat = next(each for each in placed if each.figure.name in _SEATS)
        return [*placed, *_seated(seat, sitting)]
    everybody = _each(figures)
    tall = canvas.height > 0.95 * canvas.width
    if tall and len(everybody) >= 3 and _fitting(everybody, brief, spot, room) < 0.62 * spot.height:
        everybody.sort(key=lambda each: each.name in _LARGE)
        half = len(everybody) // 2
        height = _fitting(everybody[:half], brief, spot, room) * SCALES.get(everybody[0].name, 1.0)
        lift = max(0.11, 0.6 * height / canvas.height)
        return [
            *_row(canvas, brief, everybody[half:], spot, room, lift=lift - 0.04),
            *_row(canvas, brief, everybody[:half], spot, room, lift=-0.04),
        ]
    return _row(canvas, brief, figures, spot, room)


def _seated(seat: Placed, figures: Sequence[Figure]) -> list[Placed]:
    everybody = _each(figures)
    width = seat.height * (1.75 if seat.figure.name == "sofa" else 0.6)
    span = width / len(everybody)
    height = min(seat.height * 0.78, span / (2 * max(HALVES[each.name] for each in everybody)) * 1.05)
    y = seat.foot[1] - (SEAT - 0.07) * seat.height
    return [
        Placed(each, (seat.foot[0] - width / 2 + span * (index + 0.5), y), height * SCALES.get(each.name, 1.0))
        for index, each in enumerate(everybody)
    ]


def _share(each: Figure, first: Figure, brief: Brief) -> float:
    """Return how tall a figure is beside the first one."""
    share = SCALES.get(each.name, 1.0)
    if each.name == first.name or each.name in _LARGE or brief.place not in OUTDOORS:
        return share * (0.7 if first.name in FOOD and each.name not in FOOD and each.name != first.name else 1.0)
    return share * 0.55


def _fitting(everybody: Sequence[Figure], brief: Brief, spot: Spot, room: tuple[float, float]) -> float:
    """Return the height at which a row fits."""
    needed = sum(2.1 * HALVES[each.name] * _share(each, everybody[0], brief) for each in everybody)
    return min(spot.height, (room[1] - room[0]) / needed)


def _row(
    canvas: Canvas,
    brief: Brief,
    figures: Sequence[Figure],
    spot: Spot,
    room: tuple[float, float],
    *,
    lift: float | None = None,
) -> list[Placed]:
    """Return a row around the spot.

    ``lift`` is how much higher it stands, as a share of the canvas; with one, the figures have been counted out.
    """
    everybody = _each(figures) if lift is None else list(figures)
    if not everybody:
        return []
    height = _fitting(everybody, brief, spot, room)
    widths = [2.1 * HALVES[one.name] * _share(one, everybody[0], brief) * height for one in everybody]
    total = sum(widths)
    start = min(max(spot.foot[0] - widths[0] / 2, room[0]), room[1] - total)
    if len(everybody) > 1 or brief.place not in OUTDOORS:
        start = min(max(spot.foot[0] - total / 2, room[0]), room[1] - total)
    placed = []
    for index, (one, width) in enumerate(zip(everybody, widths, strict=True)):
        place = (start + width / 2, _level(canvas, brief, one, spot.foot[1], index) - canvas.height * (lift or 0.0))
        tall = _share(one, everybody[0], brief) * height
        tall *= 1.08 if one.name == "lighthouse" and total < 0.5 * (room[1] - room[0]) else 1.0
        tall *= 1.0 - 0.09 * (index % 2) * (one.count > 1)
        placed.append(Placed(one, place, tall))
        start += width
    return sorted(placed, key=lambda one: one.foot[1])


def _level(canvas: Canvas, brief: Brief, one: Figure, floor: float, index: int) -> float:
    """Return the height of the ground under a figure."""
    if brief.place == "sea":
        return canvas.height * 0.76 - canvas.height * 0.03 * (index % 2) if one.name in AT_SEA else canvas.height * 0.9
    if brief.place == "mountains" and one.name == "boat":
        return canvas.height * 0.83
    further = index > 0 and brief.place in OUTDOORS and one.name not in _LARGE
    return floor - canvas.height * (0.03 if further else 0.012 * (index % 2))

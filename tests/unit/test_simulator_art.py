"""Pictures from words: every place and subject, chosen by the words, repeatable, never the same picture twice."""

from __future__ import annotations

import itertools

import pytest
from PIL import ImageStat

from rhflow.media.camera import View, eased
from rhflow.simulator.art.brief import read_brief
from rhflow.simulator.art.canvas import Canvas
from rhflow.simulator.art.compose import paint
from rhflow.simulator.art.land import Spot
from rhflow.simulator.art.layout import HALVES, arrange
from rhflow.simulator.art.palette import HOURS as PALETTES
from rhflow.simulator.art.vocabulary import HOURS, PEOPLE, PLACES, SUBJECTS
from rhflow.simulator.art.vocabulary import MANNERS as VOCABULARY_MANNERS
from rhflow.simulator.grades import _GRADES, regrade
from rhflow.simulator.motion import camera, views


@pytest.mark.parametrize(
    ("prompt", "place", "hour", "subjects"),
    [
        ("a red lighthouse on a cliff at sunset", "sea", "sunset", ("lighthouse",)),
        ("Nimbus bottle on a marble plinth, soft studio light", "studio", None, ("bottle",)),
        ("cup of tea on a wooden table, morning", "table", "dawn", ("cup",)),
        ("cyberpunk Tokyo street, neon, rain", "street", "neon", ()),
        ("neon Tokyo at night", "city", "neon", ()),
        ("three cats on a red sofa", "room", None, ("cat", "sofa")),
        ("sushi", "table", None, ("sushi",)),
        ("perfume bottle on marble", "marble", None, ("bottle",)),
        ("portrait of a woman", "backdrop", None, ("woman",)),
        ("a man with a dog, two people in a park", "hills", None, ("man", "dog")),
        ("a product packshot", "studio", None, ("bottle",)),
        ("a cat on the beach", "sea", None, ("cat",)),
        ("hot air balloons over a field of poppies", "field", None, ("balloon", "flower")),
        ("snowy mountains", "mountains", "winter", ()),
        ("夜晚的城市", "city", "night", ()),
        ("一只猫", "table", None, ("cat",)),
    ],
)
def test_words_are_understood(prompt: str, place: str, hour: str | None, subjects: tuple[str, ...]) -> None:
    brief = read_brief(prompt, seed=1)
    assert (brief.place, brief.subjects) == (place, subjects)
    assert hour is None or brief.hour == hour


def test_colours_belong_to_the_subject() -> None:
    assert read_brief("rolling green hills with a cottage", seed=1).accent is None
    assert read_brief("a red car on a green hill", seed=1).accent == read_brief("car, red", seed=1).accent


def test_what_nobody_can_draw_is_no_wrong_scene() -> None:
    briefs = [read_brief(f"zorp {index}", seed=1) for index in range(30)]
    assert {brief.place for brief in briefs} == {"abstract"}
    assert len({brief.hour for brief in briefs}) > 2
    assert read_brief("zorp 1", seed=1).hour == read_brief("zorp 1", seed=9).hour


@pytest.mark.parametrize(
    ("prompt", "count"),
    [
        ("three cats on a sofa", 3),
        ("a cat", 1),
        ("两只猫", 2),
        ("dogs in a park", 3),
        ("2 boats", 2),
        ("two old women", 2),
    ],
)
def test_subjects_are_counted(prompt: str, count: int) -> None:
    assert read_brief(prompt, seed=1).figures[0].count == count


def test_people_are_as_old_as_said() -> None:
    def who(prompt: str) -> tuple[str, str, str]:
        (figure,) = [each for each in read_brief(prompt, seed=1).figures if each.name in PEOPLE]
        return figure.name, figure.age, figure.hat

    assert who("an old fisherman") == ("man", "old", "cap")
    assert who("portrait of an elderly lady") == ("woman", "old", "")
    assert who("a little girl in an old house") == ("woman", "child", "")
    assert who("a woman with her dog") == ("woman", "", "")


CROWDED = [
    "a lighthouse and an old man",
    "three cats on a red sofa",
    "five boats and a lighthouse",
    "two dogs and a house",
    "a cup, a teapot and a cake on a table",
    "seven cats on the beach",
]


@pytest.mark.parametrize("size", [(1368, 768), (768, 768), (576, 1024)])
@pytest.mark.parametrize("prompt", CROWDED)
def test_nobody_stands_in_front_of_another(prompt: str, size: tuple[int, int]) -> None:
    brief = read_brief(prompt, seed=1)
    canvas = Canvas(size, palette=PALETTES["day"], seed=1)
    placed = arrange(canvas, brief, Spot((size[0] * 0.5, size[1] * 0.85), min(size) * 0.45))
    assert len(placed) == sum(each.count for each in brief.figures)
    rows: dict[float, list[tuple[float, float]]] = {}
    for each in placed:
        half = 0.2 if each.figure.name in PEOPLE else 0.8 * HALVES[each.figure.name]
        if each.figure.name != "sofa":
            rows.setdefault(round(each.foot[1] / size[1], 1), []).append(
                (each.foot[0] - half * each.height, each.foot[0] + half * each.height)
            )
    for spans in rows.values():
        spans.sort()
        assert all(left[1] <= right[0] + 1 for left, right in itertools.pairwise(spans))
        assert spans[0][0] > -0.02 * size[0] and spans[-1][1] < 1.02 * size[0]


def test_every_manner_looks_different() -> None:
    signs = [text.split()[0] for text in VOCABULARY_MANNERS.values()]
    pictures = {sign: paint(f"a lighthouse on a day, {sign}", (96, 64), seed=2).tobytes() for sign in ["", *signs]}
    for one, other in itertools.combinations(pictures, 2):
        apart = sum(abs(a - b) for a, b in zip(pictures[one], pictures[other], strict=True)) / (96 * 64 * 3)
        assert apart > 4, (one, other)


PROMPTS = [text.split()[0] for table in (PLACES, SUBJECTS, HOURS) for text in table.values()]


@pytest.mark.parametrize("word", sorted(set(PROMPTS)))
def test_every_word_gives_a_picture(word: str) -> None:
    image = paint(f"{word} and another boat", (96, 64), seed=3)
    assert image.size == (96, 64)
    assert sum(ImageStat.Stat(image).stddev) > 15  # something is to be seen
    assert len(set(image.resize((12, 8)).convert("RGB").tobytes())) > 20


def test_every_hour_has_a_palette() -> None:
    assert set(HOURS) <= set(PALETTES)


@pytest.mark.parametrize("size", [(16, 16), (300, 40), (40, 300)])
def test_odd_sizes(size: tuple[int, int]) -> None:
    for prompt in ("portrait", "city at night", "a cat and a teapot on a table", "planet", "desert", "forest"):
        assert paint(prompt, size, seed=1).size == size


def test_the_seed_decides() -> None:
    def bytes_of(seed: int) -> bytes:
        return paint("mountains", (80, 80), seed=seed).tobytes()

    assert bytes_of(1) == bytes_of(1) != bytes_of(2)


EDITS = [*(text.split()[0] for text in _GRADES.values()), "nothing known", "close-up", "add a balloon"]


@pytest.mark.parametrize("words", EDITS)
def test_every_grade_changes_the_picture_and_keeps_its_size(words: str) -> None:
    image = paint("a house on a hill, day", (90, 60), seed=1)
    result = regrade(image, words, seed=4)
    assert (result.mode, result.size) == ("RGB", (90, 60))
    assert result.tobytes() != image.tobytes()
    assert result.tobytes() == regrade(image, words, seed=4).tobytes()


MOVES = "push in|slow pull out|pan left|pan right|tilt up|tilt down fast|orbit|handheld|static|"


@pytest.mark.parametrize("prompt", MOVES.split("|"))
def test_a_camera_moves_and_stays_inside(prompt: str) -> None:
    seen = [view.box((400, 200)) for view in views(prompt, count=49, seed=5)]
    assert seen[0] != seen[-1] or seen[0] != seen[24]
    for left, top, right, bottom in seen:
        assert -1e-9 <= left < right <= 400 + 1e-9
        assert -1e-9 <= top < bottom <= 200 + 1e-9
        assert (right - left) / (bottom - top) == pytest.approx(2.0)


def test_directions() -> None:
    def ends(prompt: str) -> tuple[View, View]:
        path = camera(prompt, seed=0)
        return path(0.0), path(1.0)

    for prompt, part, sign in [
        ("slow push in", "zoom", 1),
        ("pull out to reveal", "zoom", -1),
        ("pan left", "x", -1),
        ("pan right", "x", 1),
        ("tilt up", "y", -1),
        ("tilt down", "y", 1),
    ]:
        first, last = ends(prompt)
        assert (getattr(last, part) - getattr(first, part)) * sign > 0.05, prompt


def test_eased_starts_and_ends_gently() -> None:
    steps = [eased(index / 100) for index in range(101)]
    assert (steps[0], steps[50], steps[100]) == pytest.approx((0.0, 0.5, 1.0))
    assert steps[1] < 0.001
    assert eased(-1) == 0.0
    assert eased(2) == 1.0

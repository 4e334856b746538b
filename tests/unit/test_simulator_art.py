"""Pictures from words: every place and subject, chosen by the words, repeatable, never the same picture twice."""

from __future__ import annotations

import pytest
from PIL import ImageStat

from rhflow.media.camera import View, eased
from rhflow.simulator.art.brief import HOURS, PLACES, SUBJECTS, read_brief
from rhflow.simulator.art.compose import paint
from rhflow.simulator.art.palette import HOURS as PALETTES
from rhflow.simulator.grades import _GRADES, regrade
from rhflow.simulator.motion import camera, views


@pytest.mark.parametrize(
    ("prompt", "place", "hour", "subjects"),
    [
        ("a red lighthouse on a cliff at sunset", "sea", "sunset", ("lighthouse",)),
        ("Nimbus bottle on a marble plinth, soft studio light", "studio", None, ("bottle",)),
        ("cup of tea on a wooden table, morning", "table", "dawn", ("cup",)),
        ("cyberpunk Tokyo street, neon, rain", "city", "neon", ()),
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


def test_what_nobody_named_is_chosen_by_the_words() -> None:
    first = read_brief("zorp quux", seed=1)
    assert (first.place, first.hour) == (read_brief("zorp quux", seed=2).place, read_brief("zorp quux", seed=9).hour)
    assert len({read_brief(f"zorp {index}", seed=1).place for index in range(30)}) == 5


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

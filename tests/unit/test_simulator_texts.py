"""What the simulator's text models write: the JSON that a prompt asks for, about the subject of the prompt."""

from __future__ import annotations

from typing import Any

import pytest

from rhflow.simulator.writing.notation import Slot, find_sample
from rhflow.simulator.writing.prose import write_prose
from rhflow.simulator.writing.shape import counted_noun, read_count, read_shape
from rhflow.simulator.writing.subject import subject_of
from rhflow.simulator.writing.values import Topic, fill


def written(prompt: str) -> Any:
    """Return what a text model gives for a prompt that asks for JSON."""
    shape = read_shape(prompt)
    return fill(shape.sample, Topic(subject_of(prompt), counted_noun(prompt)), count=shape.count)


@pytest.mark.parametrize(
    ("prompt", "count"),
    [
        ("Five shots as JSON", 5),
        ("12 shots", 12),
        ("exactly twenty short scenes", 20),
        ("a dozen ideas", 12),
        ("four 5-second shots of a boat", 4),
        ("a 30 second film in three scenes", 3),
        ("a film of 10 seconds", None),
        ("a 16:9 picture, 2 words each", None),
        ("写五个镜头", 5),
        ("十二个场景", 12),
        ("二十条", 20),
        ("a list", None),
    ],
)
def test_counts(prompt: str, count: int | None) -> None:
    assert read_count(prompt) == count


@pytest.mark.parametrize(
    "prompt",
    [
        "Five shots of a red boat as a JSON list, each with key, prompt and seconds.",
        "Five shots of a red boat: JSON [{key, prompt, seconds}, ...]",
        'Five shots of a red boat as JSON objects with "key", "prompt" and "seconds" (a whole number).',
        'JSON like [{"key": "harbour", "prompt": "what is seen", "seconds": 4}] for five shots of a red boat',
        "five shots of a red boat, JSON array of {key: string; prompt: string; seconds: number}",
        "JSON array of five shots (key, prompt, seconds) of a red boat",
        "关于 red boat 的五个镜头，返回 JSON 列表，字段 key、prompt、seconds",
    ],
)
def test_shots_have_the_members_that_were_named(prompt: str) -> None:
    shots = written(prompt)
    assert [list(shot) for shot in shots] == [["key", "prompt", "seconds"]] * 5
    assert len({shot["key"] for shot in shots}) == 5
    for shot in shots:
        assert len(shot["key"]) <= 20 and " " not in shot["key"]
        assert "red boat" in shot["prompt"]
        assert isinstance(shot["seconds"], int) and 1 <= shot["seconds"] <= 10


def test_keys_are_unique_however_many_there_are() -> None:
    shots = written("120 shots of two cats as a JSON list of objects with key and prompt")
    assert len({shot["key"] for shot in shots}) == 120


def test_a_story_is_spread_over_its_shots() -> None:
    shots = written(
        'Split it into four shots: {"title": "", "shots": [{"key": "a-b", "prompt": "...", "camera": "..."}]}, JSON.\n'
        "Story: A girl finds a lamp in the attic. The lamp wakes a dragon. They fly over the town. The dragon sleeps."
    )
    assert list(shots) == ["title", "shots"]
    assert [shot["key"] for shot in shots["shots"]][:3] == ["attic", "dragon", "town"]
    assert ["dragon" in shot["prompt"] for shot in shots["shots"]] == [False, True, False, True]


def test_a_json_schema_is_followed() -> None:
    got = written(
        'Answer with JSON by this schema: {"type": "object", "properties": {"shots": {"type": "array", "minItems": 4, '
        '"items": {"type": "object", "properties": {"id": {"type": "string"}, "night": {"type": "boolean"}, '
        '"camera": {"enum": ["static", "pan"]}, "tags": {"type": "array", "items": {"type": "string"}}}}}}}. About tea.'
    )
    assert len(got["shots"]) == 4
    assert {shot["camera"] for shot in got["shots"]} == {"static", "pan"}
    assert {type(shot["night"]) for shot in got["shots"]} == {bool}
    assert all(len(shot["tags"]) == 3 and "tea" in got["shots"][0]["tags"] for shot in got["shots"])


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("JSON object with a list called `scenes` of two scenes, each with id and mood", {"scenes": 2}),
        ('a JSON object with a "scenes" array of 6 items, each with key and text', {"scenes": 6}),
        ('JSON: {"titles": ["..."]}, seven titles', {"titles": 7}),
    ],
)
def test_an_object_around_the_list(prompt: str, expected: dict[str, int]) -> None:
    assert {name: len(items) for name, items in written(prompt).items()} == expected


def test_one_object() -> None:
    got = written("a JSON object with the fields mood, is_night and colors for a street in Tokyo")
    assert (list(got), got["is_night"], len(got["colors"])) == (["mood", "is_night", "colors"], True, 3)


def test_without_a_shape_there_are_three_texts() -> None:
    assert [type(each) for each in written("JSON")] == [str] * 3


@pytest.mark.parametrize("text", ["[a note] on {the thing}", "{", "[" * 5000, "{a, }, {{{", '{"a" "b"}', ""])
def test_prose_is_no_example(text: str) -> None:
    assert find_sample(text) is None


def test_notations() -> None:
    sample = find_sample('see {a?: number, "b c": "x | y", d: string[], // why\n e: {f: true}, ...}')
    assert sample == {"a": Slot("number"), "b c": Slot(choices=("x", "y")), "d": [Slot("string")], "e": {"f": True}}


@pytest.mark.parametrize(
    ("prompt", "subject"),
    [
        ("Five shots for a film about an old man and his lighthouse, as a JSON list", "an old man and his lighthouse"),
        ("Plan an ad for the Nimbus bottle in four 5-second shots. JSON.", "the Nimbus bottle"),
        ("Caption this. Subject: a fox\nKeep it short.", "a fox Keep it short"),
        ('Ideas for "the winter of the bees" as JSON', "the winter of the bees"),
        ("JSON", ""),
        ("a story about the voice sim-7731-hidden", "the voice"),
        ("写五个关于老渔夫的镜头", "老渔夫"),
    ],
)  # fmt: skip
def test_the_subject_is_in_the_prompt(prompt: str, subject: str) -> None:
    assert subject_of(prompt) == subject


@pytest.mark.parametrize(
    ("prompt", "lines"),
    [
        ("a haiku about the first snow", 3),
        ("five titles for a film about the snow", 5),
        ("a caption for a photo of the snow", 1),
        ("a story about the snow", 5),
        ("a dialogue between the snow and a baker", 9),
        ("what about the snow", 1),
    ],
)
def test_prose_is_about_its_subject_and_marked(prompt: str, lines: int) -> None:
    text = write_prose(prompt, Topic(subject_of(prompt)))
    assert "snow" in text.casefold()
    assert text.endswith("(simulated)")
    assert len(text.removesuffix("(simulated)").strip().splitlines()) == lines

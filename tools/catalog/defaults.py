"""Which model serves a task when a step names none: a rule over the catalogue, never a hand-made pick.

The rule. A candidate for a task

1. is active, can be called, lists the task, and gives the output that is expected of it;
2. takes the inputs people expect of the task by their uniform names (``EXPECTED``): a clip can be five seconds
   long, and an upscaler enlarges a picture even when no factor is given;
3. does not, left alone, give something else than was asked for (``UNASKED``: music under the clip, a bare mesh);
4. is known with high confidence;
5. has a list price for that call, all other inputs at their own defaults;
6. needs nothing else: every other required field has a default;
7. is not sold through the ``low-price`` channel (cheaper, but without a promise of service).

Of the candidates the cheapest such call wins (five seconds where the price is per second, a thousand characters where
it is per character). For a task that starts from text, a family that also starts from a picture (image-to-image beside
text-to-image, and so on) goes before all others, because recipes mix the two. Between equals: the model with fewer
fields, then one called ``standard`` by its vendor, then the later version in the id.

Where nobody qualifies, conditions 4 to 7 are dropped in this order, one after another, until somebody does. ``other``
is a rest of unlike things and has no default.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rhflow.catalog.rows import model_from
from rhflow.core.cost import estimate
from rhflow.core.kinds import Field, Model

Row = Mapping[str, Any]
SECONDS = 5


@dataclass(frozen=True)
class Expected:
    """What people expect of a task: the output, and inputs, each by one of the uniform names separated by ``|``."""

    output: str
    inputs: tuple[str, ...]


def _takes(output: str, *inputs: str) -> Expected:
    return Expected(output, inputs)


EXPECTED: Mapping[str, Expected] = {
    "text-to-image": _takes("image", "prompt", "aspect_ratio"),
    "image-to-image": _takes("image", "prompt", "images", "aspect_ratio"),
    "text-to-video": _takes("video", "prompt", "duration", "aspect_ratio"),
    "image-to-video": _takes("video", "prompt", "image|first_frame", "duration"),
    "start-end-to-video": _takes("video", "prompt", "first_frame|image", "last_frame", "duration"),
    "reference-to-video": _takes("video", "prompt", "images", "duration", "aspect_ratio"),
    "video-edit": _takes("video", "prompt", "video"),
    "video-extend": _takes("video", "prompt", "video", "duration"),
    "motion-control": _takes("video", "prompt", "image", "video"),
    "video-effects": _takes("video", "image|video"),
    "upscale-image": _takes("image", "image", "enlarges"),
    "upscale-video": _takes("video", "video", "resolution"),
    "interpolate-video": _takes("video", "video"),
    "lip-sync": _takes("video", "image|video", "audio"),
    "text-to-speech": _takes("audio", "prompt", "voice"),
    "text-to-music": _takes("audio", "prompt"),
    "voice-clone": _takes("audio", "prompt", "audio", "voice"),
    "text-to-3d": _takes("model3d", "prompt"),
    "image-to-3d": _takes("model3d", "image"),
    "image-to-text": _takes("text", "prompt", "image"),
    "video-to-text": _takes("text", "prompt", "video"),
    "text-to-text": _takes("text", "prompt"),
    "upload-character": _takes("text", "video"),
    "element": _takes("text", "image"),
    "asset": _takes("text", "image", "video"),
}

# What a model does on its own that people would not expect of the task: field and default.
UNASKED: Mapping[str, object] = {"bgm": True, "requestType": "mesh"}


@dataclass(frozen=True)
class Candidate:
    """A model, and how it meets the rule."""

    row: Row
    model: Model
    cost: Decimal | None
    complete: bool

    def meets(self, dropped: int) -> bool:
        """Whether all conditions hold, without the first ``dropped`` of those that may be dropped."""
        conditions = (
            self.row["confidence"] == "high",
            self.cost is not None,
            self.complete,
            self.row.get("channel") != "low-price",
        )
        return all(conditions[dropped:])


def compute_defaults(rows: Sequence[Row]) -> dict[str, str]:
    """Return the id of the default model of each task that has one."""
    chosen = {task: ranked(rows, task) for task in EXPECTED}
    return {task: candidates[0].model.id for task, candidates in chosen.items() if candidates}


def ranked(rows: Sequence[Row], task: str) -> list[Candidate]:
    """Return the candidates for ``task``, the best first, at the first stage of the rule that has any."""
    everybody = _candidates(rows, task)
    preferred = _families_with_pictures(rows, task)
    for dropped in range(5):
        if some := [each for each in everybody if each.meets(dropped)]:
            some.sort(key=lambda each: _version(each.model.id), reverse=True)
            some.sort(key=lambda each: _rank(each, preferred))
            return some
    return []


def _families_with_pictures(rows: Sequence[Row], task: str) -> set[str]:
    """Return who makes from a picture, without any condition dropped, what ``task`` makes from text."""
    start, _, rest = task.partition("-")
    twin = f"image-{rest}"
    if start != "text" or twin not in EXPECTED:
        return set()
    return {each.row["family"] for each in _candidates(rows, twin) if each.meets(0)}


def _rank(candidate: Candidate, preferred: Collection[str]) -> tuple[bool, Decimal, int, bool]:
    row, model = candidate.row, candidate.model
    cost = Decimal("Infinity") if candidate.cost is None else candidate.cost
    return row["family"] not in preferred, cost, len(model.fields), "standard" not in model.id.split("-")


def _version(model_id: str) -> list[Any]:
    """Return an id as text and numbers in turn, so that 10 comes after 9."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", model_id)]


def _candidates(rows: Sequence[Row], task: str) -> list[Candidate]:
    """Return who meets the conditions that are never dropped."""
    found = (_candidate(row, EXPECTED[task]) for row in rows if task in row["tasks"])
    return [each for each in found if each is not None]


def _candidate(row: Row, expected: Expected) -> Candidate | None:
    model = model_from(row)
    if model.status != "active" or not model.callable or model.output != expected.output:
        return None
    if any(each.name in UNASKED and each.default == UNASKED[each.name] for each in model.fields):
        return None
    given: dict[str, Field] = {}
    for wanted in expected.inputs:
        found = next((each for each in model.fields if _serves(each, wanted)), None)
        if found is None:
            return None
        given[found.name] = found
    return Candidate(row, model, _cost(model, given), _complete(model, given))


def _serves(field: Field, wanted: str) -> bool:
    """Whether ``field`` takes the input that people expect, in the measure they expect it in."""
    if wanted == "enlarges":
        return field.name in ("scale", "upscale") and _number(field.default) > 1
    if field.alias not in wanted.split("|") or (field.alias in ("image", "video") and not field.is_media):
        return False
    if field.alias != "duration":
        return True
    if field.enum:
        return str(SECONDS) in field.enum
    return (field.minimum or 0) <= SECONDS <= (field.maximum or SECONDS)


def _number(value: object) -> float:
    digits = re.match(r"[\d.]+", str(value))
    return float(digits[0]) if digits else 0.0


def _complete(model: Model, given: Mapping[str, Field]) -> bool:
    required = [each for each in model.fields if each.required and each.default is None]
    reached = all(each.name in given for each in required)
    return reached and all(any(name in given for name in group) for group in model.any_of)


def _cost(model: Model, given: Mapping[str, Field]) -> Decimal | None:
    inputs: dict[str, Any] = {each.name: each.default for each in model.fields if each.default is not None}
    for name, each in given.items():
        if each.alias == "duration":
            inputs[name] = str(SECONDS)
        elif each.alias == "prompt":
            inputs[name] = "x" * 1000
    return estimate(model, inputs, seconds=SECONDS).high

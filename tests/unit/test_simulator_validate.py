"""What payloads the simulator takes: as strict as the wire."""

from __future__ import annotations

from typing import Any

import pytest

from rhflow.core.kinds import Field, Model
from rhflow.simulator.job import media_links
from rhflow.simulator.validate import problem_in
from tests.simulator_support import FewModels

LINK = "https://files.test/a.png"


def why(model: str, **inputs: Any) -> str | None:
    found = FewModels().find(model)
    assert found is not None
    return problem_in(found, inputs)


def one(field: Field, value: Any) -> str | None:
    return problem_in(Model("m", "M", "m", ("other",), "file", (field,)), {field.name: value})


@pytest.mark.parametrize(
    ("model", "inputs"),
    [
        ("paint", {"prompt": "a"}),
        ("paint", {"prompt": "a", "imageNum": "2", "seed": 0, "raw": False, "width": 1024, "webhookUrl": "https://h"}),
        ("edit", {"prompt": "a", "imageUrls": [LINK, "data:image/png;base64,iVBORw0KGgo="]}),
        ("move", {"prompt": "a", "firstImageUrl": "asset://1234", "duration": "5"}),
        ("tell", {"prompt": "a", "topics": ["x", "y"]}),
    ],
)
def test_taken(model: str, inputs: dict[str, Any]) -> None:
    assert why(model, **inputs) is None


@pytest.mark.parametrize(
    ("model", "inputs", "message"),
    [
        ("paint", {}, "`prompt` is required"),
        ("paint", {"prompt": "  "}, "`prompt` must not be blank"),
        ("paint", {"prompt": None}, "`prompt` must be a string"),
        ("paint", {"prompt": "x" * 201}, "`prompt` is longer than 200 characters"),
        ("paint", {"prompt": "a", "promt": "b"}, "`promt` is not a parameter of this model"),
        ("paint", {"prompt": "a", "imageNum": 2}, "`imageNum` must be one of 1, 2, as a string"),
        ("paint", {"prompt": "a", "imageNum": "3"}, "`imageNum` must be one of 1, 2, as a string"),
        ("paint", {"prompt": "a", "raw": "true"}, "`raw` must be true or false"),
        ("paint", {"prompt": "a", "raw": 1}, "`raw` must be true or false"),
        ("paint", {"prompt": "a", "seed": "1"}, "`seed` must be a number"),
        ("paint", {"prompt": "a", "seed": True}, "`seed` must be a number"),
        ("paint", {"prompt": "a", "seed": 1.5}, "`seed` must be a whole number"),
        ("paint", {"prompt": "a", "seed": -1}, "`seed` must be at least 0"),
        ("paint", {"prompt": "a", "width": 5000}, "`width` must be at most 4096"),
        ("paint", {"prompt": "a", "width": 1021}, "`width` must be a multiple of 8"),
        ("paint", {"prompt": "a", "webhookUrl": 1}, "`webhookUrl` must be a string"),
        ("edit", {"prompt": "a", "imageUrls": LINK}, "`imageUrls` must be a list"),
        ("edit", {"prompt": "a", "imageUrls": []}, "`imageUrls` must not be empty"),
        ("edit", {"prompt": "a", "imageUrls": [LINK] * 4}, "`imageUrls` takes at most 3 items, not 4"),
        ("edit", {"prompt": "a", "imageUrls": [LINK, "a.png"]}, "`imageUrls` must be a URL or a data: URI"),
        ("move", {"prompt": "a", "firstImageUrl": [LINK]}, "`firstImageUrl` must be a URL or a data: URI"),
        ("move", {"prompt": "a", "firstImageUrl": "/home/a.png"}, "`firstImageUrl` must be a URL or a data: URI"),
        ("move", {"prompt": "a", "firstImageUrl": ""}, "`firstImageUrl` must be a URL or a data: URI"),
        ("tell", {"prompt": "a", "topics": ["x", 1]}, "`topics` must be a string"),
    ],
)
def test_refused(model: str, inputs: dict[str, Any], message: str) -> None:
    assert why(model, **inputs) == message


def test_steps_count_from_the_minimum() -> None:
    field = Field("scale", "number", minimum=0.5, maximum=2.0, step=0.1)
    assert one(field, 0.7) is None
    assert one(field, 2) is None
    assert one(field, 0.55) == "`scale` must be a multiple of 0.1"
    assert one(field, float("inf")) == "`scale` must be a number"


def test_objects() -> None:
    assert one(Field("tags", "object[]"), [{"a": 1}]) is None
    assert one(Field("tags", "object[]"), ["a"]) == "`tags` must be an object"
    assert one(Field("tag", "object"), []) == "`tag` must be an object"


def test_one_of_a_group_is_needed() -> None:
    fields = (Field("videoUrl", "video"), Field("videoId", "string"))
    model = Model("m", "M", "m", ("other",), "file", fields, any_of=(("videoUrl", "videoId"),))
    assert problem_in(model, {}) == "one of `videoUrl`, `videoId` is required"
    assert problem_in(model, {"videoId": "7"}) is None


def test_links_are_found_in_every_shape_and_ids_are_none() -> None:
    fields = (
        Field("imageUrls", "image[]", alias="images"),
        Field("videoUrl", "string", alias="video"),
        Field("refImages", "object[]", item=(("tag", "@image{n}"), ("url", "{file}")), alias="images"),
        Field("prompt", "string", alias="prompt"),
    )
    model = Model("m", "M", "m", ("other",), "file", fields)
    given = {"imageUrls": [LINK, "asset://1"], "refImages": [{"tag": "@image1", "url": LINK}], "prompt": LINK}
    assert [(field.name, link) for field, link in media_links(model, {**given, "videoUrl": LINK})] == [
        ("imageUrls", LINK), ("imageUrls", "asset://1"), ("videoUrl", LINK), ("refImages", LINK),
    ]  # fmt: skip
    assert ("videoUrl", "7af3") not in [(field.name, link) for field, link in media_links(model, {"videoUrl": "7af3"})]

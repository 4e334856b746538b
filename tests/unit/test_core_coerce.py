"""One value to what its field takes: a table by the type of the field."""

from __future__ import annotations

import math
from typing import Any

import pytest

from rhflow.core.errors import RecipeError
from rhflow.core.inputs.coerce import BadValueError, coerce
from rhflow.core.kinds import Field
from rhflow.core.values import Artifact, Pending
from tests.fakes import artifact, finished_step
from tests.support import files

IMAGE, CLIP, STEP = artifact("a.png"), artifact("b.mp4"), finished_step(artifact("a.png"))
BIG = artifact("big.png", size=11_000_000)
LOCAL = files("here.png", "there.mp4")

TEXT = Field("prompt", "string", max_length=10)
DURATION = Field("duration", "enum", enum=("5", "10"))
RESOLUTION = Field("resolution", "enum", enum=("720p", "1080p", "4k"))
SIZE = Field("size", "enum", enum=("1024*1024", "1280*720"))
SWITCH = Field("keepSound", "enum", enum=("true", "false"))
OPEN = Field("voice", "enum")
FLAG = Field("flag", "boolean")
WHOLE = Field("seed", "integer", minimum=0, maximum=100)
STEPPED = Field("width", "integer", minimum=64, maximum=2048, step=32)
REAL = Field("strength", "number", minimum=0, maximum=1)
FREE = Field("free", "number")
PICTURE = Field("image", "image", max_mb=10, formats=("png", "JPG"))
PICTURES = Field("images", "image[]", max_items=2, required=True)
ANY = Field("file", "file")
LINK = Field("imageUrl", "string", alias="image")
WORDS = Field("tags", "string[]")
STYLES = Field("styles", "enum[]", enum=("A", "B"))
DATA = Field("data", "object")
ROWS = Field("rows", "object[]")
ITEM = (("tag", "@image{n}"), ("url", "{file}"))
REFERENCES = Field("refs", "object[]", alias="images", item=ITEM, max_items=2)

TAKEN: list[tuple[Field, Any, Any]] = [
    (TEXT, "a cat", "a cat"), (TEXT, 5, "5"), (TEXT, 5.0, "5"), (TEXT, 0.5, "0.5"), (TEXT, ["one"], "one"),
    (TEXT, "", ""),
    (DURATION, 5, "5"), (DURATION, "5", "5"), (DURATION, 10.0, "10"), (DURATION, [5], "5"),
    (RESOLUTION, "720P", "720p"), (RESOLUTION, 1080, "1080p"), (RESOLUTION, "1080", "1080p"), (RESOLUTION, "4K", "4k"),
    (SIZE, "1024x1024", "1024*1024"), (SIZE, "1280 × 720", "1280*720"), (SWITCH, True, "true"),
    (OPEN, "anything", "anything"),
    (FLAG, True, True), (FLAG, "False", False), (FLAG, "TRUE", True),
    (WHOLE, 5, 5), (WHOLE, "7", 7), (WHOLE, 5.0, 5), (WHOLE, "1e1", 10), (STEPPED, 96, 96), (STEPPED, 64, 64),
    (REAL, 0.5, 0.5), (REAL, "0.25", 0.25), (REAL, 1.0, 1), (FREE, -1e9, -1_000_000_000), (FREE, "3.5", 3.5),
    (PICTURE, IMAGE, IMAGE), (PICTURE, "https://x/y", "https://x/y"), (PICTURE, "here.png", LOCAL["here.png"]),
    (PICTURE, [IMAGE], IMAGE), (PICTURE, "asset://1", "asset://1"),
    (PICTURES, IMAGE, [IMAGE]), (PICTURES, [IMAGE, "here.png"], [IMAGE, LOCAL["here.png"]]),
    (ANY, CLIP, CLIP), (ANY, IMAGE, IMAGE), (LINK, IMAGE, IMAGE), (LINK, "https://x", "https://x"),
    (WORDS, "a", ["a"]), (WORDS, ["a", 1], ["a", "1"]), (WORDS, [], []), (STYLES, ["a", "B"], ["A", "B"]),
    (DATA, {"a": [1, None, True, IMAGE]}, {"a": [1, None, True, IMAGE]}), (ROWS, {"a": 1}, [{"a": 1}]),
    (LINK, "here.png", LOCAL["here.png"]), (LINK, "a41c-77", "a41c-77"), (LINK, "https://x/a.png", "https://x/a.png"),
    (DATA, {"url": "here.png", "name": "here.png"}, {"url": LOCAL["here.png"], "name": "here.png"}),
    (ROWS, [{"imageUrl": "here.png", "n": [{"url": "asset://1"}]}],
     [{"imageUrl": LOCAL["here.png"], "n": [{"url": "asset://1"}]}]),
    (REFERENCES, IMAGE, [{"tag": "@image1", "url": IMAGE}]),
    (REFERENCES, ["https://x", "here.png"],
     [{"tag": "@image1", "url": "https://x"}, {"tag": "@image2", "url": LOCAL["here.png"]}]),
    (REFERENCES, [{"tag": "@me", "url": "here.png"}], [{"tag": "@me", "url": LOCAL["here.png"]}]),
]  # fmt: skip


def name(case: Any) -> str | None:
    return case.name if isinstance(case, Field | Artifact) else None


@pytest.mark.parametrize(("field", "given", "sent"), TAKEN, ids=name)
def test_what_a_field_takes(field: Field, given: Any, sent: Any) -> None:
    value = coerce(field, given, LOCAL)
    assert value == sent
    assert type(value) is type(sent)


METHOD = "x".upper
REFUSED: list[tuple[Field, Any, str, str]] = [
    (TEXT, "12345678901", "too-long", "11 characters given, at most 10 taken"),
    (TEXT, True, "wrong-type", "takes text, not true or false"),
    (TEXT, {"a": 1}, "wrong-type", "takes text, not a mapping"),
    (TEXT, ["a", "b"], "not-a-list", "takes one value, not a list of 2"),
    (TEXT, [], "not-a-list", "takes one value, not a list of 0"),
    (TEXT, IMAGE, "wrong-type", "takes text, not the file `a.png`"),
    (TEXT, math.nan, "wrong-type", "takes text, not `nan`"),
    (TEXT, STEP, "wrong-type", "takes text, not a mapping"),
    (TEXT, METHOD, "wrong-type", "takes text, not a function"),
    (TEXT, (x for x in "ab"), "wrong-type", "takes text, not a generator"),
    (DURATION, 7, "wrong-choice", "`7` is not one of its 2 values"),
    (DURATION, IMAGE, "wrong-type", "takes one of its listed values, not the file `a.png`"),
    (SWITCH, None, "wrong-type", "takes one of its listed values, not nothing"),
    (FLAG, 1, "wrong-type", "takes true or false, not `1`"),
    (FLAG, "yes", "wrong-type", "takes true or false, not the text `yes`"),
    (WHOLE, 5.5, "wrong-type", "takes a whole number, not `5.5`"),
    (WHOLE, "five", "wrong-type", "takes a number, not the text `five`"),
    (WHOLE, True, "wrong-type", "takes a number, not true or false"),
    (WHOLE, 101, "out-of-range", "`101` is outside 0 to 100"),
    (WHOLE, -1, "out-of-range", "`-1` is outside 0 to 100"),
    (STEPPED, 100, "out-of-range", "`100` is not a multiple of 32"),
    (REAL, 1.5, "out-of-range", "`1.5` is outside 0 to 1"),
    (REAL, math.inf, "wrong-type", "takes a number, not `inf`"),
    (FREE, math.nan, "wrong-type", "takes a number, not `nan`"),
    (FREE, "nan", "wrong-type", "takes a number, not the text `nan`"),
    (FREE, 10**400, "wrong-type", f"takes a number, not `{10**400}`"),
    (PICTURE, CLIP, "wrong-media", "takes an image, but `b.mp4` is video/mp4"),
    (PICTURE, "there.mp4", "wrong-media", "takes an image, but `there.mp4` is video/mp4"),
    (PICTURE, BIG, "too-large", "`big.png` has 11.0 MB; at most 10 MB are taken"),
    (PICTURE, artifact("a.webp"), "wrong-format", "`a.webp` is webp; taken are png, JPG"),
    (PICTURE, 5, "wrong-type", "takes an image, not `5`"),
    (PICTURE, STEP, "wrong-type", "takes an image, not a mapping"),
    (PICTURES, [IMAGE] * 3, "too-many", "3 items given, at most 2 taken"),
    (PICTURES, [], "empty-list", "an empty list given, at least one item needed"),
    (PICTURES, [IMAGE, None], "wrong-type", "takes an image, not nothing"),
    (LINK, CLIP, "wrong-media", "takes an image, but `b.mp4` is video/mp4"),
    (LINK, "there.mp4", "wrong-media", "takes an image, but `there.mp4` is video/mp4"),
    (REFERENCES, [IMAGE, CLIP], "wrong-media", "takes an image, but `b.mp4` is video/mp4"),
    (REFERENCES, [IMAGE] * 3, "too-many", "3 items given, at most 2 taken"),
    (DATA, {"a": [math.inf]}, "wrong-type", "takes plain data, not `inf`"),
    (DATA, {1: "x"}, "wrong-type", "takes plain data, not a mapping"),
    (DATA, {"a": STEP}, "wrong-type", "takes plain data, not a mapping"),
    (DATA, [{"a": 1}], "not-a-list", "takes one value, not a list of 1"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "given", "code", "message"), REFUSED, ids=name)
def test_what_a_field_refuses(field: Field, given: Any, code: str, message: str) -> None:
    with pytest.raises(BadValueError) as caught:
        coerce(field, given, LOCAL)
    assert (caught.value.code, caught.value.message) == (code, message)


def test_a_missing_file_is_told_by_the_callback() -> None:
    with pytest.raises(RecipeError, match=r"there is no file `gone\.png`"):
        coerce(PICTURE, "gone.png", LOCAL)


@pytest.mark.parametrize(
    ("field", "given", "hint"),
    [
        (DURATION, 7, "choose from `5`, `10`"),
        (Field("voice", "enum", enum=tuple(f"v{at}" for at in range(20))), "v3x", "did you mean `v3`?"),
        (Field("voice", "enum", enum=tuple(f"v{at}" for at in range(20))), "?", "such as `v0`, `v1`"),
        (STEPPED, 100, "use 96 or 128"),
        (TEXT, ["a", "b"], "give one, or pick one as in `[0]`"),
    ],
)
def test_a_hint_says_what_to_write(field: Field, given: Any, hint: str) -> None:
    with pytest.raises(BadValueError) as caught:
        coerce(field, given, LOCAL)
    assert (caught.value.hint or "").startswith(hint)


PENDING_TAKEN = [
    (TEXT, "text"), (TEXT, None), (DURATION, "text"), (WHOLE, "text"), (FLAG, None), (DATA, "image"),
    (PICTURE, "image"), (PICTURE, None), (PICTURE, "text"), (PICTURE, "file"), (ANY, "video"), (LINK, "image"),
    (LINK, "text"), (PICTURES, "image"), (WORDS, "text"),
]  # fmt: skip
PENDING_REFUSED = [
    (TEXT, "image", "takes text, not an image"), (TEXT, "file", "takes text, not a file"),
    (DURATION, "video", "takes a plain value, not a video"), (WHOLE, "audio", "takes a plain value, not sound"),
    (PICTURE, "video", "takes an image, not a video"), (PICTURE, "model3d", "takes an image, not a 3D model"),
    (PICTURES, "audio", "takes an image, not sound"), (LINK, "video", "takes an image, not a video"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "family"), PENDING_TAKEN, ids=name)
def test_what_is_not_known_yet_passes(field: Field, family: Any) -> None:
    one = Pending(family)
    assert coerce(field, one, LOCAL) in (one, [one])


@pytest.mark.parametrize(("field", "family", "message"), PENDING_REFUSED, ids=name)
def test_what_is_not_known_yet_must_be_of_the_right_kind(field: Field, family: Any, message: str) -> None:
    with pytest.raises(BadValueError) as caught:
        coerce(field, Pending(family), LOCAL)
    assert (caught.value.code, caught.value.message) == ("wrong-media", message)


def test_many_to_come_stay_many() -> None:
    many = Pending("image", many=True)
    assert coerce(PICTURES, many, LOCAL) == many

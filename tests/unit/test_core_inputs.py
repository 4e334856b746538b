"""Inputs as written to inputs as sent: uniform names, fallbacks, lists over single fields, ratios, defaults."""

from __future__ import annotations

from typing import Any

import pytest

from rhflow.core.inputs.signature import Bound, Signature
from rhflow.core.kinds import Field, Implied, Model
from rhflow.core.values import Artifact, Pending
from tests.fakes import artifact
from tests.support import NoSuchFiles, files

A, B, C, D = (artifact(f"{each}.png") for each in "abcd")
LOCAL = files("here.png")


def model(*fields: Field, **members: Any) -> Model:
    return Model("m", "M", "m/endpoint", ("task",), "image", fields, **members)


def bind(takes: Model, given: dict[str, Any], *, tainted: tuple[str, ...] = (), local: NoSuchFiles = LOCAL) -> Bound:
    return Signature(takes.id, takes.fields, takes).bind(given, local, tainted=tainted)


def sent(takes: Model, given: dict[str, Any]) -> dict[str, Any]:
    """Return what is sent, where nothing is wrong."""
    bound = bind(takes, given)
    assert bound.troubles == []
    return bound.values


def troubles(takes: Model, given: dict[str, Any], **told: Any) -> list[tuple[str | None, str]]:
    return [(each.name, each.code) for each in bind(takes, given, **told).troubles]


CLIP = model(
    Field("promptText", "string", required=True, alias="prompt"),
    Field("firstImageUrl", "image", required=True, alias="first_frame"),
    Field("duration", "enum", required=True, default="5", enum=("5", "10"), alias="duration"),
    Field("seed", "integer", alias="seed"),
    Field("mode", "enum", enum=("std", "pro"), required=True),
)
GOOD = {"prompt": "p", "first_frame": A, "mode": "pro"}


def test_uniform_names_become_the_models_own() -> None:
    assert sent(CLIP, GOOD) == {"promptText": "p", "firstImageUrl": A, "mode": "pro", "duration": "5"}


def test_the_models_own_names_are_taken_too() -> None:
    assert sent(CLIP, {"promptText": "p", "firstImageUrl": A, "mode": "std"})["promptText"] == "p"


def test_only_defaults_of_required_fields_are_filled_in_and_told() -> None:
    bound = bind(CLIP, GOOD)
    assert bound.filled == ("duration",)
    assert "seed" not in bound.values
    assert bind(CLIP, GOOD | {"duration": 10}).filled == ()


@pytest.mark.parametrize("order", [("promptText", "prompt"), ("prompt", "promptText")])
def test_own_names_win_over_uniform_ones_in_any_order(order: tuple[str, str]) -> None:
    given = {name: {"promptText": "own", "prompt": "uniform"}[name] for name in order}
    assert sent(CLIP, {**given, "image": A, "mode": "std"})["promptText"] == "own"


@pytest.mark.parametrize("order", [("image", "first_frame"), ("first_frame", "image")])
def test_a_uniform_name_wins_over_what_only_stands_for_it(order: tuple[str, str]) -> None:
    given = {name: {"image": A, "first_frame": B}[name] for name in order}
    assert sent(CLIP, {"prompt": "p", "mode": "std", **given})["firstImageUrl"] == B


def test_null_is_as_good_as_left_out() -> None:
    assert sent(CLIP, GOOD | {"seed": None, "duration": None}) == sent(CLIP, GOOD)
    assert (None, "missing-input") in troubles(CLIP, GOOD | {"prompt": None})


@pytest.mark.parametrize(
    ("alias", "given"),
    [
        ("first_frame", "image"), ("first_frame", "images"), ("image", "first_frame"), ("image", "images"),
        ("images", "image"), ("images", "first_frame"), ("video", "videos"), ("videos", "video"),
        ("audio", "audios"), ("audios", "audio"), ("prompt", "text"), ("text", "prompt"),
    ],
)  # fmt: skip
def test_names_that_mean_the_same_stand_in(alias: str, given: str) -> None:
    kind = {"f": "image", "i": "image", "v": "video", "a": "audio"}.get(alias[0], "string")
    takes = model(Field("x", f"{kind}[]" if alias.endswith("s") else kind, alias=alias, required=True))  # type: ignore[arg-type]
    extension = {"video": "mp4", "audio": "mp3"}.get(kind, "png")
    value: Any = "words" if kind == "string" else artifact(f"x.{extension}")
    assert sent(takes, {given: value}) == {"x": [value] if alias.endswith("s") else value}


# --- troubles --------------------------------------------------------------------------------------------------------


def test_an_unknown_input_has_the_nearest_name_as_hint() -> None:
    [trouble] = bind(CLIP, GOOD | {"durration": 5}).troubles
    assert (trouble.name, trouble.code, trouble.hint) == ("durration", "unknown-input", "did you mean `duration`?")
    [trouble] = bind(CLIP, GOOD | {"volume": 5}).troubles
    assert trouble.hint == "choose from `prompt`, `first_frame`, `duration`, `seed`, `mode`"


def test_what_is_missing_says_how_to_give_it() -> None:
    found = [(each.message, each.hint) for each in bind(CLIP, {}).troubles]
    assert found == [
        ("`m` needs `prompt`", "add `prompt: …` under `with`"),
        ("`m` needs `first_frame`", "add `first_frame: …` under `with`"),
        ("`m` needs `mode`", "add `mode:` with one of `std`, `pro`"),
    ]


@pytest.mark.parametrize("name", ["first_frame", "image", "images", "firstImageUrl"])
def test_what_is_wrong_is_not_missing_as_well(name: str) -> None:
    given = {"prompt": "p", "mode": "std", name: artifact("x.mp4")}
    assert troubles(CLIP, given) == [(name, "wrong-media")]


def test_every_trouble_is_told_at_once() -> None:
    given = {"prompt": True, "image": "gone.png", "duration": 7, "seed": "x", "colour": 1}
    assert set(troubles(CLIP, given)) == {
        ("image", "no-such-file"), ("colour", "unknown-input"), ("duration", "wrong-choice"),
        ("prompt", "wrong-type"), ("seed", "wrong-type"), (None, "missing-input"),
    }  # fmt: skip


# --- a list over single fields ---------------------------------------------------------------------------------------

VIEWS = model(
    Field("front", "image", required=True),
    Field("back", "image"),
    Field("left", "image", alias="image"),
    spread={"images": ("front", "back", "left")},
)


def test_a_list_goes_over_single_fields_in_order() -> None:
    assert sent(VIEWS, {"images": [A, B]}) == {"front": A, "back": B}
    assert sent(VIEWS, {"images": A}) == {"front": A}
    assert sent(VIEWS, {"images": [A, "here.png"]}) == {"front": A, "back": LOCAL["here.png"]}


def test_an_own_name_wins_over_its_part_of_the_list() -> None:
    assert sent(VIEWS, {"back": D, "images": [A, B]}) == {"front": A, "back": D}


def test_a_list_that_is_too_long_or_empty_is_a_trouble() -> None:
    assert troubles(VIEWS, {"images": [A, B, C, D]}) == [("images", "too-many")]
    assert troubles(VIEWS, {"images": []}) == [(None, "missing-input")]


def test_a_list_to_come_is_accepted() -> None:
    assert bind(VIEWS, {"images": Pending("image", many=True)}).troubles == []


# --- one of several --------------------------------------------------------------------------------------------------

EITHER = model(
    Field("imageUrls", "image[]", alias="images"), Field("videoUrls", "video[]", alias="videos"),
    any_of=(("imageUrls", "videoUrls"),),
)  # fmt: skip


def test_one_of_a_group_is_enough() -> None:
    assert sent(EITHER, {"images": A}) == {"imageUrls": [A]}
    assert sent(EITHER, {"videos": "https://x/v.mp4"}) == {"videoUrls": ["https://x/v.mp4"]}


def test_none_of_a_group_names_them_all() -> None:
    [trouble] = bind(EITHER, {}).troubles
    assert trouble.message == "`m` needs `images` or `videos`"


def test_a_wrong_one_of_a_group_is_not_missing_as_well() -> None:
    assert troubles(EITHER, {"images": "gone.png"}) == [("images", "no-such-file")]


# --- ratios ----------------------------------------------------------------------------------------------------------

SIZED = model(Field("size", "enum", alias="size", enum=("1024*1024", "1280*720", "720*1280", "2560*1440")))
SIDES = model(
    Field("w", "integer", alias="width", minimum=64, maximum=2048, step=32, default=1024),
    Field("h", "integer", alias="height", minimum=64, maximum=2048, step=32, default=1024),
)


@pytest.mark.parametrize(("ratio", "size"), [("1:1", "1024*1024"), ("16:9", "2560*1440"), ("9:16", "720*1280")])
def test_a_ratio_picks_the_largest_listed_size(ratio: str, size: str) -> None:
    assert sent(SIZED, {"aspect_ratio": ratio}) == {"size": size}


@pytest.mark.parametrize("order", [("aspect_ratio", "size"), ("size", "aspect_ratio")])
def test_a_size_wins_over_a_ratio(order: tuple[str, str]) -> None:
    given = {name: {"aspect_ratio": "1:1", "size": "1280x720"}[name] for name in order}
    assert sent(SIZED, given) == {"size": "1280*720"}


@pytest.mark.parametrize("ratio", ["4:3", "banana", "0:1", "1:0", "1:1000", 5])
def test_a_ratio_that_fits_nothing_is_a_trouble(ratio: object) -> None:
    [trouble] = bind(SIZED, {"aspect_ratio": ratio}).troubles
    assert (trouble.name, trouble.code) == ("aspect_ratio", "wrong-choice")
    assert trouble.hint is not None


@pytest.mark.parametrize("ratio", ["1:1", "16:9", "9:16", "3:2", "21:9", "1:3"])
def test_a_ratio_becomes_sides_of_about_the_usual_area(ratio: str) -> None:
    values = sent(SIDES, {"aspect_ratio": ratio})
    wide, high = (int(each) for each in ratio.split(":"))
    assert values["w"] % 32 == values["h"] % 32 == 0
    assert 64 <= values["w"] <= 2048
    assert abs(values["w"] / values["h"] / (wide / high) - 1) < 0.1
    assert 0.6 < values["w"] * values["h"] / 1024**2 < 1.4


def test_a_side_wins_over_a_ratio() -> None:
    assert sent(SIDES, {"width": 512, "aspect_ratio": "1:1"})["w"] == 512


def test_a_ratio_to_come_leaves_both_sides_open() -> None:
    bound = bind(SIDES, {"aspect_ratio": Pending("text")})
    assert bound.pending == {"w", "h"}


# --- paths and what steps gave ---------------------------------------------------------------------------------------

READER = model(Field("image", "image", alias="image"), Field("pictures", "image[]", alias="images"))


def test_a_local_path_is_looked_up() -> None:
    assert sent(READER, {"image": "here.png"}) == {"image": LOCAL["here.png"]}
    assert troubles(READER, {"image": "gone.png"}) == [("image", "no-such-file")]


class Curious(NoSuchFiles):
    """Fails the test when anything is read."""

    def __call__(self, path: str) -> Artifact:
        raise AssertionError(f"read {path}")


@pytest.mark.parametrize("path", ["/etc/passwd", "here.png", "sha256:" + "0" * 64, "~/.ssh/id_rsa", "file:///x"])
@pytest.mark.parametrize("name", ["image", "images"])
def test_what_a_step_said_is_never_taken_for_a_path(name: str, path: str) -> None:
    assert troubles(READER, {name: path}, tainted=(name,), local=Curious()) == [(name, "not-a-file")]
    assert troubles(VIEWS, {"images": [path]}, tainted=("images",), local=Curious()) == [("images", "not-a-file")]


def test_what_a_step_said_may_be_a_link_and_what_it_made_a_file() -> None:
    bound = bind(READER, {"image": "https://x/y.png", "images": [A]}, tainted=("image", "images"), local=Curious())
    assert bound.troubles == []
    assert bound.values == {"image": "https://x/y.png", "pictures": [A]}


def test_a_path_inside_what_a_step_said_is_not_read_either() -> None:
    takes = model(Field("rows", "object[]"), Field("link", "string", alias="image"))
    given = {"rows": [{"url": "here.png"}], "image": "here.png"}
    assert troubles(takes, given, tainted=("rows", "image"), local=Curious()) == [
        ("image", "not-a-file"), ("rows", "not-a-file"),
    ]  # fmt: skip


# --- what follows from an input --------------------------------------------------------------------------------------

PIXELS = model(
    Field("aspectRatio", "enum", required=True, default="9:16", enum=("9:16", "custom"), alias="aspect_ratio"),
    Field("customWidth", "integer", alias="width"),
    Field("multiShot", "boolean"),
    Field("shotType", "enum", enum=("customize", "intelligence")),
    implied=(
        Implied("customWidth", "aspectRatio", "custom", only=True),
        Implied("multiShot", "shotType", "customize", "true"),
    ),
)


def test_pixels_of_ones_own_ask_for_a_ratio_of_ones_own() -> None:
    assert sent(PIXELS, {"width": 640}) == {"customWidth": 640, "aspectRatio": "custom"}
    assert sent(PIXELS, {"width": 640, "aspect_ratio": "custom"})["aspectRatio"] == "custom"
    assert sent(PIXELS, {}) == {"aspectRatio": "9:16"}
    (trouble,) = bind(PIXELS, {"width": 640, "aspect_ratio": "9:16"}).troubles
    assert (trouble.name, trouble.code) == ("width", "conflict")
    assert trouble.message == "`width` counts only where `aspect_ratio` is `custom`, not `9:16`"
    assert trouble.hint == "leave out `width` or `aspect_ratio`"
    assert troubles(PIXELS, {"width": Pending(), "aspect_ratio": Pending()}) == []


def test_what_follows_from_one_value_does_not_follow_from_another() -> None:
    assert sent(PIXELS, {"multiShot": True})["shotType"] == "customize"
    assert sent(PIXELS, {"multiShot": True, "shotType": "intelligence"})["shotType"] == "intelligence"
    assert "shotType" not in sent(PIXELS, {"multiShot": False})
    assert "shotType" not in sent(PIXELS, {"multiShot": Pending()})


def test_a_sound_given_to_a_switch_is_told_where_it_goes() -> None:
    switch = Field("audio", "boolean", alias="with_audio")
    sound = artifact("a.mp3")
    (trouble,) = bind(model(switch), {"audio": sound}).troubles
    assert trouble.hint == "`audio` only switches sound on or off here, and this model takes no sound"
    (trouble,) = bind(model(switch, Field("audioUrl", "audio")), {"audio": sound}).troubles
    assert trouble.hint == "`audio` only switches sound on or off here; a sound goes in `audioUrl`"
    assert bind(model(switch), {"audio": Pending("audio")}).troubles[0].code == "wrong-media"


def test_pending_names_are_those_sent() -> None:
    bound = bind(CLIP, {"prompt": Pending("text"), "image": Pending("image"), "mode": "std"})
    assert bound.pending == {"promptText", "firstImageUrl"}
    assert bind(READER, {"images": [A, Pending("image")]}).pending == {"pictures"}

"""The kinds of step that this machine carries out, as data."""

from __future__ import annotations

from typing import Literal

from rhflow.core.kinds import Field, KindSpec
from rhflow.core.values import Family

MOST_PIXELS = 8192
"""What a side of a result may have."""
MOST_SECONDS = 3600.0

_VIDEO = Field("video", "video", required=True, alias="video", about="the clip: the output of a step, or a path")
_START = Field(
    "start", "number", minimum=0, maximum=24 * MOST_SECONDS, alias="start", about="where to begin, in seconds"
)
_END = Field("end", "number", minimum=0, maximum=24 * MOST_SECONDS, alias="end", about="where to end, in seconds")
_SIDE = "with the other side left out, the ratio stays"


def _side(name: Literal["width", "height"]) -> Field:
    about = f"{name} in pixels; {_SIDE}"
    return Field(name, "integer", minimum=16, maximum=MOST_PIXELS, alias=name, about=about)


def _volume(name: str, of: str) -> Field:
    return Field(name, "number", default=1, minimum=0, maximum=8, alias=name, about=f"loudness of {of}; 1 is as it is")


def _kind(name: str, output: Family, seconds: float, description: str, *fields: Field) -> KindSpec:
    return KindSpec(name, 1, "local", output, description, fields=fields, paid=False, typical_seconds=seconds)


FRAME = _kind(
    "frame", "image", 0.3, "a picture out of a clip",
    _VIDEO,
    Field(
        "at", "string", required=True, default="first", alias="at", about="which frame",
        pattern=r"first|middle|last|\d{1,5}(\.\d*)?|\.\d+", form="`first`, `middle`, `last` or a time in seconds",
    ),
)  # fmt: skip
TRIM = KindSpec(
    "trim", 1, "local", "video", "a part of a clip",
    fields=(
        _VIDEO, _START, _END,
        Field("duration", "number", minimum=0.01, maximum=MOST_SECONDS, alias="duration"),
    ),
    paid=False, typical_seconds=3.0, any_of=(("start", "end", "duration"),), never_both=(("end", "duration"),),
)  # fmt: skip
CONCAT = KindSpec(
    "concat", 1, "local", "video", "clips one after another, in the size and rate of the first",
    fields=(
        Field("videos", "video[]", required=True, max_items=500, alias="videos", about="the clips, in order"),
        Field(
            "crossfade", "number", default=0, minimum=0, maximum=30, alias="crossfade",
            about="seconds in which one clip fades into the next",
        ),
    ),
    paid=False, typical_seconds=8.0, joins="videos",
)  # fmt: skip
MUX = _kind(
    "mux", "video", 1.0, "a clip with sound put under it",
    _VIDEO,
    Field("audio", "audio", required=True, alias="audio", about="the sound: the output of a step, or a path"),
    Field(
        "mode", "enum", default="replace", enum=("replace", "mix"), alias="mode",
        about="whether it takes the place of the clip's own sound",
    ),
    Field("loop", "boolean", default=False, alias="loop", about="whether it begins again until the clip ends"),
    Field("shortest", "boolean", default=False, alias="shortest", about="whether the clip ends when it does"),
    _volume("volume", "the sound put under it"),
    _volume("own_volume", "the clip's own sound, where they are mixed"),
    Field(
        "fade_out", "number", default=0, minimum=0, maximum=60, alias="fade_out",
        about="seconds in which it fades away at the end",
    ),
)  # fmt: skip
RESIZE = KindSpec(
    "resize", 1, "local", "file", "a picture or clip in another size",
    fields=(
        Field("image", "image", alias="image", about="the picture: the output of a step, or a path"),
        Field("video", "video", alias="video", about="the clip: the output of a step, or a path"),
        _side("width"),
        _side("height"),
        Field("scale", "number", minimum=0.01, maximum=16, alias="scale", about="how many times as wide and high"),
        Field(
            "fit", "enum", default="contain", enum=("contain", "cover", "stretch"), alias="fit",
            about="with both sides given: fit inside, fill and crop, or distort",
        ),
    ),
    paid=False, typical_seconds=2.0, keeps=True,
    any_of=(("image", "video"), ("width", "height", "scale")),
    never_both=(("image", "video"), ("scale", "width"), ("scale", "height")),
)  # fmt: skip
KEN_BURNS = KindSpec(
    "ken-burns", 1, "local", "video", "a picture as a clip, with a slow move of the camera",
    fields=(
        Field("image", "image", required=True, alias="image", about="the picture: the output of a step, or a path"),
        Field("duration", "number", required=True, default=5, minimum=0.1, maximum=600, alias="duration"),
        Field(
            "direction", "enum", required=True, default="in", enum=("in", "out", "left", "right", "up", "down"),
            alias="direction", about="where the camera goes",
        ),
        Field(
            "zoom_from", "number", minimum=1, maximum=10, alias="zoom_from",
            about="how close it begins; 1 shows all there is room for",
        ),
        Field("zoom_to", "number", minimum=1, maximum=10, alias="zoom_to", about="how close it ends"),
        Field(
            "aspect_ratio", "string", alias="aspect_ratio", pattern=r"[1-9]\d{0,3}(\.\d+)?:[1-9]\d{0,3}(\.\d+)?",
            about="width to height; left out, that of the picture", form="a ratio such as `16:9`",
        ),
        Field(
            "resolution", "enum", default="1080p", enum=("480p", "720p", "1080p", "1440p", "2160p"),
            alias="resolution", about="length of the shorter side",
        ),
        Field(
            "size", "string", alias="size", pattern=r"[1-9]\d{1,3}[xX×*][1-9]\d{1,3}",
            about="width and height in pixels", form="a size such as `1280x720`",
        ),
        Field("fps", "number", required=True, default=24, minimum=1, maximum=120, alias="fps", about="frames a second"),
    ),
    paid=False, typical_seconds=8.0, never_both=(("size", "aspect_ratio"), ("size", "resolution")),
)  # fmt: skip
SHEET = KindSpec(
    "sheet", 1, "local", "image", "pictures, and clips by their middle frame, on one sheet",
    fields=(
        Field("images", "image[]", max_items=400, alias="images", about="pictures, in order"),
        Field("files", "file[]", max_items=400, alias="files", about="pictures and clips, in order"),
        Field("captions", "string[]", max_items=400, alias="captions", about="a line under each, in Latin letters"),
        Field(
            "columns", "integer", minimum=1, maximum=40, alias="columns",
            about="how many side by side; left out, as many as rows, or one more",
        ),
        Field(
            "width", "integer", default=480, minimum=64, maximum=2048, alias="width",
            about="width of each in pixels",
        ),
    ),
    paid=False, typical_seconds=1.0, any_of=(("images", "files"),),
)  # fmt: skip

LOCAL: tuple[KindSpec, ...] = (FRAME, TRIM, CONCAT, MUX, RESIZE, KEN_BURNS, SHEET)

"""Every kind of step, as data: the core checks and prices by these, the registry carries them out."""

from __future__ import annotations

from collections.abc import Mapping

from rhflow.core.kinds import Field, KindSpec
from rhflow.core.values import Family

# name: output, seconds that a call usually takes, what it does
_TASKS: Mapping[str, tuple[Family, float, str]] = {
    "text-to-image": ("image", 10, "a picture from a text"),
    "image-to-image": ("image", 12, "a picture from pictures and a text"),
    "text-to-video": ("video", 60, "a clip from a text"),
    "image-to-video": ("video", 60, "a clip that begins with a picture"),
    "start-end-to-video": ("video", 60, "a clip from a first to a last picture"),
    "reference-to-video": ("video", 60, "a clip with the subjects of pictures, clips or sound"),
    "video-edit": ("video", 60, "a clip changed by a text"),
    "video-extend": ("video", 60, "a clip that goes on"),
    "motion-control": ("video", 60, "a picture that moves like a clip"),
    "video-effects": ("video", 60, "a clip with a ready-made effect"),
    "interpolate-video": ("video", 40, "a clip with more frames"),
    "lip-sync": ("video", 60, "a face that speaks"),
    "text-to-speech": ("audio", 8, "a voice that reads a text"),
    "text-to-music": ("audio", 30, "music from a text"),
    "voice-clone": ("audio", 15, "a voice from a recording"),
    "text-to-3d": ("model3d", 60, "a 3D model from a text"),
    "image-to-3d": ("model3d", 60, "a 3D model from pictures"),
    "image-to-text": ("text", 5, "a text about a picture"),
    "video-to-text": ("text", 8, "a text about a clip"),
    "text-to-text": ("text", 4, "a text from a text"),
    "upload-character": ("text", 20, "a character for later clips"),
    "element": ("text", 20, "a subject for later clips"),
    "asset": ("text", 10, "an asset for later calls"),
    "other": ("file", 60, "what no other kind makes; name the model"),
}

UPLOAD = KindSpec(
    name="upload",
    version=1,
    pool="transfer",
    output="file",
    description="a local file, brought to where the service can read it",
    fields=(Field("file", "file", required=True, alias="file"),),
    paid=False,
    typical_seconds=1.0,
)
UPSCALE = KindSpec(
    name="upscale",
    version=1,
    pool="account",
    output="file",
    description="a picture or clip with more pixels",
    tasks=("upscale-image", "upscale-video"),
    typical_seconds=30.0,
)


def all_kinds() -> dict[str, KindSpec]:
    """Return every kind by name."""
    served = {
        name: KindSpec(name, 1, "account", output, description, tasks=(name,), typical_seconds=seconds)
        for name, (output, seconds, description) in _TASKS.items()
    }
    return {"upload": UPLOAD, **served, "upscale": UPSCALE}

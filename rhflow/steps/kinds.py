"""Every kind of step, as data: the core checks and prices by these, the registry carries them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rhflow.core.kinds import Field, KindSpec, OnlyWith
from rhflow.core.values import Family
from rhflow.steps.local.kinds import LOCAL

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
UPLOAD_LORA = KindSpec(
    name="upload-lora",
    version=1,
    pool="transfer",
    output="file",
    description="a local LoRA, brought to where `RHLoraLoader` nodes find it",
    fields=(Field("file", "file", required=True, formats=("safetensors",), alias="file"),),
    paid=False,
    typical_seconds=30.0,
)
# How a workflow is run, not what it makes: none of it is part of a cache key
_MACHINE = (
    Field("instance_type", "enum", enum=("default", "plus", "ultra"), keyed=False),
    Field("personal_queue", "boolean", keyed=False),
    Field("retain_seconds", "integer", minimum=10, maximum=180, keyed=False),
    Field("password", "string", keyed=False),
)
COMFYUI = KindSpec(
    name="comfyui",
    version=1,
    pool="account",
    output="file",
    description="what a ComfyUI workflow makes, by its id or from a graph of your own",
    fields=(
        Field("workflow", "string"),
        Field("nodes", "values", dotted=True),
        Field("graph", "file", formats=("json",)),
        Field("metadata", "boolean"),
        *_MACHINE,
    ),
    typical_seconds=40.0,
    subject="workflow",
    any_of=(("workflow", "graph"),),
    # A graph that is saved nowhere goes to the gateway, which is a plain ComfyUI on a machine of 24 or 48 GB
    only_with=(
        *(OnlyWith(name, "workflow") for name in ("metadata", "personal_queue", "retain_seconds", "password")),
        OnlyWith("instance_type", "workflow", "ultra"),
    ),
)
OWN_COMFYUI = replace(
    COMFYUI,
    pool="local",
    fields=tuple(replace(each, required=each.name == "graph") for each in COMFYUI.fields),
    paid=False,
    any_of=(),
    only_with=(),
)
"""The same on a server of the user's own: always a graph, and nothing is paid."""
APP = KindSpec(
    name="app",
    version=1,
    pool="account",
    output="file",
    description="what an AI app makes, by its id",
    fields=(Field("app", "string", required=True), Field("inputs", "values"), *_MACHINE),
    typical_seconds=40.0,
    subject="app",
)
QUICK_CREATE = KindSpec(
    name="quick-create",
    version=1,
    pool="account",
    output="file",
    description="what a quick create module of the site makes",
    fields=(
        Field("app", "string", required=True),
        Field("code", "string", required=True),
        Field("inputs", "values"),
    ),
    typical_seconds=40.0,
    subject="app",
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


def all_kinds(*, own_comfyui: bool = False) -> dict[str, KindSpec]:
    """Return every kind by name; ``own_comfyui``: workflows run on a server of the user's own."""
    served = {
        name: KindSpec(name, 1, "account", output, description, tasks=(name,), typical_seconds=seconds)
        for name, (output, seconds, description) in _TASKS.items()
    }
    comfyui = OWN_COMFYUI if own_comfyui else COMFYUI
    own = {each.name: each for each in (UPLOAD, UPLOAD_LORA, comfyui, APP, QUICK_CREATE, *LOCAL)}
    return {**own, **served, "upscale": UPSCALE}

"""A recipe that calls one model with nothing but what it needs: the shortest way to try it.

It runs as it stands: pictures, clips, sound and ids that go in are made by steps before it, with default models.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from rhflow.core.kinds import Field, KindSpec, Model

_MEDIA = ("image", "video", "audio")
_SPOKEN = "Good evening, and welcome to the show."
_PROMPTS: Mapping[str, str] = {
    "image-to-image": "the same scene at night, lit by lanterns",
    "image-to-video": "slow push in, leaves moving in the wind",
    "video-edit": "the same clip on a rainy night",
    "video-extend": "the camera moves on, slowly",
    "text-to-speech": _SPOKEN,
    "voice-clone": _SPOKEN,
    "lip-sync": _SPOKEN,
    "text-to-music": "a calm piano piece with soft strings",
    "text-to-3d": "a wooden chair with a woven seat",
    "image-to-text": "describe this picture in one sentence",
    "video-to-text": "describe this clip in one sentence",
    "text-to-text": "write one sentence about the sea",
}
_PROMPT = "a lighthouse on a cliff at dusk, soft light"
_TEXTS: Mapping[str, str] = {
    "name": "lighthouse keeper",
    "description": "an old man with a grey beard and a yellow coat",
    "title": "evening at sea",
    "tags": "calm, piano",
    "lyrics": "the light goes round, the night is long",
    "previewText": _SPOKEN,
    "fileName": "example",
    "voice_id": "Wise_Woman",
    "custom_voice_id": "LighthouseKeeper01",
}
_NUMBERS: Mapping[str, int] = {"soundStartTime": 0, "soundEndTime": 3000, "soundInsertTime": 0}
# What a step before the call makes: its lines, and where the value is found
_MADE: Mapping[str, tuple[str, str]] = {
    "image": ("picture", "steps.picture.image"),
    "video": ("clip", "steps.clip.video"),
    "audio": ("voice", "steps.voice.audio"),
    "sessionId": ("face", "steps.face.json.session_id"),
    "faceId": ("face", "steps.face.json.face_data[0].face_id"),
}
_STEPS: Mapping[str, Sequence[str]] = {
    "picture": ("uses: text-to-image", "with:", f"  prompt: {_PROMPT}"),
    "clip": ("uses: text-to-video", "with:", f"  prompt: {_PROMPT}", "  duration: 5"),
    "voice": ("uses: text-to-speech", "with:", f"  prompt: {_SPOKEN}", f"  voice: {_TEXTS['voice_id']}"),
    "face": (
        "uses: lip-sync", "model: kling-lip-sync-identify-face", "with:", "  video: ${{ steps.clip.video }}",
    ),
}  # fmt: skip
_BEFORE: Mapping[str, Sequence[str]] = {"face": ("clip", "face")}


def kind_of(model: Model, kinds: Mapping[str, KindSpec]) -> KindSpec | None:
    """Return the kind of step that serves the first task of a model that any kind serves."""
    return next((kind for task in model.tasks for kind in kinds.values() if task in kind.tasks), None)


def example(model: Model, kinds: Mapping[str, KindSpec]) -> str | None:
    """Return a recipe that calls a model, or None for one that cannot be called or should not be any more."""
    kind = kind_of(model, kinds)
    if kind is None or not model.callable or model.status != "active":
        return None
    before: dict[str, None] = {}
    inputs = {_name(each): _value(each, model, before) for each in _needed(model)}
    lines = ["rhflow: 1", "steps:"]
    for step in before:
        lines += [f"  {step}:", *(f"    {line}" for line in _STEPS[step])]
    lines += ["  try:", f"    uses: {kind.name}", f"    model: {model.id}"]
    if inputs:
        lines += ["    with:", *(f"      {name}: {value}" for name, value in inputs.items())]
    return "\n".join(lines) + "\n"


def _needed(model: Model) -> Sequence[Field]:
    """Return the inputs without which a call fails; where the catalogue knows of none, those the task is about."""
    needed = [each for each in model.fields if each.required and each.default is None]
    for group in model.any_of:
        if not any(each.name in group for each in needed):
            fields = [model.by_name[name] for name in group]
            needed.append(next((each for each in fields if each.is_media), fields[0]))
    if needed:
        return [*needed, *_source(model, needed)]
    wanted = _about(model.tasks[0] if model.tasks[0] != "other" else model.endpoint)
    return [each for each in model.fields if (each.alias or each.name) in wanted]


def _source(model: Model, needed: Sequence[Field]) -> Sequence[Field]:
    """Return what a call starts from where the service asks for nothing, as for a clip with references."""
    if model.tasks[0].startswith("text-") or any(each.is_media for each in needed):
        return []
    names = ("image", "images", "first_frame", "video", "videos")
    return [each for each in model.fields if each.alias in names and each not in needed][:1]


def _about(task: str) -> Sequence[str]:
    """Return the uniform names of what a task or an endpoint starts from, as in ``image-to-3d``."""
    start = task.rpartition("/")[2].partition("-to-")[0]
    return (start,) if start in _MEDIA else ("prompt",)


def _name(field: Field) -> str:
    return field.alias or field.name


def _value(field: Field, model: Model, before: dict[str, None]) -> str:
    """Return a value as it stands in YAML, adding to ``before`` the steps that make it."""
    medium = field.type.removesuffix("[]") if field.is_media else str(field.alias).removesuffix("s")
    made = field.is_media or bool(field.item) or field.alias in _MEDIA
    source = _MADE.get(medium if made else field.name)
    if source is not None:
        step, place = source
        before.update(dict.fromkeys(_BEFORE.get(step, (step,))))
        return f'["${{{{ {place} }}}}"]' if field.is_list else f"${{{{ {place} }}}}"
    if field.enum:
        return _plain(field.enum[0])
    if field.type in ("integer", "number"):
        return str(_NUMBERS.get(field.name, int(field.minimum or 1)))
    if field.name in _TEXTS and field.alias != "prompt":
        return _plain(_TEXTS[field.name])
    return _plain(_PROMPTS.get(model.tasks[0], _PROMPT) if field.alias == "prompt" else "example")


def _plain(text: str) -> str:
    """Return a text as YAML, quoted where it could be read as something else."""
    return text if re.fullmatch(r"[A-Za-z][A-Za-z0-9_ ,.-]*", text) else json.dumps(text, ensure_ascii=False)

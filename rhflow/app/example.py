"""A recipe that calls one model with nothing but what it needs: the shortest way to try it.

What only the author can give (a file, an id that the service made) becomes a parameter; texts are given as examples.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
}


@dataclass(frozen=True, slots=True)
class Example:
    """The text of a recipe, and the names and types of the parameters it must be given."""

    text: str
    params: Mapping[str, str]


def kind_of(model: Model, kinds: Mapping[str, KindSpec]) -> KindSpec | None:
    """Return the kind of step that serves the first task of a model that any kind serves."""
    return next((kind for task in model.tasks for kind in kinds.values() if task in kind.tasks), None)


def example(model: Model, kinds: Mapping[str, KindSpec]) -> Example | None:
    """Return a recipe with one step, or None for a model that cannot be called or should not be any more."""
    kind = kind_of(model, kinds)
    if kind is None or not model.callable or model.status != "active":
        return None
    params: dict[str, str] = {}
    inputs = {_name(each): _value(each, model, params) for each in _needed(model)}
    lines = ["rhflow: 1"]
    if params:
        lines += ["params:", *(f"  {name}: {{type: {kind}}}" for name, kind in params.items())]
    lines += ["steps:", "  try:", f"    uses: {kind.name}", f"    model: {model.id}"]
    if inputs:
        lines += ["    with:", *(f"      {name}: {value}" for name, value in inputs.items())]
    return Example("\n".join(lines) + "\n", params)


def _needed(model: Model) -> Sequence[Field]:
    """Return the inputs without which a call fails; where the catalogue knows of none, those the task is about."""
    needed = [each for each in model.fields if each.required and each.default is None]
    for group in model.any_of:
        if not any(each.name in group for each in needed):
            fields = [model.by_name[name] for name in group]
            needed.append(next((each for each in fields if each.is_media), fields[0]))
    if needed:
        return needed
    wanted = _about(model.tasks[0] if model.tasks[0] != "other" else model.endpoint)
    return [each for each in model.fields if (each.alias or each.name) in wanted]


def _about(task: str) -> Sequence[str]:
    """Return the uniform names of what a task or an endpoint starts from, as in ``image-to-3d``."""
    start = task.rpartition("/")[2].partition("-to-")[0]
    return (start,) if start in _MEDIA else ("prompt",)


def _name(field: Field) -> str:
    return field.alias or field.name


def _value(field: Field, model: Model, params: dict[str, str]) -> str:
    """Return a value as it stands in YAML, adding to ``params`` what only the author can give."""
    if field.is_media or field.alias in _MEDIA:
        medium = field.alias if field.type == "string" else field.type.removesuffix("[]")
        name = _name(field).removesuffix("s") if field.is_list else _name(field)
        value = _param(name, str(medium), params)
        return f'["{value}"]' if field.is_list else value
    if field.enum:
        return _plain(field.enum[0])
    if field.alias == "prompt":
        return _plain(_PROMPTS.get(model.tasks[0], _PROMPT))
    if field.type == "string" and field.name in _TEXTS:
        return _plain(_TEXTS[field.name])
    return _param(_name(field), field.type if field.type in ("integer", "number", "boolean") else "string", params)


def _param(name: str, kind: str, params: dict[str, str]) -> str:
    params[name] = kind
    return f"${{{{ params.{name} }}}}"


def _plain(text: str) -> str:
    """Return a text as YAML, quoted where it could be read as something else."""
    return text if re.fullmatch(r"[A-Za-z][A-Za-z0-9_ ,.-]*", text) else json.dumps(text, ensure_ascii=False)

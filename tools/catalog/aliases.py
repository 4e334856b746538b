"""Which uniform name stands for which field of a model.

The same name can be another thing on another model (``audio`` is a switch on some, a sound file on others), so an
entry names the types it holds for. Within one model an alias goes to one field: the first of its list that is there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

TEXT = ("string",)
CHOICE = ("enum", "string")
NUMBER = ("integer", "number", "enum")
SWITCH = ("boolean", "enum")
LINK = ("string",)  # a link, or an asset id, that the service takes as plain text

Candidates = tuple[tuple[str, tuple[str, ...]], ...]


def _named(types: tuple[str, ...], *names: str) -> Candidates:
    return tuple((name, types) for name in names)


ALIASES: Mapping[str, Candidates] = {
    "prompt": _named(TEXT, "prompt", "text", "textPrompt", "description"),
    "negative_prompt": _named(TEXT, "negativePrompt", "negative_prompt"),
    "image": (("imageUrl", ("image", *LINK)), *_named(("image",), "image", "frontImageUrl")),
    "images": (*_named(("image[]",), "imageUrls", "elementReferList"), ("refImages", ("object[]",))),
    "first_frame": _named(("image",), "firstImageUrl", "firstFrameUrl"),
    "last_frame": _named(("image",), "lastImageUrl", "lastFrameUrl", "endImageUrl"),
    "video": (("videoUrl", ("video", *LINK)), ("video", ("video",))),
    "videos": _named(("video[]",), "videoUrls", "videos"),
    "audio": _named(("audio",), "audioUrl", "audio"),
    "audios": _named(("audio[]",), "audioUrls"),
    "style_image": _named(("image",), "sref"),
    "character_image": _named(("image",), "cref"),
    "object_image": _named(("image",), "oref"),
    "duration": _named(NUMBER, "duration"),
    "aspect_ratio": _named(CHOICE, "aspectRatio", "ratio"),
    "resolution": _named(CHOICE, "resolution", "targetResolution"),
    "size": _named(CHOICE, "size"),
    "width": _named(NUMBER, "width", "customWidth"),
    "height": _named(NUMBER, "height", "customHeight", "customHight"),
    "seed": _named(NUMBER, "seed"),
    "with_audio": _named(SWITCH, "generateAudio", "sound", "generateAudioSwitch", "audio", "enableAudio"),
    "keep_audio": _named(SWITCH, "keepOriginalSound", "audioSetting"),
    "count": _named(NUMBER, "imageNum", "maxImages", "n"),
    "voice": _named(CHOICE, "voice_id", "voiceId", "custom_voice_id"),
    "output_format": _named(CHOICE, "outputFormat"),
    "quality": _named(CHOICE, "quality"),
    "guidance": _named(NUMBER, "cfgScale", "guidanceScale"),
    "enhance_prompt": _named(SWITCH, "promptExtend", "enablePromptExpansion", "promptOptimizer", "thinkingMode"),
    "return_last_frame": _named(SWITCH, "returnLastFrame"),
}

# What a plain picture becomes in a field that takes mappings; the source names the members, not what they hold.
ITEMS: Mapping[str, Mapping[str, str]] = {"refImages": {"type": "image", "tag": "@image{n}", "url": "{file}"}}

# Single picture fields over which a list of pictures is spread: numbered ones, and the views of one object.
_SPREAD = re.compile(r"image(Url\d*)|(front|back|left|right|top|bottom|leftFront|rightFront)ImageUrl")


def alias_by_field(params: Sequence[Mapping[str, Any]], task: str) -> dict[str, str]:
    """Return the alias of each field that has one, by the field's own name.

    On the task ``element`` a ``description`` describes a figure and is no prompt.
    """
    types = {param["name"]: param["type"] for param in params}
    found: dict[str, str] = {}
    for alias, candidates in ALIASES.items():
        for name, allowed in candidates:
            if types.get(name) in allowed and not (task == "element" and name == "description"):
                found[name] = alias
                break
    return found


def spread(params: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return over which single fields a list goes, in the order in which the service lists them."""
    single = [param["name"] for param in params if param["type"] == "image" and _SPREAD.fullmatch(param["name"])]
    takes_list = any(param["type"] == "image[]" for param in params)
    return {"images": single} if len(single) > 1 and not takes_list else {}


def implied(params: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what follows for one field from another, by the names that say so.

    Pixels of one's own count only where the ratio is ``custom``; shots are asked for with a type, also its default;
    an asset that is a clip is one by name, too.
    """
    known = {param["name"]: param for param in params}
    rules: list[dict[str, Any]] = []
    if "custom" in known.get("aspectRatio", {}).get("enum", ()):
        sides = [name for name in ("customWidth", "customHeight", "customHight") if name in known]
        rules += [{"field": name, "then": "aspectRatio", "becomes": "custom", "only": True} for name in sides]
    if "multiShot" in known and (shot := known.get("shotType", {}).get("default")):
        rules.append({"field": "multiShot", "value": "true", "then": "shotType", "becomes": shot})
    if "videoUrl" in known and "video" in known.get("kind", {}).get("enum", ()):
        rules.append({"field": "videoUrl", "then": "kind", "becomes": "video", "only": True})
    return rules

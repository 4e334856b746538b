"""How large a result is: what the inputs ask for in their many spellings, else what the input picture suggests."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from rhflow.core.values import Json
from rhflow.media.image import Size, even, with_ratio

_PAIR = re.compile(r"(\d{2,5})\s*[*xX×]\s*(\d{2,5})")
_RATIO = re.compile(r"(\d{1,2}(?:\.\d+)?):(\d{1,2}(?:\.\d+)?)")
_SIDES = {"512": 512, "0.5k": 512, "1k": 1024, "1.5k": 1536, "2k": 2048, "3k": 3072, "4k": 4096, "8k": 8192}
_LINES = {"1k": 1080, "2k": 1440, "4k": 2160, "8k": 4320}
_SMALLEST = 16
Inputs = Mapping[str, Json]


def _number(inputs: Inputs, *names: str) -> int | None:
    """Return the first positive whole number among the inputs with these names."""
    for name in names:
        value = inputs.get(name)
        if isinstance(value, str) and value.strip().isdigit():
            value = int(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return int(value)
    return None


def _pair(inputs: Inputs) -> Size | None:
    """Return a size in pixels where one is spelled out."""
    for name in ("size", "resolution", "aspectRatio", "ratio"):
        if (found := _PAIR.fullmatch(str(inputs.get(name, "")))) is not None:
            return int(found[1]), int(found[2])
    width = _number(inputs, "width", "customWidth")
    height = _number(inputs, "height", "customHeight", "customHight")
    return (width, height) if width and height else None


def _ratio(inputs: Inputs) -> float | None:
    """Return width over height where it is asked for; ``auto``, ``adaptive`` and ``custom`` leave it open."""
    for name in ("aspectRatio", "ratio"):
        if (found := _RATIO.fullmatch(str(inputs.get(name, "")))) is not None and float(found[2]):
            return float(found[1]) / float(found[2])
    return None


def _lines(name: str) -> int | None:
    """Return the shorter side that a name such as ``720p``, ``native1080p`` or ``4k`` stands for."""
    name = name.casefold()
    if (found := re.search(r"(\d{3,4})p?$", name)) is not None:
        return int(found[1])
    return _LINES.get(name)


def picture_size(inputs: Inputs, *, like: Size | None) -> Size:
    """Return the size of a picture; ``like`` is the size of the first input picture."""
    if (pair := _pair(inputs)) is not None:
        return pair
    ratio = _ratio(inputs) or (like[0] / like[1] if like else 1.0)
    name = str(inputs.get("resolution", "1k")).casefold()
    if (lines := _lines(name)) is not None and name.endswith("p"):
        return with_ratio(ratio, short_side=lines)
    side = _SIDES.get(name, lines if lines is not None and name not in _LINES else 1024)
    return _eights(side * math.sqrt(ratio)), _eights(side / math.sqrt(ratio))


def _eights(length: float) -> int:
    return max(8, round(length / 8) * 8)


_STANDARD = (16 / 9, 9 / 16, 4 / 3, 3 / 4, 3 / 2, 2 / 3, 1.0, 21 / 9, 5 / 4, 4 / 5)


def _standard(size: Size) -> float:
    """Return the ratio of ``size``, or the usual one that it only misses by rounding."""
    ratio = size[0] / size[1]
    return next((usual for usual in _STANDARD if abs(ratio / usual - 1) < 0.012), ratio)


def clip_size(inputs: Inputs, *, like: Size | None) -> Size:
    """Return the size of a clip, both sides even; ``like`` is the size of the first input picture or clip."""
    if (pair := _pair(inputs)) is not None:
        return even(pair[0]), even(pair[1])
    ratio = _ratio(inputs) or (_standard(like) if like else 16 / 9)
    name = str(inputs.get("targetResolution", inputs.get("resolution", "720p")))
    return with_ratio(ratio, short_side=_lines(name) or 720)


def enlarged_picture(inputs: Inputs, size: Size) -> Size:
    """Return what an upscale makes of a picture of ``size``; twice as large when nothing is asked for."""
    scale = 2.0
    if (found := re.fullmatch(r"(\d+(?:\.\d+)?)x", str(inputs.get("scale", "")))) is not None:
        scale = float(found[1])
    elif (short := _number(inputs, "shortEdgeSize")) is not None:
        scale = short / min(size)
    elif (long := _number(inputs, "longEdgeSize")) is not None:
        scale = long / max(size)
    elif (times := _number(inputs, "upscale")) is not None:
        scale = times
    elif (name := inputs.get("targetResolution", inputs.get("resolution"))) is not None:
        scale = (_SIDES.get(str(name).casefold()) or _lines(str(name)) or 2 * max(size)) / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def enlarged_clip(inputs: Inputs, size: Size) -> Size:
    """Return what an upscale makes of a clip of ``size``: the shorter side as named, the ratio kept."""
    name = str(inputs.get("targetResolution", inputs.get("resolution", "1080p")))
    return with_ratio(size[0] / size[1], short_side=_lines(name) or 1080)


def bounded(size: Size, most: int | None) -> Size:
    """Return ``size`` scaled down so that its longer side is at most ``most`` pixels, even where it was even."""
    longer = max(size)
    if most is None or longer <= most:
        return size
    width, height = (max(_SMALLEST, even(side * most / longer)) for side in size)
    return width, height

"""The visible mark on everything made here: a badge, and on pictures a caption.

A marked PNG carries what its mark covers (a thin strip, as JPEG in a text chunk). When it comes back as an input the
strip is put back first, so marks do not pile up along a pipeline, and nothing has to be remembered between runs.
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, UnidentifiedImageError

from rhflow.media.image import Size, badge, font, open_image, printable, save_image, shorten
from rhflow.media.planes import Overlay

TEXT = "simulated"
_NOTE, _UNDER, _CAPTION = "rhflow", "rhflow-under", "rhflow-caption"


class Clean(NamedTuple):
    """An input picture without its mark, and the caption that it had."""

    image: Image.Image
    caption: str


def _measures(size: Size) -> tuple[int, int]:
    """Return the height of the badge and its distance from the edges, in pixels."""
    unit = min(size)
    return max(12 if unit < 150 else 16, round(unit * 0.034)), max(4, round(unit * 0.024))


@lru_cache(maxsize=16)
def _badge(height: int) -> Image.Image:
    return badge(TEXT, height)


def mark(image: Image.Image, caption: str) -> Image.Image:
    """Return ``image`` with the badge at the lower right and ``caption`` at the lower left, over a soft shade."""
    height, margin = _measures(image.size)
    label = _badge(height)
    marked = image.copy()
    band = _band(image.size)
    shade = Image.linear_gradient("L").resize((image.width, band)).point([round(value * 0.62) for value in range(256)])
    marked.paste((6, 8, 14), (0, image.height - band), shade)
    marked.paste(label, (image.width - label.width - margin, image.height - height - margin), label)
    text = shorten(printable(caption), image.width - label.width - 3 * margin, size=round(height * 0.66))
    place = (margin, image.height - margin - height / 2)
    ImageDraw.Draw(marked).text(place, text, font=font(round(height * 0.66)), fill=(245, 245, 242), anchor="lm")
    return marked


def _band(size: Size) -> int:
    """Return how many rows at the bottom a mark may change."""
    height, margin = _measures(size)
    return min(size[1], 2 * (height + margin))


def overlay(size: Size) -> Overlay:
    """Return the badge for the frames of a clip, at the place it has on a picture."""
    height, margin = _measures(size)
    label = _badge(height)
    return Overlay.of_label(label, (max(0, size[0] - label.width - margin), max(0, size[1] - height - margin)))


def save_marked(image: Image.Image, path: Path, caption: str, *, notes: Mapping[str, str] | None = None) -> None:
    """Mark ``image`` and write it with ``notes`` of others; the format is that of the name of ``path``."""
    notes = {**(notes or {}), _NOTE: TEXT}
    if path.suffix == ".png":
        strip = image.crop((0, image.height - _band(image.size), *image.size))
        packed = io.BytesIO()
        strip.save(packed, "JPEG", quality=94, subsampling=0)
        notes |= {_UNDER: base64.b64encode(packed.getvalue()).decode(), _CAPTION: caption[:500]}
    save_image(mark(image, caption), path, notes=notes)


def open_clean(path: Path) -> Clean:
    """Return an input picture as it was before it was marked. Raises UnreadableMediaError when it is no picture."""
    image = open_image(path)
    notes = _notes(path)
    if notes.get(_NOTE) != TEXT:
        return Clean(image, "")
    strip = _strip(notes.get(_UNDER, ""))
    if strip is not None and strip.width == image.width and strip.height < image.height:
        image.paste(strip, (0, image.height - strip.height))
    return Clean(image, notes.get(_CAPTION, ""))


def _notes(path: Path) -> Mapping[str, str]:
    with Image.open(path) as opened:
        return {key: str(text) for key, text in opened.info.items() if isinstance(key, str) and key.startswith(_NOTE)}


def _strip(packed: str) -> Image.Image | None:
    """Return the strip that a picture carries, or None: a note that others wrote is no reason to fail."""
    try:
        with Image.open(io.BytesIO(base64.b64decode(packed, validate=True))) as strip:
            return strip.convert("RGB")
    except (binascii.Error, UnidentifiedImageError, OSError):
        return None

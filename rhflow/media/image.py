"""Helpers for pictures: open upright, crop without stretching, shrink, label, save.

Everything returns a new picture; nothing changes the one it is given.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from rhflow.media.errors import reading

if TYPE_CHECKING:
    from PIL import Image, ImageFont

Size: TypeAlias = tuple[int, int]
Colour: TypeAlias = tuple[int, int, int]
Box: TypeAlias = tuple[float, float, float, float]

_TYPOGRAPHY = str.maketrans(
    {
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "ø": "o",
        "Ø": "O",
        "ß": "ss",
        "ł": "l",
        "Ł": "L",
        "đ": "d",
        "–": "-",
        "—": "-",
        "×": "x",
    }
)
_IN_FONT = frozenset(map(chr, range(32, 127))) | frozenset("…‘’“”™")


def open_image(path: Path, *, name: str | None = None, transparent: bool = False) -> Image.Image:
    """Return the picture at ``path`` as RGB, upright (EXIF turn applied), transparency laid over white.

    ``transparent``: a picture with transparency is returned as RGBA instead. Raises UnreadableMediaError when it is
    damaged or no picture.
    """
    from PIL import Image, ImageOps

    with reading(path, name), Image.open(path) as opened:
        image = ImageOps.exif_transpose(opened)
        if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
            rgba = image.convert("RGBA")
            if transparent:
                return rgba
            image = Image.new("RGB", rgba.size, "white")
            image.paste(rgba, mask=rgba.getchannel("A"))
        return image.convert("RGB")


def save_image(
    image: Image.Image, path: Path, *, notes: Mapping[str, str] | None = None, extension: str | None = None
) -> None:
    """Write a picture in the format of ``extension``, or else the one that the name of ``path`` asks for.

    PNG keeps ``notes`` as text chunks; what is neither JPEG nor WebP becomes PNG.
    """
    from PIL import PngImagePlugin

    match f".{extension}" if extension is not None else path.suffix.casefold():
        case ".jpg" | ".jpeg":
            comment = "; ".join(f"{key}: {text}" for key, text in (notes or {}).items())
            image.save(path, "JPEG", quality=92, subsampling=0, comment=comment[:60_000])
        case ".webp":
            image.save(path, "WEBP", quality=90, method=2)
        case _:
            chunks = PngImagePlugin.PngInfo()
            for key, text in (notes or {}).items():
                chunks.add_itxt(key, text)
            image.save(path, "PNG", compress_level=3, pnginfo=chunks)


def even(length: float) -> int:
    """Return the nearest even number of pixels, at least 2: what yuv420p wants."""
    return max(2, round(length / 2) * 2)


def with_ratio(ratio: float, *, short_side: int) -> Size:
    """Return the even size of ``ratio`` (width over height) whose shorter side is ``short_side``."""
    width, height = (short_side * ratio, short_side) if ratio >= 1 else (short_side, short_side / ratio)
    return even(width), even(height)


def cover_box(size: Size, ratio: float) -> Box:
    """Return the largest centred part of ``size`` that has ``ratio``, as left, top, right, bottom."""
    width, height = size
    if width > height * ratio:
        spare = (width - height * ratio) / 2
        return spare, 0.0, width - spare, float(height)
    spare = (height - width / ratio) / 2
    return 0.0, spare, float(width), height - spare


def cover(image: Image.Image, size: Size) -> Image.Image:
    """Return ``image`` filling ``size``: scaled, and cropped at the centre, never stretched."""
    from PIL import Image as Pillow

    if image.size == size:
        return image.copy()
    box = cover_box(image.size, size[0] / size[1])
    return image.resize(size, Pillow.Resampling.LANCZOS, box=box, reducing_gap=3.0)


def contain(size: Size, within: Size) -> Size:
    """Return ``size`` scaled to fit ``within``, its ratio kept."""
    scale = min(within[0] / size[0], within[1] / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


@lru_cache(maxsize=32)
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the font that Pillow carries, ``size`` pixels high. It holds the characters of ``printable`` only."""
    from PIL import ImageFont

    return ImageFont.load_default(size=max(6, size))


def printable(text: str) -> str:
    """Return ``text`` in the characters that ``font`` has: no accents, kana and hangul spelled, the rest left out."""
    kept = []
    for character in unicodedata.normalize("NFKC", text).translate(_TYPOGRAPHY):
        if character in _IN_FONT:
            kept.append(character)
        elif character.isspace():
            kept.append(" ")
        else:
            kept.append(_spelled(character))
    return " ".join("".join(kept).split())


def _spelled(character: str) -> str:
    plain = "".join(each for each in unicodedata.normalize("NFKD", character) if each in _IN_FONT)
    if plain:
        return plain
    kind, _, sound = unicodedata.name(character, "").rpartition(" ")
    if kind.endswith(("HIRAGANA LETTER", "KATAKANA LETTER", "HANGUL SYLLABLE")):
        return sound.lower()
    return ""


def shorten(text: str, width: float, *, size: int) -> str:
    """Return ``text`` cut with an ellipsis so that it is at most ``width`` pixels wide in ``font(size)``."""
    face = font(size)
    if face.getlength(text) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if face.getlength(text[:middle].rstrip() + "…") <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip(" ,.;:") + "…" if low else ""


def badge(text: str, height: int, *, ink: Colour = (255, 255, 255), fill: Colour = (20, 22, 28)) -> Image.Image:
    """Return a label as RGBA: spaced capitals on a rounded plate, ``height`` pixels high."""
    from PIL import Image, ImageDraw

    big = 3 * height
    face = font(round(big * 0.52))
    gap = big * 0.055
    letters = [(letter, face.getlength(letter) + gap) for letter in text.upper()]
    width = even((sum(length for _, length in letters) - gap + big * 0.8) / 3)
    plate = Image.new("RGBA", (3 * width, big), (*fill, 0))
    draw = ImageDraw.Draw(plate)
    draw.rounded_rectangle((0, 0, 3 * width - 1, big - 1), radius=big * 0.28, fill=(*fill, 215))
    x = (3 * width - sum(length for _, length in letters) + gap) / 2
    for letter, length in letters:
        draw.text((x, big * 0.51), letter, font=face, fill=(*ink, 255), anchor="lm")
        x += length
    return plate.resize((width, height), Image.Resampling.LANCZOS)

"""A contact sheet: many pictures on one, each in a cell of its own with a line under it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rhflow.media.image import Colour, Size, badge, contain, font, open_image, printable, shorten
from rhflow.media.probe import MediaInfo, probe
from rhflow.media.video import frame_at

if TYPE_CHECKING:
    from PIL import Image

_PAPER: Colour = (24, 26, 31)
_CELL: Colour = (34, 37, 44)
_INK: Colour = (214, 217, 224)
_TALLEST, _FLATTEST = 1.5, 0.5  # of a cell, height to width: what is beyond it stands in the middle


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture or clip by its file, the name that messages call it, and the line under it."""

    path: Path
    name: str
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """The sheet in pixels: how many cells side by side, their size, the gap around them, the height of a line."""

    count: int
    columns: int
    cell: Size
    gap: int
    line: int

    @property
    def size(self) -> Size:
        """Width and height of the whole sheet."""
        rows = -(-self.count // self.columns)
        wide = self.columns * (self.cell[0] + self.gap) + self.gap
        return wide, rows * (self.cell[1] + self.line + self.gap) + self.gap

    def corner(self, at: int) -> Size:
        """Return the upper left corner of a cell."""
        row, column = divmod(at, self.columns)
        x = self.gap + column * (self.cell[0] + self.gap)
        return x, self.gap + row * (self.cell[1] + self.line + self.gap)


def grid(ratios: Sequence[float], *, columns: int | None, width: int, captions: bool) -> Grid:
    """Return the layout for media of these ratios (width over height): cells as high as the usual one needs."""
    usual = 1 / sorted(ratios)[len(ratios) // 2]
    height = round(width * min(_TALLEST, max(_FLATTEST, usual)))
    line = max(16, width // 12) if captions else 0
    across = columns or math.ceil(math.sqrt(len(ratios)))
    return Grid(len(ratios), min(across, len(ratios)), (width, height), max(4, width // 32), line)


def draw_sheet(tiles: Iterable[Tile], layout: Grid) -> Image.Image:
    """Return the sheet; one picture at a time is in memory beside it. Raises UnreadableMediaError."""
    from PIL import Image, ImageDraw

    sheet = Image.new("RGB", layout.size, _PAPER)
    draw = ImageDraw.Draw(sheet)
    for at, tile in enumerate(tiles):
        x, y = layout.corner(at)
        width, height = layout.cell
        picture = _picture(tile, layout.cell)
        sheet.paste(_CELL, (x, y, x + width, y + height))
        sheet.paste(picture, (x + (width - picture.width) // 2, y + (height - picture.height) // 2))
        if tile.caption:
            size = round(layout.line * 0.62)
            text = shorten(printable(tile.caption), width, size=size)
            place = (x + width / 2, y + height + layout.line * 0.55)
            draw.text(place, text, font=font(size), fill=_INK, anchor="mm")
    return sheet


def _picture(tile: Tile, cell: Size) -> Image.Image:
    """Return a picture, or the middle frame of a clip with its length on it, as large as its cell allows."""
    from PIL import Image

    info: MediaInfo = probe(tile.path, name=tile.name)
    clip = info.media_type.startswith("video/")
    if clip:
        picture = frame_at(tile.path, (info.duration or 0) / 2, name=tile.name)
    else:
        picture = open_image(tile.path, name=tile.name)
    picture = picture.resize(contain(picture.size, cell), Image.Resampling.LANCZOS, reducing_gap=3.0)
    height = max(12, cell[0] // 16)
    if not clip or not info.duration or picture.height < 3 * height:
        return picture
    label = badge(_time(info.duration), height)
    if label.width < picture.width - height:  # at the top: at the bottom are marks and subtitles
        picture.paste(label, (picture.width - label.width - height // 3, height // 3), label)
    return picture


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"

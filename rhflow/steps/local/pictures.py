"""Operations that give pictures, or begin with one: another size, a camera over a picture, a contact sheet."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

from rhflow.core.inputs.ratios import pixels
from rhflow.core.values import Artifact
from rhflow.media.camera import Way, between, filmed
from rhflow.media.image import Size, contain, cover, cover_box, even, open_image, printable, save_image, with_ratio
from rhflow.media.planes import Planes
from rhflow.media.sheet import Tile, draw_sheet, grid
from rhflow.media.timeline import Look, shown, upright_size, whole
from rhflow.media.video import describe, encode
from rhflow.steps.local.work import Clip, Heed, Inputs, Work, within_bounds, wrong

_KEPT = frozenset({"jpg", "webp"})  # a picture in any other format becomes PNG, which loses nothing
_MOST_CANVAS = 48_000_000  # pixels; a picture of this size takes some 150 MB while it is made ready
_PAN_ZOOM, _NEAR = 1.2, 1.25
_MIDDLE = 0.5


# --- another size ----------------------------------------------------------------------------------------------------


def resize(inputs: Inputs) -> Work:
    """Write a picture or clip in another size."""
    return _resized_clip(inputs) if "video" in inputs else _resized_picture(inputs)


def _resized_picture(inputs: Inputs) -> Work:
    from PIL import Image

    picture: Artifact = inputs["image"]
    _wanted_size(_sides(picture), inputs)

    def write(path: Path, heed: Heed) -> None:
        image = open_image(Path(picture.path or ""), name=picture.name, transparent=True)
        size = _wanted_size(image.size, inputs)
        if inputs["fit"] == "cover":
            image = cover(image, size)
        elif image.size != size:
            image = image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
        save_image(image, path, extension=picture.extension if picture.extension in _KEPT else "png")

    return write


def _resized_clip(inputs: Inputs) -> Work:
    clip = Clip.of(inputs["video"])
    _wanted_size(_sides(inputs["video"]), inputs)

    def write(path: Path, heed: Heed) -> None:
        info, part = describe(clip.path, name=clip.name), whole(clip.path, clip.name)
        width, height = _wanted_size(upright_size(clip.path, clip.name), inputs)
        look = Look((even(width), even(height)), "cover" if inputs["fit"] == "cover" else "stretch")
        encode(path, heed(shown(part, look)), fps=part.fps, sound=clip.path, matrix=info.matrix)

    return write


def _sides(file: Artifact) -> Size:
    """Return the sides of a picture or clip; where they are not known, what is always fine."""
    return file.width or 1, file.height or 1


def _wanted_size(size: Size, inputs: Inputs) -> Size:
    """Return the size that is asked for, the ratio kept unless both sides are to be filled. Raises StepError."""
    width, height, scale = inputs.get("width"), inputs.get("height"), inputs.get("scale")
    if scale is not None:
        wanted = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    elif width is None or height is None:
        wanted = contain(size, (width or 10**9, height or 10**9))
    else:
        wanted = contain(size, (width, height)) if inputs["fit"] == "contain" else (width, height)
    named = next(name for name in ("scale", "width", "height") if name in inputs)
    return within_bounds(wanted, at=named)


# --- a camera over a picture -----------------------------------------------------------------------------------------

_ACROSS: Mapping[str, Size] = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


def ken_burns(inputs: Inputs) -> Work:
    """Write a clip in which the camera moves slowly over a picture."""
    picture: Artifact = inputs["image"]
    _frame_size(_sides(picture), inputs)

    def write(path: Path, heed: Heed) -> None:
        image = open_image(Path(picture.path or ""), name=picture.name)
        size = _frame_size(image.size, inputs)
        fps = Fraction(str(inputs["fps"])).limit_denominator(1001)
        count = max(1, round(Fraction(str(inputs["duration"])) * fps))
        near = _zooms(inputs)
        canvas = Planes.of_image(cover(image, _canvas_size(image.size, size, max(near))))
        encode(path, heed(filmed(canvas, _way(inputs["direction"], near), size, count=count)), fps=fps)

    return write


def _frame_size(picture: Size, inputs: Inputs) -> Size:
    if "size" in inputs:
        width, height = pixels(inputs["size"]) or (0, 0)
        return within_bounds((even(width), even(height)), at="size")
    wide, high = map(float, inputs["aspect_ratio"].split(":")) if "aspect_ratio" in inputs else picture
    short = int(inputs["resolution"].removesuffix("p"))
    return within_bounds(with_ratio(wide / high, short_side=short), at="aspect_ratio")


def _zooms(inputs: Inputs) -> tuple[float, float]:
    """Return how close the camera is at first and in the end."""
    usual = {"in": (1.0, _NEAR), "out": (_NEAR, 1.0)}.get(inputs["direction"], (_PAN_ZOOM, _PAN_ZOOM))
    return float(inputs.get("zoom_from", usual[0])), float(inputs.get("zoom_to", usual[1]))


def _way(direction: str, near: tuple[float, float]) -> Way:
    """Return the way of the camera: across as far as there is room, or straight in or out."""
    (x, y), (first, last) = _ACROSS.get(direction, (0, 0)), near
    begin, end = _MIDDLE * (1 - 1 / first), _MIDDLE * (1 - 1 / last)
    return between(
        (_MIDDLE - x * begin, _MIDDLE - y * begin, first),
        (_MIDDLE + x * end, _MIDDLE + y * end, last),
    )


def _canvas_size(picture: Size, size: Size, near: float) -> Size:
    """Return how large a picture lies under the camera: enough for the closest view, as far as it has detail."""
    left, _, right, _ = cover_box(picture, size[0] / size[1])
    detail = max(1.0, (right - left) / size[0])
    most = max(1.0, (_MOST_CANVAS / (size[0] * size[1])) ** 0.5)
    times = min(near, detail, most)
    return even(size[0] * times), even(size[1] * times)


# --- a contact sheet -------------------------------------------------------------------------------------------------


def sheet(inputs: Inputs) -> Work:
    """Write pictures, and clips by their middle frame, side by side."""
    files: list[Artifact] = [*inputs.get("images", ()), *inputs.get("files", ())]
    captions: list[str] = inputs.get("captions", [])
    _check_tiles(files, captions)
    ratios = [width / height for width, height in map(_sides, files)]
    layout = grid(ratios, columns=inputs.get("columns"), width=inputs["width"], captions=bool(captions))
    within_bounds(layout.size, at="width")

    def write(path: Path, heed: Heed) -> None:
        lines = captions or [""] * len(files)
        tiles = [Tile(Path(each.path or ""), each.name, line) for each, line in zip(files, lines, strict=True)]
        save_image(draw_sheet(heed(tiles), layout), path, extension="jpg")

    return write


def _check_tiles(files: list[Artifact], captions: list[str]) -> None:
    if not files:
        raise wrong("empty-sheet", "a sheet of nothing: there are no pictures or clips", hint="give some", at="images")
    for each in files:
        if each.family not in ("image", "video"):
            message = f"`{each.name}` is {each.media_type}, and a sheet shows pictures and clips"
            raise wrong("wrong-media", message, hint="leave it out", at="files")
    _check_captions(captions, len(files))


def _check_captions(captions: list[str], count: int) -> None:
    if captions and len(captions) != count:
        numbers = f"there are captions for {len(captions)}, and the sheet shows {count}"
        raise wrong("caption-count", numbers, hint="give a caption for each, or none", at="captions")
    for line in captions:
        if line.strip() and not printable(line):
            message = f"the caption `{line[:40]}` has no letter that can be drawn"
            raise wrong("caption-letters", message, hint="write captions in Latin letters", at="captions")

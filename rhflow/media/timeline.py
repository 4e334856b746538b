"""Parts of clips as frames at an even rate: cut out, fitted to a size, put one after another.

A frame is shown until the next one begins, as players do it, so clips of any rate (also an uneven one) keep their
speed, and their sound stays in step. Frames are read as they are needed: a whole clip is never in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rhflow.media.errors import reading, unreadable
from rhflow.media.image import Size, contain, cover_box, even
from rhflow.media.planes import Planes
from rhflow.media.samples import RATE, Reel, Samples, faded, heard
from rhflow.media.video import FPS, describe, pictures_of, scaled, turned

if TYPE_CHECKING:
    import av

Fit = Literal["contain", "cover", "stretch"]
_FASTEST = 240  # frames a second; some formats tell their unit of time instead
_HAIR = 4  # bars of fewer pixels are not worth having


@dataclass(frozen=True, slots=True)
class Part:
    """``count`` frames of a clip at the rate ``fps``, from ``start`` seconds on; ``name`` is for messages."""

    path: Path
    name: str
    fps: Fraction
    count: int
    start: Fraction = Fraction(0)

    @property
    def samples(self) -> int:
        """How many samples of sound go with it."""
        return samples_of(self.count, self.fps)


@dataclass(frozen=True, slots=True)
class Look:
    """What frames are to be like: their size (even sides), how they are brought to it, their colour matrix."""

    size: Size
    fit: Fit = "contain"
    matrix: int | None = None


def samples_of(count: int, fps: Fraction) -> int:
    """Return how many samples of sound go with ``count`` frames."""
    return round(count / fps * RATE)


def whole(path: Path, name: str, *, fps: Fraction | None = None) -> Part:
    """Return all of a clip, at its own rate or another. Raises UnreadableMediaError."""
    info = describe(path, name=name)
    if info.seconds <= 0:
        raise unreadable(name, "it has no length")
    rate = fps or (info.fps if 1 <= info.fps <= _FASTEST else FPS)
    return Part(path, name, rate, max(1, round(Fraction(info.seconds).limit_denominator(90_000) * rate)))


def shown(part: Part, look: Look | None = None) -> Iterator[Planes]:
    """Yield the frames of a part, in their own size (made even) or as they are to look.

    Where the clip ends sooner its last frame stays. Raises UnreadableMediaError, also where there is no frame at all.
    """
    with reading(part.path, part.name):
        frames = _timed(part)
        coming = next(frames, None)
        if coming is None:
            raise unreadable(part.name, "it has no frames")
        current, planes = coming, None
        for tick in range(part.count):
            latest = part.start + (Fraction(tick) + Fraction(1, 4)) / part.fps  # times in files are rounded
            while coming is not None and coming[0] <= latest:
                current, planes, coming = coming, None, next(frames, None)
            planes = planes or _fitted(current[1], look)
            yield planes


def _timed(part: Part) -> Iterator[tuple[Fraction, av.VideoFrame]]:
    """Yield frames with the times at which they begin, the first one at or before the start of the part."""
    import av

    with av.open(str(part.path)) as container:
        stream: Any = pictures_of(container, part.name)
        stream.codec_context.thread_count = 1
        origin = Fraction(container.start_time or 0, av.time_base)
        if part.start > 0:
            container.seek(int((part.start + origin) * av.time_base), backward=True)
        for frame in container.decode(stream):
            if frame.pts is not None:
                yield Fraction(frame.pts) * Fraction(frame.time_base) - origin, frame


def upright_size(path: Path, name: str) -> Size:
    """Return width and height of a clip as it is shown. Raises UnreadableMediaError."""
    with reading(path, name):
        for _, frame in _timed(Part(path, name, FPS, 1)):
            return (frame.height, frame.width) if turned(frame) % 2 else (frame.width, frame.height)
    raise unreadable(name, "it has no frames")


def _fitted(frame: av.VideoFrame, look: Look | None) -> Planes:
    """Return a frame as it is to look, upright."""
    own = (frame.width, frame.height)
    as_it_is = (max(2, own[0] // 2 * 2), max(2, own[1] // 2 * 2))
    if look is None:
        return _turned(scaled(frame, as_it_is), turned(frame))
    if turned(frame) or look.fit == "cover":
        return _within(_turned(scaled(frame, as_it_is, matrix=look.matrix), turned(frame)), look)
    inner = look.size if look.fit == "stretch" else _inside(own, look.size)
    planes = scaled(frame, inner, matrix=look.matrix)
    return planes if inner == look.size else planes.on_black(look.size)


def _within(planes: Planes, look: Look) -> Planes:
    """Return a frame that was read in its own size as it is to look."""
    everything = (0.0, 0.0, float(planes.size[0]), float(planes.size[1]))
    if look.fit == "cover":
        return planes.window(cover_box(planes.size, look.size[0] / look.size[1]), look.size)
    if look.fit == "stretch":
        return planes.window(everything, look.size)
    inner = _inside(planes.size, look.size)
    return planes.window(everything, inner).on_black(look.size)


def _turned(planes: Planes, quarters: int) -> Planes:
    from PIL import Image

    if not quarters:
        return planes
    turns = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
    return Planes(*(plane.transpose(turns[quarters - 1]) for plane in planes))


def _inside(own: Size, size: Size) -> Size:
    """Return the even size that a frame has inside another, which it fills where only a hair is missing."""
    width, height = contain(own, size)
    inner = min(size[0], even(width)), min(size[1], even(height))
    return size if size[0] - inner[0] <= _HAIR and size[1] - inner[1] <= _HAIR else inner


def joined(parts: Sequence[Part], look: Look, *, overlap: int = 0) -> Iterator[Planes]:
    """Yield parts one after another; ``overlap`` frames of each go over into the next."""
    before: Iterator[Planes] = iter(())
    for at, part in enumerate(parts):
        frames = shown(part, look)
        common = overlap if at else 0
        for index in range(common):
            yield next(before).blend(next(frames), (index + 1) / (common + 1))
        yield from islice(frames, part.count - common - (overlap if at < len(parts) - 1 else 0))
        before = frames


def joined_sound(parts: Sequence[Part], *, overlap: int = 0) -> Iterator[Samples]:
    """Yield the sound that goes with ``joined``: exactly as long, and nothing where a part has none."""
    before, done = Reel(), 0
    for at, part in enumerate(parts):
        reel = Reel(heard(part.path, start=part.start, name=part.name))
        last = at == len(parts) - 1
        # Counted from the beginning, so that rounding does not add up
        begins = samples_of(done, part.fps)
        common = samples_of(done + overlap, part.fps) - begins if at else 0
        if common:
            yield faded(before.take(common), reel.take(common))
        done += part.count - (0 if last else overlap)
        alone = samples_of(done, part.fps) - begins - common
        yield from reel.portions(alone)
        before = reel

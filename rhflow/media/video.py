"""Helpers for clips: write H.264, read frames, resample frame by frame.

Clips are streamed: memory does not grow with their length. Output is MP4, H.264, yuv420p, index at the front, at a
constant frame rate; one encoder thread and fixed settings, so equal input gives equal bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rhflow.media.audio import Soundtrack, Track
from rhflow.media.errors import reading, unreadable
from rhflow.media.image import Size
from rhflow.media.planes import Overlay, Planes

if TYPE_CHECKING:
    import av
    from PIL import Image

FPS = Fraction(24)
_OPTIONS = {"preset": "superfast", "crf": "21", "bf": "0", "threads": "1"}
_LIMITED_RANGE = 1
BT601 = 6
"""The colour matrix of what is drawn here, by FFmpeg's number."""
_CONVERTED = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
"""The matrices that can be made of each other, and what the converter calls them: the two of BT.601 are one."""
_UNTOLD = (0, 2)
MP4: Any = {"format": "mp4", "options": {"movflags": "+faststart"}}
"""How every clip is written: with its index at the front, so that it plays while it comes."""


@dataclass(frozen=True, slots=True)
class ClipInfo:
    """What a clip's header says: size in pixels, frame rate, length in seconds, colour matrix (FFmpeg's number)."""

    size: Size
    fps: Fraction
    seconds: float
    matrix: int = BT601


def encode(
    path: Path,
    frames: Iterable[Image.Image | Planes],
    *,
    fps: Fraction = FPS,
    sound: Path | Track | None = None,
    matrix: int = BT601,
) -> int:
    """Write ``frames`` (one size, even sides) as a clip and return how many they were.

    ``sound`` goes along, cut to the length of the pictures; of a file it is the first one. Raises ValueError when there
    are no frames.
    """
    import av

    count = 0
    with ExitStack() as stack:
        track = stack.enter_context(Soundtrack(sound)) if isinstance(sound, Path) else sound
        container = stack.enter_context(av.open(str(path), "w", **MP4))
        stream: Any = container.add_stream("libx264", rate=fps)
        for planes in map(_planes, frames):
            if count == 0:
                _prepare(stream, planes.size, fps=fps, matrix=matrix)
                if track:
                    track.attach(container)
            frame = planes.to_frame()
            frame.pts, frame.time_base = count, 1 / fps
            container.mux(stream.encode(frame))
            count += 1
            if track:
                track.feed(container, float(count / fps))
        if count == 0:
            raise ValueError("a clip needs at least one frame")
        container.mux(stream.encode(None))
    return count


def _planes(frame: Image.Image | Planes) -> Planes:
    return frame if isinstance(frame, Planes) else Planes.of_image(frame)


def _prepare(stream: Any, size: Size, *, fps: Fraction, matrix: int) -> None:
    context = stream.codec_context
    context.width, context.height = size
    context.pix_fmt, context.time_base = "yuv420p", 1 / fps
    context.color_range, context.colorspace = _LIMITED_RANGE, matrix
    context.options, context.thread_count = dict(_OPTIONS), 1


def describe(path: Path, *, name: str | None = None) -> ClipInfo:
    """Return what the clip at ``path`` is. Raises UnreadableMediaError when there are no pictures in it."""
    import av

    with reading(path, name), av.open(str(path)) as container:
        stream = pictures_of(container, name or path.name)
        context = stream.codec_context
        rate = Fraction(stream.average_rate or stream.guessed_rate or FPS)
        seconds = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
        seconds = seconds or (container.duration or 0) / av.time_base or _measured(container, stream)
        matrix = int(context.colorspace)
        return ClipInfo((context.width, context.height), rate, seconds, BT601 if matrix in _UNTOLD else matrix)


def _measured(container: Any, stream: Any) -> float:
    """Return where the last packet ends: what was recorded live tells no length."""
    ends = (each.pts + (each.duration or 0) for each in container.demux(stream) if each.pts is not None)
    return float(max(ends, default=0) * stream.time_base)


def read_frames(path: Path, *, size: Size | None = None) -> Iterator[Planes]:
    """Yield the frames of a clip one by one, at ``size`` (even sides) or their own size made even."""
    import av

    with reading(path), av.open(str(path)) as container:
        stream = pictures_of(container, path.name)
        stream.codec_context.thread_count = 1
        target = size or (stream.codec_context.width // 2 * 2, stream.codec_context.height // 2 * 2)
        for frame in container.decode(stream):
            yield scaled(frame, target)


def scaled(frame: av.VideoFrame, size: Size, *, matrix: int | None = None) -> Planes:
    """Return a frame stretched to ``size`` (even sides), its colours by ``matrix`` where one is told."""
    own, wanted = _CONVERTED.get(int(frame.colorspace)), _CONVERTED.get(matrix or BT601)
    same = matrix is None or own is None or wanted in (own, None)
    if same and (frame.width, frame.height) == size and frame.format.name == "yuv420p":
        return Planes.of_frame(frame)
    colours: Any = {} if same else {"src_colorspace": own, "dst_colorspace": wanted}
    options: Any = {"format": "yuv420p", "interpolation": "BICUBIC", "dst_color_range": "MPEG", **colours}
    return Planes.of_frame(frame.reformat(*size, **options))


def pictures_of(container: Any, name: str) -> Any:
    """Return the stream of an open clip that has its pictures. Raises UnreadableMediaError where there are none."""
    stream = next(iter(container.streams.video), None)
    if stream is None or not stream.codec_context.width:
        raise unreadable(name, "there are no pictures in it")
    return stream


def frame_at(path: Path, seconds: float | None = None, *, name: str | None = None) -> Image.Image:
    """Return the frame shown at ``seconds`` as RGB; None or a time past the end gives the last frame.

    Seeks to the key frame before it, so the cost does not grow with the clip.
    """
    import av

    with reading(path, name), av.open(str(path)) as container:
        stream = pictures_of(container, name or path.name)
        end = container.duration / av.time_base if container.duration else math.inf
        wanted = end if seconds is None else max(0.0, min(seconds, end))
        if 0 < wanted < math.inf:
            container.seek(int(wanted * av.time_base), backward=True)
        found = None
        for frame in container.decode(stream):
            if found is not None and frame.time is not None and frame.time > wanted + 1e-6:
                break
            found = frame
        if found is None:
            raise unreadable(name or path.name, "it has no frames")
        picture: Image.Image = found.to_image()
        turn = turned(found)
        return picture.rotate(90 * turn, expand=True) if turn else picture


def turned(frame: av.VideoFrame) -> int:
    """Return by how many quarters a frame is to be turned to the left: phones leave it to players to do so."""
    return round(frame.rotation / 90) % 4


def retime(frames: Iterable[Planes], *, source: Fraction, target: Fraction) -> Iterator[Planes]:
    """Yield ``frames`` of rate ``source`` at rate ``target`` over the same time, neighbours blended in between."""
    step = source / target
    place = Fraction(0)
    before: Planes | None = None
    index = -1
    for index, after in enumerate(frames):
        while before is not None and place < index:
            share = float(place - (index - 1))
            yield before.blend(after, share) if share > 0.02 else before
            place += step
        before = after
    while before is not None and place < index + 1:
        yield before
        place += step


def resample(
    source: Path, target: Path, *, size: Size, fps: Fraction | None = None, overlay: Overlay | None = None
) -> int:
    """Write ``source`` anew at ``size`` (even sides), frame by frame, and return the number of frames.

    Length and, unless ``fps`` is given, frame rate stay. The sound is kept: copied where MP4 can hold it, else encoded
    again as AAC.
    """
    info = describe(source)
    frames: Iterable[Planes] = read_frames(source, size=size)
    if fps and fps != info.fps:
        frames = retime(frames, source=info.fps, target=fps)
    if overlay:
        frames = map(overlay.over, frames)
    return encode(target, frames, fps=fps or info.fps, sound=source, matrix=info.matrix)

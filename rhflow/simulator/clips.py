"""Clips as results: a camera over pictures, a change from one to another, clips edited, prolonged, enlarged.

Each maker gives frames one by one; the badge is laid over them and they go straight to the encoder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from PIL import Image

from rhflow.media.camera import eased
from rhflow.media.image import Size, cover
from rhflow.media.planes import Planes
from rhflow.media.probe import probe
from rhflow.media.video import FPS, ClipInfo, describe, encode, frame_at, read_frames, retime
from rhflow.simulator.art.compose import paint
from rhflow.simulator.job import InputError, Job, Made
from rhflow.simulator.marks import open_clean, overlay, save_marked
from rhflow.simulator.motion import views
from rhflow.simulator.sizes import bounded, clip_size, enlarged_clip
from rhflow.simulator.tints import tint_for

_DEFAULT_SECONDS = 5.0
_SPARE = 1.25
_EDITS = frozenset({"video-edit", "video-extend", "video-effects"})
_HINT = 0.3  # how much of a frame comes from what only guides it


def make_clip(job: Job) -> Made:
    """Return the clip that the job asks for, and its last frame as a picture where that is asked for too."""
    maker = _enlarged if job.task == "upscale-video" else _smoothed if job.task == "interpolate-video" else _shot
    path = job.folder / "0.mp4"
    seconds = maker(job, path)
    files = [path]
    if job.inputs.get("returnLastFrame") is True:
        files.append(job.folder / "1.png")
        save_marked(frame_at(path), files[1], job.prompt)
    return Made(tuple(files), seconds=seconds)


def _clip_in(job: Job) -> Path:
    if not (clips := job.files("video")):
        raise InputError("1007", "there is no clip among the inputs")
    return clips[0]


def _enlarged(job: Job, path: Path) -> float:
    """Resample every frame of the input clip."""
    source = _clip_in(job)
    info = describe(source)
    size = bounded(enlarged_clip(job.inputs, info.size), job.most)
    wanted = job.number("targetFps")
    fps = Fraction(wanted).limit_denominator(1001) if wanted else info.fps
    frames = _marked(job, retime(read_frames(source, size=size), source=info.fps, target=fps), size)
    return _length(encode(path, frames, fps=fps, sound=source, matrix=info.matrix), fps)


def _smoothed(job: Job, path: Path) -> float:
    """Double the frame rate of the input clip."""
    source = _clip_in(job)
    info = describe(source)
    size = bounded((info.size[0] // 2 * 2, info.size[1] // 2 * 2), job.most)
    frames = retime(read_frames(source, size=size), source=info.fps, target=2 * info.fps)
    count = encode(path, _marked(job, frames, size), fps=2 * info.fps, sound=source, matrix=info.matrix)
    return _length(count, 2 * info.fps)


def _marked(job: Job, frames: Iterator[Planes], size: Size) -> Iterator[Planes]:
    return map(overlay(size).over, job.unless_stopped(frames))


def _length(count: int, fps: Fraction) -> float:
    return round(float(count / fps), 6)


def _shot(job: Job, path: Path) -> float:
    """Make a new clip from whatever media there are."""
    pictures, clips = job.files("image"), job.files("video")
    sounds = job.files("audio")
    driven = job.task == "motion-control"
    if clips and (job.task in _EDITS or not (pictures or job.task == "reference-to-video")):
        return _from_clip(job, clips[0], path)
    first = [open_clean(each).image for each in pictures]
    first += [] if driven else [frame_at(each, 1.0) for each in clips]
    like = first[0].size if first else None
    size = bounded(clip_size(job.inputs, like=like), job.most)
    count = max(1, round(_seconds(job, sounds, clips) * FPS))
    frames = _scenes(job, first or [paint(job.prompt or job.model.title, _roomy(size), seed=job.seed)], size)(count)
    frames = _driven(frames, clips[0], size) if driven and clips else frames
    return _length(encode(path, _marked(job, frames, size), sound=sounds[0] if sounds else None), FPS)


def _driven(frames: Iterator[Planes], clip: Path, size: Size) -> Iterator[Planes]:
    """Yield ``frames`` with the clip whose movement they follow showing through, its last frame as long as needed."""
    guide: Planes | None = None
    guides = retime(read_frames(clip, size=size), source=describe(clip).fps, target=FPS)
    for frame in frames:
        guide = next(guides, guide)
        yield frame if guide is None else frame.blend(guide, _HINT)


def _seconds(job: Job, sounds: Sequence[Path], clips: Sequence[Path]) -> float:
    """Return the length as asked, or else that of the sound or clip that leads."""
    for each in [*sounds, *clips]:
        if job.number("duration") is None and (length := probe(each).duration):
            return length
    return job.number("duration") or _DEFAULT_SECONDS


def _scenes(job: Job, pictures: list[Image.Image], size: Size) -> Callable[[int], Iterator[Planes]]:
    """Return what yields a given number of frames over the pictures."""
    canvases = [Planes.of_image(cover(picture, _roomy(size))) for picture in pictures]
    if len(canvases) == 1:
        return lambda count: _moving(canvases[0], job.prompt, size, count=count, seed=job.seed)
    if job.file_for("last_frame") is not None:
        return lambda count: _changing(canvases[0], canvases[-1], size, count=count)
    return lambda count: _sequence(job, canvases, size, count=count)


def _roomy(size: Size) -> Size:
    """Return a size a little larger than the clip's, so that a camera that comes closer still finds detail."""
    return round(size[0] * _SPARE / 2) * 2, round(size[1] * _SPARE / 2) * 2


def _moving(canvas: Planes, prompt: str, size: Size, *, count: int, seed: int) -> Iterator[Planes]:
    for view in views(prompt, count=count, seed=seed):
        yield canvas.window(view.box(canvas.size), size)


def _changing(first: Planes, last: Planes, size: Size, *, count: int) -> Iterator[Planes]:
    """Yield a push into the first picture that dissolves into a settling view of the last."""
    ahead = _moving(first, "push in slow", size, count=count, seed=0)
    behind = _moving(last, "pull out slow", size, count=count, seed=0)
    for index, (before, after) in enumerate(zip(ahead, behind, strict=True)):
        yield before.blend(after, eased((index / max(1, count - 1) - 0.18) / 0.64))


def _sequence(job: Job, canvases: list[Planes], size: Size, *, count: int) -> Iterator[Planes]:
    """Yield one shot after another, each with its own move, dissolved into the next."""
    each = -(-count // len(canvases))
    fade = max(1, min(10, each // 3))
    moves = (job.prompt, "pan right", "pull out", "pan left", "push in")
    shots = [
        _moving(canvas, moves[index % 5], size, count=each + fade, seed=job.seed + index)
        for index, canvas in enumerate(canvases)
    ]
    for index in range(count):
        shot, place = divmod(index, each)
        frame = next(shots[shot])
        if shot and place < fade:
            frame = next(shots[shot - 1]).blend(frame, (place + 1) / (fade + 1))
        yield frame


def _from_clip(job: Job, source: Path, path: Path) -> float:
    """Edit the input clip: regraded as the prompt says, towards pictures that guide it, or prolonged."""
    info = describe(source)
    size = bounded(clip_size(job.inputs, like=info.size), job.most)
    if job.inputs.get("resolution") is None and job.inputs.get("size") is None:
        size = bounded((info.size[0] // 2 * 2, info.size[1] // 2 * 2), job.most)
    frames = read_frames(source, size=size)
    if job.task == "video-extend":
        frames = _prolonged(job, frames, size, info=info)
    else:
        frames = map(tint_for(job.prompt, seed=job.seed).over, frames)
    guides = [Planes.of_image(cover(open_clean(each).image, size)) for each in job.files("image")]
    if guides:
        frames = (frame.blend(guides[at // 6 % len(guides)], _HINT) for at, frame in enumerate(frames))
    sound = next(iter(job.files("audio")), source)
    count = encode(path, _marked(job, frames, size), fps=info.fps, sound=sound, matrix=info.matrix)
    return _length(count, info.fps)


def _prolonged(job: Job, frames: Iterator[Planes], size: Size, *, info: ClipInfo) -> Iterator[Planes]:
    last: Planes | None = None
    for last in frames:
        yield last
    if last is not None:
        more = round((job.number("duration") or _DEFAULT_SECONDS) * info.fps)
        yield from _moving(last, job.prompt, size, count=more, seed=job.seed)

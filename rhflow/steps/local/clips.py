"""Operations on clips: a frame, a part, several in one, another sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from rhflow.media import samples
from rhflow.media.dub import can_be_copied, dub
from rhflow.media.image import even, save_image
from rhflow.media.planes import Planes
from rhflow.media.samples import Reel, Samples
from rhflow.media.timeline import Look, Part, joined, joined_sound, samples_of, shown, upright_size, whole
from rhflow.media.video import describe, encode, frame_at
from rhflow.steps.local.work import Clip, Heed, Inputs, Work, seconds_words, within_bounds, wrong

_TOLERANCE = 0.05
"""Seconds by which a clip may be shorter than its header says, which nobody means to be told of."""


def frame(inputs: Inputs) -> Work:
    """Write one frame as PNG."""
    clip = Clip.of(inputs["video"])
    places: dict[str, float | None] = {"first": 0.0, "middle": None, "last": None}
    at = places[inputs["at"]] if inputs["at"] in places else float(inputs["at"])
    if at is not None and clip.duration is not None and at > clip.duration:
        raise _beyond("at", at, clip)

    def write(path: Path, heed: Heed) -> None:
        middle = describe(clip.path, name=clip.name).seconds / 2 if inputs["at"] == "middle" else None
        save_image(frame_at(clip.path, at if middle is None else middle, name=clip.name), path, extension="png")

    return write


def trim(inputs: Inputs) -> Work:
    """Write the frames between two times, and the sound that goes with them."""
    clip = Clip.of(inputs["video"])
    start = _exact(inputs.get("start", 0))
    last = "duration" if "duration" in inputs else "end"
    end = start + _exact(inputs["duration"]) if last == "duration" else None
    if "end" in inputs:
        end = _exact(inputs["end"])
        if end <= start:
            message = f"`end` ({seconds_words(float(end))}) is not after the start ({seconds_words(float(start))})"
            raise wrong("empty-part", message, hint="write a later `end`, or `duration`", at="end")
    _check_times(clip, clip.duration, start, end, last)

    def write(path: Path, heed: Heed) -> None:
        everything = whole(clip.path, clip.name)
        length = everything.count / everything.fps
        _check_times(clip, float(length), start, end, last)
        count = max(1, round((min(end or length, length) - start) * everything.fps))
        part = replace(everything, start=start, count=count)
        _encode([part], heed(shown(part)), path, matrix=describe(clip.path, name=clip.name).matrix)

    return write


def _check_times(clip: Clip, length: float | None, start: Fraction, end: Fraction | None, last: str) -> None:
    """Raise StepError for a part that goes beyond the end of a clip of this length."""
    if length is None:
        return
    if start >= length:
        raise _beyond("start", float(start), replace(clip, duration=length))
    if end is not None and end > length + _TOLERANCE:
        raise _beyond(last, float(end), replace(clip, duration=length))


def _beyond(name: str, at: float, clip: Clip) -> Exception:
    asks = "this part ends at" if name == "duration" else f"`{name}` asks for"
    message = f"`{clip.name}` has {seconds_words(clip.duration or 0)}, and {asks} {seconds_words(at)}"
    hint = {"at": "`at: last` is the last frame", "start": "begin sooner"}.get(name, f"leave out `{name}` for the rest")
    return wrong("beyond-end", message, hint=hint, at=name)


def concat(inputs: Inputs) -> Work:
    """Write clips one after another, fitted to the first."""
    clips = [Clip.of(each) for each in inputs["videos"]]
    fade = _exact(inputs["crossfade"])
    _check_fade(clips, [each.duration for each in clips], float(fade))

    def write(path: Path, heed: Heed) -> None:
        matrix = describe(clips[0].path, name=clips[0].name).matrix
        first = whole(clips[0].path, clips[0].name)
        parts = [first, *(whole(each.path, each.name, fps=first.fps) for each in clips[1:])]
        _check_fade(clips, [float(each.count / each.fps) for each in parts], float(fade))
        width, height = upright_size(clips[0].path, clips[0].name)
        size = within_bounds((even(width), even(height)))
        overlap = round(fade * first.fps) if len(parts) > 1 else 0
        frames = joined(parts, Look(size, matrix=matrix), overlap=overlap)
        _encode(parts, heed(frames), path, matrix=matrix, overlap=overlap)

    return write


def _check_fade(clips: Sequence[Clip], lengths: Sequence[float | None], fade: float) -> None:
    """Raise StepError for a clip that is over before it has faded in and out."""
    if not fade or len(clips) < 2:
        return
    for at, (clip, length) in enumerate(zip(clips, lengths, strict=True)):
        sides = 1 if at in (0, len(clips) - 1) else 2
        if length is not None and length <= sides * fade:
            ends = "" if sides == 1 else " at both ends"
            message = f"`{clip.name}` has {seconds_words(length)}, too few to fade for {seconds_words(fade)}{ends}"
            hint = f"use a `crossfade` below {round(length / sides, 2):g}"
            raise wrong("fade-too-long", message, hint=hint, at="crossfade")


def _encode(parts: Sequence[Part], frames: Iterator[Planes], path: Path, *, matrix: int, overlap: int = 0) -> None:
    """Write the frames of parts one after another, with their sound where any has some."""
    audible = any(samples.has_sound(each.path, name=each.name) for each in parts)
    track = samples.Recording(joined_sound(parts, overlap=overlap)) if audible else None
    encode(path, frames, fps=parts[0].fps, sound=track, matrix=matrix)


def mux(inputs: Inputs) -> Work:
    """Write a clip with sound put under it; the pictures are copied wherever that can be."""
    clip, sound = Clip.of(inputs["video"]), Clip.of(inputs["audio"])

    def write(path: Path, heed: Heed) -> None:
        pictures = whole(clip.path, clip.name)
        _check_sound(clip, sound, mixing=inputs["mode"] == "mix")
        count = pictures.count
        if inputs["shortest"] and not inputs["loop"] and sound.duration is not None:
            count = max(1, min(count, round(_exact(sound.duration) * pictures.fps)))
        track = samples.Recording(_under(clip, sound, inputs, samples_of(count, pictures.fps)))
        if count == pictures.count and can_be_copied(clip.path, name=clip.name):
            dub(clip.path, path, track, name=clip.name, heed=heed)
        else:
            matrix = describe(clip.path, name=clip.name).matrix
            encode(path, heed(shown(replace(pictures, count=count))), fps=pictures.fps, sound=track, matrix=matrix)

    return write


def _check_sound(clip: Clip, sound: Clip, *, mixing: bool) -> None:
    if not samples.has_sound(sound.path, name=sound.name):
        raise wrong("no-sound", f"there is no sound in `{sound.name}`", hint="give another file", at="audio")
    if mixing and not samples.has_sound(clip.path, name=clip.name):
        message = f"there is no sound in `{clip.name}` to mix with"
        raise wrong("no-sound", message, hint="leave out `mode: mix`", at="mode")


def _under(clip: Clip, sound: Clip, inputs: Inputs, total: int) -> Iterator[Samples]:
    """Yield what is heard: ``total`` samples of the sound, by itself or with the clip's own."""
    source = samples.again(sound.path, name=sound.name) if inputs["loop"] else samples.heard(sound.path)
    found = (samples.louder(each, inputs["volume"]) for each in Reel(source).portions(total))
    if inputs["mode"] == "mix":
        own = Reel(samples.heard(clip.path, name=clip.name)).portions(total)
        quieter = (samples.louder(each, inputs["own_volume"]) for each in own)
        found = (samples.mixed(*both) for both in zip(found, quieter, strict=True))
    over = min(total, round(inputs["fade_out"] * samples.RATE))
    return samples.fading_out(found, total=total, over=over) if over else found


def _exact(seconds: float) -> Fraction:
    return Fraction(str(seconds))

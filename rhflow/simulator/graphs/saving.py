"""How what a graph made is saved: pictures, clips and sound, in the files that the service hands out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from rhflow.core.kinds import Field, Model
from rhflow.core.values import Json
from rhflow.simulator.clips import make_clip
from rhflow.simulator.graphs.drawing import Film, Pictures, Step, Tune
from rhflow.simulator.job import Job
from rhflow.simulator.marks import save_marked
from rhflow.simulator.sounds import make_sound

_CLIP = Model(
    "graph-clip", "ComfyUI", "", ("image-to-video",), "video",
    (
        Field("prompt", "string", alias="prompt"),
        Field("image", "image"),
        Field("video", "video"),
        Field("audio", "audio"),
    ),
)  # fmt: skip
_RECUT = replace(_CLIP, tasks=("video-edit",))
_TUNE = replace(_CLIP, tasks=("text-to-music",), output="audio")


def film_in(step: Step, rate: str) -> Film:
    """Return the frames of a step as a film; pictures are shown one after another."""
    frames, sound = step.of("images"), step.of("audio")
    fps = step.number(rate, 16.0)
    if isinstance(frames, Pictures):
        first = frames.images[0]
        frames = Film(frames.words, first.size, len(frames.images), step.drawing.job.seed, first)
    if not isinstance(frames, Film):
        raise step.failed("AttributeError", f"'{type(frames).__name__}' object has no attribute 'shape'")
    return replace(frames, fps=fps, sound=sound if isinstance(sound, Tune) else None)


def save_combined(step: Step) -> None:
    """Save frames as a clip, unless the node is told not to."""
    if step.of("save_output", True) is not False:
        _save_clip(step, film_in(step, "frame_rate"))


def save_all(step: Step) -> None:
    """Save whatever comes in, each in the way of its kind."""
    for found in step.all((Pictures, Film, Tune)):
        if isinstance(found, Pictures):
            _save_pictures(step, found)
        elif isinstance(found, Film):
            _save_clip(step, found)
        else:
            _save_sound(step, found)


def _save_pictures(step: Step, given: Pictures) -> None:
    job = step.drawing.job
    notes = {"prompt": json.dumps(job.graph, ensure_ascii=False)} if job.metadata else {}
    for image in given.images:
        save_marked(image.convert("RGB"), step.drawing.keep(step, ".png"), given.words, notes=notes)


def _save_clip(step: Step, film: Film) -> None:
    work = step.drawing.job
    path = step.drawing.keep(step, ".mp4")
    folder = path.with_suffix("")
    folder.mkdir(exist_ok=True)
    width, height = (max(16, each // 2 * 2) for each in film.size)
    inputs: dict[str, Json] = {
        "prompt": film.words,
        "width": width,
        "height": height,
        "duration": film.count / film.fps,
    }
    media: dict[str, tuple[Path, ...]] = {}
    if film.first is not None:
        film.first.convert("RGB").save(folder / "first.png")
        media["image"] = (folder / "first.png",)
    if film.path is not None:
        media["video"] = (film.path,)
    if film.sound is not None:
        media["audio"] = (_sound_file(step, film.sound, folder),)
    model = _RECUT if film.path is not None else _CLIP
    made = make_clip(Job(model, inputs, media, film.seed, folder, work.most, work.stop))
    made.files[0].replace(path)
    step.drawing.seconds = made.seconds


def _save_sound(step: Step, tune: Tune) -> None:
    path = step.drawing.keep(step, ".mp3")
    folder = path.with_suffix("")
    folder.mkdir(exist_ok=True)
    _sound_file(step, tune, folder).replace(path)
    step.drawing.seconds = tune.seconds


def _sound_file(step: Step, tune: Tune, folder: Path) -> Path:
    if tune.path is not None:
        copy = folder / f"sound{tune.path.suffix}"
        copy.write_bytes(tune.path.read_bytes())
        return copy
    inputs: dict[str, Json] = {"prompt": tune.words, "duration": tune.seconds}
    return make_sound(Job(_TUNE, inputs, {}, tune.seed, folder, stop=step.drawing.job.stop)).files[0]

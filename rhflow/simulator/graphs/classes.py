"""What the classes of nodes stand for: each node of a graph worked out, one after another.

A node of a class that is not known hands on what comes into it. So any graph that ends in a node that saves gives
something, and what its known nodes say shows in the result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from PIL import Image

from rhflow.media.image import Size
from rhflow.media.probe import probe
from rhflow.simulator.art.compose import paint
from rhflow.simulator.grades import composed, regrade
from rhflow.simulator.graphs.drawing import MACHINES, Drawing, Film, GraphJob, Latent, Pictures, Step, Tune
from rhflow.simulator.graphs.nodes import is_output, saves
from rhflow.simulator.graphs.saving import film_in, save_all, save_combined
from rhflow.simulator.job import Made, StoppedError
from rhflow.simulator.marks import open_clean

_EXAMPLES: Mapping[str, tuple[str, Size]] = {
    "example.png": ("a lighthouse on a cliff, sunset sea", (1024, 768)),
    "portrait.png": ("portrait of a woman in a red coat", (768, 1024)),
}
_MOST_CELLS = 70_000_000
"""Pixels of all frames together that fit into the memory of the smallest machine."""


def draw(job: GraphJob) -> Made:
    """Work a graph out. Raises NodeError for the node that fails."""
    drawing = Drawing(job)
    for name in job.order:
        if job.stop.is_set():
            raise StoppedError
        node = job.graph[name]
        step = Step(drawing, name, node["class_type"], node["inputs"])
        other: Callable[[Step], Any] = save_all if saves(node) else _nothing if is_output(node) else _handed_on
        drawing.give(name, _CLASSES.get(step.kind, other)(step))
    return Made(tuple(drawing.files), (), drawing.seconds, tuple(drawing.nodes))


def _nothing(_: Step) -> None:
    """A preview, or a loader of what is not needed here."""


def _handed_on(step: Step) -> Any:
    for kind in (Pictures, Film, Latent, Tune):
        if found := step.all(kind):
            return found[0]
    texts = [text for text in step.all(str) if text.strip()]
    return max(texts, key=len, default=None)


# --- words and numbers -----------------------------------------------------------------------------------------------


def _text(step: Step) -> str:
    return step.text("text")


def _value(step: Step) -> Any:
    return step.of("value")


def _joined(step: Step) -> str:
    return step.text("delimiter").join(step.text(name) for name in ("string_a", "string_b"))


def _chosen(step: Step) -> Any:
    select = int(step.number("select", 1))
    if f"input{select}" not in step.inputs:
        raise step.failed("Exception", f"ImpactSwitch: invalid select index ({select}), it has no such input")
    return step.of(f"input{select}"), str(select), select


def _song(step: Step) -> str:
    return f"{step.text('tags')} {step.text('lyrics')}".strip()


# --- pictures --------------------------------------------------------------------------------------------------------


def _loaded(step: Step) -> Pictures:
    name = step.text("image") or step.text("url")
    path = step.drawing.job.files.get(name)
    if path is not None:
        image, words = open_clean(path)
    elif name in _EXAMPLES:
        words, size = _EXAMPLES[name]
        image = paint(words, step.bounded(size), seed=7)
    else:
        raise step.failed("FileNotFoundError", f"[Errno 2] No such file or directory: '{name}'")
    return Pictures((image,), words)


def _scaled(step: Step, size: Callable[[Size], Size]) -> Pictures:
    given = step.pictures("image")
    sized = [step.bounded(tuple(max(1, each) for each in size(image.size))) for image in given.images]  # type: ignore[arg-type]
    pairs = zip(given.images, sized, strict=True)
    return Pictures(tuple(image.resize(to, Image.Resampling.LANCZOS) for image, to in pairs), given.words)


def _scaled_to(step: Step) -> Pictures | Film:
    width, height = int(step.number("width", 0)), int(step.number("height", 0))
    if isinstance(film := step.of("image"), Film):
        return replace(film, size=(width or film.size[0], height or film.size[1]))

    def size(old: Size) -> Size:
        return width or round(old[0] * height / old[1]), height or round(old[1] * width / old[0])

    if not width and not height:
        return step.pictures("image")
    if step.text("crop") == "center" and width and height:
        given = step.pictures("image")
        return replace(given, images=tuple(composed([each], step.bounded((width, height))) for each in given.images))
    return _scaled(step, size)


def _scaled_by(step: Step) -> Pictures | Film:
    factor = step.number("scale_by", 1.0)
    if isinstance(film := step.of("image"), Film):
        return replace(film, size=(round(film.size[0] * factor), round(film.size[1] * factor)))
    return _scaled(step, lambda old: (round(old[0] * factor), round(old[1] * factor)))


def _scaled_to_pixels(step: Step) -> Pictures:
    def size(old: Size) -> Size:
        factor = math.sqrt(step.number("megapixels", 1.0) * 1024 * 1024 / (old[0] * old[1]))
        return round(old[0] * factor), round(old[1] * factor)

    return _scaled(step, size)


def _enlarged(step: Step) -> Pictures | Film:
    factor = 2 if "2x" in step.text("upscale_model") or "x2" in step.text("upscale_model") else 4
    if isinstance(film := step.of("image"), Film):
        return replace(film, size=(film.size[0] * factor, film.size[1] * factor))
    return _scaled(step, lambda old: (old[0] * factor, old[1] * factor))


def _model_name(step: Step) -> str:
    return step.text("model_name")


# --- sampling --------------------------------------------------------------------------------------------------------


def _empty(step: Step) -> Latent:
    size = int(step.number("width", 512)), int(step.number("height", 512))
    return Latent(size, int(step.number("batch_size", 1)))


def _empty_clip(step: Step) -> tuple[Any, Any, Latent]:
    size = int(step.number("width", 832)), int(step.number("height", 480))
    start = step.of("start_image")
    pictures = start.images[:1] if isinstance(start, Pictures) else ()
    latent = Latent(size, pictures=pictures, frames=int(step.number("length", 81)))
    return step.of("positive"), step.of("negative"), latent


def _empty_sound(step: Step) -> Latent:
    return Latent(seconds=step.number("seconds", 12.0))


def _encoded(step: Step) -> Latent:
    given = step.pictures("pixels")
    return Latent(given.images[0].size, len(given.images), given.images)


def _sampled(step: Step) -> Pictures | Film | Tune:
    latent = step.of("latent_image")
    words = step.text("positive")
    seed = int(step.number("seed", step.drawing.job.seed))
    if not isinstance(latent, Latent):
        raise step.failed("TypeError", f"'{type(latent).__name__}' object is not subscriptable")
    if latent.seconds:
        return Tune(words, latent.seconds, seed)
    if latent.frames:
        return _filmed(step, latent, words, seed=seed)
    if latent.pictures:
        share = min(1.0, step.number("denoise", 1.0))
        images = [Image.blend(each, regrade(each, words, seed=seed + at), share) for at, each in _each(latent)]
        return Pictures(tuple(images), words)
    size = step.bounded(latent.size)
    return Pictures(tuple(paint(words, size, seed=seed + 7919 * at) for at in range(latent.count)), words)


def _each(latent: Latent) -> list[tuple[int, Image.Image]]:
    return [(at, image.convert("RGB")) for at, image in enumerate(latent.pictures)]


def _filmed(step: Step, latent: Latent, words: str, *, seed: int) -> Film:
    machine = step.drawing.job.machine
    if latent.size[0] * latent.size[1] * latent.frames > _MOST_CELLS * MACHINES[machine]:
        raise step.failed("torch.OutOfMemoryError", f"Allocation on device would exceed allowed memory ({machine})")
    first = latent.pictures[0] if latent.pictures else None
    return Film(words, latent.size, latent.frames, seed, first)


def _decoded(step: Step) -> Any:
    return step.of("samples")


# --- clips and sound -------------------------------------------------------------------------------------------------


def _loaded_clip(step: Step) -> Film:
    path = step.drawing.job.files[step.text("file")]
    info = probe(path)
    size, fps = (info.width or 16, info.height or 16), info.fps or 24.0
    return Film("", size, max(1, round((info.duration or 1.0) * fps)), path=path, fps=fps)


def _parts(step: Step) -> tuple[Any, None, float]:
    film = step.of("video")
    return film, None, film.fps if isinstance(film, Film) else 24.0


def _loaded_sound(step: Step) -> Tune:
    path = step.drawing.job.files[step.text("audio")]
    return Tune("", probe(path).duration or 1.0, path=path)


def _video(step: Step) -> Film:
    return film_in(step, "fps")


_CLASSES: Mapping[str, Callable[[Step], Any]] = {
    "CLIPTextEncode": _text,
    "PrimitiveString": _value,
    "PrimitiveStringMultiline": _value,
    "StringConcatenate": _joined,
    "ImpactSwitch": _chosen,
    "TextEncodeAceStepAudio": _song,
    "ConditioningZeroOut": _nothing,
    "LoadImage": _loaded,
    "LoadImageFromUrl": _loaded,
    "ImageScale": _scaled_to,
    "ImageScaleBy": _scaled_by,
    "ImageScaleToTotalPixels": _scaled_to_pixels,
    "UpscaleModelLoader": _model_name,
    "ImageUpscaleWithModel": _enlarged,
    "EmptyLatentImage": _empty,
    "EmptySD3LatentImage": _empty,
    "WanImageToVideo": _empty_clip,
    "EmptyAceStepLatentAudio": _empty_sound,
    "VAEEncode": _encoded,
    "KSampler": _sampled,
    "VAEDecode": _decoded,
    "VAEDecodeAudio": _decoded,
    "LoadVideo": _loaded_clip,
    "GetVideoComponents": _parts,
    "LoadAudio": _loaded_sound,
    "CreateVideo": _video,
    "VHS_VideoCombine": save_combined,
}

"""Pictures as results: painted from a prompt, made from other pictures, enlarged."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageFilter

from rhflow.media.image import Size
from rhflow.media.video import frame_at
from rhflow.simulator.art.compose import paint
from rhflow.simulator.grades import composed, regrade
from rhflow.simulator.job import InputError, Job, Made
from rhflow.simulator.marks import Clean, open_clean, save_marked
from rhflow.simulator.sizes import bounded, enlarged_picture, picture_size

_MOST_PIXELS = 80_000_000
_SUFFIXES = {"jpeg": ".jpg", "jpg": ".jpg", "webp": ".webp"}


def make_pictures(job: Job) -> Made:
    """Return one picture, or as many takes as the inputs ask for."""
    if job.task == "upscale-image":
        return Made((_enlarged(job),))
    count = int(job.number("imageNum", "n", "maxImages") or 1)
    sources = given_pictures(job)
    return Made(tuple(_take(job, sources, index) for index in range(count)))


def given_pictures(job: Job) -> list[Clean]:
    """Return the input pictures without their marks; of an input clip, a frame from its middle."""
    pictures = [open_clean(path) for path in job.files("image")]
    return pictures or [Clean(frame_at(path, 1.0), "") for path in job.files("video")]


def _take(job: Job, sources: list[Clean], index: int) -> Path:
    like = sources[0].image.size if sources else None
    size = _checked(bounded(picture_size(job.inputs, like=like), job.most))
    seed = job.seed + 7919 * index
    if sources:
        image = regrade(composed([each.image for each in sources], size), job.prompt, seed=seed)
    else:
        image = paint(job.prompt or job.model.title, size, seed=seed)
    return _saved(job, image, index=index, caption=job.prompt)


def _saved(job: Job, image: Image.Image, *, index: int, caption: str) -> Path:
    wanted = str(job.inputs.get("outputFormat", "png")).casefold()
    suffix = next((suffix for name, suffix in _SUFFIXES.items() if wanted.startswith(name)), ".png")
    path = job.folder / f"{index}{suffix}"
    save_marked(image, path, caption or job.model.title)
    return path


def _enlarged(job: Job) -> Path:
    """Resample the input picture and sharpen it a little."""
    if not (sources := given_pictures(job)):
        raise InputError("1007", "there is no picture to enlarge")
    image, caption = sources[0]
    size = _checked(bounded(enlarged_picture(job.inputs, image.size), job.most))
    large = image.resize(size, Image.Resampling.LANCZOS)
    sharp = large.filter(ImageFilter.UnsharpMask(radius=1.4, percent=55, threshold=2))
    return _saved(job, sharp, index=0, caption=caption)


def _checked(size: Size) -> Size:
    if size[0] * size[1] > _MOST_PIXELS:
        raise InputError("1007", f"a result of {size[0]} x {size[1]} pixels is too large")
    return size

"""Text as a result: plain sentences, JSON where the prompt wants JSON, or the ids that some models give."""

from __future__ import annotations

import json
import random
from pathlib import Path

from PIL import Image

from rhflow.media.probe import probe
from rhflow.media.video import frame_at
from rhflow.simulator.art.brief import words_of
from rhflow.simulator.art.vocabulary import COLOURS
from rhflow.simulator.job import Job, Made
from rhflow.simulator.marks import open_clean
from rhflow.simulator.writing.prose import write_prose
from rhflow.simulator.writing.shape import counted_noun, read_shape
from rhflow.simulator.writing.subject import subject_of
from rhflow.simulator.writing.values import Topic, fill

_IDS = {
    "element": "element_id", "upload-character": "character_id", "asset": "mediaAssetId", "text-to-speech": "audio_id",
}  # fmt: skip


def make_text(job: Job) -> Made:
    """Return the text that a model of this task would give."""
    dice = random.Random(job.seed)
    if job.task == "lip-sync":
        faces = [{"face_id": "0", "start_time": 0, "end_time": 5000}]
        return Made(texts=(json.dumps({"session_id": _id(dice), "face_data": faces}),))
    if (name := _IDS.get(job.task)) is not None:
        return Made(texts=(json.dumps({name: _id(dice)}),))
    topic = Topic(subject_of(job.prompt), counted_noun(job.prompt), turn=dice.randrange(8))
    if "json" in words_of(job.prompt):
        shape = read_shape(job.prompt)
        return Made(texts=(json.dumps(fill(shape.sample, topic, count=shape.count), ensure_ascii=False),))
    seen = [*map(_picture, job.files("image")), *map(_clip, job.files("video"))]
    return Made(texts=("\n\n".join([*seen, write_prose(job.prompt, topic)]),))


def _id(dice: random.Random) -> str:
    return str(dice.randrange(10**17, 10**18))


def _picture(path: Path) -> str:
    image = open_clean(path).image
    return f"The picture is {_shape(*image.size)}, {image.width} x {image.height} pixels, mostly {_colours(image)}."


def _clip(path: Path) -> str:
    info = probe(path)
    shape, colours = _shape(info.width or 1, info.height or 1), _colours(frame_at(path, (info.duration or 0) / 2))
    return f"The clip is {shape}, runs for {info.duration or 0:.1f} seconds and is mostly {colours}."


def _shape(width: int, height: int) -> str:
    return "square" if width == height else "landscape" if width > height else "portrait"


def _colours(image: Image.Image) -> str:
    """Return the names of the two colours nearest to most of the picture."""
    pixels = image.resize((8, 8), Image.Resampling.BOX).tobytes()
    votes: dict[str, int] = {}
    for start in range(0, len(pixels), 3):
        seen = pixels[start : start + 3]
        name = min(COLOURS, key=lambda each: sum((a - b) ** 2 for a, b in zip(COLOURS[each], seen, strict=True)))
        votes[name] = votes.get(name, 0) + 1
    return " and ".join(sorted(votes, key=lambda each: -votes[each])[:2])

"""Text as a result: plain sentences, JSON where the prompt wants JSON, or the ids that some models give."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

from PIL import Image

from rhflow.media.probe import probe
from rhflow.media.video import frame_at
from rhflow.simulator.art.brief import COLOURS, words_of
from rhflow.simulator.job import Job, Made
from rhflow.simulator.marks import open_clean

_IDS = {
    "element": "element_id", "upload-character": "character_id", "asset": "mediaAssetId", "text-to-speech": "audio_id",
}  # fmt: skip
_LOOKS = ("a wide establishing shot", "a quiet medium shot", "a close study of texture", "a view from low down")
_LIGHTS = ("soft window light", "low golden light", "an even overcast sky", "a single warm lamp", "clear morning light")
_ENDS = ("leave room for the title", "let the colours carry it", "keep the background calm", "end on the detail")
_KEY = re.compile(r"""["'`](\w{1,40})["'`]""")
_COUNT = re.compile(r"\b([1-9]|1\d|20)\b")
_STOP = frozenset(
    {"and", "the", "for", "with", "write", "describe", "list", "give", "return", "json", "please", "from"}
)


def make_text(job: Job) -> Made:
    """Return the text that a model of this task would give."""
    dice = random.Random(job.seed)
    if job.task == "lip-sync":
        faces = [{"face_id": "0", "start_time": 0, "end_time": 5000}]
        return Made(texts=(json.dumps({"session_id": _id(dice), "face_data": faces}),))
    if (name := _IDS.get(job.task)) is not None:
        return Made(texts=(json.dumps({name: _id(dice)}),))
    if "json" in words_of(job.prompt):
        return Made(texts=(_as_json(job.prompt, dice),))
    seen = [*map(_picture, job.files("image")), *map(_clip, job.files("video"))]
    lines = [_line(job.prompt, dice) for _ in range(1 if seen else 3)]
    return Made(texts=("\n\n".join([*seen, *lines, "(simulated)"]),))


def _id(dice: random.Random) -> str:
    return str(dice.randrange(10**17, 10**18))


def _line(prompt: str, dice: random.Random) -> str:
    """Return a sentence that picks up words of the prompt."""
    words = [word for word in re.findall(r"\w{3,}", prompt.casefold()) if word not in _STOP]
    start = dice.randrange(max(1, len(words) - 3))
    subject = " ".join(words[start : start + 4]) or "the subject"
    look = dice.choice(_LOOKS)
    return f"{look[0].upper()}{look[1:]} of {subject} in {dice.choice(_LIGHTS)}; {dice.choice(_ENDS)}."


def _as_json(prompt: str, dice: random.Random) -> str:
    """Return a list of as many items as the prompt names (or three), objects where it quotes the names of members."""
    keys = list(dict.fromkeys(_KEY.findall(prompt)))
    words = words_of(prompt)
    found = _COUNT.search(prompt)

    def item() -> object:
        return {key: _line(prompt, dice) for key in keys} if keys else _line(prompt, dice)

    if "object" in words and not {"list", "array"} & set(words):
        return json.dumps(item(), ensure_ascii=False)
    return json.dumps([item() for _ in range(int(found[1]) if found else 3)], ensure_ascii=False)


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

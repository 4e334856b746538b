"""Sound as a result: a small tune on five notes, plucked and with a soft echo."""

from __future__ import annotations

import array
import math
import random

from rhflow.media.audio import write_audio
from rhflow.simulator.job import Job, Made

_RATE = 24_000
_SCALE = (0, 2, 4, 7, 9, 12, 14, 16)
_LONGEST = 12.0


def make_sound(job: Job) -> Made:
    """Return a tune: speech lasts about as long as its text would take to say, music twelve seconds."""
    spoken = job.task in ("text-to-speech", "voice-clone")
    seconds = min(_LONGEST, max(1.5, len(job.prompt) / 15)) if spoken else _LONGEST
    samples = _tune(seconds, beat=0.16 if spoken else 0.3, seed=job.seed)
    path = job.folder / "0.mp3"
    write_audio(path, samples.tobytes(), rate=_RATE)
    return Made((path,), seconds=seconds)


def _tune(seconds: float, *, beat: float, seed: int) -> array.array[int]:
    """Return mono 16-bit samples."""
    dice = random.Random(seed)
    root = dice.choice((196.0, 220.0, 246.9, 261.6))
    mixed = [0.0] * round(seconds * _RATE)
    step, start = 3, 0.0
    while start < seconds - beat:
        step = min(len(_SCALE) - 1, max(0, step + dice.choice((-2, -1, -1, 0, 1, 1, 2))))
        length = beat * dice.choice((1, 1, 2))
        for delay, loud in ((0.0, 0.5), (0.24, 0.14)):
            _pluck(mixed, start + delay, root * 2 ** (_SCALE[step] / 12), length=2.2 * length, loud=loud)
        start += length
    fade = round(0.15 * _RATE)
    for index in range(min(fade, len(mixed))):
        mixed[-1 - index] *= index / fade
    return array.array("h", (round(29_000 * math.tanh(value)) for value in mixed))


def _pluck(mixed: list[float], start: float, pitch: float, *, length: float, loud: float) -> None:
    """Add one note with an overtone that dies first."""
    first = round(start * _RATE)
    turn = math.tau * pitch / _RATE
    for index in range(min(round(length * _RATE), len(mixed) - first)):
        age = index / (length * _RATE)
        swell = min(1.0, index / 120) * math.exp(-4.2 * age)
        mixed[first + index] += (
            loud * swell * (math.sin(turn * index) + 0.35 * math.exp(-4 * age) * math.sin(2 * turn * index))
        )

"""Sound as a result: a small tune on five notes, plucked and with a soft echo."""

from __future__ import annotations

import array
import cmath
import math
import operator
import random
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from rhflow.media.audio import write_audio
from rhflow.media.errors import reading
from rhflow.simulator.job import Job, Made

_RATE = 24_000
_SCALE = (0, 2, 4, 7, 9, 12, 14, 16)
_LONGEST = 12.0
_HEARD = 2.0  # seconds of a recording that are listened to
_ROOTS = (196.0, 220.0, 246.9, 261.6)


def make_sound(job: Job) -> Made:
    """Return a tune, at the pitch of a recording where there is one.

    Speech lasts about as long as its text would take to say, music twelve seconds.
    """
    spoken = job.task != "text-to-music"
    seconds = min(_LONGEST, max(1.5, len(job.prompt) / 15)) if spoken else _LONGEST
    heard = next(iter(job.files("audio")), None)
    root = random.Random(job.seed).choice(_ROOTS) if heard is None else _pitch(heard)
    samples = _tune(seconds, root, beat=0.16 if spoken else 0.3, seed=job.seed)
    path = job.folder / "0.mp3"
    write_audio(path, samples.tobytes(), rate=_RATE)
    return Made((path,), seconds=seconds)


def _pitch(recording: Path) -> float:
    """Return how high a recording sounds, in Hz, brought into the range of a voice."""
    import av

    count, crossings, above = 0, 0, False
    with reading(recording), av.open(str(recording)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=_RATE)
        for frame in container.decode(audio=0):
            for part in resampler.resample(frame):
                for value in array.array("h", bytes(part.planes[0])[: 2 * part.samples]):
                    crossings += (value > 0) != above
                    above = value > 0
                count += part.samples
            if count > _HEARD * _RATE:
                break
    pitch = crossings * _RATE / (2 * max(1, count)) or _ROOTS[0]
    return float(pitch * 2.0 ** -round(math.log2(pitch / 220)))


def _tune(seconds: float, root: float, *, beat: float, seed: int) -> array.array[int]:
    """Return mono 16-bit samples in the key of ``root``, in Hz."""
    dice = random.Random(seed)
    mixed = [0.0] * round(seconds * _RATE)
    step, start = 3, 0.0
    while start < seconds - beat:
        step = min(len(_SCALE) - 1, max(0, step + dice.choice((-2, -1, -1, 0, 1, 1, 2))))
        length = beat * dice.choice((1, 1, 2))
        for delay, loud in ((0.0, 0.5), (0.24, 0.14)):
            _add(mixed, _pluck(root * 2 ** (_SCALE[step] / 12), 2.2 * length, loud), round((start + delay) * _RATE))
        start += length
    fade = round(0.15 * _RATE)
    for index in range(min(fade, len(mixed))):
        mixed[-1 - index] *= index / fade
    return array.array("h", [round(29_000 * math.tanh(value)) for value in mixed])


def _add(mixed: list[float], note: Sequence[float], first: int) -> None:
    """Lay a note over what is there, as far as it reaches."""
    end = min(first + len(note), len(mixed))
    mixed[first:end] = map(operator.add, mixed[first:end], note)


@lru_cache(maxsize=32)
def _pluck(pitch: float, length: float, loud: float) -> Sequence[float]:
    """Return one note with an overtone that dies first; a tune comes back to a few of them again and again.

    Turning and dying are one multiplication of a complex number, far quicker than a sine and a power for each sample.
    """
    count = round(length * _RATE)
    turn = math.tau * pitch / _RATE
    tone, over = complex(loud), complex(0.35 * loud)
    tone_step = cmath.exp(complex(-4.2 / count, turn))
    over_step = cmath.exp(complex(-8.2 / count, 2 * turn))
    samples = array.array("d")
    for index in range(count):
        samples.append((tone.imag + over.imag) * (index / 120 if index < 120 else 1.0))
        tone *= tone_step
        over *= over_step
    return samples

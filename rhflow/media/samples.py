"""Sound as samples: read from files, cut, put one after another, mixed, and written beside the pictures of a clip.

All sound here is stereo at 48 kHz, in portions of interleaved floats (left, right, left, …); a whole piece is never in
memory. Plain arrays are quick enough: a minute of sound is mixed in half a second.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain, repeat
from operator import add, mul
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from rhflow.media.errors import reading, unreadable

if TYPE_CHECKING:
    from av.container import OutputContainer

Samples: TypeAlias = "array[float]"

RATE = 48_000
PORTION = 4800
"""Stereo samples that are worked on at a time: a tenth of a second."""
_SEEK_MARGIN = 0.5


def has_sound(path: Path, *, name: str | None = None) -> bool:
    """Say whether a file has any sound in it. Raises UnreadableMediaError."""
    import av

    with reading(path, name), av.open(str(path)) as container:
        return bool(container.streams.audio)


def heard(path: Path, *, start: Fraction = Fraction(0), name: str | None = None) -> Iterator[Samples]:
    """Yield the first sound of a file from ``start`` seconds on; nothing where there is none.

    Time counts from where the file begins, as it does for its pictures. Raises UnreadableMediaError.
    """
    import av

    with reading(path, name), av.open(str(path)) as container:
        stream: Any = next(iter(container.streams.audio), None)
        if stream is None:
            return
        origin = Fraction(container.start_time or 0, av.time_base)
        if start > _SEEK_MARGIN:
            container.seek(int((start + origin - Fraction(_SEEK_MARGIN)) * av.time_base), backward=True)
        # One channel is put on both sides as it is: the resampler would make it quieter
        layout = "mono" if stream.codec_context.layout.nb_channels == 1 else "stereo"
        resampler = av.AudioResampler(format="flt", layout=layout, rate=RATE)
        late: int | None = None
        for frame in container.decode(stream):
            if late is None:  # how far the first samples lie from where they are wanted
                at = Fraction(frame.pts or 0) * Fraction(frame.time_base or 0)
                late = round((at - origin - start) * RATE)
                if late > 0:
                    yield from silence(late)
            for part in resampler.resample(frame):
                samples = _samples(part)
                yield samples[-2 * late :] if late < 0 else samples
                late = min(0, late + len(samples) // 2)
        yield from (_samples(part) for part in resampler.resample(None))


def _samples(frame: Any) -> Samples:
    channels = frame.layout.nb_channels
    samples: Samples = array("f")
    samples.frombytes(bytes(frame.planes[0])[: 4 * channels * frame.samples])
    if channels == 2:
        return samples
    both: Samples = array("f", bytes(8 * len(samples)))
    both[::2] = both[1::2] = samples
    return both


def again(path: Path, *, name: str | None = None) -> Iterator[Samples]:
    """Yield the sound of a file over and over. Raises UnreadableMediaError where it has none."""
    while True:
        empty = True
        for part in heard(path, name=name):
            empty = empty and not part
            yield part
        if empty:
            raise unreadable(name or path.name, "there is no sound in it")


def silence(count: int) -> Iterator[Samples]:
    """Yield ``count`` stereo samples of nothing."""
    for start in range(0, count, PORTION):
        yield array("f", bytes(8 * min(PORTION, count - start)))


class Reel:
    """Sound that is read in portions of any size; after its end comes silence, for ever."""

    def __init__(self, source: Iterable[Samples] = ()) -> None:
        self._source = iter(source)
        self._ready: Samples = array("f")

    def take(self, count: int) -> Samples:
        """Return the next ``count`` stereo samples."""
        while (missing := 2 * count - len(self._ready)) > 0:
            more = next(self._source, None)
            self._ready.extend(array("f", bytes(4 * missing)) if more is None else more)
        taken, self._ready = self._ready[: 2 * count], self._ready[2 * count :]
        return taken

    def portions(self, count: int) -> Iterator[Samples]:
        """Yield the next ``count`` stereo samples, a portion at a time."""
        for start in range(0, count, PORTION):
            yield self.take(min(PORTION, count - start))


def louder(samples: Samples, volume: float) -> Samples:
    """Return samples ``volume`` times as loud."""
    return samples if volume == 1 else array("f", map(mul, samples, repeat(volume)))


def mixed(one: Samples, other: Samples) -> Samples:
    """Return two sounds of one length at the same time; what would be too loud is cut off."""
    both = array("f", map(add, one, other))
    if both and (max(both) > 1 or min(both) < -1):
        return array("f", (min(1.0, max(-1.0, each)) for each in both))
    return both


def faded(one: Samples, other: Samples) -> Samples:
    """Return one sound that goes over into another of the same length, at an even loudness."""
    count = len(one) // 2
    rising = [math.sin(math.pi / 2 * (at + 0.5) / count) for at in range(count)]
    return mixed(_shaped(one, rising[::-1]), _shaped(other, rising))


def fading_out(sound: Iterator[Samples], *, total: int, over: int) -> Iterator[Samples]:
    """Yield a sound of ``total`` stereo samples with its last ``over`` going down to nothing."""
    at = 0
    for part in sound:
        count = len(part) // 2
        left = total - at - count
        yield part if left >= over else _shaped(part, [min(1.0, (left + each) / over) for each in range(count, 0, -1)])
        at += count


def _shaped(samples: Samples, gains: list[float]) -> Samples:
    """Return stereo samples with a gain for each."""
    return array("f", map(mul, samples, chain.from_iterable(zip(gains, gains, strict=True))))


class Recording:
    """Sound that was made here, as AAC beside the pictures of a clip: a track as ``encode`` takes it."""

    def __init__(self, sound: Iterator[Samples]) -> None:
        self._sound = sound
        self._packets: Iterator[Any] = iter(())
        self._next: Any = None

    def attach(self, container: OutputContainer) -> None:
        """Add the stream of the sound to ``container``."""
        stream: Any = container.add_stream("aac", rate=RATE)
        stream.codec_context.thread_count = 1
        stream.layout = "stereo"
        self._packets = self._encoded(stream)
        self._next = next(self._packets, None)

    def feed(self, container: OutputContainer, until: float) -> None:
        """Write the packets that begin before ``until`` seconds."""
        while self._next is not None and self._next.pts * self._next.time_base < until:
            container.mux(self._next)
            self._next = next(self._packets, None)

    def _encoded(self, stream: Any) -> Iterator[Any]:
        import av

        at = 0
        for samples in self._sound:
            frame = av.AudioFrame(format="flt", layout="stereo", samples=len(samples) // 2)
            frame.planes[0].update(samples.tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
            frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
            at += len(samples) // 2
            yield from stream.encode(frame)
        yield from stream.encode(None)

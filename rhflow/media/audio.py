"""Sound: writing samples to a file, and carrying a clip's sound over into another clip.

A sound that MP4 can hold is copied packet by packet; any other is encoded again as AAC.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from rhflow.media.errors import reading

if TYPE_CHECKING:
    from av.container import OutputContainer

    Packet: TypeAlias = Any  # av.Packet, which is generic in some versions and not in others

_COPIED = frozenset({"aac", "mp3", "mp3float", "ac3", "eac3", "alac"})  # by the name of the decoder
_RATES = frozenset({16_000, 22_050, 24_000, 32_000, 44_100, 48_000})  # in Hz, what MP4 takes of every codec
_CODECS = {".mp3": "libmp3lame", ".wav": "pcm_s16le", ".flac": "flac", ".m4a": "aac"}


def write_audio(path: Path, samples: bytes, *, rate: int) -> None:
    """Write mono 16-bit ``samples`` (native byte order) as the sound file that the name of ``path`` asks for."""
    import av

    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(_CODECS[path.suffix.casefold()], rate=rate)
        stream.layout = "mono"
        stream.codec_context.thread_count = 1
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(samples) // 2)
        frame.planes[0].update(samples.ljust(frame.planes[0].buffer_size, b"\0"))
        frame.sample_rate, frame.pts = rate, 0
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=rate)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


class Track(Protocol):
    """Sound that goes into a clip beside its pictures, a little at a time."""

    def attach(self, container: OutputContainer) -> None:
        """Add the stream of the sound, after the pictures' and before the first packet."""

    def feed(self, container: OutputContainer, until: float) -> None:
        """Write the packets that belong before ``until`` seconds."""


class Soundtrack:
    """The first sound of a file, fed into an MP4 beside its pictures so that neither piles up in memory.

    Use as a context manager. Where the file has no sound nothing is written.
    """

    def __init__(self, path: Path) -> None:
        import av

        with reading(path):
            self._source = av.open(str(path))
        self._from = next(iter(self._source.streams.audio), None)
        self._to: Any = None
        self._ready: Iterator[Packet] = iter(())
        self._next: Packet | None = None

    def __enter__(self) -> Soundtrack:
        return self

    def __exit__(self, *_: object) -> None:
        self._source.close()

    def attach(self, container: OutputContainer) -> None:
        """Add the sound's stream to ``container``, after the pictures' and before the first packet."""
        if self._from is None:
            return
        rate = self._from.codec_context.sample_rate
        if self._from.codec_context.name in _COPIED and rate in _RATES:
            self._to = container.add_stream_from_template(self._from)
            self._ready = self._copied()
        else:
            self._to = container.add_stream("aac", rate=rate if rate in _RATES else 48_000)
            self._to.codec_context.thread_count = 1
            self._ready = self._encoded()
        self._next = next(self._ready, None)

    def feed(self, container: OutputContainer, until: float) -> None:
        """Write the packets that end by ``until`` seconds."""
        while self._next is not None and _end(self._next) <= until:
            container.mux(self._next)
            self._next = next(self._ready, None)

    def _copied(self) -> Iterator[Packet]:
        assert self._from is not None
        for packet in self._source.demux(self._from):
            if packet.dts is not None:
                packet.stream = self._to
                yield packet

    def _encoded(self) -> Iterator[Packet]:
        import av

        resampler = av.AudioResampler(format="fltp", layout=self._to.layout, rate=self._to.rate)
        for frame in self._source.decode(audio=0):
            for part in resampler.resample(frame):
                yield from self._to.encode(part)
        for part in resampler.resample(None):
            yield from self._to.encode(part)
        yield from self._to.encode(None)


def _end(packet: Packet) -> float:
    return float(((packet.pts or 0) + (packet.duration or 0)) * (packet.time_base or 0))

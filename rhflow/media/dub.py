"""A clip with another sound: its pictures are copied as they are, which costs nothing of their quality."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from rhflow.media.audio import Track
from rhflow.media.errors import reading
from rhflow.media.video import MP4, pictures_of, turned

Packets: TypeAlias = Iterable[Any]  # av.Packet, which is generic in some versions and not in others
_CONTAINERS = frozenset({"mp4", "mov", "matroska"})


def can_be_copied(path: Path, *, name: str) -> bool:
    """Say whether the pictures of a clip may stand in an MP4 as they are: upright H.264 that every player shows."""
    import av

    with reading(path, name), av.open(str(path)) as container:
        context = pictures_of(container, name).codec_context
        known = _CONTAINERS & set(container.format.name.split(","))
        if not known or (context.name, context.pix_fmt) != ("h264", "yuv420p"):
            return False
        return not any(turned(frame) for frame in islice(container.decode(video=0), 1))


def dub(source: Path, target: Path, track: Track, *, name: str, heed: Callable[[Packets], Iterator[Any]]) -> None:
    """Write the pictures of ``source`` with the sound of ``track``, both from the beginning.

    ``heed`` is asked at every packet whether to go on. Raises UnreadableMediaError.
    """
    import av

    with reading(source, name), av.open(str(source)) as container, av.open(str(target), "w", **MP4) as made:
        stream = pictures_of(container, name)
        copied: Any = made.add_stream_from_template(stream)
        track.attach(made)
        shift = round(Fraction(container.start_time or 0, av.time_base) / stream.time_base)
        end = 0.0
        for packet in heed(container.demux(stream)):
            if packet.dts is None:
                continue
            packet.dts -= shift
            packet.pts -= shift
            track.feed(made, float(packet.dts * packet.time_base))
            end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            packet.stream = copied
            made.mux(packet)
        track.feed(made, end)

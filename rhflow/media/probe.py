"""What a media file is, told from its content: type, size in pixels, length.

Magic bytes decide, the file name only where they say nothing: names lie, and links have none. Headers are read, frames
are not: probing a long clip costs a few milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rhflow.core.values import MEDIA_TYPES, family_of
from rhflow.media.errors import reading, unreadable

_HEAD = 4096
_UNKNOWN = "application/octet-stream"
_TRANSPOSED = frozenset({5, 6, 7, 8})
_ORIENTATION = 0x0112
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (8, b"AVI ", "video/x-msvideo"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"glTF", "model/gltf-binary"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
)
_PLAYED = frozenset({"video", "audio"})


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What is known of a file: pixels as shown (after any EXIF turn), seconds, frames per second."""

    media_type: str
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    fps: float | None = None


def probe(path: Path, *, name: str | None = None) -> MediaInfo:
    """Return what the file at ``path`` is; ``name`` is the name the user knows it by, when it is not the path's.

    Raises UnreadableMediaError when the content claims to be a medium and is damaged, OSError when it cannot be opened.
    """
    name = name or path.name
    with path.open("rb") as file:
        head = file.read(_HEAD)
    by_name = MEDIA_TYPES.get(name.rpartition(".")[2].casefold(), _UNKNOWN)
    media_type = _from_content(head, by_name) or by_name
    family = family_of(media_type)
    if not head and family not in ("text", "file"):
        raise unreadable(name, "the file is empty")
    if family == "image":
        return _picture(path, name)
    if family in _PLAYED:
        return _played(path, name, media_type)
    return MediaInfo(media_type)


def check_whole(path: Path, media_type: str, *, name: str) -> None:
    """Raise UnreadableMediaError when a picture cannot be decoded to its end; other media are not looked at.

    A picture takes some milliseconds per million pixels. A clip would take as long as it was in the making, and most
    formats of clips and sound have no check sums that would show a few wrong bytes.
    """
    if family_of(media_type) != "image":
        return
    from PIL import Image

    with reading(path, name), Image.open(path) as image:
        image.load()


def _from_content(head: bytes, by_name: str) -> str | None:
    """Return the media type that the first bytes show, or None where they show nothing."""
    for offset, magic, media_type in _SIGNATURES:
        if head[offset : offset + len(magic)] == magic and (offset == 0 or head[:4] == b"RIFF"):
            return media_type
    if head[4:8] == b"ftyp":
        return _iso_brand(head[8:12])
    if head[:4] == b"\x1aE\xdf\xa3":
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if len(head) > 3 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2:
        return "audio/mpeg"  # a bare MPEG layer III frame; the mask leaves out AAC and layers I and II
    if _is_safetensors(head):
        return "application/x-safetensors"
    return _text(head, by_name)


def _iso_brand(brand: bytes) -> str:
    if brand == b"qt  ":
        return "video/quicktime"
    return "audio/mp4" if brand in (b"M4A ", b"M4B ") else "video/mp4"


def _is_safetensors(head: bytes) -> bool:
    """A length as eight little-endian bytes, then a JSON object of that length."""
    return len(head) > 9 and head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= 100_000_000


def _text(head: bytes, by_name: str) -> str | None:
    """Return a text type when the bytes are text, else None."""
    if not head or b"\0" in head:
        return None
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(head) < _HEAD or error.start < len(head) - 4:
            return None
        text = head[: error.start].decode("utf-8-sig")  # only the last character is cut in two
    if family_of(by_name) in ("text", "model3d") or by_name == "application/json":
        return by_name
    return "application/json" if text.lstrip().startswith("{") else "text/plain"


def _picture(path: Path, name: str) -> MediaInfo:
    from PIL import Image

    with reading(path, name), Image.open(path) as image:
        width, height = image.size
        media_type = image.get_format_mimetype() or _UNKNOWN
        if media_type == "image/jpeg" and image.getexif().get(_ORIENTATION) in _TRANSPOSED:
            width, height = height, width
        return MediaInfo(media_type, width, height)


def _played(path: Path, name: str, media_type: str) -> MediaInfo:
    import av

    with reading(path, name), av.open(str(path)) as container:
        duration = None if container.duration is None else round(container.duration / av.time_base, 6)
        pictures = [each for each in container.streams.video if not _is_cover(each)]
        if not pictures and not container.streams.audio:
            raise unreadable(name, "there is neither a picture nor a sound in it")
        if family_of(media_type) == "audio" or not pictures:
            return MediaInfo(_as_audio(media_type), duration=duration)
        stream = pictures[0]
        rate = stream.average_rate or stream.guessed_rate
        context = stream.codec_context
        if not context.width or not context.height:
            raise unreadable(name, "its picture has no size")
        return MediaInfo(media_type, context.width, context.height, duration, float(rate) if rate else None)


def _is_cover(stream: Any) -> bool:
    """Whether a video stream is only the cover picture of a piece of music."""
    import av.stream

    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _as_audio(media_type: str) -> str:
    return "audio/mp4" if media_type == "video/mp4" else media_type

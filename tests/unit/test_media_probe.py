"""What a file is, told from its content."""

from __future__ import annotations

import array
import json
import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from rhflow.core.errors import StepError
from rhflow.media.audio import write_audio
from rhflow.media.errors import UnreadableMediaError
from rhflow.media.probe import MediaInfo, check_whole, probe
from rhflow.media.video import encode

TONE = array.array("h", [1000, -1000] * 6000).tobytes()


def image_file(folder: Path, kind: str, **options: object) -> Path:
    path = folder / f"picture.{kind}"
    Image.new("RGB", (30, 20), "red").save(path, **options)
    return path


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [("png", "image/png"), ("jpg", "image/jpeg"), ("webp", "image/webp"), ("gif", "image/gif")],
)
def test_pictures(tmp_path: Path, kind: str, media_type: str) -> None:
    assert probe(image_file(tmp_path, kind)) == MediaInfo(media_type, 30, 20)


def test_the_content_wins_over_the_name(tmp_path: Path) -> None:
    path = image_file(tmp_path, "png").rename(tmp_path / "picture.mp4")
    assert probe(path).media_type == "image/png"
    assert probe(path, name="song.mp3").media_type == "image/png"


@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_a_picture_that_ends_early_is_not_whole(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"noise.{kind}"
    Image.effect_noise((200, 200), 80).convert("RGB").save(path)
    media_type = probe(path).media_type
    check_whole(path, media_type, name="noise")
    path.write_bytes(path.read_bytes()[:-2000])
    assert probe(path).media_type == media_type, "its head is fine"
    with pytest.raises(UnreadableMediaError, match="cannot read `noise`"):
        check_whole(path, media_type, name="noise")


def test_only_pictures_are_decoded(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"no clip at all")
    check_whole(tmp_path / "clip.mp4", "video/mp4", name="clip")


def test_a_turned_photo_has_the_size_that_is_seen(tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    assert probe(image_file(tmp_path, "jpg", exif=turned)) == MediaInfo("image/jpeg", 20, 30)


def test_clip(tmp_path: Path) -> None:
    path = tmp_path / "clip.bin"
    encode(path, [Image.new("RGB", (64, 36), "navy")] * 45, fps=Fraction(30))
    assert probe(path) == MediaInfo("video/mp4", 64, 36, 1.5, 30.0)


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [("mp3", "audio/mpeg"), ("wav", "audio/wav"), ("flac", "audio/flac"), ("m4a", "audio/mp4")],
)
def test_sound(tmp_path: Path, kind: str, media_type: str) -> None:
    path = tmp_path / f"tone.{kind}"
    write_audio(path, TONE, rate=12_000)
    found = probe(path.rename(tmp_path / "tone"))
    assert (found.media_type, found.width, found.fps) == (media_type, None, None)
    assert found.duration == pytest.approx(1.0, abs=0.1)


SAFETENSORS = struct.pack("<Q", 2) + b"{}"


@pytest.mark.parametrize(
    ("name", "data", "media_type"),
    [
        ("thing", b"glTF\x02\0\0\0", "model/gltf-binary"),
        ("a.zip", b"PK\x03\x04rest", "application/zip"),
        ("lora.safetensors", SAFETENSORS + b"    ", "application/x-safetensors"),
        ("notes.txt", "grün, 灯塔".encode(), "text/plain"),
        ("notes", b"\xef\xbb\xbfwith a mark", "text/plain"),
        ("lyrics", b"[Verse 1] la la", "text/plain"),
        ("data.json", b"[1, 2]", "application/json"),
        ("data", json.dumps({"a": 1}).encode(), "application/json"),
        ("thing.obj", b"v 0 0 0\n", "model/obj"),
        ("what.xyz", b"\0\1\2\3\xff", "application/octet-stream"),
        ("empty.txt", b"", "text/plain"),
        ("cut.txt", "é".encode() * 4095, "text/plain"),
    ],
)
def test_other_files(tmp_path: Path, name: str, data: bytes, media_type: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert probe(tmp_path / name) == MediaInfo(media_type)


def cut_png(path: Path) -> bytes:
    Image.new("RGB", (30, 20)).save(path)
    return path.read_bytes()[:20]


def cut_clip(path: Path) -> bytes:
    encode(path, [Image.new("RGB", (64, 36))] * 3)
    return path.read_bytes()[:60]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("cut.png", cut_png),
        ("cut.mp4", cut_clip),
        ("empty.png", lambda path: b""),
        ("noise.mp4", lambda path: bytes(range(256)) * 4),
        ("noise.jpg", lambda path: b"\xff\xd8\xff\xe0 no picture at all"),
        ("noise.wav", lambda path: b"RIFF\x10\0\0\0WAVE and no more"),
    ],
)
def test_damaged_files(tmp_path: Path, name: str, data: Callable[[Path], bytes]) -> None:
    path = tmp_path / name
    path.write_bytes(data(path))
    with pytest.raises(UnreadableMediaError, match=f"cannot read `{name}`: ") as caught:
        probe(path)
    assert isinstance(caught.value, StepError)
    (problem,) = caught.value.problems
    assert problem.code == "unreadable-media"
    assert not problem.message.endswith(".")


def test_a_missing_file_is_not_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        probe(tmp_path / "nowhere.png")

"""Helpers for clips."""

from __future__ import annotations

import array
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from rhflow.media.audio import write_audio
from rhflow.media.errors import UnreadableMediaError
from rhflow.media.image import badge
from rhflow.media.planes import Overlay, Planes
from rhflow.media.probe import probe
from rhflow.media.video import describe, encode, frame_at, read_frames, resample, retime


def ramp(count: int = 24, size: tuple[int, int] = (64, 36)) -> Iterator[Image.Image]:
    """Yield frames that turn from black to red."""
    for index in range(count):
        yield Image.new("RGB", size, (round(255 * index / (count - 1)), 0, 0))


def clip(folder: Path, name: str = "clip.mp4", **options: object) -> Path:
    path = folder / name
    encode(path, ramp(), **options)  # type: ignore[arg-type]
    return path


def tone(folder: Path, kind: str, rate: int = 16_000) -> Path:
    samples = array.array("h", (round(8000 * math.sin(step / 9)) for step in range(2 * rate)))
    path = folder / f"tone.{kind}"
    write_audio(path, samples.tobytes(), rate=rate)
    return path


def test_encode_writes_what_players_want(tmp_path: Path) -> None:
    path = clip(tmp_path)
    assert path.read_bytes().find(b"moov") < path.read_bytes().find(b"mdat")
    with av.open(str(path)) as container:
        (stream,) = container.streams
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.frames, stream.average_rate, container.duration) == (24, 24, 1_000_000)


def test_equal_frames_give_equal_bytes(tmp_path: Path) -> None:
    sound = tone(tmp_path, "wav")
    assert clip(tmp_path, "a.mp4", sound=sound).read_bytes() == clip(tmp_path, "b.mp4", sound=sound).read_bytes()


def test_encode_without_frames(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one frame"):
        encode(tmp_path / "none.mp4", [])


def test_an_error_in_the_frames_comes_through(tmp_path: Path) -> None:
    def broken() -> Iterator[Image.Image]:
        yield Image.new("RGB", (64, 36))
        raise KeyError("frame 1")

    with pytest.raises(KeyError, match="frame 1"):
        encode(tmp_path / "none.mp4", broken())


@pytest.mark.parametrize(
    ("kind", "rate", "codec"),
    [("mp3", 16_000, "mp3float"), ("wav", 16_000, "aac"), ("mp3", 12_000, "aac"), ("wav", 11_000, "aac")],
)
def test_sound_goes_along_and_is_cut(tmp_path: Path, kind: str, rate: int, codec: str) -> None:
    path = clip(tmp_path, sound=tone(tmp_path, kind, rate))
    with av.open(str(path)) as container:
        assert [each.codec_context.name for each in container.streams] == ["h264", codec]
        sound = container.streams.audio[0]
        assert float(sound.duration * sound.time_base) == pytest.approx(1.0, abs=0.09)
    assert probe(path).duration == 1.0


def test_a_clip_without_sound_as_sound(tmp_path: Path) -> None:
    silent = clip(tmp_path, "silent.mp4")
    with av.open(str(clip(tmp_path, sound=silent))) as container:
        assert len(container.streams) == 1


def test_colours_survive(tmp_path: Path) -> None:
    colours = [(200, 40, 40), (40, 160, 60), (40, 60, 200), (240, 230, 210)]
    frames = [Image.new("RGB", (64, 64), colour) for colour in colours for _ in range(4)]
    encode(tmp_path / "c.mp4", frames)
    for index, colour in enumerate(colours):
        seen = frame_at(tmp_path / "c.mp4", (4 * index + 2) / 24).getpixel((32, 32))
        assert seen == pytest.approx(colour, abs=6)


def test_frame_at(tmp_path: Path) -> None:
    path = clip(tmp_path)
    reds = [frame_at(path, seconds).getpixel((30, 18))[0] for seconds in (0.0, 0.5, 0.96, 99.0)]
    assert reds == pytest.approx([0, 133, 255, 255], abs=8)
    assert frame_at(path).getpixel((30, 18))[0] == pytest.approx(255, abs=8)


def test_resample_keeps_length_rate_and_sound(tmp_path: Path) -> None:
    source = clip(tmp_path, sound=tone(tmp_path, "mp3"))
    label = Overlay.of_label(badge("simulated", 16), (4, 4))
    assert resample(source, tmp_path / "big.mp4", size=(128, 72), overlay=label) == 24
    assert describe(tmp_path / "big.mp4").size == (128, 72)
    found = probe(tmp_path / "big.mp4")
    assert (found.duration, found.fps) == (1.0, 24.0)
    with av.open(str(tmp_path / "big.mp4")) as container:
        assert len(container.streams.audio) == 1
    last = frame_at(tmp_path / "big.mp4")
    assert last.getpixel((100, 60))[0] > 240
    assert last.crop((4, 4, 60, 20)).getextrema()[0][0] < 60


def test_resample_to_another_rate(tmp_path: Path) -> None:
    assert resample(clip(tmp_path), tmp_path / "fast.mp4", size=(64, 36), fps=Fraction(60)) == 60
    assert probe(tmp_path / "fast.mp4").fps == 60.0


def grey(value: int) -> Planes:
    return Planes(*(Image.new("L", (2, 2), value) for _ in range(3)))


@pytest.mark.parametrize(
    ("source", "target", "seen"),
    [(10, 20, [0, 50, 100, 150, 200, 200]), (20, 10, [0, 200]), (10, 10, [0, 100, 200])],
)
def test_retime_blends_neighbours(source: int, target: int, seen: list[int]) -> None:
    frames = retime(map(grey, (0, 100, 200)), source=Fraction(source), target=Fraction(target))
    assert [frame.y.getpixel((0, 0)) for frame in frames] == seen


def test_read_frames_at_another_size(tmp_path: Path) -> None:
    sizes = {(frame.y.size, frame.u.size) for frame in read_frames(clip(tmp_path), size=(32, 18))}
    assert sizes == {((32, 18), (16, 9))}


def test_planes_round_trip_and_window() -> None:
    image = Image.new("RGB", (90, 50), "white")
    image.paste((0, 0, 0), (0, 0, 45, 50))
    planes = Planes.of_image(image)
    assert Planes.of_frame(planes.to_frame()) == planes
    right = planes.window((50.5, 0.0, 90.0, 50.0), (20, 20))
    assert right.y.getextrema() == (235, 235)
    assert right.u.size == (10, 10)


def test_an_overlay_leaves_the_frame_alone() -> None:
    frame = Planes.of_image(Image.new("RGB", (80, 40), "white"))
    marked = Overlay.of_label(badge("x", 15), (3, 5)).over(frame)
    assert frame.y.getextrema() == (235, 235)
    assert marked.y.getextrema()[0] < 80


def test_a_sound_is_no_clip(tmp_path: Path) -> None:
    with pytest.raises(UnreadableMediaError, match="there are no pictures in it"):
        describe(tone(tmp_path, "wav"))

"""Clips cut, joined, dubbed and laid on sheets, down to the frame and the sample."""

from __future__ import annotations

import io
import math
import struct
from array import array
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from rhflow.media import samples
from rhflow.media.audio import write_audio
from rhflow.media.camera import View, between, filmed
from rhflow.media.dub import can_be_copied, dub
from rhflow.media.errors import UnreadableMediaError
from rhflow.media.planes import Planes
from rhflow.media.probe import probe
from rhflow.media.samples import RATE, Recording, Reel, Samples, heard
from rhflow.media.sheet import Tile, draw_sheet, grid
from rhflow.media.timeline import Look, Part, joined, joined_sound, samples_of, shown, upright_size, whole
from rhflow.media.video import describe, encode, frame_at

GREY = (64, 36)


def tone(path: Path, seconds: float, *, hertz: int = 400, rate: int = 16_000) -> Path:
    wave = array("h", (round(8000 * math.sin(2 * math.pi * hertz * at / rate)) for at in range(round(seconds * rate))))
    write_audio(path, wave.tobytes(), rate=rate)
    return path


def clip(path: Path, levels: list[int], *, fps: int = 10, size: tuple[int, int] = GREY, **more: Any) -> Path:
    """Write a clip whose frames are of these shades of grey."""
    encode(path, (Image.new("RGB", size, (each,) * 3) for each in levels), fps=Fraction(fps), **more)
    return path


def shades(frames: Iterator[Planes]) -> list[int]:
    """Return the shade of the middle of each frame, from 0 to 255, to the nearest ten."""
    middle = [frame.y.getpixel((frame.size[0] // 2, frame.size[1] // 2)) for frame in frames]
    return [round((each - 16) * 255 / 219 / 10) * 10 for each in middle]  # type: ignore[operator]


def loudness(sound: Samples) -> float:
    return math.sqrt(sum(each * each for each in sound) / max(1, len(sound)))


def heard_whole(path: Path) -> Samples:
    found: Samples = array("f")
    for each in heard(path):
        found.extend(each)
    return found


def flat(count: int, level: float) -> Samples:
    return array("f", [level] * 2 * count)


# --- frames ----------------------------------------------------------------------------------------------------------

RAMP = [0, 40, 80, 120, 160, 200]


def test_a_part_has_its_frames_and_no_others(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", RAMP)
    assert shades(shown(whole(path, "a"))) == RAMP
    assert shades(shown(Part(path, "a", Fraction(10), 3, start=Fraction(2, 10)))) == [80, 120, 160]


def test_another_rate_keeps_the_speed(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", RAMP)
    assert shades(shown(whole(path, "a", fps=Fraction(20)))) == [each for each in RAMP for _ in range(2)]
    assert shades(shown(whole(path, "a", fps=Fraction(5)))) == [0, 80, 160]


def test_the_last_frame_stays_where_a_clip_is_too_short(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", [0, 200])
    assert shades(shown(Part(path, "a", Fraction(10), 4))) == [0, 200, 200, 200]


def test_a_frame_of_another_ratio_gets_bars_and_is_not_stretched(tmp_path: Path) -> None:
    path = clip(tmp_path / "tall.mp4", [200], size=(20, 40))
    (frame,) = shown(whole(path, "tall"), Look((80, 40)))
    row = [frame.y.getpixel((x, 20)) for x in range(80)]
    assert frame.size == (80, 40)
    assert {*row[:28], *row[52:]} == {16}
    assert min(row[33:47]) > 150  # type: ignore[type-var]


def test_cover_fills_and_stretch_distorts(tmp_path: Path) -> None:
    path = tmp_path / "halves.mp4"
    image = Image.new("RGB", (80, 40), "black")
    image.paste((255, 255, 255), (20, 0, 60, 40))
    encode(path, [image], fps=Fraction(10))
    (filled,) = shown(whole(path, "a"), Look((40, 40), "cover"))
    (distorted,) = shown(whole(path, "a"), Look((40, 40), "stretch"))
    assert filled.y.getpixel((3, 20)) > 200  # type: ignore[operator]
    assert distorted.y.getpixel((3, 20)) < 40  # type: ignore[operator]


def test_clips_go_over_into_each_other(tmp_path: Path) -> None:
    parts = [whole(clip(tmp_path / f"{level}.mp4", [level] * 5), "c") for level in (0, 200, 0)]
    frames = shades(joined(parts, Look(GREY), overlap=2))
    assert len(frames) == 3 * 5 - 2 * 2
    assert frames == [0, 0, 0, 70, 130, 200, 130, 70, 0, 0, 0]
    assert shades(joined(parts, Look(GREY))) == [0] * 5 + [200] * 5 + [0] * 5


def test_colours_stay_when_clips_of_two_matrices_are_joined(tmp_path: Path) -> None:
    red = Planes(*(Image.new("L", size, level) for size, level in (((64, 36), 63), ((32, 18), 102), ((32, 18), 240))))
    encode(tmp_path / "a.mp4", [Image.new("RGB", GREY, "red")], fps=Fraction(10))
    encode(tmp_path / "b.mp4", [red], fps=Fraction(10), matrix=1)  # red, as BT.709 has it
    parts = [whole(tmp_path / name, name) for name in ("a.mp4", "b.mp4")]
    colours = [[plane.getpixel((4, 4)) for plane in frame] for frame in joined(parts, Look(GREY, matrix=6))]
    assert colours[0] == pytest.approx(colours[1], abs=2)


def test_a_clip_without_a_frame_is_told(tmp_path: Path) -> None:
    whole_clip = clip(tmp_path / "a.mp4", RAMP * 20).read_bytes()
    broken = tmp_path / "b.mp4"
    start = whole_clip.index(b"mdat") + 4
    broken.write_bytes(whole_clip[:start] + bytes(len(whole_clip) - start))
    with pytest.raises(UnreadableMediaError, match=r"`mine\.mp4`"):
        list(shown(whole(broken, "mine.mp4")))


# --- sound -----------------------------------------------------------------------------------------------------------


def test_one_channel_is_as_loud_on_both_sides(tmp_path: Path) -> None:
    sound = heard_whole(tone(tmp_path / "a.wav", 0.5))
    assert len(sound) == 2 * RATE // 2
    assert loudness(sound[::2]) == pytest.approx(8000 / 32768 / math.sqrt(2), rel=0.02)
    assert sound[::2] == sound[1::2]


def test_sound_begins_where_it_is_asked_for(tmp_path: Path) -> None:
    path = tone(tmp_path / "a.wav", 1.5)
    late = Reel(heard(path, start=Fraction(3, 4))).take(RATE // 10)
    early = heard_whole(path)[2 * 3 * RATE // 4 :][: len(late)]
    assert max(abs(one - other) for one, other in zip(late, early, strict=True)) < 0.01


def test_a_reel_goes_on_in_silence() -> None:
    reel = Reel([flat(3, 0.5), array("f"), flat(2, 0.25)])
    assert [len(each) for each in reel.portions(4)] == [8]
    assert list(reel.take(3)) == [0.25, 0.25, 0, 0, 0, 0]
    assert list(Reel().take(2)) == [0, 0, 0, 0]


def test_what_is_too_loud_is_cut_off() -> None:
    assert list(samples.mixed(flat(1, 0.75), flat(1, 0.5))) == [1, 1]
    assert list(samples.mixed(flat(1, 0.25), flat(1, 0.5))) == [0.75, 0.75]
    assert list(samples.louder(flat(1, 0.25), 2)) == [0.5, 0.5]


def test_a_change_keeps_the_loudness() -> None:
    changed = samples.faded(flat(100, 0.5), flat(100, 0))
    assert changed[0] > 0.49
    assert changed[-1] < 0.01
    assert changed[100] == pytest.approx(0.5 / math.sqrt(2), rel=0.02)


def test_a_fade_out_ends_in_nothing() -> None:
    faded = [each for part in samples.fading_out(iter([flat(6, 1), flat(6, 1)]), total=12, over=4) for each in part]
    assert faded[::2] == [1, 1, 1, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25]


def test_a_short_sound_begins_again(tmp_path: Path) -> None:
    path = tone(tmp_path / "a.wav", 0.2)
    twice = Reel(samples.again(path, name="a")).take(RATE * 2 // 5)
    assert loudness(twice[len(twice) // 2 + 100 :]) == pytest.approx(loudness(twice[: len(twice) // 2]), rel=0.05)


def test_nothing_cannot_begin_again(tmp_path: Path) -> None:
    with pytest.raises(UnreadableMediaError, match="no sound"):
        next(samples.again(clip(tmp_path / "a.mp4", [0]), name="a.mp4"))


def test_sound_of_joined_clips_is_exactly_as_long(tmp_path: Path) -> None:
    sound = tone(tmp_path / "a.wav", 1)
    parts = [
        whole(clip(tmp_path / "a.mp4", [0] * 7, fps=24, sound=sound), "a"),
        whole(clip(tmp_path / "b.mp4", [0] * 5, fps=24), "b"),
        whole(clip(tmp_path / "c.mp4", [0] * 7, fps=24, sound=sound), "c"),
    ]
    found: Samples = array("f")
    for each in joined_sound(parts, overlap=2):
        found.extend(each)
    assert len(found) // 2 == samples_of(7 + 5 + 7 - 4, Fraction(24))
    quiet = found[2 * samples_of(7, Fraction(24)) : 2 * samples_of(8, Fraction(24))]  # only the clip without sound
    assert loudness(quiet) < 0.01 < loudness(found[2 * samples_of(10, Fraction(24)) :][:2000])


# --- both together ---------------------------------------------------------------------------------------------------


def packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(each) for each in container.demux(video=0) if each.size]


def test_pictures_are_copied_below_new_sound(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4", RAMP * 2)
    for name in ("b.mp4", "c.mp4"):
        track = Recording(Reel(heard(tone(tmp_path / "a.wav", 0.5))).portions(samples_of(12, Fraction(10))))
        dub(source, tmp_path / name, track, name="a.mp4", heed=iter)
    assert can_be_copied(source, name="a.mp4")
    assert packets(tmp_path / "b.mp4") == packets(source)
    assert (tmp_path / "b.mp4").read_bytes() == (tmp_path / "c.mp4").read_bytes()
    sound = heard_whole(tmp_path / "b.mp4")
    assert len(sound) / 2 / RATE == pytest.approx(1.2, abs=0.03)
    assert loudness(sound[: RATE // 2]) > 0.1 > 0.01 > loudness(sound[-RATE // 2 :])


# --- camera and sheet ------------------------------------------------------------------------------------------------


def test_the_camera_moves_without_leaving_the_picture() -> None:
    image = Image.linear_gradient("L").resize((200, 100)).rotate(90, expand=True).resize((200, 100)).convert("RGB")
    frames = list(filmed(Planes.of_image(image), between((0.9, 0.5, 2.0), (0.1, 0.5, 2.0)), (50, 24), count=5))
    seen = [frame.y.getpixel((25, 12)) for frame in frames]
    assert seen in (sorted(seen), sorted(seen, reverse=True))  # type: ignore[type-var]
    assert seen[0] != seen[-1]
    assert View(0.9, 0.5, 2.0).box((200, 100)) == (100.0, 25.0, 200.0, 75.0)


def test_a_sheet_shows_each_in_its_cell(tmp_path: Path) -> None:
    Image.new("RGB", (60, 40), "red").save(tmp_path / "a.png")
    clip(tmp_path / "b.mp4", [0, 200, 0], size=(60, 40))
    Image.new("RGB", (20, 40), "blue").save(tmp_path / "c.png")
    layout = grid([1.5, 1.5, 0.5], columns=2, width=120, captions=True)
    assert (layout.columns, layout.cell, layout.line) == (2, (120, 80), 16)
    tiles = [Tile(tmp_path / name, name, name) for name in ("a.png", "b.mp4", "c.png")]
    sheet = draw_sheet(tiles, layout)
    assert sheet.size == layout.size
    centres = [
        tuple(side + half // 2 for side, half in zip(layout.corner(at), (120, 80), strict=True)) for at in range(3)
    ]
    red, grey, blue = (sheet.getpixel(each) for each in centres)  # type: ignore[arg-type]
    assert (red, blue) == ((255, 0, 0), (0, 0, 255))
    assert all(abs(each - 200) < 12 for each in grey)  # type: ignore[union-attr]
    x, y = layout.corner(2)
    assert sheet.getpixel((x + 5, y + 40)) == (34, 37, 44)  # beside the narrow picture
    below = sheet.crop((x, y + 80, x + 120, y + 96))
    assert len(below.getcolors() or []) > 1, "no caption"


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (2, 2), (5, 3), (9, 3)])
def test_a_sheet_is_about_square(count: int, columns: int) -> None:
    assert grid([1.0] * count, columns=None, width=100, captions=False).columns == columns


# --- clips as people have them ---------------------------------------------------------------------------------------


def on_its_side(path: Path) -> Path:
    """Let the header of a clip say, as phones do, that it is to be turned to the right by a quarter."""
    content = bytearray(path.read_bytes())
    upright = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    at = content.index(upright, content.index(b"tkhd"))
    content[at : at + len(upright)] = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 40 << 16, 0, 1 << 30)
    path.write_bytes(content)
    return path


def test_a_clip_that_lies_on_its_side_is_stood_up(tmp_path: Path) -> None:
    image = Image.new("RGB", (80, 40), "black")
    image.paste((255, 255, 255), (0, 0, 20, 40))  # white at the left becomes white at the top
    encode(tmp_path / "a.mp4", [image] * 2, fps=Fraction(10))
    path = on_its_side(tmp_path / "a.mp4")
    assert upright_size(path, "a") == (40, 80)
    assert not can_be_copied(path, name="a")
    frame = next(shown(whole(path, "a")))
    assert frame.size == (40, 80)
    assert frame.y.getpixel((20, 10)) > 200 > 40 > frame.y.getpixel((20, 60))  # type: ignore[operator]
    still = frame_at(path)
    assert still.size == (40, 80)
    assert still.getpixel((20, 10)) > (200, 200, 200)  # type: ignore[operator]
    barred = next(shown(whole(path, "a"), Look((80, 80))))
    assert [barred.y.getpixel(each) for each in ((5, 10), (75, 10))] == [16, 16]
    assert barred.y.getpixel((40, 10)) > 200  # type: ignore[operator]


class _Pipe(io.RawIOBase):
    """Takes bytes one after another, as a live recorder has to."""

    def __init__(self) -> None:
        self.content = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.content += bytes(data)
        return len(data)


def test_a_recording_that_tells_no_length_is_measured(tmp_path: Path) -> None:
    source, path, pipe = clip(tmp_path / "a.mp4", RAMP), tmp_path / "a.mkv", _Pipe()
    with av.open(str(source)) as container, av.open(pipe, "w", format="matroska") as live:  # type: ignore[arg-type]
        stream = live.add_stream_from_template(container.streams.video[0])
        for packet in container.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                live.mux(packet)
    path.write_bytes(pipe.content)
    assert probe(path).duration is None
    assert describe(path).seconds == pytest.approx(0.6, abs=0.11)
    assert shades(shown(whole(path, "a")))[:5] == RAMP[:5]
    last = frame_at(path).getpixel((5, 5))
    assert last == pytest.approx((RAMP[-1],) * 3, abs=6)

"""Steps of this machine: what is said about their inputs, what they give, and how they are given up."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import threading
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from rhflow.core.errors import StepError
from rhflow.core.plan.calls import StepCall
from rhflow.core.values import Artifact, Pending
from rhflow.media.audio import write_audio
from rhflow.media.video import encode
from rhflow.steps.kinds import all_kinds
from rhflow.steps.local import run as local
from rhflow.steps.local.work import Heed, Inputs, Operation, Work
from rhflow.steps.shelf import Shelf, described
from rhflow.store.blobs import Blobs
from tests.fakes import artifact

CLIP = artifact("clip.mp4", width=640, height=360, duration=5.0, fps=24.0)
SHORT = artifact("short.mp4", width=640, height=360, duration=1.0, fps=24.0)
PHOTO = artifact("photo.jpg", width=600, height=400)


# --- what is told before anything runs -------------------------------------------------------------------------------


def trouble(kind: str, inputs: dict[str, Any]) -> tuple[str, str, str | None]:
    with pytest.raises(StepError) as caught:
        local.check(all_kinds()[kind], inputs)
    [problem] = caught.value.problems
    assert problem.hint
    return problem.code, problem.message, next(iter(problem.input), None)


@pytest.mark.parametrize(
    ("kind", "inputs", "expected"),
    [
        ("frame", {"video": CLIP, "at": "7"}, ("beyond-end", "`clip.mp4` has 5 s, and `at` asks for 7 s", "at")),
        ("trim", {"video": CLIP, "start": 5}, ("beyond-end", "`clip.mp4` has 5 s, and `start` asks for 5 s", "start")),
        ("trim", {"video": CLIP, "end": 5.2}, ("beyond-end", "`clip.mp4` has 5 s, and `end` asks for 5.2 s", "end")),
        (
            "trim",
            {"video": CLIP, "start": 4, "duration": 2},
            ("beyond-end", "`clip.mp4` has 5 s, and this part ends at 6 s", "duration"),
        ),
        (
            "trim",
            {"video": CLIP, "start": 3, "end": 2},
            ("empty-part", "`end` (2 s) is not after the start (3 s)", "end"),
        ),
        (
            "concat",
            {"videos": [CLIP, SHORT, CLIP], "crossfade": 0.5},
            ("fade-too-long", "`short.mp4` has 1 s, too few to fade for 0.5 s at both ends", "crossfade"),
        ),
        (
            "concat",
            {"videos": [CLIP, SHORT], "crossfade": 1},
            ("fade-too-long", "`short.mp4` has 1 s, too few to fade for 1 s", "crossfade"),
        ),
        (
            "concat",
            {"videos": [CLIP, "https://host/a.mp4"]},
            ("link-to-local", "`https://host/a.mp4` is a link, and `concat` works on files of this machine", "videos"),
        ),
        (
            "resize",
            {"image": PHOTO, "scale": 16},
            ("result-too-large", "a result of 9600 x 6400 pixels is too large: a side has at most 8192", "scale"),
        ),
        (
            "ken-burns",
            {"image": PHOTO, "duration": 5, "direction": "in", "fps": 24, "aspect_ratio": "90:1"},
            (
                "result-too-large",
                "a result of 97200 x 1080 pixels is too large: a side has at most 8192",
                "aspect_ratio",
            ),
        ),
        ("sheet", {"images": []}, ("empty-sheet", "a sheet of nothing: there are no pictures or clips", "images")),
        (
            "sheet",
            {"files": [PHOTO, artifact("a.mp3")]},
            ("wrong-media", "`a.mp3` is audio/mpeg, and a sheet shows pictures and clips", "files"),
        ),
        (
            "sheet",
            {"images": [PHOTO], "captions": ["a", "b"]},
            ("caption-count", "there are captions for 2, and the sheet shows 1", "captions"),
        ),
        (
            "sheet",
            {"images": [PHOTO], "captions": ["咖啡"]},
            ("caption-letters", "the caption `咖啡` has no letter that can be drawn", "captions"),
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else value if isinstance(value, str) else None,
)
def test_inputs_that_cannot_be_worked_with(kind: str, inputs: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert trouble(kind, inputs) == expected


@pytest.mark.parametrize(
    ("kind", "inputs"),
    [
        ("trim", {"video": CLIP, "start": 1, "end": 5.04}),  # headers round
        ("trim", {"video": Pending("video"), "start": 100}),
        ("frame", {"video": CLIP, "at": "5"}),
        ("concat", {"videos": [SHORT], "crossfade": 9}),
        ("concat", {"videos": [CLIP, Pending("video")], "crossfade": 9}),
        ("resize", {"image": PHOTO, "width": 8192, "height": 16}),
    ],
)
def test_inputs_that_may_do(kind: str, inputs: dict[str, Any]) -> None:
    local.check(all_kinds()[kind], inputs)


# --- what they give --------------------------------------------------------------------------------------------------


class Desk:
    """A shelf, and files to work with."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.shelf = folder, Shelf(Blobs(folder / "store"))
        self.operations: Mapping[str, Operation] = local.OPERATIONS

    def file(self, path: Path) -> Artifact:
        return described(path, path.name, hashlib.sha256(path.read_bytes()).hexdigest()).at(str(path))

    def picture(self, name: str, size: tuple[int, int] = (60, 40), mode: str = "RGB") -> Artifact:
        Image.new(mode, size, "red").save(self.folder / name)
        return self.file(self.folder / name)

    def clip(self, name: str, count: int = 6, size: tuple[int, int] = (60, 40), **more: Any) -> Artifact:
        encode(
            self.folder / name, (Image.new("RGB", size, (40 * at % 256,) * 3) for at in range(count)),
            fps=Fraction(10), **more,
        )  # fmt: skip
        return self.file(self.folder / name)

    def tone(self, name: str, seconds: float = 1) -> Artifact:
        write_audio(self.folder / name, b"\0\x10\0\xf0" * round(8000 * seconds), rate=16_000)
        return self.file(self.folder / name)

    async def run(self, kind: str, *, patience: float | None = None, **inputs: Any) -> Artifact:
        call = StepCall("made", all_kinds()[kind], None, inputs, "key", {}, patience)
        [made] = (await local.run(call, self.shelf, lambda: 0.0, self.operations)).outputs.files
        assert made.path == str(self.folder / "store" / "blobs" / made.digest[:2] / made.digest[2:])
        assert self.file(Path(made.path)).digest == made.digest
        return made


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def facts(made: Artifact) -> tuple[str, int | None, int | None, float | None]:
    return made.name, made.width, made.height, made.duration


@pytest.mark.parametrize(("at", "shade"), [("first", 0), ("middle", 120), ("last", 200), ("0.15", 40)])
async def test_a_frame_of_a_clip(desk: Desk, at: str, shade: int) -> None:
    made = await desk.run("frame", video=desk.clip("a.mp4"), at=at)
    assert facts(made) == ("made.png", 60, 40, None)
    with Image.open(str(made.path)) as image:
        assert image.getpixel((30, 20)) == pytest.approx((shade,) * 3, abs=6)


@pytest.mark.parametrize(
    ("inputs", "seconds"),
    [({"start": 0.2}, 0.4), ({"end": 0.3}, 0.3), ({"start": 0.1, "duration": 0.2}, 0.2), ({"start": 0.55}, 0.1)],
)
async def test_a_part_of_a_clip(desk: Desk, inputs: dict[str, float], seconds: float) -> None:
    made = await desk.run("trim", video=desk.clip("a.mp4"), **inputs)
    assert facts(made) == ("made.mp4", 60, 40, seconds)


async def test_clips_in_one(desk: Desk) -> None:
    clips = [
        desk.clip("a.mp4"),
        desk.clip("b.mp4", 4, (40, 60)),
        desk.clip("c.mp4", sound=Path(desk.tone("t.wav").path)),
    ]
    made = await desk.run("concat", videos=clips)
    assert (*facts(made), made.fps) == ("made.mp4", 60, 40, 1.6, 10.0)
    assert (await desk.run("concat", videos=clips, crossfade=0.1)).duration == 1.4
    assert (await desk.run("concat", videos=clips)).digest == made.digest, "not the same bytes again"


@pytest.mark.parametrize(
    ("inputs", "seconds"),
    [
        ({}, 0.6),
        ({"loop": True, "shortest": True}, 0.6),
        ({"shortest": True}, 0.3),
        ({"mode": "mix", "volume": 2}, 0.6),
    ],
)
async def test_a_clip_with_sound(desk: Desk, inputs: dict[str, Any], seconds: float) -> None:
    clip = desk.clip("a.mp4", sound=Path(desk.tone("own.wav").path))
    made = await desk.run("mux", video=clip, audio=desk.tone("b.wav", 0.3), **inputs)
    assert facts(made) == ("made.mp4", 60, 40, pytest.approx(seconds, abs=0.03))


async def test_a_silent_clip_has_nothing_to_mix_with(desk: Desk) -> None:
    with pytest.raises(StepError, match=r"no sound in `a\.mp4`"):
        await desk.run("mux", video=desk.clip("a.mp4"), audio=desk.tone("b.wav"), mode="mix")


@pytest.mark.parametrize(
    ("inputs", "size"),
    [
        ({"width": 30}, (30, 20)),
        ({"height": 80}, (120, 80)),
        ({"scale": 0.5}, (30, 20)),
        ({"width": 30, "height": 30}, (30, 20)),
        ({"width": 30, "height": 30, "fit": "cover"}, (30, 30)),
        ({"width": 30, "height": 30, "fit": "stretch"}, (30, 30)),
    ],
)
async def test_another_size(desk: Desk, inputs: dict[str, Any], size: tuple[int, int]) -> None:
    assert facts(await desk.run("resize", image=desk.picture("a.jpg"), **inputs)) == ("made.jpg", *size, None)
    assert facts(await desk.run("resize", video=desk.clip("a.mp4"), **inputs)) == ("made.mp4", *size, 0.6)


async def test_transparency_survives(desk: Desk) -> None:
    made = await desk.run("resize", image=desk.picture("a.png", mode="RGBA"), width=30)
    with Image.open(str(made.path)) as image:
        assert (image.mode, image.size) == ("RGBA", (30, 20))


@pytest.mark.parametrize(
    ("inputs", "size"),
    [
        ({"resolution": "480p"}, (720, 480)),
        ({"aspect_ratio": "1:2", "resolution": "480p"}, (480, 960)),
        ({"size": "90x50"}, (90, 50)),
    ],
)
async def test_a_camera_over_a_picture(desk: Desk, inputs: dict[str, Any], size: tuple[int, int]) -> None:
    made = await desk.run("ken-burns", image=desk.picture("a.png"), duration=0.2, direction="left", fps=10, **inputs)
    assert (*facts(made), made.fps) == ("made.mp4", *size, 0.2, 10.0)


async def test_a_sheet_of_everything(desk: Desk) -> None:
    tall = desk.picture("b.png", (40, 60))
    made = await desk.run("sheet", images=[desk.picture("a.png"), tall], files=[desk.clip("c.mp4"), tall], width=90)
    assert facts(made) == ("made.jpg", 2 * 94 + 4, 2 * (60 + 4) + 4, None)


async def test_a_disk_that_is_full_is_told(desk: Desk) -> None:
    def full(inputs: Inputs) -> Work:
        def write(path: Path, heed: Heed) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        return write

    desk.operations = {"frame": full}
    with pytest.raises(StepError, match="cannot make `made`: no space left on device") as caught:
        await desk.run("frame", video=desk.clip("a.mp4"), at="first")
    assert "room" in str(caught.value.problems[0].hint)


# --- how they are given up -------------------------------------------------------------------------------------------


async def test_who_does_not_wait_any_more_ends_the_work(desk: Desk) -> None:
    begun, ended = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def endless(inputs: Inputs) -> Work:
        def ticks() -> Iterator[None]:
            while True:
                loop.call_soon_threadsafe(begun.set)
                yield None

        def write(path: Path, heed: Heed) -> None:
            path.write_bytes(b"half")
            try:
                for _ in heed(ticks()):
                    pass
            finally:
                ended.set()

        return write

    desk.operations = {"frame": endless}
    running = asyncio.create_task(desk.run("frame", video=desk.clip("a.mp4"), at="first"))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended.is_set()
    assert list((desk.folder / "store" / "tmp").glob("*.part")) == []
    with pytest.raises(StepError, match="not done after"):
        await desk.run("frame", patience=0.01, video=desk.clip("a.mp4"), at="first")

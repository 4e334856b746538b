"""What the simulator makes: real files, made from their inputs, visibly marked, the same for the same call."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from rhflow.media.image import cover
from rhflow.media.probe import probe
from rhflow.media.video import frame_at
from rhflow.simulator.config import SimulatorConfig
from rhflow.simulator.marks import open_clean
from tests.simulator_support import Caller, calling, opened, picture


def apart(first: Image.Image, second: Image.Image) -> float:
    """Return the mean difference of two pictures of one size, from 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(first.convert("RGB"), second.convert("RGB"))).mean) / 3


def has_mark(image: Image.Image) -> bool:
    """Whether the lower right corner holds a dark plate with light letters."""
    width, height = image.size
    low, high = image.convert("L").crop((width - width // 4, height - height // 6, width, height)).getextrema()
    return low < 60 and high > 190


async def test_a_picture_is_marked_and_says_so(tmp_path: Path) -> None:
    async with calling(SimulatorConfig(speed=1e6)) as call:
        link = await call.make("text-to-image", prompt="a red lighthouse at sunset", width=400, height=304)
        path = await call.keep(link, tmp_path)
    with Image.open(path) as image:
        assert (image.format, image.size) == ("PNG", (400, 304))
        assert image.text["rhflow"] == "simulated"
        assert image.text["rhflow-caption"] == "a red lighthouse at sunset"
        assert has_mark(image)
    assert not has_mark(open_clean(path).image)


@pytest.mark.parametrize(("asked", "kind"), [("png", "PNG"), ("jpeg", "JPEG"), ("webp(lossy)", "WEBP")])
async def test_formats(asked: str, kind: str) -> None:
    async with calling() as call:
        done = await call.run("text-to-image", prompt="hills", outputFormat=asked)
        result = done["results"][0]
        assert opened(await call.fetch(result["url"])).format == kind
        assert result["outputType"] == result["url"].rpartition(".")[2]


async def test_the_same_call_gives_the_same_bytes_in_another_run() -> None:
    async def once(**inputs: Any) -> bytes:
        async with calling() as call:
            return await call.fetch(await call.make("text-to-image", prompt="a boat", **inputs))

    first = await once(seed=1)
    assert await once(seed=1) == first
    assert await once(seed=2) != first


async def test_several_takes_differ() -> None:
    async with calling() as call:
        done = await call.run("text-to-image", prompt="a boat", imageNum="2")
        first, second = [await call.fetch(each["url"]) for each in done["results"]]
        assert first != second


async def test_an_edit_keeps_the_composition_and_the_ratio() -> None:
    async with calling() as call:
        source = picture((120, 60), "orange")
        link = await call.link_to(source, "a.png")
        result = opened(await call.fetch(await call.make("image-to-image", prompt="at night", imageUrls=[link])))
        assert result.size == (96, 48)
        left, right = (
            ImageStat.Stat(result.convert("L").crop(box)).mean[0] for box in ((4, 4, 40, 30), (56, 4, 92, 30))
        )
        assert left < right - 20  # the dark half is still on the left
        plain = cover(opened(source), result.size)
        assert apart(result, plain) > 20  # and it is night now


async def test_an_edit_to_another_ratio_crops() -> None:
    async with calling() as call:
        link = await call.link_to(picture((160, 80)), "a.png")
        result = opened(
            await call.fetch(await call.make("image-to-image", prompt="warm", imageUrls=[link], aspectRatio="1:1"))
        )
        assert result.size == (96, 96)
        edge = result.convert("L").crop((0, 40, 96, 42)).resize((96, 1))
        change = max(range(95), key=lambda x: abs(edge.getpixel((x + 1, 0)) - edge.getpixel((x, 0))))
        assert 44 <= change <= 51  # the edge between the halves stays in the middle


async def test_several_pictures_stand_side_by_side() -> None:
    async with calling() as call:
        links = [await call.link_to(picture(colour=colour), f"{colour}.png") for colour in ("red", "lime", "blue")]
        result = opened(
            await call.fetch(await call.make("image-to-image", prompt="bright", imageUrls=links, aspectRatio="16:9"))
        )
        seen = [result.convert("RGB").getpixel((x, 20)) for x in (26, 58, 90)]
        assert [max(range(3), key=pixel.__getitem__) for pixel in seen] == [0, 1, 2]


async def test_marks_do_not_pile_up(tmp_path: Path) -> None:
    async with calling(SimulatorConfig(speed=1e6, most=300)) as call:
        first = await call.keep(await call.make("text-to-image", prompt="snowy mountains, day"), tmp_path)
        link = await call.link_to(first.read_bytes(), "first.png")
        large = await call.keep(await call.make("image-upscale", imageUrl=link, scale="2x"), tmp_path)
    clean, again = open_clean(first), open_clean(large)
    assert again.caption == "snowy mountains, day"
    assert apart(clean.image, again.image.resize(clean.image.size)) < 4


async def test_upscale_resamples_its_input(tmp_path: Path) -> None:
    async with calling(SimulatorConfig(speed=1e6)) as call:
        source = picture((90, 60))
        link = await call.link_to(source, "a.png")
        path = await call.keep(await call.make("image-upscale", imageUrl=link, scale="4x"), tmp_path)
    clean = open_clean(path).image
    assert clean.size == (360, 240)
    assert apart(clean, opened(source).resize((360, 240), Image.Resampling.LANCZOS)) < 2


async def test_a_result_that_would_be_enormous_fails() -> None:
    async with calling(SimulatorConfig(speed=1e6)) as call:
        link = await call.link_to(picture((4000, 4000)), "a.png")
        done = await call.run("image-upscale", imageUrl=link, scale="4x")
        assert (done["status"], done["errorCode"]) == ("FAILED", "1007")


async def clip_of(call: Caller, folder: Path, endpoint: str, **inputs: Any) -> Path:
    return await call.keep(await call.make(endpoint, **inputs), folder)


async def test_a_clip_moves_over_its_picture(tmp_path: Path) -> None:
    async with calling(SimulatorConfig(speed=1e6, most=240)) as call:
        source = picture((320, 180), "gold")
        link = await call.link_to(source, "a.png")
        path = await clip_of(call, tmp_path, "image-to-video", prompt="pan left", firstImageUrl=link, duration="2")
    info = probe(path)
    assert (info.media_type, info.width, info.height, info.duration, info.fps) == ("video/mp4", 240, 136, 2.0, 24.0)
    frames = [frame_at(path, seconds).convert("L") for seconds in (0.0, 1.0, 1.95)]
    edges = [next(x for x in range(240) if frame.getpixel((x, 60)) > 90) for frame in frames]
    assert edges[0] < edges[1] < edges[2]  # the camera goes left, so what is seen goes right
    assert edges[1] - edges[0] == pytest.approx(edges[2] - edges[1], abs=3)
    assert all(has_mark(frame) for frame in frames)


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({}, (1280, 720)),
        ({"resolution": "480p", "aspectRatio": "9:16"}, (480, 854)),
        ({"aspectRatio": "16:9"}, (1280, 720)),
    ],
)
async def test_the_size_of_a_clip(asked: dict[str, str], size: tuple[int, int], tmp_path: Path) -> None:
    async with calling(SimulatorConfig(speed=1e6)) as call:
        link = await call.link_to(picture((71, 40)), "a.png")
        path = await clip_of(
            call, tmp_path, "image-to-video", prompt="push in", firstImageUrl=link, duration="1", **asked
        )
    info = probe(path)
    assert (info.width, info.height, info.duration) == (*size, 1.0)


async def test_from_one_picture_to_another(tmp_path: Path) -> None:
    async with calling() as call:
        first, last = [await call.link_to(picture(colour=each), f"{each}.png") for each in ("red", "blue")]
        inputs = {"prompt": "change", "firstImageUrl": first, "lastImageUrl": last, "duration": "1"}
        path = await clip_of(call, tmp_path, "image-to-video", **inputs)
    start, middle, end = (frame_at(path, seconds).getpixel((80, 20)) for seconds in (0.0, 0.5, 0.95))
    assert start[0] > 200 > 60 > start[2]
    assert end[2] > 200 > 60 > end[0]
    assert middle[0] > 60 < middle[2]


async def test_reference_pictures_follow_one_another(tmp_path: Path) -> None:
    async with calling() as call:
        links = [await call.link_to(picture(colour=each), f"{each}.png") for each in ("red", "lime", "blue")]
        path = await clip_of(call, tmp_path, "reference-to-video", prompt="x", imageUrls=links, duration="2")
    assert probe(path).duration == 2.0
    seen = [frame_at(path, seconds).getpixel((80, 20)) for seconds in (0.3, 1.0, 1.8)]
    assert [max(range(3), key=pixel.__getitem__) for pixel in seen] == [0, 1, 2]


async def test_the_last_frame_and_the_sound_on_request(tmp_path: Path) -> None:
    async with calling() as call:
        sound = await call.link_to(await call.fetch(await call.make("speech", text="hello")), "voice.mp3")
        link = await call.link_to(picture(), "a.png")
        inputs = {"prompt": "push in", "firstImageUrl": link, "audioUrl": sound, "returnLastFrame": True}
        done = await call.run("image-to-video", **inputs)
        clip, still = done["results"]
        path = await call.keep(clip["url"], tmp_path)
        last = opened(await call.fetch(still["url"]))
    assert [clip["outputType"], still["outputType"]] == ["mp4", "png"]
    assert probe(path).duration == pytest.approx(1.5, abs=0.1)  # as long as the sound
    assert apart(last.crop((0, 0, 96, 30)), frame_at(path).crop((0, 0, 96, 30))) < 3


async def test_a_clip_upscaled_keeps_everything_but_its_size(tmp_path: Path) -> None:
    async with calling(SimulatorConfig(speed=1e6)) as call:
        link = await call.link_to(picture((160, 90)), "a.png")
        inputs = {"prompt": "orbit", "firstImageUrl": link, "duration": "1", "resolution": "480p"}
        source = await clip_of(call, tmp_path, "image-to-video", **inputs)
        again = await call.link_to(source.read_bytes(), "clip.mp4")
        path = await clip_of(call, tmp_path, "video-upscaler", videoUrl=again, targetResolution="720p", targetFps="30")
    info = probe(path)
    assert (info.width, info.height, info.duration, info.fps) == (1280, 720, 1.0, 30.0)
    for seconds in (0.0, 0.5, 0.95):
        assert apart(frame_at(path, seconds).resize((854, 480)), frame_at(source, seconds)) < 3


async def test_more_frames_from_the_same_clip(tmp_path: Path) -> None:
    async with calling() as call:
        clip = await call.make("text-to-video", prompt="waves, pan right", duration="1")
        path = await clip_of(call, tmp_path, "fps-increaser", videoUrl=clip)
    assert (probe(path).fps, probe(path).duration) == (48.0, 1.0)


async def test_a_clip_edited_and_a_clip_prolonged(tmp_path: Path) -> None:
    async with calling() as call:
        clip = await call.make("text-to-video", prompt="waves, sunny day", duration="1")
        source = await call.keep(clip, tmp_path)
        noir = await clip_of(call, tmp_path, "video-edit", prompt="black and white noir", videoUrl=clip)
        longer = await clip_of(call, tmp_path, "video-extend", prompt="pull out", videoUrl=clip, duration="2")
    grey = frame_at(noir, 0.5).resize((8, 8)).convert("RGB")
    assert all(max(pixel) - min(pixel) < 14 for pixel in (grey.getpixel((x, 1)) for x in range(8)))
    assert (probe(noir).duration, probe(longer).duration) == (1.0, 3.0)
    assert apart(frame_at(longer, 0.5), frame_at(source, 0.5)) < 3


async def test_speech_text_and_solids(tmp_path: Path) -> None:
    async with calling() as call:
        voice = await clip_of(call, tmp_path, "speech", text="a sentence that takes a while to say")
        solid = await clip_of(call, tmp_path, "solid", prompt="a red cube")
        link = await call.link_to(picture(), "a.png")
        told = await call.run("image-to-text", prompt="describe this", imageUrl=link)
        listed = await call.run("image-to-text", prompt='4 shots as a JSON list with "title" and "prompt"')
    assert probe(voice).media_type == "audio/mpeg"
    assert probe(voice).duration == pytest.approx(2.4, abs=0.1)
    assert probe(solid).media_type == "model/gltf-binary"
    check_glb(solid.read_bytes())
    (result,) = told["results"]
    assert (result["url"], result["outputType"]) == (None, "txt")
    assert "landscape, 64 x 48 pixels" in result["text"]
    assert "teal" in result["text"]
    items = json.loads(listed["results"][0]["text"])
    assert [sorted(item) for item in items] == [["prompt", "title"]] * 4


def check_glb(data: bytes) -> None:
    """Check the parts of a binary glTF file against one another."""
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size, kind = struct.unpack_from("<I4s", data, 12)
    scene = json.loads(data[20 : 20 + size])
    assert (kind, size % 4, scene["asset"]["version"]) == (b"JSON", 0, "2.0")
    rest, kind = struct.unpack_from("<I4s", data, 20 + size)
    assert (kind, rest) == (b"BIN\0", scene["buffers"][0]["byteLength"])
    views = scene["bufferViews"]
    assert sum(view["byteLength"] for view in views) == rest
    body = data[28 + size :]
    places = struct.unpack_from("<72f", body)
    assert (min(places), max(places)) == (-0.5, 0.5)
    indices = struct.unpack_from("<36H", body, views[2]["byteOffset"])
    assert sorted(set(indices)) == list(range(24))
    assert scene["materials"][0]["pbrMetallicRoughness"]["baseColorFactor"][0] > 0.7

"""How large results are, in the many spellings of the models."""

from __future__ import annotations

from typing import Any

import pytest

from rhflow.simulator.sizes import bounded, clip_size, enlarged_clip, enlarged_picture, picture_size

SQUARE = (500, 500)


@pytest.mark.parametrize(
    ("inputs", "like", "size"),
    [
        ({}, None, (1024, 1024)),
        ({"size": "1024*1536"}, None, (1024, 1536)),
        ({"size": "720x1280"}, SQUARE, (720, 1280)),
        ({"resolution": "832×480"}, None, (832, 480)),
        ({"width": 640, "height": 480, "resolution": "2k"}, None, (640, 480)),
        ({"aspectRatio": "custom", "customWidth": 700, "customHight": 500}, None, (700, 500)),
        ({"width": 0, "height": 0}, None, (1024, 1024)),
        ({"resolution": "2k"}, None, (2048, 2048)),
        ({"resolution": "4K", "aspectRatio": "1:1"}, None, (4096, 4096)),
        ({"resolution": "1080p", "aspectRatio": "16:9"}, None, (1920, 1080)),
        ({"aspectRatio": "16:9"}, None, (1368, 768)),
        ({"ratio": "9:16"}, SQUARE, (768, 1368)),
        ({"aspectRatio": "auto"}, (800, 400), (1448, 724 // 8 * 8 + 8)),
        ({"aspectRatio": "adaptive", "resolution": "512"}, (100, 100), (512, 512)),
    ],
)
def test_pictures(inputs: dict[str, Any], like: tuple[int, int] | None, size: tuple[int, int]) -> None:
    assert picture_size(inputs, like=like) == size


@pytest.mark.parametrize(
    ("inputs", "like", "size"),
    [
        ({}, None, (1280, 720)),
        ({}, (1000, 1000), (720, 720)),
        ({}, (1364, 768), (1280, 720)),
        ({"resolution": "480p"}, None, (854, 480)),
        ({"resolution": "720P", "aspectRatio": "9:16"}, SQUARE, (720, 1280)),
        ({"resolution": "native1080p", "aspectRatio": "1:1"}, None, (1080, 1080)),
        ({"resolution": "2k", "ratio": "21:9"}, None, (3360, 1440)),
        ({"resolution": "4k"}, None, (3840, 2160)),
        ({"size": "833*481"}, None, (832, 480)),
        ({"resolution": "768"}, None, (1366, 768)),
    ],
)
def test_clips(inputs: dict[str, Any], like: tuple[int, int] | None, size: tuple[int, int]) -> None:
    assert clip_size(inputs, like=like) == size


@pytest.mark.parametrize(
    ("inputs", "size"),
    [
        ({}, (600, 400)),
        ({"scale": "4x"}, (1200, 800)),
        ({"upscale": 1, "shortEdgeSize": -1, "longEdgeSize": -1}, (300, 200)),
        ({"upscale": 3}, (900, 600)),
        ({"upscale": 2, "shortEdgeSize": 1000}, (1500, 1000)),
        ({"longEdgeSize": 1200}, (1200, 800)),
        ({"targetResolution": "2k"}, (2048, 1365)),
    ],
)
def test_enlarged_pictures(inputs: dict[str, Any], size: tuple[int, int]) -> None:
    assert enlarged_picture(inputs, (300, 200)) == size


@pytest.mark.parametrize(
    ("name", "size"), [("720p", (1280, 720)), ("1080p", (1920, 1080)), ("2k", (2560, 1440)), ("4k", (3840, 2160))]
)
def test_enlarged_clips_keep_the_ratio(name: str, size: tuple[int, int]) -> None:
    assert enlarged_clip({"targetResolution": name}, (640, 360)) == size
    assert enlarged_clip({"targetResolution": name}, (360, 640)) == size[::-1]


def test_bounded() -> None:
    assert bounded((1280, 720), None) == (1280, 720)
    assert bounded((1280, 720), 96) == (96, 54)
    assert bounded((80, 40), 96) == (80, 40)

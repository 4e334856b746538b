"""Helpers for pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from rhflow.media.errors import UnreadableMediaError
from rhflow.media.image import (
    badge,
    contain,
    cover,
    cover_box,
    even,
    font,
    open_image,
    printable,
    save_image,
    shorten,
    with_ratio,
)  # fmt: skip


def test_open_turns_the_picture_upright(tmp_path: Path) -> None:
    image = Image.new("RGB", (40, 20), "blue")
    image.paste((255, 0, 0), (0, 0, 10, 20))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.jpg", exif=exif, quality=95)
    upright = open_image(tmp_path / "a.jpg")
    assert upright.size == (20, 40)
    assert upright.getpixel((10, 3))[0] > 200


def test_open_lays_transparency_over_white(tmp_path: Path) -> None:
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(tmp_path / "a.png")
    assert open_image(tmp_path / "a.png").getpixel((1, 1)) == (255, 255, 255)


def test_open_names_a_damaged_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.effect_noise((64, 64), 50).save(path)
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(UnreadableMediaError, match=r"cannot read `a\.png`: "):
        open_image(path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_save_follows_the_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    save_image(Image.new("RGB", (8, 8), "green"), path, notes={"rhflow": "simulated"})
    with Image.open(path) as opened:
        assert opened.format == {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}[suffix]
        if suffix == "png":
            assert opened.text == {"rhflow": "simulated"}


def test_cover_crops_and_never_stretches() -> None:
    image = Image.new("RGB", (300, 100), "black")
    image.paste((255, 255, 255), (100, 0, 200, 100))
    square = cover(image, (50, 50))
    assert square.size == (50, 50)
    assert square.convert("L").crop((1, 0, 49, 50)).getextrema()[0] > 250


@pytest.mark.parametrize(
    ("size", "ratio", "box"),
    [
        ((300, 100), 1.0, (100, 0, 200, 100)),
        ((100, 300), 1.0, (0, 100, 100, 200)),
        ((160, 90), 16 / 9, (0, 0, 160, 90)),
    ],
)
def test_cover_box(size: tuple[int, int], ratio: float, box: tuple[float, ...]) -> None:
    assert cover_box(size, ratio) == pytest.approx(box)


def test_sizes() -> None:
    assert [even(length) for length in (0.2, 5, 5.1, 720)] == [2, 4, 6, 720]
    assert with_ratio(16 / 9, short_side=720) == (1280, 720)
    assert with_ratio(9 / 16, short_side=480) == (480, 854)
    assert contain((400, 100), (100, 100)) == (100, 25)


def test_printable_leaves_only_what_the_font_has() -> None:
    assert printable("Café — ﬁne") == "Cafe - fine"
    assert printable("ひかり 서울 灯塔 house") == "hikari seoul house"
    assert printable("灯塔") == ""
    face = font(40)
    missing = bytes(face.getmask("\ufffe"))
    text = printable("".join(map(chr, range(32, 0x2200))))
    assert [each for each in set(text) if each != " " and bytes(face.getmask(each)) == missing] == []


def test_shorten_fits() -> None:
    text = "a red lighthouse on a cliff at sunset"
    assert shorten(text, 1000, size=20) == text
    cut = shorten(text, 120, size=20)
    assert cut.endswith("…")
    assert font(20).getlength(cut) <= 120
    assert shorten(text, 3, size=20) == ""


def test_badge() -> None:
    label = badge("simulated", 24)
    assert (label.mode, label.height) == ("RGBA", 24)
    plain = Image.new("RGB", label.size, "white")
    plain.paste(label, (0, 0), label)
    assert plain.getextrema()[0][0] < 80

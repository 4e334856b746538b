"""Edits of a picture by the words of a prompt: light, colour, weather, manner of painting; the composition stays."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageOps

from rhflow.media.image import Colour, cover
from rhflow.simulator.art.brief import words_of
from rhflow.simulator.art.canvas import ramp
from rhflow.simulator.art.colour import rgb
from rhflow.simulator.art.compose import add_subject, with_grain
from rhflow.simulator.art.manners import cel, edges, ink, oil, pencil, watercolour

Grade = Callable[[Image.Image, random.Random], Image.Image]


def _toned(image: Image.Image, dark: str, mid: str, light: str, *, share: float) -> Image.Image:
    """Return a mixture of ``image`` and its brightness painted in three colours."""
    grey = ImageOps.autocontrast(image.convert("L"), cutoff=0.5)
    return Image.blend(image, ImageOps.colorize(grey, rgb(dark), rgb(light), mid=rgb(mid)), share)


def _strength(image: Image.Image, *, colour: float = 1.0, contrast: float = 1.0, light: float = 1.0) -> Image.Image:
    image = ImageEnhance.Color(image).enhance(colour)
    image = ImageEnhance.Contrast(image).enhance(contrast)
    return ImageEnhance.Brightness(image).enhance(light)


def _bloom(image: Image.Image, share: float) -> Image.Image:
    """Let the bright parts shine."""
    small = image.resize((max(1, image.width // 6), max(1, image.height // 6))).point(
        [max(0, v - 90) for v in range(256)] * 3
    )
    glow = small.filter(ImageFilter.GaussianBlur(max(2, min(small.size) // 28))).resize(
        image.size, Image.Resampling.BICUBIC
    )
    return Image.blend(image, ImageChops.screen(image, glow), share)


def _edged(image: Image.Image, share: float) -> Image.Image:
    """Darken the edges of the picture."""
    mask = Image.radial_gradient("L").point([round(max(0, value - 90) * share) for value in range(256)])
    result = image.copy()
    result.paste((6, 6, 14), (0, 0), mask.resize(image.size, Image.Resampling.BICUBIC))
    return result


def _washed(image: Image.Image, top: Colour, bottom: Colour, share: float) -> Image.Image:
    """Multiply a vertical wash of colour into the picture."""
    return Image.blend(image, ImageChops.multiply(image, ramp([top, bottom], image.size)), share)


def warm(image: Image.Image, _: random.Random) -> Image.Image:
    """Late sun."""
    return _bloom(_toned(_strength(image, colour=1.12), "2a1410", "c97b4a", "fff1cf", share=0.34), 0.5)


def cool(image: Image.Image, _: random.Random) -> Image.Image:
    """Cold morning."""
    return _strength(_toned(image, "0a1626", "5585a5", "eef7fb", share=0.42), contrast=1.06)


def noir(image: Image.Image, _: random.Random) -> Image.Image:
    """Black and white, hard light."""
    grey = ImageOps.autocontrast(image.convert("L"), cutoff=1).convert("RGB")
    return with_grain(_edged(_strength(grey, contrast=1.35, light=0.94), 1.1), seed=1)


def night(image: Image.Image, _: random.Random) -> Image.Image:
    """Moonlight."""
    dark = _washed(_strength(image, colour=0.55, light=0.82), rgb("4a69b4"), rgb("9db4e0"), 0.85)
    return _edged(_bloom(dark, 0.7), 0.7)


def sunset(image: Image.Image, _: random.Random) -> Image.Image:
    """A burning sky."""
    washed = _washed(_strength(image, colour=1.2), rgb("ff9a6b"), rgb("ffd9a0"), 0.75)
    return _bloom(_toned(washed, "24112e", "d2654b", "ffe3a1", share=0.3), 0.6)


def vintage(image: Image.Image, _: random.Random) -> Image.Image:
    """A faded print."""
    faded = _toned(_strength(image, colour=0.6, contrast=0.88), "382a24", "b08d67", "f6ead0", share=0.5)
    return with_grain(_edged(ImageChops.lighter(faded, Image.new("RGB", image.size, (42, 34, 32))), 0.6), seed=0)


def neon(image: Image.Image, _: random.Random) -> Image.Image:
    """Magenta and cyan, glowing edges."""
    toned = _toned(_strength(image, contrast=1.25, light=0.82), "0a0326", "b01f8f", "56f0f4", share=0.72)
    lines = edges(image).filter(ImageFilter.GaussianBlur(1.2))
    glow = ImageOps.colorize(lines.point([min(255, v * 4) for v in range(256)]), (0, 0, 0), rgb("ff58c8"))
    return _edged(_bloom(ImageChops.screen(toned, glow), 0.7), 0.9)


def snow(image: Image.Image, dice: random.Random) -> Image.Image:
    """Falling snow."""
    pale = _toned(_strength(image, colour=0.5, light=1.1), "31475e", "a9c0d2", "ffffff", share=0.4)
    flakes = Image.new("L", image.size)
    for size, count in ((0.004, 150), (0.008, 60), (0.014, 16)):
        radius = max(1, round(min(image.size) * size))
        dot = (
            Image.radial_gradient("L").point([max(0, 255 - v * 2) for v in range(256)]).resize((2 * radius, 2 * radius))
        )
        for _ in range(count):
            flakes.paste(255, (dice.randrange(image.width), dice.randrange(image.height)), dot)
    pale.paste((255, 255, 255), (0, 0), flakes)
    return pale


def rain(image: Image.Image, dice: random.Random) -> Image.Image:
    """Rain, driven by wind."""
    grey = _strength(_toned(image, "0c141c", "5a7080", "dde5e8", share=0.45), colour=0.75, light=0.82)
    drops = Image.new("L", (image.width, image.height))
    streak = Image.linear_gradient("L").point([v // 3 for v in range(256)])
    for _ in range(320):
        length = round(min(image.size) * dice.uniform(0.02, 0.07))
        drops.paste(
            130,
            (dice.randrange(image.width), dice.randrange(-length, image.height)),
            streak.resize((max(1, length // 26), max(2, length))),
        )
    slanted = drops.rotate(-9, Image.Resampling.BILINEAR)
    grey.paste((225, 234, 240), (0, 0), slanted)
    return grey


def fog(image: Image.Image, _: random.Random) -> Image.Image:
    """Mist that thickens towards the horizon."""
    veil = Image.linear_gradient("L").point(
        [round(205 - abs(v - 140) * 1.15) if abs(v - 140) < 150 else 30 for v in range(256)]
    )
    result = _strength(image, colour=0.7, contrast=0.9)
    result.paste(rgb("e3e6e6"), (0, 0), veil.resize(image.size))
    return result


def pastel(image: Image.Image, _: random.Random) -> Image.Image:
    """Light and milky."""
    milky = ImageChops.screen(_strength(image, colour=0.85, contrast=0.85), Image.new("RGB", image.size, (52, 44, 54)))
    return _bloom(_toned(milky, "6b5a86", "e6b3c4", "fff4e4", share=0.3), 0.4)


def autumn(image: Image.Image, _: random.Random) -> Image.Image:
    """Greens turn to rust."""
    turned = image.convert("RGB", (0.75, 0.42, 0.0, 0.0, 0.12, 0.68, 0.06, 0.0, 0.0, 0.12, 0.62, 0.0))
    return _toned(_strength(turned, colour=1.15), "24150e", "bb6a2c", "fbe7bd", share=0.22)


def dramatic(image: Image.Image, _: random.Random) -> Image.Image:
    """Teal shadows, warm lights, deep contrast."""
    toned = _toned(_strength(image, contrast=1.22, colour=1.08), "04161d", "7d7a6c", "ffe2b5", share=0.36)
    return _edged(toned, 0.85)


def bright(image: Image.Image, _: random.Random) -> Image.Image:
    """Clear light."""
    return _bloom(_strength(image, colour=1.2, contrast=1.08, light=1.12), 0.35)


_GRADES: Mapping[Grade, str] = {
    watercolour: "watercolor watercolour aquarelle wash gouache 水彩",
    cel: "anime manga cartoon illustration 动漫",
    ink: "ink sumi calligraphy 水墨",
    pencil: "sketch pencil drawing lineart charcoal 素描",
    oil: "oil painting painted impressionist brush brushstrokes canvas gogh 油画",
    neon: "neon cyberpunk synthwave vaporwave futuristic 霓虹",
    noir: "noir monochrome grayscale greyscale black mono 黑白",
    night: "night midnight moonlight moonlit dark 夜",
    sunset: "sunset dusk golden evening sundown twilight 日落 夕阳",
    snow: "snow snowy winter snowfall christmas 雪",
    rain: "rain rainy storm stormy wet 雨",
    fog: "fog foggy mist misty haze hazy smoke 雾",
    vintage: "vintage retro sepia old faded analog polaroid kodak 复古",
    autumn: "autumn fall rust 秋",
    pastel: "pastel dreamy soft ethereal kawaii delicate",
    warm: "warm sun sunny sunlit candle cozy cosy amber orange fire 暖",
    cool: "cool cold blue icy ice teal moody overcast 冷",
    dramatic: "dramatic cinematic contrast epic macro moody",
    bright: "bright vivid vibrant colorful colourful clean fresh",
}  # fmt: skip
_DEFAULTS: tuple[Grade, ...] = (dramatic, warm, cool, bright, pastel, sunset)
_MANNERS = frozenset({watercolour, oil, ink, pencil, cel})
_CLOSER = frozenset({"close", "closeup", "macro", "detail", "zoom"})
_ADDING = frozenset({"add", "put", "place", "insert", "include"})


def regrade(image: Image.Image, prompt: str, *, seed: int) -> Image.Image:
    """Return ``image`` changed as ``prompt`` asks, at its own size; without a known word the seed picks a mood."""
    words = words_of(prompt)
    dice = random.Random(seed)
    if not _CLOSER.isdisjoint(words):
        zoom = 1.55
        left, top = image.width * (1 - 1 / zoom) / 2, image.height * (1 - 1 / zoom) * 0.55
        box = (left, top, left + image.width / zoom, top + image.height / zoom)
        image = image.resize(image.size, Image.Resampling.LANCZOS, box=box)
    if not _ADDING.isdisjoint(words):
        image = add_subject(image, prompt, seed=seed)
    known = [grade for grade, text in _GRADES.items() if any(_says(prompt, words, sign) for sign in text.split())]
    light = next((grade for grade in known if grade not in _MANNERS), None)
    manner = next((grade for grade in known if grade in _MANNERS), None)
    if light is None and manner is None:
        light = _DEFAULTS[seed % len(_DEFAULTS)]
    for grade in (light, manner):
        image = grade(image, dice) if grade else image
    return image


def _says(prompt: str, words: list[str], sign: str) -> bool:
    return sign in words if sign.isascii() else sign in prompt


def composed(images: list[Image.Image], size: tuple[int, int]) -> Image.Image:
    """Return the pictures as one of ``size``: a single one cropped to it, several as panels with thin gaps."""
    if len(images) == 1:
        return cover(images[0], size)
    width, height = size
    gap = max(2, min(size) // 90)
    columns = len(images) if len(images) <= 3 and width >= height else (1 if len(images) <= 3 else 2)
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", size, (246, 244, 240))
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        across = len(images) - row * columns if row == rows - 1 and len(images) % columns else columns
        left, right = round(column * (width + gap) / across), round((column + 1) * (width + gap) / across) - gap
        top, bottom = round(row * (height + gap) / rows), round((row + 1) * (height + gap) / rows) - gap
        sheet.paste(cover(image, (right - left, bottom - top)), (left, top))
    return sheet

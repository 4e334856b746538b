"""Manners of painting: what turns a flat picture into oil, watercolour, ink, pencil, a drawn film, a photograph.

Each takes a picture and a source of chance and returns another of the same size, at any size.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from typing import TypeAlias

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from rhflow.simulator.art.colour import rgb

Manner: TypeAlias = Callable[[Image.Image, random.Random], Image.Image]


def edges(image: Image.Image) -> Image.Image:
    """Return the contours of the picture as light lines, without the frame that the filter leaves at its rim."""
    found = image.convert("L").filter(ImageFilter.FIND_EDGES)
    inner = found.crop((2, 2, max(3, image.width - 2), max(3, image.height - 2)))
    lines = Image.new("L", image.size)
    lines.paste(inner, (2, 2))
    return lines


def _small(image: Image.Image, share: int) -> Image.Image:
    return image.resize((max(8, image.width // share), max(8, image.height // share)), Image.Resampling.BOX)


def _strong(image: Image.Image, colour: float, contrast: float = 1.0) -> Image.Image:
    return ImageEnhance.Contrast(ImageEnhance.Color(image).enhance(colour)).enhance(contrast)


def _clouds(size: tuple[int, int], cells: int, dice: random.Random) -> Image.Image:
    """Return soft noise with about so many patches along each side."""
    seeds = Image.frombytes("L", (cells, cells), dice.randbytes(cells * cells))
    return seeds.resize(size, Image.Resampling.BICUBIC)


def oil(image: Image.Image, dice: random.Random) -> Image.Image:
    """Strokes that follow one another, broad where little is to be seen and fine along contours, with relief."""
    unit = min(image.size)
    rich = _strong(image, 1.3, 1.08)
    result, lines = rich.filter(ImageFilter.BoxBlur(unit / 110)), Image.new("L", image.size, 128)
    paint, relief = ImageDraw.Draw(result), ImageDraw.Draw(lines)
    source, mask = _small(rich, 2), _detail(image)
    colours, detail = source.tobytes(), mask.tobytes()
    for length, thick, count in ((0.075, 0.02, 900), (0.03, 0.0075, 2600)):
        wide = max(1, round(unit * thick))
        for _ in range(round(count * max(image.size) / unit / 1.5)):
            x, y = dice.random() * image.width, dice.random() * image.height
            if length > 0.05 and detail[int(y) * image.width + int(x)] > 60:
                continue
            shift = dice.randrange(-14, 15)
            at = 3 * (min(source.height - 1, int(y / 2)) * source.width + min(source.width - 1, int(x / 2)))
            tone = tuple(min(255, max(0, part + shift)) for part in colours[at : at + 3])
            turn = 0.6 * math.sin(3.1 * x / image.width + 2.3 * y / image.height) + dice.uniform(-0.4, 0.4)
            dx, dy = unit * length * math.cos(turn) / 2, unit * length * math.sin(turn) / 2
            paint.line((x - dx, y - dy, x + dx, y + dy), fill=tone, width=wide)
            relief.line((x - dx, y - dy, x + dx, y + dy), fill=128 + 2 * shift, width=wide)
    fine = Image.composite(rich, result, mask)
    light = Image.blend(lines.filter(ImageFilter.EMBOSS), Image.new("L", image.size, 128), 0.5)
    return ImageChops.overlay(fine, light.convert("RGB"))


def _detail(image: Image.Image) -> Image.Image:
    """Return a mask of where much is to be seen in little room: faces, windows, rigging."""
    found = _small(edges(image), 4).filter(ImageFilter.GaussianBlur(max(0.8, min(image.size) / 420)))
    mask = found.point([min(225, max(0, value - 2) * 26) for value in range(256)])
    return mask.resize(image.size, Image.Resampling.BICUBIC)


def watercolour(image: Image.Image, dice: random.Random) -> Image.Image:
    """Pale washes with dark rims that run into white paper."""
    size, unit = image.size, min(image.size)
    patches = _small(image, max(1, unit // 230)).filter(ImageFilter.MedianFilter(5))
    patches = patches.resize(size, Image.Resampling.BICUBIC)
    pale = ImageChops.screen(_strong(patches, 1.5, 1.1), Image.new("RGB", size, (88, 86, 82)))
    pools = _clouds(size, 7, dice).point([196 + value * 59 // 255 for value in range(256)])
    rims = ImageOps.invert(edges(patches)).point([max(90, 255 - (255 - value) * 6) for value in range(256)])
    rims = rims.filter(ImageFilter.GaussianBlur(max(0.5, unit / 900)))
    washed = ImageChops.multiply(ImageChops.multiply(pale, pools.convert("RGB")), rims.convert("RGB"))
    grain = _clouds(size, 200, dice).point([236 + value * 19 // 255 for value in range(256)])
    washed = ImageChops.multiply(washed, grain.convert("RGB"))
    return Image.composite(washed, Image.new("RGB", size, rgb("fbf8f0")), _torn(size, dice))


def _torn(size: tuple[int, int], dice: random.Random) -> Image.Image:
    """Return a mask whose rim is left open in an uneven line."""
    work = (max(8, size[0] // 2), max(8, size[1] // 2))
    margin = max(1, round(min(work) * 0.035))
    mask = Image.new("L", work, 0)
    ImageDraw.Draw(mask).rectangle((margin, margin, work[0] - margin - 1, work[1] - margin - 1), fill=255)
    mask = mask.filter(ImageFilter.BoxBlur(margin * 0.9))
    rough = Image.blend(_clouds(work, 30, dice), _clouds(work, 90, dice), 0.45)
    uneven = ImageChops.add(mask, rough.point([96 + value // 4 for value in range(256)]), scale=1.0, offset=-128)
    return uneven.point([min(255, max(0, (value - 110) * 8)) for value in range(256)]).resize(
        size, Image.Resampling.BICUBIC
    )


def ink(image: Image.Image, dice: random.Random) -> Image.Image:
    """Black brush lines and grey washes on rice paper, with a red seal."""
    size, unit = image.size, min(image.size)
    grey = ImageOps.autocontrast(image.convert("L"), cutoff=2)
    washes = _small(grey, 3).filter(ImageFilter.MedianFilter(5)).resize(size, Image.Resampling.BICUBIC)
    steps = [60, 118, 176, 214, 240, 252, 255, 255]
    washes = washes.point([steps[value // 32] for value in range(256)]).filter(ImageFilter.GaussianBlur(unit / 260))
    pools = _clouds(size, 14, dice).point([205 + value * 50 // 255 for value in range(256)])
    wide = 3 if unit < 500 else 5
    lines = edges(grey).filter(ImageFilter.MaxFilter(wide))
    lines = lines.point([255 - min(235, max(0, value - 16) * 5) for value in range(256)])
    toned = ImageChops.multiply(ImageChops.lighter(washes, ImageOps.invert(pools)), lines)
    result = ImageOps.colorize(toned, rgb("15151b"), rgb("f4ecd9"), mid=rgb("87827a"))
    seal, left, top = max(4, round(unit * 0.06)), round(size[0] * 0.9), round(size[1] * 0.08)
    draw = ImageDraw.Draw(result)
    draw.rectangle((left, top, left + seal, top + seal), fill=rgb("b3312a"))
    for share in (0.28, 0.52, 0.76):
        draw.line((left + seal * 0.2, top + seal * share, left + seal * 0.8, top + seal * share), fill=rgb("f4ecd9"))
    draw.line((left + seal / 2, top + seal * 0.15, left + seal / 2, top + seal * 0.85), fill=rgb("f4ecd9"))
    return result


def pencil(image: Image.Image, dice: random.Random) -> Image.Image:
    """Graphite: fine contours, and hatching where it is dark."""
    size, unit = image.size, min(image.size)
    grey = ImageOps.autocontrast(image.convert("L"), cutoff=1)
    lines = ImageOps.invert(edges(grey)).point([max(60, 255 - (255 - value) * 5) for value in range(256)])
    result = ImageChops.multiply(grey.point([190 + value * 65 // 255 for value in range(256)]), lines)
    step = max(3, unit // 110)
    for darkest, rising in ((165, True), (105, False), (62, True)):
        hatch = Image.new("L", size, 255)
        draw = ImageDraw.Draw(hatch)
        gap = step if darkest != 62 else max(2, step // 2)
        for start in range(-size[1], size[0] + size[1], gap):
            tone = dice.randrange(95, 150)
            shift = dice.uniform(-0.8, 0.8) * gap / 2
            ends = (start + shift, size[1], start + shift + size[1] * 0.8, 0)
            draw.line(ends if rising else (ends[0], 0, ends[2], size[1]), fill=tone, width=max(1, unit // 600))
        dark = grey.point([min(255, max(0, darkest - value) * 6) for value in range(256)])
        result = Image.composite(ImageChops.multiply(result, hatch), result, dark)
    tooth = _clouds(size, 240, dice).point([232 + value * 23 // 255 for value in range(256)])
    return ImageOps.colorize(ImageChops.multiply(result, tooth), rgb("2d2c33"), rgb("f9f5ec"))


def noir(image: Image.Image, _: random.Random) -> Image.Image:
    """Black and white with hard light that falls through a blind."""
    grey = ImageOps.autocontrast(image.convert("L"), cutoff=1)
    curve = [round(255 / (1 + math.exp(-(value - 88) / 34))) for value in range(256)]
    lines = ImageOps.invert(edges(grey)).point([max(40, 255 - (255 - value) * 4) for value in range(256)])
    hard = ImageChops.multiply(grey.point(curve), lines)
    blind = Image.new("L", (1, 128), 186)
    blind.putdata([255 if (row // 5) % 2 and 18 < row < 92 else 186 for row in range(128)])
    slats = blind.resize((image.width, image.height), Image.Resampling.BICUBIC).rotate(
        9, Image.Resampling.BILINEAR, fillcolor=186
    )
    mask = Image.radial_gradient("L").point([round(255 - max(0, value - 90) * 1.1) for value in range(256)])
    shaded = ImageChops.multiply(ImageChops.multiply(hard, slats), mask.resize(image.size, Image.Resampling.BICUBIC))
    return ImageOps.autocontrast(shaded, cutoff=0.5).convert("RGB")


def cel(image: Image.Image, _: random.Random) -> Image.Image:
    """A drawn film: few clear colours, dark outlines."""
    unit = min(image.size)
    soft = image.filter(ImageFilter.GaussianBlur(max(0.6, unit / 500)))
    light, blue, red = soft.convert("YCbCr").split()
    steps = light.point([min(255, round((value + 14) / 40) * 40 + 8) for value in range(256)])
    steps = steps.filter(ImageFilter.GaussianBlur(max(0.4, unit / 1400)))
    stronger = [min(255, max(0, round(128 + (value - 128) * 1.35))) for value in range(256)]
    flat = Image.merge("YCbCr", (steps, blue.point(stronger), red.point(stronger))).convert("RGB")
    lines = (
        edges(soft).point([min(255, max(0, value - 26) * 9) for value in range(256)]).filter(ImageFilter.MaxFilter(3))
    )
    lines = lines.filter(ImageFilter.GaussianBlur(max(0.5, unit / 1200)))
    flat.paste((24, 20, 34), (0, 0), lines)
    return flat


def glow(image: Image.Image, _: random.Random) -> Image.Image:
    """Neon: dark, with contours that shine in their own colours."""
    unit = min(image.size)
    dark = ImageEnhance.Brightness(_strong(image, 1.35, 1.15)).enhance(0.8)
    bright = ImageEnhance.Color(ImageChops.screen(image, Image.new("RGB", image.size, (40, 20, 56)))).enhance(2.2)
    lines = edges(image).point([min(235, max(0, value - 30) * 4) for value in range(256)])
    lines = lines.filter(ImageFilter.MaxFilter(3))
    tubes = Image.composite(bright, Image.new("RGB", image.size), lines)
    blurred = _small(tubes, 4).filter(ImageFilter.GaussianBlur(max(1.0, unit / 220)))
    halo = ImageEnhance.Brightness(blurred.resize(image.size, Image.Resampling.BICUBIC)).enhance(1.25)
    return ImageChops.screen(ImageChops.screen(dark, halo), ImageEnhance.Brightness(tubes).enhance(0.7))


def pixel(image: Image.Image, _: random.Random) -> Image.Image:
    """Large square dots in a few colours."""
    dots = max(12, min(image.size) // 6) if min(image.size) < 600 else 108
    scale = dots / min(image.size)
    small = image.resize(
        (max(8, round(image.width * scale)), max(8, round(image.height * scale))), Image.Resampling.BOX
    )
    few = _strong(small, 1.4, 1.1).quantize(48, dither=Image.Dither.NONE).convert("RGB")
    return few.resize(image.size, Image.Resampling.NEAREST)


def photo(image: Image.Image, _: random.Random) -> Image.Image:
    """The look of film: a soft curve, cool shadows and warm lights, a little halation."""
    curve = [round(255 * (0.5 - 0.5 * math.cos(math.pi * (value / 255) ** 1.05))) for value in range(256)]
    red = [min(255, round(0.55 * curve[value] + 0.45 * value) + 2 * (value > 128)) for value in range(256)]
    blue = [max(0, round(0.5 * curve[value] + 0.44 * value) + 10 * (value < 110)) for value in range(256)]
    green = [round(0.55 * curve[value] + 0.45 * value) for value in range(256)]
    toned = _strong(image, 0.82).point([*red, *green, *blue])
    soft = _small(toned, 6).filter(ImageFilter.GaussianBlur(3)).resize(image.size, Image.Resampling.BICUBIC)
    return Image.blend(
        toned, ImageChops.screen(toned, soft.point([max(0, value - 110) for value in range(256)] * 3)), 0.5
    )


MANNERS: Mapping[str, Manner] = {
    "oil": oil, "watercolour": watercolour, "ink": ink, "pencil": pencil, "noir": noir, "cel": cel, "glow": glow,
    "pixel": pixel, "photo": photo,
}  # fmt: skip

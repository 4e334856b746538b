"""Skies: the gradient, the sun or moon with its glow, stars, clouds."""

from __future__ import annotations

from rhflow.simulator.art.canvas import Canvas, Point
from rhflow.simulator.art.colour import darker, lighter, mix


def paint_sky(canvas: Canvas, *, horizon: float, cloudy: float = 0.6) -> Point:
    """Paint the sky down to ``horizon`` (share of the height) and return where the sun or moon stands."""
    canvas.gradient(canvas.palette.sky, bottom=canvas.height * horizon + 2)
    canvas.gradient([canvas.palette.sky[-1]], top=canvas.height * horizon)
    if canvas.palette.dark:
        _stars(canvas, below=horizon)
    sun = _sun(canvas, horizon)
    if cloudy:
        _clouds(canvas, horizon, amount=cloudy)
    return sun


def _stars(canvas: Canvas, *, below: float) -> None:
    dice = canvas.random
    for _ in range(int(150 * (canvas.width / canvas.unit))):
        x, y = dice.random() * canvas.width, dice.random() ** 1.5 * canvas.height * below
        size = canvas.unit * (0.0007 + 0.0016 * dice.random() ** 4)
        light = round(255 * dice.uniform(0.35, 0.95) * (1 - y / (canvas.height * below)) ** 0.5)
        canvas.draw.ellipse((x - size, y - size, x + size, y + size), fill=(255, 250, 235, light))


def _sun(canvas: Canvas, horizon: float) -> Point:
    palette, unit = canvas.palette, canvas.unit
    x = canvas.width * canvas.random.choice((canvas.random.uniform(0.2, 0.36), canvas.random.uniform(0.64, 0.8)))
    low = palette.sun_height > 0.5
    y = canvas.height * (horizon - 0.06 if low else (palette.sun_height or 0.3) * horizon / 0.6)
    radius = unit * (0.062 if low else 0.045)
    canvas.soft((x, y), (unit * 0.75, unit * 0.6), palette.glow, 0.5, softness=1.5)
    canvas.soft((x, y), (unit * 0.26, unit * 0.26), lighter(palette.glow, 0.3), 0.6, softness=1.6)
    if not palette.sun_height:
        return x, y
    canvas.draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=palette.sun)
    if palette.dark:
        for dx, dy, size in ((-0.3, -0.2, 0.22), (0.25, 0.3, 0.16), (0.3, -0.35, 0.12), (-0.2, 0.42, 0.1)):
            spot = (x + dx * radius - size * radius, y + dy * radius - size * radius,
                    x + dx * radius + size * radius, y + dy * radius + size * radius)  # fmt: skip
            canvas.draw.ellipse(spot, fill=(*mix(palette.sun, palette.sky[2], 0.22), 150))
    return x, y


def _clouds(canvas: Canvas, horizon: float, *, amount: float) -> None:
    """Lay flat banks of cloud over the sky: bright above, coloured like the horizon below."""
    dice, palette = canvas.random, canvas.palette
    heavy = not palette.sun_height
    strength = 0.16 if palette.dark else 0.5
    for index in range(round((16 if heavy else 6) * amount)):
        x, y = dice.random() * canvas.width, canvas.height * horizon * dice.uniform(0.12, 0.82)
        far = y / (canvas.height * horizon)
        length = canvas.unit * dice.uniform(0.22, 0.5) * (1.15 - 0.5 * far)
        light = lighter(mix(palette.sky[-2], palette.glow, 0.5), 0.1 if palette.dark else 0.35)
        if heavy:
            light, length = mix(light, darker(palette.sky[0], 0.2), (index % 3) / 2.4), length * 1.6
        for _ in range(9):
            offset = dice.gauss(0, 0.42)
            size = length * dice.uniform(0.2, 0.42) * max(0.35, 1 - abs(offset))
            rise = dice.random() * size * 0.35 * max(0.0, 1 - abs(offset))
            canvas.soft((x + offset * length, y - rise), (size, size * 0.34), light, strength, softness=1.1)

"""A camera over a still picture: a window that moves and comes closer, eased at both ends, never beyond the edges."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rhflow.media.image import Box, Size
from rhflow.media.planes import Planes

Place = tuple[float, float, float]
Way = Callable[[float], "View"]


@dataclass(frozen=True, slots=True)
class View:
    """Where the camera looks: the centre as shares of width and height, and the magnification (1.0 shows all)."""

    x: float
    y: float
    zoom: float

    def box(self, size: Size) -> Box:
        """Return the window on a picture of ``size`` in pixels, moved inside where it would leave it."""
        width, height = size[0] / self.zoom, size[1] / self.zoom
        left = min(max(self.x * size[0] - width / 2, 0.0), size[0] - width)
        top = min(max(self.y * size[1] - height / 2, 0.0), size[1] - height)
        return left, top, left + width, top + height


def between(first: Place, last: Place) -> Way:
    """Return the straight way from one view to another, as a function of the share of it (0 to 1)."""

    def way(share: float) -> View:
        x, y, zoom = (a + (b - a) * share for a, b in zip(first, last, strict=True))
        return View(x, y, zoom)

    return way


def eased(share: float) -> float:
    """Return a share of time that starts and ends gently."""
    return 0.5 - 0.5 * math.cos(math.pi * min(1.0, max(0.0, share)))


def filmed(canvas: Planes, way: Way, size: Size, *, count: int) -> Iterator[Planes]:
    """Yield ``count`` frames of ``size`` (even sides) that the camera sees on its ``way`` over a picture."""
    for index in range(count):
        yield canvas.window(way(eased(index / max(1, count - 1))).box(canvas.size), size)

"""A white sheet for charts and legends."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from tracker.arrays import Image
from tracker.draw import Colour

INK: Colour = (40, 40, 40)
GRID: Colour = (225, 225, 225)
_FONT, _SIZE = cv2.FONT_HERSHEY_SIMPLEX, 0.42
_BITS = 4  # of fractions of pixels

Point = tuple[float, float]


class Canvas:
    """Draws lines and letters.

    Args:
        width: In pixels.
        height: In pixels.

    Attributes:
        image: (H, W, 3) uint8 RGB, white at first.
    """

    def __init__(self, width: int, height: int) -> None:
        self.image: Image = np.full((height, width, 3), 255, np.uint8)

    def line(self, start: Point, end: Point, colour: Colour = INK) -> None:
        """Draw a thin straight line between two points in pixels."""
        self.path([start, end], colour, 1)

    def path(self, points: Sequence[Point], colour: Colour, width: int = 2) -> None:
        """Draw a line through points in pixels."""
        fixed = np.round(np.array(points) * 2**_BITS).astype(np.int32)
        cv2.polylines(self.image, [fixed], False, colour, width, cv2.LINE_AA, _BITS)

    def text(
        self, text: str, point: Point, colour: Colour = INK, centred: bool = False, to_the_left: bool = False
    ) -> None:
        """Write a line whose lower left corner, or middle, or lower right corner, is at a point in pixels."""
        (width, _), _ = cv2.getTextSize(text, _FONT, _SIZE, 1)
        x = point[0] - (width if to_the_left else width / 2 if centred else 0)
        cv2.putText(self.image, text, (round(x), round(point[1])), _FONT, _SIZE, colour, 1, cv2.LINE_AA)


def nice_step(least: float) -> float:
    """Return the smallest of 1, 2, 5, 10, ... and 0.5, 0.2, 0.1, ... that is not smaller.

    >>> nice_step(0.13), nice_step(3), nice_step(60)
    (0.2, 5.0, 100.0)
    """
    power = 10.0 ** math.floor(math.log10(least))
    return next(round(factor * power, 12) for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))

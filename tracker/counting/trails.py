"""All ways of a video in one picture."""

from __future__ import annotations

import cv2
import numpy as np

from tracker.arrays import Image
from tracker.boxes import anchor_points
from tracker.detections import Tracks
from tracker.draw import FRACTION_BITS, fixed_point, id_colour, line_width


class TrailsPicture:
    """Draws where every id went, a colour each, with a dot where it began.

    Args:
        background: (H, W, 3) uint8 RGB; it is paled.
        anchor: As of `Counter`.

    Attributes:
        image: (H, W, 3) uint8 RGB, the picture until now.
    """

    def __init__(self, background: Image, anchor: str = "bottom") -> None:
        self.image: Image = (0.45 * background + 0.55 * 255).astype(np.uint8)
        self._anchor = anchor
        self._width = line_width(self.image)
        self._last: dict[int, tuple[float, float]] = {}

    def add(self, tracks: Tracks) -> None:
        """Draw the tracks of the next frame."""
        points = anchor_points(tracks.boxes.astype(np.float64), self._anchor).clip(-20_000, 20_000)
        for identity, (x, y) in zip(tracks.ids.tolist(), points.tolist(), strict=True):
            before = self._last.get(identity)
            fixed = fixed_point(np.array([before or (x, y), (x, y)]))
            colour = tuple(round(0.8 * value) for value in id_colour(identity))
            if before is None:
                radius = round(1.6 * self._width * 2**FRACTION_BITS)
                cv2.circle(self.image, fixed[1].tolist(), radius, colour, cv2.FILLED, cv2.LINE_AA, FRACTION_BITS)
            cv2.polylines(self.image, [fixed], False, colour, self._width, cv2.LINE_AA, FRACTION_BITS)
            self._last[identity] = (x, y)

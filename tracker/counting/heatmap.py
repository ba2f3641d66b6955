"""Where objects stood, and for how long."""

from __future__ import annotations

import cv2
import numpy as np

from tracker.arrays import Array, Floats, Image
from tracker.boxes import anchor_points
from tracker.counting.chart import Canvas, nice_step
from tracker.detections import Tracks

_LONGEST_STEP = 1.0  # seconds; a stream that pauses longer is not watched meanwhile
_LEGEND = 60  # pixels high


class Heatmap:
    """Adds up how long boxes stood where.

    The value at a point is the time, in seconds, for which somebody's anchor point was within `radius` of it; two at
    once count twice. A box stands where it is until the next frame.

    Args:
        size: Width and height of the image in pixels.
        anchor: As of `Counter`.

    Attributes:
        radius: In pixels, 3 % of the smaller side.

    >>> heatmap = Heatmap((100, 100))
    >>> box = np.array([[40, 20, 60, 50]], np.float32)
    >>> for time in (0.0, 0.5, 1.0):
    ...     heatmap.add(Tracks(np.array([1]), box, np.ones(1), np.zeros(1), np.zeros(1)), time)
    >>> seconds = heatmap.seconds()
    >>> [float(seconds[50, x]) for x in (50, 53, 54)]
    [1.0, 1.0, 0.0]
    """

    def __init__(self, size: tuple[int, int], anchor: str = "bottom") -> None:
        self.radius = max(round(0.03 * min(size)), 1)
        self._anchor = anchor
        self._seconds = np.zeros((size[1], size[0]))
        self._points = np.zeros((0, 2), np.int64)
        self._time: float | None = None

    def add(self, tracks: Tracks, time: float) -> None:
        """Take the tracks of the next frame, at `time` seconds."""
        step = 0.0 if self._time is None else min(time - self._time, _LONGEST_STEP)
        np.add.at(self._seconds, (self._points[:, 1], self._points[:, 0]), step)
        points = np.floor(anchor_points(tracks.boxes.astype(np.float64), self._anchor))
        height, width = self._seconds.shape
        points[:, 1] -= points[:, 1] == height  # feet that end with the image
        inside = ((points >= 0) & (points < (width, height))).all(axis=1)
        self._points, self._time = points[inside].astype(np.int64), time

    def seconds(self) -> Floats:
        """Return the value at every pixel: (H, W) float64 seconds."""
        reach = np.arange(-self.radius, self.radius + 1)
        disc = (reach[:, None] ** 2 + reach**2 <= self.radius**2).astype(np.float64)
        summed = cv2.filter2D(self._seconds, cv2.CV_64F, disc, borderType=cv2.BORDER_CONSTANT)
        return np.asarray(summed.round(6).clip(0))

    def picture(self, background: Image) -> Image:
        """Return the heatmap over an image, with a legend below it.

        Colours grow with the square root of the time, so that ways show beside places where people wait.

        Args:
            background: (H, W, 3) uint8 RGB, of the size of the heatmap.

        Returns:
            (H + 60, W, 3) uint8 RGB.
        """
        seconds = self.seconds()
        most = float(seconds.max())
        share = np.sqrt(seconds / most) if most > 0 else seconds
        grey = np.repeat(background.mean(axis=2, keepdims=True), 3, axis=2)
        faint = 0.5 * grey + 60
        weight = np.where(share > 0, 0.35 + 0.55 * share, 0.0)[..., None]
        image = ((1 - weight) * faint + weight * _colours(share)).astype(np.uint8)
        return np.concatenate([image, self._legend(image.shape[1], most)])

    def _legend(self, width: int, most: float) -> Image:
        canvas = Canvas(width, _LEGEND)
        left, right = 12, max(width - 12, 13)
        bar = _colours(np.linspace(0, 1, right - left)[None].repeat(12, axis=0))
        canvas.image[6:18, left:right] = bar.astype(np.uint8)
        if most > 0:
            step = nice_step(most / 4)
            ticks = {0.0, step, 2 * step, 4 * step} if 4 * step <= most else {0.0, step, 2 * step}
            for tick in sorted(tick for tick in ticks if tick <= most):
                x = left + (right - left) * np.sqrt(tick / most)
                canvas.line((x, 18), (x, 22))
                canvas.text(f"{tick:g} s", (x, 35), centred=tick > 0)
        canvas.text(f"for which somebody stood within {self.radius} px; at most {most:.3g} s", (left, 53))
        return canvas.image


def _colours(share: Array) -> Floats:
    """Return (..., 3) float64 RGB of shares in [0, 1]."""
    values = np.round(255 * share).astype(np.uint8)
    return np.asarray(cv2.cvtColor(cv2.applyColorMap(values, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB), np.float64)

"""Boxes, ids and trails on an image."""

from __future__ import annotations

import colorsys
from collections import deque
from collections.abc import Sequence

import cv2
import numpy as np

from tracker.arrays import Array, Image
from tracker.detections import Detections, Tracks
from tracker.io.class_names import label_name

Colour = tuple[int, int, int]

_GOLDEN_RATIO = 0.618034
_TONES = ((0.85, 1.0), (0.6, 0.85), (1.0, 0.75), (0.45, 1.0))  # saturation and value, in turns
FRACTION_BITS = 4  # opencv takes fractions of pixels as fixed-point numbers
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def id_colour(identity: int) -> Colour:
    """Return the RGB colour of an id: always the same, and far from those of neighbouring ids.

    Steps of the golden ratio spread hues as evenly as possible, however many there are.

    >>> id_colour(1) == id_colour(1), id_colour(1) == id_colour(2)
    (True, False)
    """
    saturation, value = _TONES[identity % len(_TONES)]
    red, green, blue = colorsys.hsv_to_rgb(identity * _GOLDEN_RATIO % 1, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


class Trails:
    """Remembers where every id went in the last frames: the middle of the lower side of its boxes.

    Args:
        length: How many frames are remembered; an id that is not seen for as long is forgotten.
    """

    def __init__(self, length: int = 40) -> None:
        if length < 1:
            raise ValueError(f"length must be at least 1 frame, got {length}")
        self.length = length
        self._frame = 0
        self._points: dict[int, deque[tuple[int, float, float]]] = {}

    def update(self, tracks: Tracks) -> None:
        """Add the tracks of the next frame."""
        self._frame += 1
        for identity, (x1, _, x2, y2) in zip(tracks.ids.tolist(), tracks.boxes.tolist(), strict=True):
            self._points.setdefault(identity, deque()).append((self._frame, (x1 + x2) / 2, y2))
        oldest = self._frame - self.length
        for identity in list(self._points):
            points = self._points[identity]
            while points and points[0][0] <= oldest:
                points.popleft()
            if not points:
                del self._points[identity]

    def points(self, identity: int) -> Array:
        """Return the (N, 2) float32 x, y pixels of an id, oldest first; none if it is unknown."""
        points = [(x, y) for _, x, y in self._points.get(identity, ())]
        return np.array(points, np.float32).reshape(-1, 2)


def draw_tracks(image: Image, tracks: Tracks, trails: Trails | None = None, class_names: Sequence[str] = ()) -> Image:
    """Draw boxes with their ids, one colour an id, and where they came from.

    Args:
        image: (H, W, 3) uint8 RGB; it is left as it is.
        tracks: Boxes in the pixels of `image`.
        trails: Their history, already updated with `tracks`.
        class_names: Name of each label, which is written beside the id; none are written where it is empty.

    Returns:
        A new image; lines and letters grow with its size.
    """
    canvas = image.copy()
    width = line_width(canvas)
    if trails is not None:
        for identity in tracks.ids.tolist():
            _draw_trail(canvas, trails.points(identity), id_colour(identity), width)
    for row in np.argsort(tracks.boxes[:, 3]):  # who stands nearer to the camera comes on top
        identity = int(tracks.ids[row])
        text = f"{identity} {label_name(class_names, int(tracks.labels[row]))}" if class_names else str(identity)
        _draw_box(canvas, tracks.boxes[row], id_colour(identity), width, text)
    return canvas


def draw_detections(image: Image, detections: Detections, class_names: Sequence[str] = ()) -> Image:
    """Draw boxes with their scores, one colour a class.

    Args:
        image: (H, W, 3) uint8 RGB; it is left as it is.
        detections: Boxes in the pixels of `image`.
        class_names: As of `draw_tracks`, beside the score.

    Returns:
        A new image; lines and letters grow with its size.
    """
    canvas = image.copy()
    width = line_width(canvas)
    for row in np.argsort(detections.boxes[:, 3]):
        colour = id_colour(int(detections.labels[row]) + 1)
        text = f"{detections.scores[row]:.2f}"
        if class_names:
            text = f"{label_name(class_names, int(detections.labels[row]))} {text}"
        _draw_box(canvas, detections.boxes[row], colour, width, text)
    return canvas


def line_width(image: Image) -> int:
    """Return how wide a line is in an image of this size, in pixels."""
    return max(round(min(image.shape[:2]) / 320), 1)


def fixed_point(points: Array) -> Array:
    """Fixed-point pixels; opencv's whole numbers are pixel centres, ours are pixel corners."""
    return np.round((np.asarray(points) - 0.5) * 2**FRACTION_BITS).astype(np.int32)


def _draw_box(canvas: Image, box: Array, colour: Colour, width: int, text: str) -> None:
    # far outside the image, opencv's whole numbers would overflow
    margin = 4 * width
    high = np.array([canvas.shape[1], canvas.shape[0]] * 2) + margin
    # on whole pixels the lines keep their full colour
    x1, y1, x2, y2 = np.round(np.clip(box, -margin, high) - 0.5).astype(int).tolist()
    cv2.rectangle(canvas, (x1, y1), (x2, y2), colour, width)
    draw_label(canvas, x1 - width / 2, y1 - width / 2, text, colour)


def draw_label(canvas: Image, left: float, bottom: float, text: str, colour: Colour) -> None:
    """Draw letters on a patch of a colour, just above a point or, at the upper border, below it.

    Args:
        canvas: (H, W, 3) uint8, drawn on.
        left: x of the patch, in pixels.
        bottom: y of its lower border.
        text: The letters.
        colour: Of the patch; the letters are black or white.
    """
    size = max(min(canvas.shape[:2]) / 1300, 0.36)
    stroke = 2 if size > 0.5 else 1
    (width, height), descent = cv2.getTextSize(text, _FONT, size, stroke)
    pad = max(round(4 * size), 2)
    x = round(min(max(left, 0), canvas.shape[1] - width - 2 * pad))
    y = round(bottom) if bottom - height - 2 * pad >= 0 else max(round(bottom), 0) + height + 2 * pad
    cv2.rectangle(canvas, (x, y - height - 2 * pad), (x + width + 2 * pad, y), colour, cv2.FILLED)
    bright = 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2] > 130
    ink = (0, 0, 0) if bright else (255, 255, 255)
    cv2.putText(canvas, text, (x + pad, y - pad - (0 if text.isdecimal() else descent // 4)), _FONT, size, ink, stroke,
                cv2.LINE_AA)  # fmt: skip


def _draw_trail(canvas: Image, points: Array, colour: Colour, width: int) -> None:
    """A line that gets thinner with age."""
    if len(points) < 2:
        return
    pieces = 3 if width > 1 else 1
    for piece in range(pieces):
        start = len(points) * piece // pieces
        end = len(points) * (piece + 1) // pieces + 1
        thickness = max(round(width * (piece + 1) / pieces), 1)
        cv2.polylines(canvas, [fixed_point(points[start:end])], False, colour, thickness, cv2.LINE_AA, FRACTION_BITS)

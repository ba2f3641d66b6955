"""Lines and zones drawn on an image, with what was counted there until now."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from tracker.arrays import Array, Image
from tracker.counting.counter import Counter
from tracker.counting.line import Line, LineCounter
from tracker.counting.zone import Zone, ZoneCounter
from tracker.draw import FRACTION_BITS, Colour, draw_label, fixed_point, line_width

LINE_COLOUR: Colour = (255, 214, 0)
ZONE_COLOUR: Colour = (0, 190, 255)
_DARK: Colour = (20, 20, 20)
_TINT = 0.22  # of the zone's colour, over what is in it


def draw_counts(image: Image, counter: Counter) -> None:
    """Draw all lines with their numbers in and out, and all zones with how many are inside, into an image.

    The arrow in the middle of a line points to its "in" side.

    Args:
        image: (H, W, 3) uint8 RGB, is changed.
        counter: Which knows the lines and zones, and what has happened.
    """
    for zone in counter.zones:
        _draw_zone(image, zone)
    for line in counter.lines:
        _draw_line(image, line)


def draw_places(image: Image, places: Iterable[Line | Zone]) -> None:
    """Draw lines and zones with their names alone; the image (H, W, 3) uint8 RGB is changed."""
    for place in places:
        if isinstance(place, Zone):
            _tint(image, place)
            _label(image, place.name, _highest(place.points), ZONE_COLOUR)
        else:
            _arrow(image, place)
            _label(image, place.name, place.start, LINE_COLOUR)


def _draw_zone(image: Image, zone: ZoneCounter) -> None:
    _tint(image, zone.place)
    _label(image, f"{zone.place.name}: {zone.now} inside", _highest(zone.place.points), ZONE_COLOUR)


def _draw_line(image: Image, line: LineCounter) -> None:
    _arrow(image, line.place)
    counts = ", ".join(f"{count} {way}" for way, count in line.counts.items())
    _label(image, f"{line.place.name}: {counts}", line.place.start, LINE_COLOUR)


def _tint(image: Image, zone: Zone) -> None:
    corners = fixed_point(_near(np.array(zone.points), image))
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(mask, [corners], 255, cv2.LINE_8, FRACTION_BITS)
    left, top, width, height = cv2.boundingRect(mask)
    part, inside = image[top : top + height, left : left + width], mask[top : top + height, left : left + width] > 0
    part[inside] = ((1 - _TINT) * part[inside] + _TINT * np.array(ZONE_COLOUR)).astype(np.uint8)
    cv2.polylines(image, [corners], True, ZONE_COLOUR, line_width(image), cv2.LINE_AA, FRACTION_BITS)


def _arrow(image: Image, line: Line) -> None:
    """A line with a dark rim, so that it is seen on any ground, and an arrow to its "in" side."""
    width = line_width(image)
    start, end = np.array(line.points)
    middle = (start + end) / 2
    reach = min(0.25 * line.length, 14 * width)
    tip = middle + reach * np.array(line.inward)
    wing = 0.35 * reach * (end - start) / line.length
    base = middle + 0.55 * reach * np.array(line.inward)
    for colour, thickness in ((_DARK, width + 2), (LINE_COLOUR, width)):
        for path in ([start, end], [middle, tip], [base - wing, tip, base + wing]):
            points = fixed_point(_near(np.array(path), image))
            cv2.polylines(image, [points], False, colour, thickness, cv2.LINE_AA, FRACTION_BITS)


def _label(image: Image, text: str, point: tuple[float, float], colour: Colour) -> None:
    draw_label(image, point[0], point[1] - 2 * line_width(image), text, colour)


def _highest(points: tuple[tuple[float, float], ...]) -> tuple[float, float]:
    return min(points, key=lambda point: (point[1], point[0]))


def _near(points: Array, image: Image) -> Array:
    """Keep far-away points where opencv's whole numbers do not overflow."""
    return np.asarray(points.clip(-20_000, 20_000 + max(image.shape)))

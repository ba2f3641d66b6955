"""Few boxes that stand for many: key frames, between which a labelling tool moves a box evenly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tracker.arrays import Array
from tracker.io.track_writer import TrackRow

TOLERANCE = 1.0  # pixels that a side of a box between key frames may be off


def find_keys(boxes: Array, tolerance: float = TOLERANCE) -> list[int]:
    """Return which boxes to keep so that the others lie on straight lines between them (Douglas and Peucker 1973).

    Args:
        boxes: (N, 4) float64 of N frames on end.
        tolerance: How far off a coordinate may be, in the unit of the boxes.

    >>> find_keys(np.array([[x, 0.0, x + 9, 9] for x in (0, 1, 2, 3, 9, 15)]))
    [0, 3, 5]
    """
    kept = {0, len(boxes) - 1}
    parts = [(0, len(boxes) - 1)]
    while parts:
        first, last = parts.pop()
        if last - first < 2:
            continue
        share = np.arange(1, last - first)[:, None] / (last - first)
        line = boxes[first] + share * (boxes[last] - boxes[first])
        off = np.abs(boxes[first + 1 : last] - line).max(axis=1)
        if off.max() > tolerance:
            middle = first + 1 + int(off.argmax())
            kept.add(middle)
            parts += [(first, middle), (middle, last)]
    return sorted(kept)


def key_rows(rows: Sequence[TrackRow], tolerance: float = TOLERANCE) -> Iterator[tuple[TrackRow, bool]]:
    """Give the key frames of a track, and whether it is gone after them.

    A frame before or after a gap is one, and where a track begins or ceases to be seen.

    Args:
        rows: Of one track, by rising frame.
        tolerance: As of `find_keys`.
    """
    frames = np.array([row.frame for row in rows])
    seen = np.array([row.seen for row in rows])
    is_gap = np.diff(frames) != 1
    starts = np.flatnonzero(is_gap | (seen[1:] != seen[:-1])) + 1
    for part in np.split(np.arange(len(rows)), starts):
        last = int(part[-1])
        boxes = np.array([rows[place][5:9] for place in part], np.float64)
        for key in find_keys(boxes, tolerance):
            place = int(part[key])
            yield rows[place], place == last and (last == len(rows) - 1 or bool(is_gap[last]))

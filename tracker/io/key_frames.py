"""Few boxes that stand for many: key frames, between which a labelling tool moves a box evenly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tracker.arrays import Array
from tracker.io.track_writer import TrackRow

TOLERANCE, RELATIVE_TOLERANCE = 1.0, 0.02
"""How far off a side of a box between key frames may be: in pixels, or as a share of its height if that is more."""


def find_keys(boxes: Array) -> list[int]:
    """Return which boxes to keep so that the others lie on straight lines between them (Douglas and Peucker 1973).

    Args:
        boxes: (N, 4) float64 xyxy in pixels, of N frames on end.

    >>> find_keys(np.array([[x, 0.0, x + 9, 9] for x in (0, 1, 2, 3, 9, 15)]))
    [0, 3, 5]
    """
    allowed = np.maximum(TOLERANCE, RELATIVE_TOLERANCE * (boxes[:, 3] - boxes[:, 1]))
    kept = {0, len(boxes) - 1}
    parts = [(0, len(boxes) - 1)]
    while parts:
        first, last = parts.pop()
        if last - first < 2:
            continue
        share = np.arange(1, last - first)[:, None] / (last - first)
        line = boxes[first] + share * (boxes[last] - boxes[first])
        off = np.abs(boxes[first + 1 : last] - line).max(axis=1) / allowed[first + 1 : last]
        if off.max() > 1:
            middle = first + 1 + int(off.argmax())
            kept.add(middle)
            parts += [(first, middle), (middle, last)]
    return sorted(kept)


def key_rows(rows: Sequence[TrackRow]) -> Iterator[tuple[TrackRow, bool]]:
    """Give the key frames of a track, and whether it is gone after them.

    A frame before or after a gap is one, and where a track begins or ceases to be seen.

    Args:
        rows: Of one track, by rising frame.
    """
    frames = np.array([row.frame for row in rows])
    seen = np.array([row.seen for row in rows])
    is_gap = np.diff(frames) != 1
    starts = np.flatnonzero(is_gap | (seen[1:] != seen[:-1])) + 1
    for part in np.split(np.arange(len(rows)), starts):
        last = int(part[-1])
        boxes = np.array([rows[place][5:9] for place in part], np.float64)
        for key in find_keys(boxes):
            place = int(part[key])
            yield rows[place], place == last and (last == len(rows) - 1 or bool(is_gap[last]))

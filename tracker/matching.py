"""The pairs decided so far in one update, stage by stage."""

from __future__ import annotations

import numpy as np

from tracker.assignment import match_pairs
from tracker.detections import Array


class Matching:
    """Remembers which detection each track got, while stage after stage matches what is left.

    Args:
        track_labels: (T,) classes of the tracks, or None to let every class match every class.
        detection_labels: (D,) classes of the detections.

    Attributes:
        detection_of: (T,) int64, row of the detection of each track; -1 while it has none.
        track_of: (D,) int64, row of the track of each detection; -1 while it has none.

    >>> matching = Matching(np.array([0, 0]), np.array([0, 1]))
    >>> matching.solve(np.array([0, 1]), np.array([0, 1]), np.array([0.1, 0.1]), limit=0.5)  # classes 0-0 and 0-1
    >>> matching.detection_of.tolist(), matching.free_detections().tolist()
    ([0, -1], [1])
    """

    def __init__(self, track_labels: Array, detection_labels: Array, class_agnostic: bool = False) -> None:
        self.detection_of = np.full(len(track_labels), -1)
        self.track_of = np.full(len(detection_labels), -1)
        self._labels = None if class_agnostic else (track_labels, detection_labels)

    def free_tracks(self, rows: Array) -> Array:
        """Return those of the tracks `rows` that have no detection yet."""
        return rows[self.detection_of[rows] < 0]

    def free_detections(self, rows: Array | None = None) -> Array:
        """Return the detections (or those of `rows`) that have no track yet."""
        if rows is None:
            return np.flatnonzero(self.track_of < 0)
        return rows[self.track_of[rows] < 0]

    def solve(self, rows: Array, columns: Array, costs: Array, limit: float) -> None:
        """Match at the lowest total cost and remember the pairs.

        Args:
            rows: (P,) tracks of the possible pairs; none of them matched before.
            columns: (P,) their detections; none of them matched before.
            costs: (P,) their costs.
            limit: Pairs that cost `limit` or more are refused.
        """
        if self._labels is not None:
            same = self._labels[0][rows] == self._labels[1][columns]
            if not same.all():
                rows, columns, costs = rows[same], columns[same], costs[same]
        rows, columns = match_pairs(rows, columns, costs, limit, (len(self.detection_of), len(self.track_of)))
        self.detection_of[rows] = columns
        self.track_of[columns] = rows

    def pairs(self) -> tuple[Array, Array]:
        """Return all matched pairs: tracks (P,) rising, and their detections (P,)."""
        rows = np.flatnonzero(self.detection_of >= 0)
        return rows, self.detection_of[rows]

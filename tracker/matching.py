"""The pairs decided so far in one update, stage by stage."""

from __future__ import annotations

import numpy as np

from tracker.assignment import match_pairs
from tracker.detections import Array


class Matching:
    """Remembers which detection each track got, while stage after stage matches what is left.

    Args:
        track_labels: (T,) classes of the tracks.
        detection_labels: (D,) classes of the detections.
        class_agnostic: Let every class match every class.

    Attributes:
        detection_of: (T,) int64, row of the detection of each track; -1 while it has none.
        track_of: (D,) int64, row of the track of each detection; -1 while it has none.

    >>> matching = Matching(np.array([0, 0]), np.array([0, 1]))
    >>> matching.solve(np.array([0, 1]), np.array([0, 1]), np.array([0.1, 0.1]), limit=0.5)  # classes 0-0 and 0-1
    >>> matching.detection_of.tolist(), matching.free_detections(np.arange(2)).tolist()
    ([0, -1], [1])
    """

    def __init__(self, track_labels: Array, detection_labels: Array, class_agnostic: bool = False) -> None:
        self.detection_of = np.full(len(track_labels), -1)
        self.track_of = np.full(len(detection_labels), -1)
        one_class = class_agnostic or _are_all_equal(track_labels, detection_labels)
        self._labels = None if one_class else (track_labels, detection_labels)

    def free_detections(self, rows: Array) -> Array:
        """Return those of the detections `rows` that have no track yet."""
        return rows[self.track_of[rows] < 0]

    def free_pairs(self, rows: Array, columns: Array) -> Array:
        """Say which pairs (P,) have neither a matched track nor a matched detection: a mask (P,)."""
        free: Array = (self.detection_of[rows] < 0) & (self.track_of[columns] < 0)
        return free

    def solve(self, rows: Array, columns: Array, costs: Array, limit: float, among: Array | None = None) -> None:
        """Match what is still free at the lowest total cost and remember the pairs.

        Args:
            rows: (P,) tracks of the possible pairs.
            columns: (P,) their detections.
            costs: (P,) their costs.
            limit: Pairs that cost `limit` or more are refused.
            among: (P,) mask of the pairs that take part in this stage; all if not given.
        """
        possible = self.free_pairs(rows, columns)
        if among is not None:
            possible &= among
        if self._labels is not None:
            possible &= self._labels[0][rows] == self._labels[1][columns]
        chosen = possible.nonzero()[0]
        if not len(chosen):
            return
        shape = len(self.detection_of), len(self.track_of)
        rows, columns = match_pairs(rows[chosen], columns[chosen], costs[chosen], limit, shape)
        self.detection_of[rows] = columns
        self.track_of[columns] = rows

    def pairs(self) -> tuple[Array, Array]:
        """Return all matched pairs: tracks (P,) rising, and their detections (P,)."""
        rows = (self.detection_of >= 0).nonzero()[0]
        return rows, self.detection_of[rows]


def _are_all_equal(labels: Array, others: Array) -> bool:
    """Say whether there is only one class, as in most scenes."""
    if not len(labels) or not len(others):
        return True
    return bool((labels == labels[0]).all() and (others == labels[0]).all())

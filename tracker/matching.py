"""The pairs decided so far in one update, stage by stage."""

from __future__ import annotations

import numpy as np

from tracker.arrays import Array
from tracker.assignment import match_pairs


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
    >>> matching.detection_of.tolist(), matching.free_detections().tolist()
    ([0, -1], [1])
    """

    def __init__(self, track_labels: Array, detection_labels: Array, class_agnostic: bool = False) -> None:
        self.detection_of = np.full(len(track_labels), -1)
        self.track_of = np.full(len(detection_labels), -1)
        self._any = False
        alike = class_agnostic or _are_alike(track_labels, detection_labels)
        self._labels = None if alike else (track_labels, detection_labels)

    def free_detections(self, among: Array | None = None) -> Array:
        """Return the detections that have no track yet, of those in the mask `among` (D,) or of all."""
        free = self.track_of < 0
        return (free if among is None else free & among).nonzero()[0]

    def solve(self, rows: Array, columns: Array, costs: Array, limit: float, among: Array | None = None) -> None:
        """Match what is still free at the lowest total cost and remember the pairs.

        Args:
            rows: (P,) tracks of the possible pairs.
            columns: (P,) their detections.
            costs: (P,) their costs.
            limit: Pairs that cost `limit` or more are refused.
            among: (P,) mask of the pairs that take part in this stage; all if not given.
        """
        if not len(rows):
            return
        if among is not None:
            rows, columns, costs = _chosen(among, rows, columns, costs)
        if self._any and len(rows):
            free = (self.detection_of.take(rows) < 0) & (self.track_of.take(columns) < 0)
            rows, columns, costs = _chosen(free, rows, columns, costs)
        if self._labels is not None and len(rows):
            same_class = self._labels[0].take(rows) == self._labels[1].take(columns)
            rows, columns, costs = _chosen(same_class, rows, columns, costs)
        if not len(rows):
            return
        shape = len(self.detection_of), len(self.track_of)
        rows, columns = match_pairs(rows, columns, costs, limit, shape)
        self.detection_of[rows] = columns
        self.track_of[columns] = rows
        self._any = True

    def pairs(self) -> tuple[Array, Array]:
        """Return all matched pairs: tracks (P,) rising, and their detections (P,)."""
        rows = (self.detection_of >= 0).nonzero()[0]
        return rows, self.detection_of[rows]


def _are_alike(labels: Array, others: Array) -> bool:
    """Tell whether all labels (N,) and (M,) are the same."""
    return not len(labels) or bool((labels == labels[0]).all() and (others == labels[0]).all())


def _chosen(mask: Array, *arrays: Array) -> tuple[Array, ...]:
    """Return the rows of arrays (P,) that are in the mask (P,)."""
    chosen = mask.nonzero()[0]
    return arrays if len(chosen) == len(mask) else tuple([array.take(chosen) for array in arrays])

"""The pairs decided so far in one update, stage by stage."""

from __future__ import annotations

import functools

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
        self._any = False
        self._labels = None if class_agnostic else (track_labels, detection_labels)

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
        masks = [] if among is None else [among]
        if self._any:
            masks.append(self.free_pairs(rows, columns))
        if self._labels is not None:
            masks.append(self._labels[0][rows] == self._labels[1][columns])
        if masks:
            chosen = functools.reduce(np.logical_and, masks).nonzero()[0]
            rows, columns, costs = rows[chosen], columns[chosen], costs[chosen]
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

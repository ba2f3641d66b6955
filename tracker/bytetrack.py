"""ByteTrack: match every box, the uncertain ones last.

Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tracker.base import TrackerOptions
from tracker.boxes import overlapping_pairs
from tracker.detections import Array, Detections
from tracker.lifecycle import LifecycleOptions, LifecycleTracker
from tracker.matching import Matching
from tracker.trackset import TENTATIVE, TRACKED


@dataclass(frozen=True, kw_only=True)
class ByteTrackOptions(LifecycleOptions):
    """Options of `ByteTracker`.

    Attributes:
        min_score: Detections from here on are matched first.
        min_low_score: Detections from here to `min_score` may continue a track that was seen in the last frame, but
            never start one.
        min_new_score: Detections from here on may start a track.
        first_limit: Refuse pairs of the first stage whose cost reaches this.
        low_limit: The same for the stage of low scores, where the cost is 1 - IoU.
        tentative_limit: The same for tracks that were seen once.
        fuse_scores: Cost 1 - IoU * score in the first and tentative stage, else 1 - IoU (as published for MOT20).
    """

    min_score: float = 0.6
    min_low_score: float = 0.1
    min_new_score: float = 0.7
    first_limit: float = 0.8
    low_limit: float = 0.5
    tentative_limit: float = 0.7
    fuse_scores: bool = True


class ByteTracker(LifecycleTracker):
    """Tracks by motion and overlap; embeddings are ignored.

    >>> tracker = ByteTracker()
    >>> tracker.update(Detections([[10, 10, 30, 60]], [0.9])).ids
    array([1])
    >>> tracker.update(Detections([[12, 10, 32, 60]], [0.2])).ids  # a low score continues the track
    array([1])
    """

    Options: ClassVar[type[TrackerOptions]] = ByteTrackOptions
    options: ByteTrackOptions

    def _candidates(self, detections: Detections) -> tuple[Array, Array]:
        options, scores = self.options, detections.scores
        return scores >= options.min_low_score, scores >= max(options.min_score, options.min_new_score)

    def _associate(self, matching: Matching, detections: Detections, measurements: Array) -> None:
        options = self.options
        rows, columns, iou = overlapping_pairs(self._boxes, detections.boxes)
        state, is_high = self._tracks.states[rows], (detections.scores >= options.min_score)[columns]
        first_cost = self._first_cost(detections, rows, columns, iou)
        matching.solve(rows, columns, first_cost, options.first_limit, among=(state != TENTATIVE) & is_high)

        left = matching.free_pairs(rows, columns).nonzero()[0]  # few, as a rule
        if not len(left):
            return
        rows, columns, state, is_high = rows[left], columns[left], state[left], is_high[left]
        cost, first_cost = 1.0 - iou[left], first_cost[left]
        matching.solve(rows, columns, cost, options.low_limit, among=(state == TRACKED) & ~is_high)
        matching.solve(rows, columns, first_cost, options.tentative_limit, among=(state == TENTATIVE) & is_high)

    def _first_cost(self, detections: Detections, rows: Array, columns: Array, iou: Array) -> Array:
        """Return the cost of each pair (P,) in the stages of high scores."""
        cost: Array = 1.0 - (iou * detections.scores[columns] if self.options.fuse_scores else iou)
        return cost

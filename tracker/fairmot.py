"""FairMOT's association, which is JDE's: appearance within reach of the motion first, then overlap.

Zhang et al., "FairMOT: On the Fairness of Detection and Re-Identification in Multiple Object Tracking", 2020.
Wang et al., "Towards Real-Time Multi-Object Tracking" (JDE), 2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from tracker.base import TrackerOptions
from tracker.boxes import overlapping_pairs
from tracker.costs import cosine_distances, euclidean_distances, gated_pairs
from tracker.detections import Array, Detections
from tracker.kalman import GATE_CHI2
from tracker.lifecycle import LifecycleOptions, LifecycleTracker
from tracker.matching import Matching
from tracker.trackset import LOST, TENTATIVE, TRACKED


@dataclass(frozen=True, kw_only=True)
class FairMOTOptions(LifecycleOptions):
    """Options of `FairMOTTracker`.

    Attributes:
        min_score: Detections below are not used.
        min_new_score: Detections below do not start a track; None: the same as `min_score`.
        embedding_limit: Refuse pairs whose appearance-and-motion cost reaches this. JDE: 0.7 with "euclidean".
        embedding_distance: "cosine" (FairMOT, 1 - cos) or "euclidean" (JDE, of unit vectors).
        motion_weight: Share of the squared Mahalanobis distance in that cost; 0.02 of the gate's 9.49 is 0.19, so the
            motion can use up half of FairMOT's limit.
        gate_chi2: Refuse pairs whose squared Mahalanobis distance is larger; infinite compares everything.
        iou_limit: Refuse pairs of the second stage whose 1 - IoU reaches this.
        tentative_iou_limit: The same for tracks that were seen once.
    """

    min_new_score: float | None = None
    embedding_limit: float = 0.4
    embedding_distance: Literal["cosine", "euclidean"] = "cosine"
    motion_weight: float = 0.02
    gate_chi2: float = GATE_CHI2
    iou_limit: float = 0.5
    tentative_iou_limit: float = 0.7


class FairMOTTracker(LifecycleTracker):
    """Tracks by appearance and motion; needs embeddings.

    >>> tracker = FairMOTTracker()
    >>> tracker.update(Detections([[10, 10, 30, 60]], [0.9], embeddings=[[1, 0]])).ids
    array([1])
    """

    Options: ClassVar[type[TrackerOptions]] = FairMOTOptions
    options: FairMOTOptions

    @property
    def needs_embeddings(self) -> bool:  # noqa: D102
        return True

    def _candidates(self, detections: Detections) -> tuple[Array, Array]:
        options = self.options
        taking_part = detections.scores >= options.min_score
        if options.min_new_score is None:
            return taking_part, taking_part
        return taking_part, detections.scores >= options.min_new_score

    def _associate(self, matching: Matching, detections: Detections, measurements: Array) -> None:
        options, tracks = self.options, self._tracks
        assert detections.embeddings is not None  # checked at the door

        believed = tracks.motion[: tracks.confirmed]
        rows, columns, squared = gated_pairs(believed, measurements, self.model, options.gate_chi2)
        distances = cosine_distances if options.embedding_distance == "cosine" else euclidean_distances
        cost = (1 - options.motion_weight) * distances(tracks.embeddings, detections.embeddings, rows, columns)
        matching.solve(rows, columns, cost + options.motion_weight * squared, options.embedding_limit)

        open_tracks = ((matching.detection_of < 0) & (tracks.states != LOST)).nonzero()[0]
        open_detections = (matching.track_of < 0).nonzero()[0]
        boxes, others = self._boxes.take(open_tracks, axis=0), detections.boxes.take(open_detections, axis=0)
        row, column, iou = overlapping_pairs(boxes, others)
        if not len(row):
            return
        rows, columns = open_tracks[row], open_detections[column]
        state, cost = tracks.states[rows], 1.0 - iou
        matching.solve(rows, columns, cost, options.iou_limit, among=state == TRACKED)
        matching.solve(rows, columns, cost, options.tentative_iou_limit, among=state == TENTATIVE)

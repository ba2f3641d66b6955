"""FairMOT's association, which is JDE's: appearance within reach of the motion first, then overlap.

Zhang et al., "FairMOT: On the Fairness of Detection and Re-Identification in Multiple Object Tracking", 2020.
Wang et al., "Towards Real-Time Multi-Object Tracking" (JDE), 2019.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from typing_extensions import override

from tracker.arrays import Array
from tracker.base import Tracker, TrackerOptions
from tracker.boxes import overlapping_pairs
from tracker.candidates import Candidates
from tracker.costs import cosine_distances, euclidean_distances, gated_pairs
from tracker.detections import Detections, Tracks
from tracker.kalman import GATE_CHI2, BlockKalmanFilter
from tracker.matching import Matching
from tracker.motion_models import XYAH
from tracker.search_space import Searched, Span
from tracker.steps import (
    drop_duplicates,
    lose_unmatched,
    predict_confirmed,
    remove_expired,
    show,
    tentative_rows,
    update_matched,
)
from tracker.trackset import LOST, TENTATIVE, TRACKED, TrackSet

_KALMAN = BlockKalmanFilter(XYAH())


@dataclass(frozen=True, kw_only=True)
class FairMOTOptions(TrackerOptions):
    """Options of `FairMOTTracker`.

    Attributes:
        min_score: Detections below are not used.
        min_new_score: Detections below do not start a track; None: the same as `min_score`.
        min_hits: Consecutive detections until a track is confirmed and gets its id; those of the first frame are
            confirmed at once. 1 shows every new object immediately, and every false detection too.
        embedding_limit: Refuse pairs whose appearance-and-motion cost reaches this. JDE: 0.7 with "euclidean".
        embedding_distance: "cosine" (FairMOT, 1 - cos) or "euclidean" (JDE, of unit vectors).
        embedding_momentum: Weight of the old appearance when a new one is mixed in, in [0, 1].
        motion_weight: Share of the squared Mahalanobis distance in that cost; 0.02 of the gate's 9.49 is 0.19, so the
            motion can use up half of FairMOT's limit.
        gate_chi2: Refuse pairs whose squared Mahalanobis distance is larger; infinite compares everything.
        iou_limit: Refuse pairs of the second match whose 1 - IoU reaches this.
        tentative_iou_limit: The same for tracks that were seen once.
        duplicate_limit: Two tracks, one seen and one lost, with 1 - IoU below this are the same object; the one with
            the shorter life is dropped.
    """

    min_score: float = 0.4
    min_new_score: float | None = None
    min_hits: int = 2
    embedding_limit: float = 0.4
    embedding_distance: Literal["cosine", "euclidean"] = "cosine"
    embedding_momentum: float = field(default=0.9, metadata={"most": 1})
    motion_weight: float = 0.02
    gate_chi2: float = GATE_CHI2
    iou_limit: float = 0.5
    tentative_iou_limit: float = 0.7
    duplicate_limit: float = 0.15


class FairMOTTracker(Tracker[FairMOTOptions]):
    """Tracks by appearance and motion; needs embeddings.

    >>> tracker = FairMOTTracker()
    >>> tracker.update(Detections([[10, 10, 30, 60]], [0.9], embeddings=[[1, 0]])).ids
    array([1])
    """

    Options = FairMOTOptions
    search_space: ClassVar[Mapping[str, Searched]] = {
        "max_lost_seconds": Span(0.3, 4.0, is_log=True),
        "min_score": Span(0.2, 0.8),
        "min_hits": Span(1, 4, is_whole=True),
        "embedding_limit": Span(0.1, 0.8, for_embeddings=True),
        "embedding_momentum": Span(0.7, 0.98, for_embeddings=True),
        "motion_weight": Span(0.0, 0.2, for_embeddings=True),
        "gate_chi2": Span(4.0, 20.0, is_log=True),
        "iou_limit": Span(0.3, 0.8),
        "tentative_iou_limit": Span(0.4, 0.9),
        "duplicate_limit": Span(0.05, 0.4),
    }

    @property
    @override
    def needs_embeddings(self) -> bool:
        return True

    @override
    def _begin(self) -> None:
        self._tracks = TrackSet.empty(_KALMAN)

    @override
    def _track(self, detections: Detections, frame: Array | None, elapsed: float) -> Tracks:
        tracks, options, now = self._tracks, self.options, self._now
        found = Candidates.choose(detections, options.min_score, _KALMAN.model, with_embeddings=True)

        # Predict.
        remove_expired(tracks, now, options, self._memory)
        predict_confirmed(tracks, elapsed)
        boxes = tracks.boxes()

        # First match: confirmed tracks by appearance, and by motion within the gate.
        matching = Matching(tracks.labels, found.labels, options.class_agnostic)
        confirmed = tracks.motion[: tracks.confirmed]
        rows, columns, squared = gated_pairs(confirmed, found.measurements, _KALMAN, options.gate_chi2)
        distances = cosine_distances if options.embedding_distance == "cosine" else euclidean_distances
        cost = (1 - options.motion_weight) * distances(tracks.embeddings, found.embeddings, rows, columns)
        matching.solve(rows, columns, cost + options.motion_weight * squared, options.embedding_limit)

        # Second match: tracked tracks that are left, by overlap. Third: tentative tracks by overlap.
        left = ((matching.detection_of < 0) & (tracks.states != LOST)).nonzero()[0]
        free = matching.free_detections()
        row, column, iou = overlapping_pairs(boxes.take(left, axis=0), found.boxes.take(free, axis=0))
        if len(row):
            rows, columns, cost = left[row], free[column], 1.0 - iou
            states = tracks.states[rows]
            matching.solve(rows, columns, cost, options.iou_limit, among=states == TRACKED)
            matching.solve(rows, columns, cost, options.tentative_iou_limit, among=states == TENTATIVE)

        # Update the matched tracks, lose the others, start new ones.
        rows, columns = matching.pairs()
        update_matched(tracks, rows, found, columns, now, options.class_agnostic)
        tracks.smooth_embeddings(rows, found.embeddings.take(columns, axis=0), options.embedding_momentum)
        lose_unmatched(tracks, matching.detection_of)
        lowest = options.min_score if options.min_new_score is None else options.min_new_score
        tracks.start(found, matching.free_detections(found.scores >= lowest), now)
        self._confirm(tentative_rows(tracks, 1 if self._updates == 1 else options.min_hits))

        # End duplicates; show the tracked tracks.
        boxes = drop_duplicates(tracks, tracks.boxes(), options.duplicate_limit, options.class_agnostic)
        rows = (tracks.states == TRACKED).nonzero()[0]
        return show(tracks, rows, boxes.take(rows, axis=0), options)

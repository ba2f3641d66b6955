"""BoT-SORT: ByteTrack on a moving camera, with appearance where boxes are near.

Aharon et al., "BoT-SORT: Robust Associations Multi-Pedestrian Tracking", 2022.
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
from tracker.costs import cosine_distances, fuse_appearance
from tracker.detections import Detections, Tracks
from tracker.kalman import BlockKalmanFilter
from tracker.kalman_full import FullKalmanFilter
from tracker.matching import Matching
from tracker.motion_models import XYWH
from tracker.search_space import TWO_STAGES, Searched, Span
from tracker.steps import (
    drop_duplicates,
    follow_camera,
    lose_unmatched,
    make_camera,
    predict_confirmed,
    remove_expired,
    show,
    tentative_rows,
    update_matched,
)
from tracker.trackset import TENTATIVE, TRACKED, TrackSet

_MODEL = XYWH()


@dataclass(frozen=True, kw_only=True)
class BoTSortOptions(TrackerOptions):
    """Options of `BoTSortTracker`.

    Attributes:
        min_score: Detections from here on are matched first.
        min_low_score: Detections from here to `min_score` may continue a track that was seen in the last frame, but
            never start one.
        min_new_score: Detections from here on may start a track.
        min_hits: Consecutive detections until a track is confirmed and gets its id; those of the first frame are
            confirmed at once. 1 shows every new object immediately, and every false detection too.
        first_limit: Refuse pairs of the first match whose cost reaches this.
        low_limit: The same for the match of low scores, where the cost is 1 - IoU.
        tentative_limit: The same for tracks that were seen once.
        fuse_scores: Cost 1 - IoU * score in the first match and that of tentative tracks, else 1 - IoU.
        duplicate_limit: Two tracks, one seen and one lost, with 1 - IoU below this are the same object; the one with
            the shorter life is dropped.
        camera_motion: "sparse_flow", "orb" or "ecc", which need `update(..., frame=image)`; "none" for still cameras.
        camera_downscale: The frame is made smaller by this factor before the camera's motion is measured.
        use_embeddings: Let appearance match what overlaps too little for its scores; needs embeddings.
        embedding_limit: Appearance counts only up to this cost, half of 1 - cos.
        proximity_limit: Appearance counts only where 1 - IoU is at most this.
        embedding_momentum: Weight of the old appearance when a new one is mixed in, in [0, 1].
    """

    min_score: float = 0.6
    min_low_score: float = 0.1
    min_new_score: float = 0.7
    min_hits: int = 2
    first_limit: float = 0.8
    low_limit: float = 0.5
    tentative_limit: float = 0.7
    fuse_scores: bool = True
    duplicate_limit: float = 0.15
    camera_motion: Literal["none", "sparse_flow", "orb", "ecc"] = "sparse_flow"
    camera_downscale: float = 2.0
    use_embeddings: bool = False
    embedding_limit: float = 0.25
    proximity_limit: float = 0.5
    embedding_momentum: float = field(default=0.9, metadata={"most": 1})


class BoTSortTracker(Tracker[BoTSortOptions]):
    """Tracks by motion, overlap and, if told so, appearance, on moving cameras.

    >>> tracker = BoTSortTracker(camera_motion="none")
    >>> tracker.update(Detections([[10, 10, 30, 60]], [0.9])).ids
    array([1])
    """

    Options = BoTSortOptions
    search_space: ClassVar[Mapping[str, Searched]] = {
        **TWO_STAGES,
        "duplicate_limit": Span(0.05, 0.4),
        "embedding_limit": Span(0.05, 0.5, for_embeddings=True),
        "proximity_limit": Span(0.3, 0.9, for_embeddings=True),
        "embedding_momentum": Span(0.7, 0.98, for_embeddings=True),
    }
    parts = ("tracks", "memory", "camera")

    @property
    @override
    def needs_embeddings(self) -> bool:
        return self.options.use_embeddings

    @property
    @override
    def needs_frame(self) -> bool:
        return self.options.camera_motion != "none"

    @override
    def _begin(self) -> None:
        self._camera = make_camera(self.options.camera_motion, self.options.camera_downscale)
        self._tracks = TrackSet.empty(FullKalmanFilter(_MODEL) if self.needs_frame else BlockKalmanFilter(_MODEL))

    @override
    def _track(self, detections: Detections, frame: Array | None, elapsed: float) -> Tracks:
        tracks, options, now = self._tracks, self.options, self._now
        found = Candidates.choose(detections, options.min_low_score, _MODEL, options.use_embeddings)
        is_high = found.scores >= options.min_score

        # Predict, and follow the camera.
        remove_expired(tracks, now, options, self._memory)
        predict_confirmed(tracks, elapsed)
        follow_camera(tracks, self._camera, frame)

        # First match: tracked and lost tracks with high scores, by overlap or, where boxes are near, appearance.
        matching = Matching(tracks.labels, found.labels, options.class_agnostic)
        rows, columns, iou = overlapping_pairs(tracks.boxes(), found.boxes)
        states, high = tracks.states.take(rows), is_high.take(columns)
        cost = 1.0 - (iou * found.scores.take(columns) if options.fuse_scores else iou)
        if options.use_embeddings:
            distances = cosine_distances(tracks.embeddings, found.embeddings, rows, columns) / 2
            cost = fuse_appearance(cost, iou, distances, options.embedding_limit, options.proximity_limit)
        matching.solve(rows, columns, cost, options.first_limit, among=(states != TENTATIVE) & high)

        # Second match: tracked tracks with low scores. Third: tentative tracks with high scores.
        matching.solve(rows, columns, 1.0 - iou, options.low_limit, among=(states == TRACKED) & ~high)
        matching.solve(rows, columns, cost, options.tentative_limit, among=(states == TENTATIVE) & high)

        # Update the matched tracks, lose the others, start new ones.
        rows, columns = matching.pairs()
        update_matched(tracks, rows, found, columns, now, options.class_agnostic)
        if options.use_embeddings:
            clear = is_high[columns].nonzero()[0]
            embeddings = found.embeddings.take(columns[clear], axis=0)
            tracks.smooth_embeddings(rows[clear], embeddings, options.embedding_momentum)
        lose_unmatched(tracks, matching.detection_of)
        new = matching.free_detections(found.scores >= max(options.min_score, options.min_new_score))
        tracks.start(found, new, now)
        self._confirm(tentative_rows(tracks, 1 if self._updates == 1 else options.min_hits))

        # End duplicates; show the tracked tracks.
        boxes = drop_duplicates(tracks, tracks.boxes(), options.duplicate_limit, options.class_agnostic)
        rows = (tracks.states == TRACKED).nonzero()[0]
        return show(tracks, rows, boxes.take(rows, axis=0), options)

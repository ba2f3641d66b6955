"""ByteTrack: SORT that also matches detections with low scores, after those with high scores.

Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", 2021.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override

from tracker.arrays import Array
from tracker.base import Tracker, TrackerOptions
from tracker.boxes import overlapping_pairs
from tracker.candidates import Candidates
from tracker.detections import Detections, Tracks
from tracker.kalman import BlockKalmanFilter
from tracker.matching import Matching
from tracker.motion_models import XYAH
from tracker.search_space import TWO_STAGES, Searched, Span
from tracker.steps import (
    drop_duplicates,
    lose_unmatched,
    predict_confirmed,
    remove_expired,
    show,
    tentative_rows,
    update_matched,
)
from tracker.trackset import TENTATIVE, TRACKED, TrackSet

_KALMAN = BlockKalmanFilter(XYAH())


@dataclass(frozen=True, kw_only=True)
class ByteTrackOptions(TrackerOptions):
    """Options of `ByteTracker`.

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
        fuse_scores: Cost 1 - IoU * score in the first match and that of tentative tracks, else 1 - IoU (as published
            for MOT20).
        duplicate_limit: Two tracks, one seen and one lost, with 1 - IoU below this are the same object; the one with
            the shorter life is dropped.
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


class ByteTracker(Tracker[ByteTrackOptions]):
    """Tracks by motion and overlap; embeddings are ignored.

    >>> tracker = ByteTracker()
    >>> tracker.update(Detections([[10, 10, 30, 60]], [0.9])).ids
    array([1])
    >>> tracker.update(Detections([[12, 10, 32, 60]], [0.2])).ids  # a low score continues the track
    array([1])
    """

    Options = ByteTrackOptions
    search_space: ClassVar[Mapping[str, Searched]] = {
        **TWO_STAGES,
        "duplicate_limit": Span(0.05, 0.4),
    }

    @override
    def _begin(self) -> None:
        self._tracks = TrackSet.empty(_KALMAN)

    @override
    def _track(self, detections: Detections, frame: Array | None, elapsed: float) -> Tracks:
        tracks, options, now = self._tracks, self.options, self._now
        found = Candidates.choose(detections, options.min_low_score, _KALMAN.model)
        is_high = found.scores >= options.min_score

        # Predict.
        remove_expired(tracks, now, options, self._memory)
        predict_confirmed(tracks, elapsed)

        # First match: tracked and lost tracks with high scores.
        matching = Matching(tracks.labels, found.labels, options.class_agnostic)
        rows, columns, iou = overlapping_pairs(tracks.boxes(), found.boxes)
        states, high = tracks.states.take(rows), is_high.take(columns)
        cost = 1.0 - (iou * found.scores.take(columns) if options.fuse_scores else iou)
        matching.solve(rows, columns, cost, options.first_limit, among=(states != TENTATIVE) & high)

        # Second match: tracked tracks with low scores. Third: tentative tracks with high scores.
        matching.solve(rows, columns, 1.0 - iou, options.low_limit, among=(states == TRACKED) & ~high)
        matching.solve(rows, columns, cost, options.tentative_limit, among=(states == TENTATIVE) & high)

        # Update the matched tracks, lose the others, start new ones.
        rows, columns = matching.pairs()
        update_matched(tracks, rows, found, columns, now, options.class_agnostic)
        lose_unmatched(tracks, matching.detection_of)
        new = matching.free_detections(found.scores >= max(options.min_score, options.min_new_score))
        tracks.start(found, new, now)
        self._confirm(tentative_rows(tracks, 1 if self._updates == 1 else options.min_hits))

        # End duplicates; show the tracked tracks.
        boxes = drop_duplicates(tracks, tracks.boxes(), options.duplicate_limit, options.class_agnostic)
        rows = (tracks.states == TRACKED).nonzero()[0]
        return show(tracks, rows, boxes.take(rows, axis=0), options)

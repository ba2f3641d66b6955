"""SORT: a Kalman filter and the Hungarian method.

Bewley et al., "Simple Online and Realtime Tracking", 2016.
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
from tracker.motion_models import XYSR
from tracker.search_space import Searched, Span
from tracker.steps import predict_areas, remove_expired, show, update_matched
from tracker.trackset import TrackSet

_KALMAN = BlockKalmanFilter(XYSR())


@dataclass(frozen=True, kw_only=True)
class SortOptions(TrackerOptions):
    """Options of `SortTracker`.

    Attributes:
        max_lost_seconds: How long a track may stay unseen; the paper's single frame is `1 / frame_rate`.
        min_score: Detections below are not used.
        min_hits: Consecutive matches until a track is shown, also after it was lost; not asked for in the first
            `min_hits` frames.
        iou_limit: Refuse pairs whose 1 - IoU reaches this.
    """

    min_score: float = 0.25
    min_hits: int = 3
    iou_limit: float = 0.7


class SortTracker(Tracker[SortOptions]):
    """Tracks by motion and overlap alone; embeddings are ignored.

    >>> tracker = SortTracker()
    >>> tracker.update(Detections([[10, 10, 30, 60]], [0.9])).ids
    array([1])
    """

    Options = SortOptions
    search_space: ClassVar[Mapping[str, Searched]] = {
        "max_lost_seconds": Span(0.03, 4.0, is_log=True),
        "min_score": Span(0.1, 0.8),
        "min_hits": Span(1, 5, is_whole=True),
        "iou_limit": Span(0.5, 0.9),
    }

    @override
    def _begin(self) -> None:
        self._tracks = TrackSet.empty(_KALMAN)

    @override
    def _track(self, detections: Detections, frame: Array | None, elapsed: float) -> Tracks:
        tracks, options, now = self._tracks, self.options, self._now
        found = Candidates.choose(detections, options.min_score, _KALMAN.model)

        # Predict. A track that was not seen in the last frame counts its matches from 0.
        remove_expired(tracks, now, options, self._memory)
        tracks.hits[tracks.seen < self._previous] = 0
        predict_areas(tracks, elapsed)

        # Match by overlap.
        matching = Matching(tracks.labels, found.labels, options.class_agnostic)
        rows, columns, iou = overlapping_pairs(tracks.boxes(), found.boxes)
        matching.solve(rows, columns, 1.0 - iou, options.iou_limit)

        # Update the matched tracks; start new ones. SORT counts matches: the first detection is none.
        rows, columns = matching.pairs()
        update_matched(tracks, rows, found, columns, now, options.class_agnostic)
        tracks.start(found, matching.free_detections(), now, hits=0)

        # Show the tracks that were matched now, and often enough; a track gets its id when it is first shown.
        is_ready = (tracks.hits >= options.min_hits) | (self._updates <= options.min_hits)
        rows = ((tracks.seen == now) & is_ready).nonzero()[0]
        self._confirm(rows[tracks.ids[rows] == 0])
        return show(tracks, rows, _KALMAN.boxes(tracks.motion.take(rows, axis=0)), options)

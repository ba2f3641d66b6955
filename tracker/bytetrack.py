"""ByteTrack: match every box, the uncertain ones last.

Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tracker.base import TrackerOptions
from tracker.detections import Array, Detections
from tracker.lifecycle import LifecycleOptions, LifecycleTracker
from tracker.matching import Matching
from tracker.trackset import State


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
    first_limit: float = 0.9
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

    def _associate(
        self, matching: Matching, detections: Detections, measurements: Array, confirmed: Array, tentative: Array
    ) -> None:
        options, tracks = self.options, self._tracks
        is_high = detections.scores >= options.min_score
        high, low = is_high.nonzero()[0], (~is_high).nonzero()[0]
        self._match_overlap(matching, confirmed, detections, high, options.first_limit, options.fuse_scores)
        tracked = confirmed[tracks.states[confirmed] == State.TRACKED]
        self._match_overlap(matching, tracked, detections, low, options.low_limit)
        self._match_overlap(matching, tentative, detections, high, options.tentative_limit, options.fuse_scores)

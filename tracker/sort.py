"""SORT: a Kalman filter and the Hungarian method.

Bewley et al., "Simple Online and Realtime Tracking", 2016.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tracker import kalman
from tracker.base import Tracker, TrackerOptions
from tracker.boxes import overlapping_pairs
from tracker.detections import Array, Detections, Tracks
from tracker.kalman import XYSR, MotionModel
from tracker.matching import Matching
from tracker.trackset import TrackSet


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


class SortTracker(Tracker):
    """Tracks by motion and overlap alone; embeddings are ignored.

    >>> tracker = SortTracker()
    >>> tracker.update(Detections([[10, 10, 30, 60]], [0.9])).ids
    array([1])
    """

    Options: ClassVar[type[TrackerOptions]] = SortOptions
    options: SortOptions
    model: ClassVar[MotionModel] = XYSR()

    def _track(self, detections: Detections, frame: Array | None, steps: float) -> Tracks:
        indices = self._candidates(detections).nonzero()[0]
        detections = detections[indices]
        measurements = self.model.from_xyxy(detections.boxes)

        tracks = self._tracks
        self._remove_forgotten()
        tracks.hits[tracks.seen < self._previous] = 0
        self._predict(steps)

        matching = Matching(tracks.labels, detections.labels, self.options.class_agnostic)
        if len(tracks) and len(detections):
            self._associate(matching, detections)
        rows, columns = matching.pairs()
        self._correct(rows, measurements.take(columns, axis=0))
        self._note_matches(rows, columns, detections, indices)
        new = matching.free_detections(self._may_start(detections).nonzero()[0])
        self._start_tracks(new, detections, measurements, indices)
        return self._shown()

    def _candidates(self, detections: Detections) -> Array:
        """Say which detections take part: a mask (N,)."""
        mask: Array = detections.scores >= self.options.min_score
        return mask

    def _may_start(self, detections: Detections) -> Array:
        """Say which of those that take part may start a track: a mask (D,)."""
        return np.ones(len(detections), bool)

    def _predict(self, steps: float) -> None:
        motion = self._tracks.motion
        shrinks_to_nothing = motion[:, 0, 2] + steps * motion[:, 1, 2] <= 0
        motion[shrinks_to_nothing, 1, 2] = 0.0
        self._tracks.motion = kalman.predict(motion, self.model, steps)
        self._boxes = self.model.to_xyxy(self._tracks.motion[:, 0]).astype(np.float32)

    def _associate(self, matching: Matching, detections: Detections) -> None:
        rows, columns, iou = overlapping_pairs(self._boxes, detections.boxes)
        matching.solve(rows, columns, 1.0 - iou, self.options.iou_limit)

    def _correct(self, rows: Array, measurements: Array) -> None:
        """Update the tracks `rows` (P,) with their measurements (P, 4)."""
        motion = self._tracks.motion
        motion[rows] = kalman.update(motion.take(rows, axis=0), measurements, self.model)

    def _start_tracks(self, columns: Array, detections: Detections, measurements: Array, indices: Array) -> None:
        if not len(columns):
            return
        motion = kalman.initiate(measurements[columns], self.model)
        new = detections[columns]
        started = TrackSet.start(motion, new.scores, new.labels, indices[columns], None, self._now)
        started.hits[:] = 0  # SORT counts matches, not detections
        self._tracks.append(self._remembering(started, new.boxes))

    def _remembering(self, started: TrackSet, boxes: Array) -> TrackSet:
        """Add what else is remembered of tracks that start with these boxes (N, 4) xyxy."""
        return started

    def _shown(self) -> Tracks:
        """Return the tracks that were seen now, and often enough; who is shown for the first time gets an id."""
        tracks, min_hits = self._tracks, self.options.min_hits
        seen = tracks.seen == self._now
        rows = (seen & ((tracks.hits >= min_hits) | (self._updates <= min_hits))).nonzero()[0]
        self._confirm(rows[tracks.ids[rows] == 0])
        return self._result(rows, self._shown_boxes(rows))

    def _shown_boxes(self, rows: Array) -> Array:
        """Return the boxes (R, 4) xyxy of the tracks `rows`: their filtered positions."""
        return self.model.to_xyxy(self._tracks.motion[:, 0].take(rows, axis=0))

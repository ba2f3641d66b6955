"""OC-SORT: trust what was observed, not what was predicted.

Cao et al., "Observation-Centric SORT: Rethinking SORT for Robust Multi-Object Tracking", 2022. Three additions to SORT:
OCM, the direction of motion counts in matching; OCR, what is left is matched with the last observations; ORU, a track
that comes back is filtered again along a straight path between its two observations.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from tracker import kalman
from tracker.base import TrackerOptions
from tracker.boxes import cxcywh_to_xyxy, overlapping_pairs, xyxy_to_cxcywh
from tracker.detections import Array, Detections
from tracker.matching import Matching
from tracker.sort import SortOptions, SortTracker
from tracker.trackset import TrackSet


@dataclass(frozen=True, kw_only=True)
class OCSortOptions(SortOptions):
    """Options of `OCSortTracker`.

    Attributes:
        min_low_score: With `use_low_scores`, detections from here to `min_score` may continue a track.
        use_low_scores: Add ByteTrack's stage of low scores.
        direction_weight: Weight of the agreement of directions beside the IoU (OCM, "inertia").
        direction_updates: Updates between the two observations that make a direction, at least 1.
        filtered_boxes: Show the filter's boxes, which are steadier, else the observed ones.
    """

    min_score: float = 0.6
    min_low_score: float = 0.1
    use_low_scores: bool = False
    direction_weight: float = 0.2
    direction_updates: int = field(default=3, metadata={"least": 1})
    filtered_boxes: bool = True


@dataclass(slots=True)
class ObservedTrackSet(TrackSet):
    """Tracks that remember what was observed.

    Attributes:
        observed: (N, 4) float64 xyxy, the last matched detection.
        recent: (N, K, 4) float64 xyxy, the detections of the last K updates, oldest first; NaN where there was none.
        directions: (N, 2) float64, unit vector of the motion that the last match showed; 0 before.
        motion_when_seen: (N, 5, 4) float64, the filter's state right after the last match.
    """

    observed: Array
    recent: Array
    directions: Array
    motion_when_seen: Array

    @classmethod
    def empty(cls) -> ObservedTrackSet:
        """Return no tracks."""
        return cls.observing(TrackSet.empty(), np.zeros((0, 4)), 1)

    @classmethod
    def observing(cls, tracks: TrackSet, observed: Array, updates: int) -> ObservedTrackSet:
        """Add memory to tracks that start with these observations (N, 4) xyxy."""
        recent = np.full((len(tracks), updates, 4), np.nan)
        recent[:, -1] = observed
        directions = np.zeros((len(tracks), 2))
        columns = {name: getattr(tracks, name) for name in TrackSet.__dataclass_fields__}
        motion = tracks.motion.copy()
        return cls(**columns, observed=observed, recent=recent, directions=directions, motion_when_seen=motion)

    def reference(self) -> Array:
        """Return the observation (N, 4) from which a direction is measured: K updates ago, or the next known one."""
        first = np.isfinite(self.recent[:, :, 0]).argmax(axis=1)
        oldest = self.recent[np.arange(len(self)), first]
        return np.where(np.isfinite(oldest), oldest, self.observed)


class OCSortTracker(SortTracker):
    """Tracks by overlap and direction; embeddings are ignored.

    >>> tracker = OCSortTracker()
    >>> tracker.update(Detections([[10, 10, 30, 60]], [0.9])).ids
    array([1])
    """

    Options: ClassVar[type[TrackerOptions]] = OCSortOptions
    options: OCSortOptions
    Set: ClassVar[type[TrackSet]] = ObservedTrackSet
    _tracks: ObservedTrackSet

    def _candidates(self, detections: Detections) -> Array:
        options = self.options
        mask: Array = detections.scores >= (options.min_low_score if options.use_low_scores else options.min_score)
        return mask

    def _may_start(self, detections: Detections) -> Array:
        mask: Array = detections.scores >= self.options.min_score
        return mask

    def _associate(self, matching: Matching, detections: Detections) -> None:
        options, tracks = self.options, self._tracks
        rows, columns, iou = overlapping_pairs(self._boxes, detections.boxes)
        is_high = (detections.scores >= options.min_score)[columns]
        enough = 1.0 - iou < options.iou_limit

        towards = _direction(tracks.reference().take(rows, axis=0), detections.boxes.take(columns, axis=0))
        angle = np.arccos(np.einsum("pk,pk->p", towards, tracks.directions.take(rows, axis=0)).clip(-1, 1))
        agreement = (np.pi / 2 - angle) / np.pi * detections.scores[columns]
        cost = 1.0 - iou - options.direction_weight * agreement
        matching.solve(rows, columns, cost, 1.0, among=enough & is_high)
        matching.solve(rows, columns, 1.0 - iou, options.iou_limit, among=~is_high)

        rows, columns, iou = overlapping_pairs(tracks.observed, detections.boxes)
        is_high = (detections.scores >= options.min_score)[columns]
        matching.solve(rows, columns, 1.0 - iou, options.iou_limit, among=is_high)

    def _correct(self, rows: Array, measurements: Array) -> None:
        tracks = self._tracks
        observed = self.model.to_xyxy(measurements)
        frames = self._now - tracks.seen[rows]
        returned = tracks.seen[rows] < self._previous
        self._filter_again(rows[returned], observed[returned], frames[returned])
        super()._correct(rows, measurements)

        tracks.directions[rows] = _direction(tracks.reference().take(rows, axis=0), observed)
        tracks.observed[rows] = observed
        tracks.motion_when_seen[rows] = tracks.motion.take(rows, axis=0)
        latest = np.full((len(tracks), 1, 4), np.nan)
        latest[rows, 0] = observed
        tracks.recent = np.concatenate([tracks.recent[:, 1:], latest], axis=1)

    def _filter_again(self, rows: Array, observed: Array, frames: Array) -> None:
        """ORU: replay the gap of tracks `rows` from their last match, along a straight path to the new observation."""
        if not len(rows):
            return
        tracks = self._tracks
        start, end = xyxy_to_cxcywh(tracks.observed[rows]), xyxy_to_cxcywh(observed)
        motion = tracks.motion_when_seen[rows]
        for step in range(1, int(np.ceil(frames.max()))):
            behind = step < frames
            share = (step / frames[behind])[:, None]
            path = self.model.from_xyxy(cxcywh_to_xyxy(start[behind] + share * (end[behind] - start[behind])))
            motion[behind] = kalman.update(kalman.predict(motion[behind], self.model), path, self.model)
        rest = frames - np.ceil(frames) + 1
        for last in set(rest.tolist()):
            same = rest == last
            motion[same] = kalman.predict(motion[same], self.model, last)
        tracks.motion[rows] = motion

    def _remembering(self, started: TrackSet, boxes: Array) -> TrackSet:
        return ObservedTrackSet.observing(started, boxes.astype(np.float64), self.options.direction_updates)

    def _shown_boxes(self, rows: Array) -> Array:
        return super()._shown_boxes(rows) if self.options.filtered_boxes else self._tracks.observed[rows]


def _direction(start: Array, end: Array) -> Array:
    """Return unit vectors (N, 2) between the centres of two sets of xyxy boxes (N, 4)."""
    way = (end[:, :2] + end[:, 2:] - start[:, :2] - start[:, 2:]) / 2
    return way / (np.hypot(way[:, 0], way[:, 1]) + 1e-6)[:, None]

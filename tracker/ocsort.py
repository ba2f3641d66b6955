"""OC-SORT: SORT that goes by observations where the prediction of a lost track is poor.

Cao et al., "Observation-Centric SORT: Rethinking SORT for Robust Multi-Object Tracking", 2022. Three additions to SORT:
OCM, the direction of motion counts in matching; OCR, what is left is matched with the last observations; ORU, a track
that comes back is filtered again along a straight path between its two observations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from typing_extensions import override

from tracker.arrays import Array
from tracker.base import Tracker, TrackerOptions
from tracker.boxes import cxcywh_to_xyxy, overlapping_pairs, xyxy_to_cxcywh
from tracker.candidates import Candidates
from tracker.detections import Detections, Tracks
from tracker.kalman import BlockKalmanFilter
from tracker.matching import Matching
from tracker.motion_models import XYSR
from tracker.search_space import EITHER, Searched, Span
from tracker.steps import predict_areas, remove_expired, show, update_matched
from tracker.trackset import TrackSet

_KALMAN = BlockKalmanFilter(XYSR())


@dataclass(frozen=True, kw_only=True)
class OCSortOptions(TrackerOptions):
    """Options of `OCSortTracker`.

    Attributes:
        min_score: Detections from here on are matched first and may start a track.
        min_low_score: With `use_low_scores`, detections from here to `min_score` may continue a track.
        use_low_scores: Add ByteTrack's stage of low scores.
        min_hits: Consecutive matches until a track is shown, also after it was lost; not asked for in the first
            `min_hits` frames.
        iou_limit: Refuse pairs whose 1 - IoU reaches this.
        direction_weight: Weight of the agreement of directions beside the IoU (OCM, "inertia").
        direction_updates: Updates between the two observations that make a direction, at least 1.
        filtered_boxes: Show the filter's boxes, which are steadier, else the observed ones.
    """

    min_score: float = 0.6
    min_low_score: float = 0.1
    use_low_scores: bool = False
    min_hits: int = 3
    iou_limit: float = 0.7
    direction_weight: float = 0.2
    direction_updates: int = field(default=3, metadata={"least": 1})
    filtered_boxes: bool = True


@dataclass(slots=True)
class ObservedTrackSet(TrackSet):
    """Tracks with their observations.

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

    def reference(self) -> Array:
        """Return the observation (N, 4) from which a direction is measured: K updates ago, or the next known one."""
        first = np.isfinite(self.recent[:, :, 0]).argmax(axis=1)
        oldest = self.recent[np.arange(len(self)), first]
        return np.where(np.isfinite(oldest), oldest, self.observed)


class OCSortTracker(Tracker[OCSortOptions]):
    """Tracks by overlap and direction; embeddings are ignored.

    >>> tracker = OCSortTracker()
    >>> tracker.update(Detections([[10, 10, 30, 60]], [0.9])).ids
    array([1])
    """

    Options = OCSortOptions
    search_space: ClassVar[Mapping[str, Searched]] = {
        "max_lost_seconds": Span(0.5, 4.0, is_log=True),
        "min_score": Span(0.2, 0.8),
        "min_low_score": Span(0.05, 0.3),
        "use_low_scores": EITHER,
        "min_hits": Span(1, 5, is_whole=True),
        "iou_limit": Span(0.5, 0.9),
        "direction_weight": Span(0.0, 0.6),
        "direction_updates": Span(1, 6, is_whole=True),
        "filtered_boxes": EITHER,
    }
    _tracks: ObservedTrackSet

    @override
    def _begin(self) -> None:
        nothing = _first_observation(np.zeros((0, 4)), np.zeros((0, 4)), self.options.direction_updates)
        self._tracks = ObservedTrackSet.empty(_KALMAN, **nothing)

    @override
    def _track(self, detections: Detections, frame: Array | None, elapsed: float) -> Tracks:
        tracks, options, now = self._tracks, self.options, self._now
        lowest = options.min_low_score if options.use_low_scores else options.min_score
        found = Candidates.choose(detections, lowest, _KALMAN.model)
        is_high = found.scores >= options.min_score

        # Predict. A track that was not seen in the last frame counts its matches from 0.
        remove_expired(tracks, now, options, self._memory)
        tracks.hits[tracks.seen < self._previous] = 0
        predict_areas(tracks, elapsed)

        # First match (OCM): overlap with the prediction, and the direction of motion.
        matching = Matching(tracks.labels, found.labels, options.class_agnostic)
        rows, columns, iou = overlapping_pairs(tracks.boxes(), found.boxes)
        cost = 1.0 - iou - options.direction_weight * _agreement(tracks, rows, found, columns)
        overlaps, high_pairs = 1.0 - iou < options.iou_limit, is_high[columns]
        matching.solve(rows, columns, cost, 1.0, among=overlaps & high_pairs)

        # ByteTrack's stage of low scores.
        matching.solve(rows, columns, 1.0 - iou, options.iou_limit, among=~high_pairs)

        # Second match (OCR): overlap with the last observation.
        rows, columns, iou = overlapping_pairs(tracks.observed, found.boxes)
        matching.solve(rows, columns, 1.0 - iou, options.iou_limit, among=is_high[columns])

        # Update the matched tracks, those that come back along a straight path (ORU).
        rows, columns = matching.pairs()
        observed = _KALMAN.model.to_xyxy(found.measurements.take(columns, axis=0))
        returned = tracks.seen[rows] < self._previous
        _filter_again(tracks, rows[returned], observed[returned], now)
        update_matched(tracks, rows, found, columns, now, options.class_agnostic)
        _remember(tracks, rows, observed)

        # Start new ones. SORT counts matches: the first detection is none.
        new = matching.free_detections(is_high)
        if len(new):
            first = _first_observation(found.boxes[new], found.measurements[new], options.direction_updates)
            tracks.start(found, new, now, hits=0, **first)

        # Show the tracks that were matched now, and often enough; a track gets its id when it is first shown.
        is_ready = (tracks.hits >= options.min_hits) | (self._updates <= options.min_hits)
        rows = ((tracks.seen == now) & is_ready).nonzero()[0]
        self._confirm(rows[tracks.ids[rows] == 0])
        filtered = options.filtered_boxes
        boxes = _KALMAN.boxes(tracks.motion.take(rows, axis=0)) if filtered else tracks.observed[rows]
        return show(tracks, rows, boxes, options)


def _first_observation(boxes: Array, measurements: Array, updates: int) -> dict[str, Array]:
    """Return what an `ObservedTrackSet` adds to tracks that begin: boxes (N, 4) xyxy and the same in the model."""
    recent = np.full((len(boxes), updates, 4), np.nan)
    recent[:, -1] = boxes
    return {
        "observed": boxes.astype(np.float64),
        "recent": recent,
        "directions": np.zeros((len(boxes), 2)),
        "motion_when_seen": _KALMAN.initiate(measurements),
    }


def _agreement(tracks: ObservedTrackSet, rows: Array, found: Candidates, columns: Array) -> Array:
    """Return how well each pair (P,) goes on in the track's direction, times the score: in [-0.5, 0.5]."""
    towards = _direction(tracks.reference().take(rows, axis=0), found.boxes.take(columns, axis=0))
    angle = np.arccos(np.einsum("pk,pk->p", towards, tracks.directions.take(rows, axis=0)).clip(-1, 1))
    agreement: Array = (np.pi / 2 - angle) / np.pi * found.scores[columns]
    return agreement


def _filter_again(tracks: ObservedTrackSet, rows: Array, observed: Array, now: float) -> None:
    """ORU: replay the gap of tracks `rows` (R,) from their last match, along a straight path to `observed` (R, 4)."""
    if not len(rows):
        return
    frames = now - tracks.seen[rows]
    start, end = xyxy_to_cxcywh(tracks.observed[rows]), xyxy_to_cxcywh(observed)
    motion = tracks.motion_when_seen[rows]
    for step in range(1, int(np.ceil(frames.max()))):
        behind = step < frames
        share = (step / frames[behind])[:, None]
        path = cxcywh_to_xyxy(start[behind] + share * (end[behind] - start[behind]))
        motion[behind] = _KALMAN.update(_KALMAN.predict(motion[behind]), _KALMAN.model.from_xyxy(path))
    rest = frames - np.ceil(frames) + 1
    for last in set(rest.tolist()):
        same = rest == last
        motion[same] = _KALMAN.predict(motion[same], last)
    tracks.motion[rows] = motion


def _remember(tracks: ObservedTrackSet, rows: Array, observed: Array) -> None:
    """Note what was observed now of the tracks `rows` (R,): boxes (R, 4) xyxy."""
    tracks.directions[rows] = _direction(tracks.reference().take(rows, axis=0), observed)
    tracks.observed[rows] = observed
    tracks.motion_when_seen[rows] = tracks.motion.take(rows, axis=0)
    latest = np.full((len(tracks), 1, 4), np.nan)
    latest[rows, 0] = observed
    tracks.recent = np.concatenate([tracks.recent[:, 1:], latest], axis=1)


def _direction(start: Array, end: Array) -> Array:
    """Return unit vectors (N, 2) between the centres of two sets of xyxy boxes (N, 4)."""
    way = (end[:, :2] + end[:, 2:] - start[:, :2] - start[:, 2:]) / 2
    return way / (np.hypot(way[:, 0], way[:, 1]) + 1e-6)[:, None]

"""DeepSORT: a gallery of looks for each track, compared youngest absence first.

Wojke et al., "Simple Online and Realtime Tracking with a Deep Association Metric", 2017.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from tracker import kalman
from tracker.base import Tracker, TrackerOptions
from tracker.boxes import overlapping_pairs
from tracker.costs import gated_pairs
from tracker.detections import Array, Detections, Tracks
from tracker.gallery import Gallery
from tracker.kalman import GATE_CHI2, XYAH, MotionModel
from tracker.matching import Matching
from tracker.trackset import TENTATIVE, TrackSet

_MEMORY_MOMENTUM = 0.9  # of the average look by which the long-term memory knows a track


@dataclass(frozen=True, kw_only=True)
class DeepSortOptions(TrackerOptions):
    """Options of `DeepSortTracker`.

    Attributes:
        min_score: Detections below are not used. (0.8 in the published program, for its own detector.)
        min_hits: Consecutive detections until a track is believed and gets its id.
        embedding_limit: Refuse pairs whose smallest 1 - cos over the track's gallery reaches this.
        gallery_size: Looks kept for each track, the newest.
        gate_chi2: Refuse pairs whose squared Mahalanobis distance is larger.
        iou_limit: Refuse pairs of the stage of overlaps whose 1 - IoU reaches this.
    """

    min_score: float = 0.4
    min_hits: int = 3
    embedding_limit: float = 0.2
    gallery_size: int = field(default=100, metadata={"least": 1})
    gate_chi2: float = GATE_CHI2
    iou_limit: float = 0.7


@dataclass(slots=True)
class GalleryTrackSet(TrackSet):
    """Tracks with a slot in the gallery.

    Attributes:
        slots: (N,) int64.
    """

    slots: Array

    @classmethod
    def empty(cls) -> GalleryTrackSet:
        """Return no tracks."""
        return cls.hung(TrackSet.empty(), np.zeros(0, np.int64))

    @classmethod
    def hung(cls, tracks: TrackSet, slots: Array) -> GalleryTrackSet:
        """Add slots to tracks."""
        return cls(**{name: getattr(tracks, name) for name in TrackSet.__dataclass_fields__}, slots=slots)


class DeepSortTracker(Tracker):
    """Tracks by appearance within reach of the motion, then by overlap; needs embeddings.

    >>> tracker = DeepSortTracker(min_hits=1)
    >>> tracker.update(Detections([[10, 10, 30, 60]], [0.9], embeddings=[[1, 0]])).ids
    array([1])
    """

    Options: ClassVar[type[TrackerOptions]] = DeepSortOptions
    options: DeepSortOptions
    Set: ClassVar[type[TrackSet]] = GalleryTrackSet
    _tracks: GalleryTrackSet
    model: ClassVar[MotionModel] = XYAH()

    @property
    def needs_embeddings(self) -> bool:  # noqa: D102
        return True

    def reset(self) -> None:  # noqa: D102
        super().reset()
        self._gallery = Gallery(self.options.gallery_size)

    def state_dict(self) -> dict[str, Any]:  # noqa: D102
        return {**super().state_dict(), "gallery": self._gallery.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:  # noqa: D102
        super().load_state_dict(state)
        self._gallery.load_state_dict(state["gallery"])

    def _track(self, detections: Detections, frame: Array | None, steps: float) -> Tracks:
        indices = (detections.scores >= self.options.min_score).nonzero()[0]
        detections = detections[indices]
        measurements = self.model.from_xyxy(detections.boxes)

        tracks = self._tracks
        self._remove_forgotten()
        tracks.motion = kalman.predict(tracks.motion, self.model, steps)
        matching = Matching(tracks.labels, detections.labels, self.options.class_agnostic)
        if len(tracks) and len(detections):
            self._match_looks(matching, detections, measurements)
            self._match_overlaps(matching, detections)
        rows, columns = matching.pairs()
        seen, found = tracks.motion.take(rows, axis=0), measurements.take(columns, axis=0)
        tracks.motion[rows] = kalman.update(seen, found, self.model)
        self._note_matches(rows, columns, detections, indices)
        if len(rows) and detections.embeddings is not None:
            embeddings = detections.embeddings.take(columns, axis=0)
            self._gallery.add(tracks.slots[rows], embeddings)
            tracks.smooth_embeddings(rows, embeddings, _MEMORY_MOMENTUM)

        new = matching.free_detections(np.arange(len(detections)))
        tracks.keep((tracks.states != TENTATIVE) | (matching.detection_of >= 0))
        self._start_tracks(new, detections, measurements, indices)
        self._confirm(((tracks.states == TENTATIVE) & (tracks.hits >= self.options.min_hits)).nonzero()[0])
        self._gallery.keep(tracks.slots)
        rows = ((tracks.states != TENTATIVE) & (tracks.seen == self._now)).nonzero()[0]
        return self._result(rows, kalman.boxes(tracks.motion[rows], self.model))

    def _match_looks(self, matching: Matching, detections: Detections, measurements: Array) -> None:
        """Match confirmed tracks by appearance; who was seen more recently chooses first."""
        tracks, options = self._tracks, self.options
        assert detections.embeddings is not None  # checked at the door
        believed = tracks.motion[: tracks.confirmed]
        rows, columns, _ = gated_pairs(believed, measurements, self.model, options.gate_chi2)
        cost = self._gallery.distances(tracks.slots[rows], detections.embeddings.take(columns, axis=0))
        absence = self._now - tracks.seen[rows]
        for age in np.unique(absence):
            matching.solve(rows, columns, cost, options.embedding_limit, among=absence == age)

    def _match_overlaps(self, matching: Matching, detections: Detections) -> None:
        """Match tentative tracks, and confirmed ones that were seen in the last update, by 1 - IoU."""
        tracks = self._tracks
        boxes = kalman.boxes(tracks.motion, self.model)
        rows, columns, iou = overlapping_pairs(boxes, detections.boxes)
        recent = (tracks.states == TENTATIVE) | (tracks.seen == self._previous)
        matching.solve(rows, columns, 1.0 - iou, self.options.iou_limit, among=recent[rows])

    def _start_tracks(self, columns: Array, detections: Detections, measurements: Array, indices: Array) -> None:
        if not len(columns):
            return
        new = detections[columns]
        assert new.embeddings is not None  # checked at the door
        motion = kalman.initiate(measurements[columns], self.model)
        started = TrackSet.start(motion, new.scores, new.labels, indices[columns], new.embeddings, self._now)
        self._tracks.append(GalleryTrackSet.hung(started, self._gallery.take(new.embeddings)))

"""The life of a track in the family of JDE, FairMOT, ByteTrack and BoT-SORT.

A detection that nobody claims starts a tentative track; matched again in the next update it is confirmed and gets an
id; unmatched it is lost, may come back, and is removed when it stays away. What differs between the trackers of the
family is only who is matched with whom, which they say in `_associate`.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from types import ModuleType
from typing import ClassVar

import numpy as np

from tracker import kalman
from tracker.base import Tracker, TrackerOptions
from tracker.boxes import overlapping_pairs
from tracker.detections import Array, Detections, Tracks
from tracker.kalman import XYAH, MotionModel
from tracker.matching import Matching
from tracker.trackset import LOST, TRACKED, TrackSet


@dataclass(frozen=True, kw_only=True)
class LifecycleOptions(TrackerOptions):
    """Options of the family.

    Attributes:
        min_score: Detections from here on are trusted; what others are used for, each tracker says.
        min_hits: Consecutive detections until a track is believed and gets its id; those of the first frame are
            believed at once. 1 shows every new object immediately, and every false detection too.
        duplicate_limit: Two tracks, one seen and one lost, with 1 - IoU below this are the same object; the one with
            the shorter life is dropped.
        embedding_momentum: Weight of the old appearance when a new one is mixed in, in [0, 1].
    """

    min_score: float = 0.4
    min_hits: int = 2
    duplicate_limit: float = 0.15
    embedding_momentum: float = field(default=0.9, metadata={"most": 1})


class LifecycleTracker(Tracker):
    """Keeps the tracks of the family; subclasses decide the matching."""

    Options: ClassVar[type[TrackerOptions]] = LifecycleOptions
    options: LifecycleOptions
    model: ClassVar[MotionModel] = XYAH()
    _filter: ModuleType = kalman

    @abstractmethod
    def _candidates(self, detections: Detections) -> tuple[Array, Array]:
        """Say which detections take part, and which of them may start a track: masks (N,) and (N,)."""

    @abstractmethod
    def _associate(self, matching: Matching, detections: Detections, measurements: Array) -> None:
        """Match tracks with detections, stage by stage.

        The motion of tracked and lost tracks has been predicted; tentative ones are where they were seen last. Their
        boxes are in `self._boxes`.

        Args:
            matching: To be filled; rows are those of `self._tracks`, columns those of `detections`.
            detections: (D) that take part.
            measurements: (D, 4) their boxes in the coordinates of the motion model.
        """

    def _track(self, detections: Detections, frame: Array | None, steps: float) -> Tracks:
        taking_part, may_start = self._candidates(detections)
        indices = taking_part.nonzero()[0]
        if len(indices) < len(detections):
            detections, may_start = detections[indices], may_start[indices]
        measurements = self.model.from_xyxy(detections.boxes)

        tracks = self._tracks
        self._remove_forgotten()
        self._predict(frame, steps)

        matching = Matching(tracks.labels, detections.labels, self.options.class_agnostic)
        if len(tracks) and len(detections):
            self._associate(matching, detections, measurements)
        self._take_over(matching, detections, measurements, indices)
        self._start_tracks(matching.free_detections(may_start.nonzero()[0]), detections, measurements, indices)
        self._boxes = self._filter.boxes(tracks.motion, self.model).astype(np.float32)
        self._drop_duplicates()
        rows = self._shown()
        return self._result(rows, self._boxes.take(rows, axis=0))

    def _predict(self, frame: Array | None, steps: float) -> None:
        """Move the tracked and lost tracks on by `steps` frames."""
        tracks = self._tracks
        motion, confirmed = tracks.motion, tracks.confirmed
        if confirmed:
            self._filter.stop_resizing(motion, (tracks.states == LOST).nonzero()[0], self.model)
            motion[:confirmed] = self._filter.predict(motion[:confirmed], self.model, steps)
        self._boxes = self._filter.boxes(motion, self.model).astype(np.float32)

    def _take_over(self, matching: Matching, detections: Detections, measurements: Array, indices: Array) -> None:
        """Update the matched tracks, confirm or drop the tentative ones, lose the rest."""
        tracks = self._tracks
        if not len(tracks):
            return
        rows, columns = matching.pairs()
        seen, found = tracks.motion.take(rows, axis=0), measurements.take(columns, axis=0)
        tracks.motion[rows] = self._filter.update(seen, found, self.model)
        self._note_matches(rows, columns, detections, indices)
        if self.needs_embeddings and detections.embeddings is not None:
            clear = (detections.scores[columns] >= self.options.min_score).nonzero()[0]
            embeddings = detections.embeddings.take(columns[clear], axis=0)
            tracks.smooth_embeddings(rows[clear], embeddings, self.options.embedding_momentum)

        matched, confirmed = matching.detection_of >= 0, tracks.confirmed
        tracks.states[:confirmed] = np.where(matched[:confirmed], TRACKED, LOST)
        if confirmed < len(tracks):
            believed = matched[confirmed:] & (tracks.hits[confirmed:] >= self.options.min_hits)
            self._confirm(believed.nonzero()[0] + confirmed)
            matched[:confirmed] = True
            tracks.keep(matched)

    def _start_tracks(self, columns: Array, detections: Detections, measurements: Array, indices: Array) -> None:
        if not len(columns):
            return
        embeddings = detections.embeddings if self.needs_embeddings else None
        new = TrackSet.start(
            self._filter.initiate(measurements[columns], self.model),
            detections.scores[columns],
            detections.labels[columns],
            indices[columns],
            None if embeddings is None else embeddings[columns],
            self._now,
        )
        first = len(self._tracks)
        self._tracks.append(new)
        if self._updates == 1 or self.options.min_hits <= 1:
            self._confirm(np.arange(first, len(self._tracks)))

    def _drop_duplicates(self) -> None:
        """Of a seen and a lost track on the same place keep the one with the longer life, the lost one in a tie."""
        tracks = self._tracks
        is_lost = tracks.states == LOST
        lost, seen = is_lost.nonzero()[0], (~is_lost).nonzero()[0]
        if not len(lost) or not len(seen):
            return
        limit = self.options.duplicate_limit
        boxes, others = self._boxes.take(lost, axis=0), self._boxes.take(seen, axis=0)
        row, column, iou = overlapping_pairs(boxes, others, min_iou=1 - limit)
        same = 1.0 - iou < limit
        if not same.any():
            return
        row, column = lost[row], seen[column]
        if not self.options.class_agnostic:
            same &= tracks.labels[row] == tracks.labels[column]
        row, column = row[same], column[same]
        life = tracks.seen - tracks.born
        seen_is_older = life[column] > life[row]
        keep = np.ones(len(tracks), bool)
        keep[row[seen_is_older]] = False
        keep[column[~seen_is_older]] = False
        tracks.keep(keep)
        self._boxes = self._boxes[keep]

    def _shown(self) -> Array:
        """Return the rows of the tracks that make the result."""
        return (self._tracks.states == TRACKED).nonzero()[0]

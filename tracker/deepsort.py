"""DeepSORT: SORT with a gallery of embeddings for each track; tracks seen more recently are matched first.

Wojke et al., "Simple Online and Realtime Tracking with a Deep Association Metric", 2017.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from typing_extensions import override

from tracker.arrays import Array
from tracker.base import Tracker, TrackerOptions
from tracker.boxes import overlapping_pairs
from tracker.candidates import Candidates
from tracker.costs import gated_pairs
from tracker.detections import Detections, Tracks
from tracker.gallery import Gallery
from tracker.kalman import GATE_CHI2, BlockKalmanFilter
from tracker.matching import Matching
from tracker.motion_models import XYAH
from tracker.search_space import Searched, Span
from tracker.steps import remove_expired, show, tentative_rows, update_matched
from tracker.trackset import TENTATIVE, TrackSet

_KALMAN = BlockKalmanFilter(XYAH())
_MEMORY_MOMENTUM = 0.9  # of the average embedding by which the long-term memory knows a track


@dataclass(frozen=True, kw_only=True)
class DeepSortOptions(TrackerOptions):
    """Options of `DeepSortTracker`.

    Attributes:
        min_score: Detections below are not used. (0.8 in the published program, for its own detector.)
        min_hits: Consecutive detections until a track is confirmed and gets its id.
        embedding_limit: Refuse pairs whose smallest 1 - cos over the track's gallery reaches this.
        gallery_size: Embeddings kept for each track, the newest.
        gate_chi2: Refuse pairs whose squared Mahalanobis distance is larger.
        iou_limit: Refuse pairs of the match of overlaps whose 1 - IoU reaches this.
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


class DeepSortTracker(Tracker[DeepSortOptions]):
    """Tracks by appearance within reach of the motion, then by overlap; needs embeddings.

    >>> tracker = DeepSortTracker(min_hits=1)
    >>> tracker.update(Detections([[10, 10, 30, 60]], [0.9], embeddings=[[1, 0]])).ids
    array([1])
    """

    Options = DeepSortOptions
    search_space: ClassVar[Mapping[str, Searched]] = {
        "max_lost_seconds": Span(0.3, 4.0, is_log=True),
        "min_score": Span(0.2, 0.8),
        "min_hits": Span(1, 5, is_whole=True),
        "embedding_limit": Span(0.05, 0.5, for_embeddings=True),
        "gallery_size": Span(10, 200, is_whole=True, is_log=True, for_embeddings=True),
        "gate_chi2": Span(4.0, 20.0, is_log=True),
        "iou_limit": Span(0.5, 0.9),
    }
    parts = ("tracks", "memory", "gallery")
    _tracks: GalleryTrackSet

    @property
    @override
    def needs_embeddings(self) -> bool:
        return True

    @override
    def _begin(self) -> None:
        self._tracks = GalleryTrackSet.empty(_KALMAN, slots=np.zeros(0, np.int64))
        self._gallery = Gallery(self.options.gallery_size)

    @override
    def _track(self, detections: Detections, frame: Array | None, elapsed: float) -> Tracks:
        tracks, options, now, gallery = self._tracks, self.options, self._now, self._gallery
        found = Candidates.choose(detections, options.min_score, _KALMAN.model, with_embeddings=True)

        # Predict.
        remove_expired(tracks, now, options, self._memory)
        tracks.motion = _KALMAN.predict(tracks.motion, elapsed)

        # First match, the cascade: confirmed tracks by appearance within the gate, the shortest absence first.
        matching = Matching(tracks.labels, found.labels, options.class_agnostic)
        confirmed = tracks.motion[: tracks.confirmed]
        rows, columns, _ = gated_pairs(confirmed, found.measurements, _KALMAN, options.gate_chi2)
        cost = gallery.distances(tracks.slots[rows], found.embeddings.take(columns, axis=0))
        absence = now - tracks.seen[rows]
        for age in np.unique(absence):
            matching.solve(rows, columns, cost, options.embedding_limit, among=absence == age)

        # Second match: tentative tracks, and those that were seen in the last update, by overlap.
        rows, columns, iou = overlapping_pairs(_KALMAN.boxes(tracks.motion), found.boxes)
        recent = (tracks.states == TENTATIVE) | (tracks.seen == self._previous)
        matching.solve(rows, columns, 1.0 - iou, options.iou_limit, among=recent[rows])

        # Update the matched tracks and their galleries.
        rows, columns = matching.pairs()
        update_matched(tracks, rows, found, columns, now, options.class_agnostic)
        embeddings = found.embeddings.take(columns, axis=0)
        gallery.add(tracks.slots[rows], embeddings)
        tracks.smooth_embeddings(rows, embeddings, _MEMORY_MOMENTUM)

        # End tentative tracks that were missed; start new ones.
        tracks.keep((tracks.states != TENTATIVE) | (matching.detection_of >= 0))
        new = matching.free_detections()
        tracks.start(found, new, now, slots=gallery.take(found.embeddings[new]))
        self._confirm(tentative_rows(tracks, options.min_hits))
        gallery.keep(tracks.slots)

        # Show the confirmed tracks that were seen.
        rows = ((tracks.states != TENTATIVE) & (tracks.seen == now)).nonzero()[0]
        return show(tracks, rows, _KALMAN.boxes(tracks.motion[rows]), options)

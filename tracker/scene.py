"""The tracker of this project: ByteTrack's matches, and what a scene and its detector tell about themselves.

- The scene's motion. When the camera jerks, all boxes jump alike: the jump that most pairs of boxes share, and what is
  left of it, are added to every predicted box, also to those that are hidden. No image is needed.
- Heights. People who overlap stand at different distances; a pair's IoU counts in proportion to how well the vertical
  extents agree (after Yang et al., "Hybrid-SORT", 2023).
- A steadier filter: detections are trusted less and velocities change more slowly, in real time rather than per frame.
- Its own estimate. What is shown lies between prediction and detection, nearer to the detection the more exact the
  detector has proved and the worse the track could be predicted.
- A gate as wide as the detector allows. Where it seldom misses, whatever is near a tracked person is that person; where
  lost people seldom come back, whatever is near a lost one is somebody else.
- A longer `max_lost_seconds`.
- Coasting. A track that was followed for a while is still shown for a moment after its detection is missed, and longer
  while another track hides the place where it should be; not where it would be outside of the image, nor where the lost
  seldom come back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from typing_extensions import override

from tracker.arrays import Array
from tracker.base import Tracker, TrackerOptions
from tracker.boxes import box_area, intersection_matrix, overlapping_pairs
from tracker.candidates import Candidates
from tracker.costs import cosine_distances, fuse_appearance
from tracker.detections import Detections, Tracks
from tracker.detector_record import DetectorRecord
from tracker.judged_tracks import JudgedTrackSet
from tracker.kalman import BlockKalmanFilter
from tracker.kalman_full import FullKalmanFilter
from tracker.matching import Matching
from tracker.motion_models import POSITION_WEIGHT, VELOCITY_WEIGHT, XYWH
from tracker.scene_motion import follow_scene
from tracker.search_space import EITHER, TWO_STAGES, Searched, Span
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
from tracker.trackset import LOST, TENTATIVE, TRACKED, TrackSet

_MODEL = XYWH(POSITION_WEIGHT * 2**0.5, VELOCITY_WEIGHT / 2**0.5)
_NOISE_RATE = 30.0  # frames a second for which the filter's noise is meant
_SIMILARITY_A_MISS = 3.0  # similarity that a tracked track's pair needs, for each miss that was seen
_LEAST_SIMILARITY = 0.02  # however seldom the detector misses
_MOST_CAUTION = 2.5  # times the usual similarity, however few come back
_AGILE = 0.003, 0.007  # mean square of unpredicted motion, as a share of size: of a walker, of a dancer
_AGILE_LENIENCE = 0.65  # share of the similarity that a lost dancer's pair does without
_GONE_SECONDS = 0.5  # absent for longer: gone, until the contrary is seen
_MIN_RETURNS = 0.4  # share of the lost that must have come back for others to be shown while they are lost
_MIN_INSIDE = 0.7  # share of a coasting box that must lie in the image
_MIN_HIDDEN = 0.5  # share of a coasting box that one other box covers if that one hides it


@dataclass(frozen=True, kw_only=True)
class SceneOptions(TrackerOptions):
    """Options of `SceneTracker`.

    Attributes:
        min_score: Detections from here on are matched first.
        min_low_score: Detections from here to `min_score` may continue a track that was seen in the last frame, but
            never start one.
        min_new_score: Detections from here on may start a track.
        min_hits: Consecutive detections until a track is confirmed and gets its id; those of the first frame are
            confirmed at once. 1 shows every new object immediately, and every false detection too.
        first_limit: Refuse pairs of the first match whose cost reaches this; tracked tracks may cost more where the
            detector seldom misses, lost ones less where few come back, and more where they move unpredictably.
        low_limit: The same for the match of low scores, where the cost is 1 - IoU.
        tentative_limit: The same for tracks that were seen once.
        fuse_scores: Cost 1 - IoU * score in the first match and that of tentative tracks, else 1 - IoU.
        height_weight: Exponent of the agreement of heights in that cost; 0 leaves it out.
        duplicate_limit: Two tracks, one seen and one lost, with 1 - IoU below this are the same object; the one with
            the shorter life is dropped.
        follow_scene: Add the common jump of all boxes to the predictions.
        camera_motion: "sparse_flow", "orb" or "ecc" measure the camera's motion in `update(..., frame=image)`.
        camera_downscale: The frame is made smaller by this factor before the camera's motion is measured.
        use_embeddings: Let appearance match what overlaps too little for its scores; needs embeddings.
        embedding_limit: Appearance counts only up to this cost, half of 1 - cos. It is stricter than BoT-SORT's, as
            embeddings that were learnt from few people must not overrule overlap.
        proximity_limit: Appearance counts only where 1 - IoU is at most this.
        embedding_momentum: Weight of the old appearance when a new one is mixed in, in [0, 1].
        coast_seconds: How long a track is shown after its last detection.
        hidden_seconds: The same while a tracked box covers at least half of it. With both 0, only what was detected is
            shown.
        min_coast_hits: Detections that a track needs before it may coast.
    """

    max_lost_seconds: float = 2.0
    min_score: float = 0.6
    min_low_score: float = 0.1
    min_new_score: float = 0.7
    min_hits: int = 2
    first_limit: float = 0.8
    low_limit: float = 0.5
    tentative_limit: float = 0.7
    fuse_scores: bool = True
    height_weight: float = 2.0
    duplicate_limit: float = 0.15
    follow_scene: bool = True
    camera_motion: Literal["none", "sparse_flow", "orb", "ecc"] = "none"
    camera_downscale: float = 2.0
    use_embeddings: bool = False
    embedding_limit: float = 0.1
    proximity_limit: float = 0.5
    embedding_momentum: float = field(default=0.9, metadata={"most": 1})
    coast_seconds: float = 0.2
    hidden_seconds: float = 0.5
    min_coast_hits: int = 8


class SceneTracker(Tracker[SceneOptions]):
    """Tracks by motion and overlap and, if told so, appearance; boxes are enough.

    Coasting tracks have the index -1 in the result. A track that leaves the image does not coast; where `update` is
    not given the frame, the image's borders are guessed from the boxes seen so far.

    >>> tracker = SceneTracker()
    >>> tracker.update(Detections([[10, 10, 30, 60]], [0.9])).ids
    array([1])
    """

    Options = SceneOptions
    search_space: ClassVar[Mapping[str, Searched]] = {
        **TWO_STAGES,
        "height_weight": Span(0.0, 4.0),
        "duplicate_limit": Span(0.05, 0.4),
        "follow_scene": EITHER,
        "coast_seconds": Span(0.0, 0.6),
        "hidden_seconds": Span(0.0, 1.5),
        "min_coast_hits": Span(2, 20, is_whole=True),
        "embedding_limit": Span(0.05, 0.4, for_embeddings=True),
        "proximity_limit": Span(0.3, 0.9, for_embeddings=True),
        "embedding_momentum": Span(0.7, 0.98, for_embeddings=True),
    }
    parts = ("tracks", "memory", "camera", "extent", "record")
    _tracks: JudgedTrackSet

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
        self._extent = ImageExtent()
        self._record = DetectorRecord()
        kalman = FullKalmanFilter(_MODEL) if self.needs_frame else BlockKalmanFilter(_MODEL)
        self._tracks = JudgedTrackSet.nobody(kalman)

    @override
    def _track(self, detections: Detections, frame: Array | None, elapsed: float) -> Tracks:
        tracks, record, options, now = self._tracks, self._record, self.options, self._now
        found = Candidates.choose(detections, options.min_low_score, _MODEL, options.use_embeddings)
        is_high = found.scores >= options.min_score
        self._extent.enclose(detections, frame)

        # Predict, and follow the camera and the scene.
        remove_expired(tracks, now, options, self._memory)
        predict_confirmed(tracks, elapsed * _NOISE_RATE / options.frame_rate)
        follow_camera(tracks, self._camera, frame)
        boxes = tracks.boxes()
        if options.follow_scene:
            follow_scene(tracks, boxes, found, is_high, options.class_agnostic)

        # First match: tracked and lost tracks with high scores, by overlap and heights or, where near, appearance.
        matching = Matching(tracks.labels, found.labels, options.class_agnostic)
        rows, columns, iou = overlapping_pairs(boxes, found.boxes)
        states, high = tracks.states.take(rows), is_high.take(columns)
        similarity = iou
        if options.height_weight > 0:
            heights = _height_iou(boxes.take(rows, axis=0), found.boxes.take(columns, axis=0))
            similarity = iou * heights**options.height_weight
        cost = 1.0 - (similarity * found.scores.take(columns) if options.fuse_scores else similarity)
        if options.use_embeddings:
            distances = cosine_distances(tracks.embeddings, found.embeddings, rows, columns) / 2
            cost = fuse_appearance(cost, similarity, distances, options.embedding_limit, options.proximity_limit)
        caution = _least_similarities(tracks, record, options).take(rows)
        matching.solve(rows, columns, cost + caution, 1.0, among=(states != TENTATIVE) & high)

        # Second match: tracked tracks with low scores. Third: tentative tracks with high scores.
        matching.solve(rows, columns, 1.0 - iou, options.low_limit, among=(states == TRACKED) & ~high)
        matching.solve(rows, columns, cost, options.tentative_limit, among=(states == TENTATIVE) & high)

        # Update the matched tracks, lose the others, start new ones.
        rows, columns = matching.pairs()
        _count_matched(tracks, rows, now, record)
        tracks.judge(rows, found.measurements.take(columns, axis=0), now, record)
        update_matched(tracks, rows, found, columns, now, options.class_agnostic)
        if options.use_embeddings:
            clear = is_high[columns].nonzero()[0]
            embeddings = found.embeddings.take(columns[clear], axis=0)
            tracks.smooth_embeddings(rows[clear], embeddings, options.embedding_momentum)
        lose_unmatched(tracks, matching.detection_of)
        new = matching.free_detections(found.scores >= max(options.min_score, options.min_new_score))
        tracks.begin(found, new, now)
        self._confirm(tentative_rows(tracks, 1 if self._updates == 1 else options.min_hits))

        # End duplicates; show the tracked and the coasting tracks.
        boxes = drop_duplicates(tracks, tracks.boxes(), options.duplicate_limit, options.class_agnostic)
        seen = (tracks.states == TRACKED).nonzero()[0]
        _count_gone(tracks, now, record, options)
        coasting = _coasting(tracks, boxes, seen, now, self._extent.xyxy, options)
        if record.return_share < _MIN_RETURNS:
            coasting = coasting[:0]
        rows = np.concatenate([seen, coasting])
        shown = np.concatenate([_MODEL.to_xyxy(tracks.estimates.take(seen, axis=0)), boxes.take(coasting, axis=0)])
        return show(tracks, rows, shown, options)


class ImageExtent:
    """The borders of the image, as far as they are known.

    Attributes:
        xyxy: (4,) float64; infinite, and inside out, before the first box.

    >>> extent = ImageExtent()
    >>> extent.enclose(Detections([[-5, 10, 30, 60]], [0.9]), None)
    >>> extent.xyxy.tolist()  # no image begins before 0
    [0.0, 10.0, 30.0, 60.0]
    """

    def __init__(self) -> None:
        self.xyxy = np.array([np.inf, np.inf, -np.inf, -np.inf])

    def enclose(self, detections: Detections, frame: Array | None) -> None:
        """Take the size of the frame or, without one, widen the extent to all boxes."""
        if frame is not None:
            self.xyxy = np.array([0.0, 0.0, frame.shape[1], frame.shape[0]])
        elif len(detections):
            first, last = detections.boxes[:, :2].min(axis=0), detections.boxes[:, 2:].max(axis=0)
            self.xyxy[:2] = np.minimum(self.xyxy[:2], np.maximum(first, 0.0))
            self.xyxy[2:] = np.maximum(self.xyxy[2:], last)

    def state_dict(self) -> dict[str, Array]:
        """Copy what is known."""
        return {"xyxy": self.xyxy.copy()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.xyxy = np.array(state["xyxy"])


def _least_similarities(tracks: JudgedTrackSet, record: DetectorRecord, options: SceneOptions) -> Array:
    """Return the similarity (N,) that a pair of each track needs at least in the first match.

    If the detector seldom misses anybody, a detection near somebody who was just seen is most likely that person. If
    few of the lost came back so far, a detection near a lost track is most likely somebody else, unless the track
    moves in ways that nobody can predict.
    """
    usual = 1.0 - options.first_limit
    least = np.full(len(tracks), min(max(_SIMILARITY_A_MISS * record.miss_rate, _LEAST_SIMILARITY), usual))
    lost = (tracks.states == LOST).nonzero()[0]
    if len(lost):
        back = record.return_share
        caution = usual * min(max((1.0 - back) / back, 1.0), _MOST_CAUTION)
        least[lost] = caution * (1.0 - _AGILE_LENIENCE * tracks.agility(lost, record, *_AGILE))
    return least


def _count_matched(tracks: JudgedTrackSet, rows: Array, now: float, record: DetectorRecord) -> None:
    """Note who was seen in this frame, and who of them had been lost."""
    back = rows[tracks.states.take(rows) == LOST]
    record.count_seen(len(rows), now - tracks.seen.take(back) - 1.0)
    if len(back):
        record.count_gone(-int(np.count_nonzero(tracks.is_gone.take(back))))
        tracks.is_gone[back] = False


def _count_gone(tracks: JudgedTrackSet, now: float, record: DetectorRecord, options: SceneOptions) -> None:
    """Note who was absent for so long that most others would be back."""
    absent = now - tracks.seen > _GONE_SECONDS * options.frame_rate
    gone = absent & (tracks.states == LOST) & ~tracks.is_gone
    if gone.any():
        record.count_gone(int(np.count_nonzero(gone)))
        tracks.is_gone |= gone


def _coasting(tracks: TrackSet, boxes: Array, seen: Array, now: float, image: Array, options: SceneOptions) -> Array:
    """Return the rows of the lost tracks that are still shown.

    Args:
        tracks: N tracks.
        boxes: (N, 4) xyxy, where they are.
        seen: Rows of the tracks that were seen now.
        now: Tracker time in frames.
        image: (4,) xyxy, its borders.
        options: How long a track coasts.
    """
    longest = max(options.coast_seconds, options.hidden_seconds)
    absent = now - tracks.seen - 1e-6
    in_time = absent <= longest * options.frame_rate
    rows = ((tracks.states == LOST) & (tracks.hits >= options.min_coast_hits) & in_time).nonzero()[0]
    if not len(rows):
        return rows
    own = boxes.take(rows, axis=0)
    sides = np.minimum(own[:, 2:], image[2:]) - np.maximum(own[:, :2], image[:2])
    shown = (sides[:, 0] * sides[:, 1] >= _MIN_INSIDE * box_area(own)) & (sides[:, 1] > 0)
    late = (absent.take(rows) > options.coast_seconds * options.frame_rate).nonzero()[0]
    if len(late):
        shown[late] &= _largest_cover(own.take(late, axis=0), boxes.take(seen, axis=0)) >= _MIN_HIDDEN
    return rows[shown]


def _largest_cover(boxes: Array, others: Array) -> Array:
    """Return how much of each box one other box covers at most, in [0, 1]: (N, 4) and (M, 4) xyxy to (N,)."""
    areas = intersection_matrix(boxes, others).max(axis=1, initial=0.0)
    share: Array = areas / np.maximum(box_area(boxes), 1e-9)
    return share


def _height_iou(boxes: Array, others: Array) -> Array:
    """Return the overlap of vertical extents over their union, in [0, 1]: (P, 4) and (P, 4) xyxy to (P,)."""
    shared = np.minimum(boxes[:, 3], others[:, 3]) - np.maximum(boxes[:, 1], others[:, 1])
    union = np.maximum(boxes[:, 3], others[:, 3]) - np.minimum(boxes[:, 1], others[:, 1])
    ratio: Array = np.maximum(shared, 0.0) / np.maximum(union, 1e-9)
    return ratio

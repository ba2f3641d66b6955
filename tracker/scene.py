"""The tracker of this project: ByteTrack's stages, and what all boxes of a scene have in common.

Five things were added, each because it helped on both halves of MOT17's public detections:

- The scene's motion. When the camera jerks, all boxes jump alike: the median of the jumps is taken from every predicted
  box, also from those that are hidden. No image is needed.
- Heights. People who overlap stand at different distances; a pair's IoU counts in proportion to how well the vertical
  extents agree (after Yang et al., "Hybrid-SORT", 2023).
- A steadier filter: detections are trusted less and velocities change more slowly, in real time rather than per frame.
- A longer memory.
- Coasting. A track that was followed for a while is still shown for a moment after its detection is missed, and longer
  while another track hides the place where it should be; not where it would be outside of the image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from tracker.base import TrackerOptions
from tracker.botsort import BoTSortOptions, BoTSortTracker
from tracker.boxes import box_area, intersection_matrix, overlapping_pairs
from tracker.detections import Array, Detections, Tracks
from tracker.kalman import POSITION_WEIGHT, VELOCITY_WEIGHT, XYWH, MotionModel
from tracker.matching import Matching
from tracker.trackset import LOST, TRACKED

_NOISE_RATE = 30.0  # frames a second for which the filter's noise is meant
_MIN_PAIRS = 4  # boxes that must belong together before they speak for the scene
_MANY_PAIRS = 8  # as many speak of any jump; fewer ones might all have been measured or walked a little to one side
_CLEAR_JUMP = 0.03  # of their height: the least that they are believed, in x and in y
_PAIR_LIMIT = 0.9  # 1 - IoU of boxes that may speak for it
_MIN_INSIDE = 0.7  # share of a coasting box that must lie in the image
_MIN_HIDDEN = 0.5  # share of a coasting box that one other box covers if that one hides it


@dataclass(frozen=True, kw_only=True)
class SceneOptions(BoTSortOptions):
    """Options of `SceneTracker`.

    Attributes:
        follow_scene: Take the common jump of all boxes from the predictions.
        embedding_limit: As in BoT-SORT, but stricter: looks that are learnt from few people must not overrule overlap.
        height_weight: Exponent of the agreement of heights in the cost; 0 leaves it out.
        coast_seconds: How long a track is shown after its last detection.
        hidden_seconds: The same while a tracked box covers at least half of it. With both 0, only what was detected is
            shown.
        min_coast_hits: Detections that a track needs before it may coast.
    """

    max_lost_seconds: float = 2.0
    embedding_limit: float = 0.1
    camera_motion: Literal["none", "sparse_flow", "orb", "ecc"] = "none"
    follow_scene: bool = True
    height_weight: float = 2.0
    coast_seconds: float = 0.2
    hidden_seconds: float = 0.75
    min_coast_hits: int = 8


class SceneTracker(BoTSortTracker):
    """Tracks by motion and overlap and, if told so, appearance; boxes are enough.

    Coasting tracks have the index -1 in the result. Who leaves the image does not coast; where `update` is not given
    the frame, its borders are guessed from the boxes seen so far.

    >>> tracker = SceneTracker()
    >>> tracker.update(Detections([[10, 10, 30, 60]], [0.9])).ids
    array([1])
    """

    Options: ClassVar[type[TrackerOptions]] = SceneOptions
    options: SceneOptions
    model: ClassVar[MotionModel] = XYWH(POSITION_WEIGHT * 2**0.5, VELOCITY_WEIGHT / 2**0.5)

    def reset(self) -> None:  # noqa: D102
        super().reset()
        self._extent = np.array([np.inf, np.inf, -np.inf, -np.inf])  # xyxy of the image, as far as it is known

    def state_dict(self) -> dict[str, Any]:  # noqa: D102
        return {**super().state_dict(), "extent": self._extent.copy()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:  # noqa: D102
        super().load_state_dict(state)
        self._extent = np.array(state["extent"])

    def _track(self, detections: Detections, frame: Array | None, steps: float) -> Tracks:
        if frame is not None:
            self._extent = np.array([0.0, 0.0, frame.shape[1], frame.shape[0]])
        elif len(detections):
            first, last = detections.boxes[:, :2].min(axis=0), detections.boxes[:, 2:].max(axis=0)
            self._extent[:2] = np.minimum(self._extent[:2], np.maximum(first, 0.0))  # no image begins before 0
            self._extent[2:] = np.maximum(self._extent[2:], last)
        return super()._track(detections, frame, steps)

    def _predict(self, frame: Array | None, steps: float) -> None:
        super()._predict(frame, steps * _NOISE_RATE / self.options.frame_rate)

    def _associate(self, matching: Matching, detections: Detections, measurements: Array) -> None:
        if self.options.follow_scene:
            self._follow_scene(detections, measurements)
        super()._associate(matching, detections, measurements)

    def _follow_scene(self, detections: Detections, measurements: Array) -> None:
        """Move all predictions by the median jump of the boxes that clearly belong together."""
        tracks = self._tracks
        rows, columns, iou = overlapping_pairs(self._boxes, detections.boxes)
        pairing = Matching(tracks.labels, detections.labels, self.options.class_agnostic)
        pairing.solve(rows, columns, 1.0 - iou, _PAIR_LIMIT, among=tracks.states[rows] == TRACKED)
        rows, columns = pairing.pairs()
        if len(rows) < _MIN_PAIRS:
            return
        jumps = np.sort(measurements[:, :2].take(columns, axis=0) - tracks.motion[:, 0, :2].take(rows, axis=0), axis=0)
        jump = (jumps[len(rows) // 2] + jumps[(len(rows) - 1) // 2]) / 2  # the median
        if len(rows) < _MANY_PAIRS:
            height = np.median(measurements[columns, 3])
            jump = np.where(np.abs(jump) > _CLEAR_JUMP * height, jump, 0.0)
        tracks.motion[:, 0, :2] += jump
        self._boxes.reshape(-1, 2)[:] += jump.astype(np.float32)

    def _first_cost(self, detections: Detections, rows: Array, columns: Array, iou: Array) -> Array:
        if self.options.height_weight > 0:
            boxes, others = self._boxes.take(rows, axis=0), detections.boxes.take(columns, axis=0)
            iou = iou * _height_iou(boxes, others) ** self.options.height_weight
        return super()._first_cost(detections, rows, columns, iou)

    def _shown(self) -> Array:
        """Return the rows of the tracked and of the coasting tracks."""
        tracks, options = self._tracks, self.options
        seen = super()._shown()
        longest = max(options.coast_seconds, options.hidden_seconds)
        absent = self._now - tracks.seen - 1e-6
        in_time = absent <= longest * options.frame_rate
        rows = ((tracks.states == LOST) & (tracks.hits >= options.min_coast_hits) & in_time).nonzero()[0]
        if not len(rows):
            return seen
        boxes = self._boxes.take(rows, axis=0)
        hidden = _largest_cover(boxes, self._boxes.take(seen, axis=0)) >= _MIN_HIDDEN
        in_time = absent[rows] <= np.where(hidden, longest, options.coast_seconds) * options.frame_rate
        inside = _largest_cover(boxes, self._extent[None]) >= _MIN_INSIDE
        return np.concatenate([seen, rows[in_time & inside]])


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

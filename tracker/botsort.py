"""BoT-SORT: ByteTrack on a moving camera, with appearance where boxes are near.

Aharon et al., "BoT-SORT: Robust Associations Multi-Pedestrian Tracking", 2022.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from tracker import kalman, kalman_full
from tracker.base import TrackerOptions
from tracker.bytetrack import ByteTracker, ByteTrackOptions
from tracker.costs import cosine_distances
from tracker.detections import Array, Detections
from tracker.errors import InputError
from tracker.kalman import XYWH, MotionModel

if TYPE_CHECKING:
    from tracker.camera_motion import CameraMotion


@dataclass(frozen=True, kw_only=True)
class BoTSortOptions(ByteTrackOptions):
    """Options of `BoTSortTracker`.

    Attributes:
        camera_motion: "sparse_flow", "orb" or "ecc", which need `update(..., frame=image)`; "none" for still cameras.
        camera_downscale: The frame is made smaller by this factor before the camera's motion is measured.
        use_embeddings: Let appearance match what overlaps too little for its scores; needs embeddings.
        embedding_limit: Appearance counts only below this cost, half of 1 - cos.
        proximity_limit: Appearance counts only where 1 - IoU is at most this.
    """

    camera_motion: Literal["none", "sparse_flow", "orb", "ecc"] = "sparse_flow"
    camera_downscale: float = 2.0
    use_embeddings: bool = False
    embedding_limit: float = 0.25
    proximity_limit: float = 0.5


class BoTSortTracker(ByteTracker):
    """Tracks by motion, overlap and, if told so, appearance, on moving cameras.

    >>> tracker = BoTSortTracker(camera_motion="none")
    >>> tracker.update(Detections([[10, 10, 30, 60]], [0.9])).ids
    array([1])
    """

    Options: ClassVar[type[TrackerOptions]] = BoTSortOptions
    options: BoTSortOptions
    model: ClassVar[MotionModel] = XYWH()

    @property
    def needs_embeddings(self) -> bool:  # noqa: D102
        return self.options.use_embeddings

    def reset(self) -> None:  # noqa: D102
        super().reset()
        self._camera = self._make_camera()
        self._filter = kalman if self._camera is None else kalman_full

    def state_dict(self) -> dict[str, Any]:  # noqa: D102
        return {**super().state_dict(), "camera": None if self._camera is None else self._camera.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:  # noqa: D102
        super().load_state_dict(state)
        if self._camera is not None:
            self._camera.load_state_dict(state["camera"])

    def _make_camera(self) -> CameraMotion | None:
        options = self.options
        if options.camera_motion == "none":
            return None
        from tracker.camera_motion import CameraMotion  # opencv is needed only here

        return CameraMotion(options.camera_motion, options.camera_downscale)

    def _check(self, detections: Detections, frame: Array | None) -> None:
        super()._check(detections, frame)
        if self._camera is not None and frame is None:
            raise InputError(
                f"{type(self).__name__} measures the camera's motion and needs update(..., frame=image); "
                "for a still camera or without images use camera_motion='none'"
            )

    def _predict(self, frame: Array | None, steps: float) -> None:
        super()._predict(frame, steps)
        if self._camera is None or frame is None:
            return
        motion = self._camera.estimate(frame)
        if len(self._tracks):
            self._tracks.motion = kalman_full.move_camera(self._tracks.motion, motion)
            self._boxes = kalman_full.boxes(self._tracks.motion, self.model).astype(np.float32)

    def _first_cost(self, detections: Detections, rows: Array, columns: Array, iou: Array) -> Array:
        cost, options = super()._first_cost(detections, rows, columns, iou), self.options
        if not options.use_embeddings:
            return cost
        assert detections.embeddings is not None  # checked at the door
        distances = cosine_distances(self._tracks.embeddings, detections.embeddings, rows, columns) / 2
        near_and_alike = (distances <= options.embedding_limit) & (1.0 - iou <= options.proximity_limit)
        return np.where(near_and_alike, np.minimum(cost, distances), cost)

"""The detections of one frame that take part in an update, as the steps of a tracker need them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tracker.arrays import Array
from tracker.detections import Detections
from tracker.motion_models import MotionModel


@dataclass(slots=True, eq=False)
class Candidates:
    """D detections.

    Attributes:
        boxes: (D, 4) float32 xyxy.
        scores: (D,) float32.
        labels: (D,) int64.
        embeddings: (D, E) float32 unit rows; E = 0 where the tracker uses none.
        measurements: (D, 4) float64, the boxes in the coordinates of the motion model.
        indices: (D,) int64, their rows in the detections that `update` was given.
    """

    boxes: Array
    scores: Array
    labels: Array
    embeddings: Array
    measurements: Array
    indices: Array

    def __len__(self) -> int:
        return len(self.indices)

    @classmethod
    def choose(
        cls, detections: Detections, min_score: float, model: MotionModel, with_embeddings: bool = False
    ) -> Candidates:
        """Take the detections whose score is at least `min_score`."""
        indices = (detections.scores >= min_score).nonzero()[0]
        chosen = detections if len(indices) == len(detections) else detections[indices]
        embeddings = chosen.embeddings if with_embeddings else None
        return cls(
            boxes=chosen.boxes,
            scores=chosen.scores,
            labels=chosen.labels,
            embeddings=np.zeros((len(indices), 0), np.float32) if embeddings is None else embeddings,
            measurements=model.from_xyxy(chosen.boxes),
            indices=indices,
        )

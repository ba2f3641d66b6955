"""Shipped weights that take their time: a look at every image in several sizes, and at its mirror image."""

from __future__ import annotations

import numpy as np
import torch
from torchvision.ops import nms

from centertrack.predictor import Predictor
from tracker import Detections
from tracker.boxes import iou_matrix

SAME_PERSON = 0.6  # IoU of what two looks say


class Teacher:
    """Finds more people than one look does: small ones in large inputs, large ones in small inputs.

    Args:
        weights: Name of shipped weights, or a file.
        sizes: Width and height of the network's input, one for every look, each in multiples of 32.
        min_score: Detections below it are dropped.
    """

    def __init__(self, weights: str, sizes: tuple[tuple[int, int], ...], min_score: float) -> None:
        self.predictors = [Predictor(weights, image_size=size, min_score=min_score) for size in sizes]

    def look(self, image: np.ndarray) -> Detections:
        """Find the objects of a (H, W, 3) uint8 RGB image, each once."""
        looks = [predictor(image)[0] for predictor in self.predictors]
        boxes, scores = (np.concatenate([getattr(one, name) for one in looks]) for name in ("boxes", "scores"))
        kept = nms(torch.from_numpy(boxes), torch.from_numpy(scores), SAME_PERSON).numpy()
        embeddings = [one.embeddings for one in looks if one.embeddings is not None]
        return Detections(boxes[kept], scores[kept], None, np.concatenate(embeddings)[kept] if embeddings else None)

    def confirms(self, image: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """Return which of (N, 4) boxes xyxy the mirrored image shows as well, (N,) bool."""
        mirrored = self.look(np.ascontiguousarray(image[:, ::-1])).boxes
        back = mirrored[:, [2, 1, 0, 3]] * (-1, 1, -1, 1) + (image.shape[1], 0, image.shape[1], 0)
        return iou_matrix(boxes, back).max(axis=1, initial=0.0) > SAME_PERSON

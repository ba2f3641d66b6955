"""Who labels what nobody labelled: shipped weights that take their time, or a larger detector."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import openvino
import torch
from torchvision.ops import nms

from centertrack.predictor import Predictor
from tracker import Detections

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


class OpenVinoDetector:
    """A detector of Intel's Open Model Zoo that gives boxes in pixels of its input.

    Args:
        path: An OpenVINO model (`.xml`), input BGR in [0, 255], outputs `boxes` (N, 5) and `labels` (N,).
        size: Width and height of the input, multiples of 32.
        min_score: Detections below it are dropped.
        label: The class to look for.
        threads: Of the processor, 0 for all.
    """

    def __init__(self, path: Path, size: tuple[int, int], min_score: float, label: int = 0, threads: int = 0) -> None:
        core = openvino.Core()
        model = core.read_model(path)
        model.reshape([1, 3, size[1], size[0]])
        options = {"INFERENCE_PRECISION_HINT": "f32"} | ({"INFERENCE_NUM_THREADS": threads} if threads else {})
        self.network = core.compile_model(model, "CPU", options)
        self.size, self.min_score, self.label = size, min_score, label

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Find objects in a (H, W, 3) uint8 RGB image: (N, 5) x1 y1 x2 y2 in its pixels, clipped to it, and score."""
        height, width = image.shape[:2]
        scale = min(self.size[0] / width, self.size[1] / height)
        shown = (round(width * scale), round(height * scale))
        canvas = np.full((self.size[1], self.size[0], 3), 114, np.uint8)
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        canvas[: shown[1], : shown[0]] = cv2.resize(image[..., ::-1], shown, interpolation=how)
        rows = self.run(canvas)
        limits = np.array([width, height, width, height], float)
        return np.concatenate((np.clip(rows[:, :4] / scale, 0, limits), rows[:, 4:]), axis=1)

    def run(self, canvas: np.ndarray) -> np.ndarray:
        """Find objects in a BGR image of the input's size: (N, 5) x1 y1 x2 y2 in its pixels, and score."""
        outputs = self.network(canvas.transpose(2, 0, 1)[None].astype(np.float32))
        found = {name: outputs[name] for name in ("boxes", "labels")}
        rows = np.array(found["boxes"], float).reshape(-1, 5)
        return rows[(np.array(found["labels"]).reshape(-1) == self.label) & (rows[:, 4] >= self.min_score)]

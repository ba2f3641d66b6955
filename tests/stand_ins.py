"""Packages of other projects that the documents show and that the tests do not need: the little of them that is used.

Where a package is installed, the snippets use it. The shapes are those of supervision 0.31 and ultralytics 8.4.
"""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import cv2
import numpy as np
import torch


@dataclass
class SupervisionDetections:
    """`supervision.Detections`: (N, 4) xyxy, and columns (N,) or None."""

    xyxy: np.ndarray
    mask: np.ndarray | None = None
    confidence: np.ndarray | None = None
    class_id: np.ndarray | None = None
    tracker_id: np.ndarray | None = None
    data: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for column in (self.confidence, self.class_id, self.tracker_id):
            assert column is None or column.shape == (len(self.xyxy),)

    def __len__(self) -> int:
        return len(self.xyxy)


class BoxAnnotator:
    """`supervision.BoxAnnotator`, and in other words `LabelAnnotator`: draws on the scene that it is given."""

    def annotate(
        self, scene: np.ndarray, detections: SupervisionDetections, labels: list[str] | None = None
    ) -> np.ndarray:
        assert labels is None or len(labels) == len(detections)
        for x1, y1, x2, y2 in detections.xyxy.astype(int).tolist():
            cv2.rectangle(scene, (x1, y1), (x2, y2), (255, 0, 0))
        return scene


class YOLO:
    """`ultralytics.YOLO`: finds one person in the middle of a BGR image."""

    def __init__(self, weights: str) -> None:
        assert weights.endswith(".pt")

    def __call__(self, image: np.ndarray, conf: float = 0.25, verbose: bool = True) -> list[Any]:
        assert image.dtype == np.uint8
        height, width = image.shape[:2]
        xyxy = torch.tensor([[0.4 * width, 0.2 * height, 0.6 * width, 0.8 * height]])
        boxes = SimpleNamespace(xyxy=xyxy, conf=torch.tensor([0.9]), cls=torch.tensor([0.0]))
        return [SimpleNamespace(boxes=boxes, names={0: "person"})]


def install() -> None:
    """Make the packages importable that are not installed."""
    offered: dict[str, dict[str, Any]] = {
        "supervision": {
            "Detections": SupervisionDetections,
            "BoxAnnotator": BoxAnnotator,
            "LabelAnnotator": BoxAnnotator,
        },
        "ultralytics": {"YOLO": YOLO},
    }
    for name, contents in offered.items():
        if importlib.util.find_spec(name) is None:
            module = ModuleType(name)
            vars(module).update(contents)
            sys.modules[name] = module

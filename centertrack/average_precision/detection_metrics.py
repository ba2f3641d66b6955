"""Detection quality without identities: average precision (AP) against COCO or MOTChallenge labels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from centertrack.average_precision.detection_files import NO_BOXES, Image, ImageBoxes, read_labels_and_detections
from tracker.errors import InputError
from tracker.io.atomic import atomic_path
from tracker.text_table import text_table

_NAMES = {
    "AP": "map",
    "AP50": "map_50",
    "AP75": "map_75",
    "AP small": "map_small",
    "AP medium": "map_medium",
    "AP large": "map_large",
}


@dataclass(frozen=True, slots=True)
class DetectionScores:
    """What detections are worth.

    Attributes:
        metrics: AP (mean over IoU 0.50 to 0.95), AP50, AP75, AP by size (COCO's: below 32 x 32, below 96 x 96 pixels),
            AR (recall with all detections); fractions, -1 where no object has that size.
        images: Number of images or frames.
        objects: Labelled boxes that count.
        detections: Detected boxes.
    """

    metrics: dict[str, float]
    images: int
    objects: int
    detections: int

    def rows(self) -> list[list[str]]:
        """Return a header and one row of cells, in percent."""
        cells = ["-" if value < 0 else f"{100 * value:.2f}" for value in self.metrics.values()]
        counts = [str(count) for count in (self.images, self.objects, self.detections)]
        return [[*self.metrics, "images", "objects", "detections"], [*cells, *counts]]

    def table(self) -> str:
        """Return the rows as plain text."""
        return text_table(self.rows(), text_columns=0, has_rule=False)

    def to_dict(self) -> dict[str, float]:
        """Return everything by name, ready for JSON."""
        return {**self.metrics, "images": self.images, "objects": self.objects, "detections": self.detections}

    def write_json(self, path: str | Path) -> None:
        """Write `to_dict` as JSON."""
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(self.to_dict(), indent=1) + "\n", encoding="utf-8")


def evaluate_detections(
    gt: str | Path, detections: str | Path, sequences: list[str] | None = None, max_detections: int = 1000
) -> DetectionScores:
    """Score detections as COCO does, with room for crowds.

    Args:
        gt: A COCO JSON file, or MOTChallenge ground truth as in `tracker.evaluate`. Of MOTChallenge labels pedestrians
            that count are objects; distractors and pedestrians with flag 0 are regions to ignore.
        detections: A COCO JSON file (a list of results, or what `centertrack detect` writes); for MOTChallenge ground
            truth also a folder of SEQUENCE.txt, a folder of sequence folders with det/det.txt, or one txt file.
        sequences: Only these sequences of MOTChallenge ground truth.
        max_detections: The best this many of an image count; COCO's own 100 is less than a crowd.

    Raises:
        InputError: A file is missing or is not what it should be.
    """
    labels, found, images = read_labels_and_detections(Path(gt), Path(detections), sequences)
    unknown = found.keys() - labels.keys()
    if unknown:
        raise InputError(
            f"{detections}: there is a detection in image {min(unknown, key=str)}, of which {gt} knows nothing"
        )
    return _score(labels, found, max_detections, images)


def _score(
    labels: Mapping[Image, ImageBoxes], found: Mapping[Image, ImageBoxes], max_detections: int, images: int
) -> DetectionScores:
    import torch
    from torchmetrics.detection import MeanAveragePrecision

    metric = MeanAveragePrecision(
        backend="faster_coco_eval", max_detection_thresholds=sorted([1, 10, max(max_detections, 11)])
    )
    metric.warn_on_many_detections = False
    for image, objects in labels.items():
        boxes = found.get(image, NO_BOXES)
        metric.update(
            [
                {
                    "boxes": torch.from_numpy(boxes.xyxy),
                    "scores": torch.from_numpy(boxes.extra),
                    "labels": torch.from_numpy(boxes.labels),
                }
            ],
            [
                {
                    "boxes": torch.from_numpy(objects.xyxy),
                    "labels": torch.from_numpy(objects.labels),
                    "iscrowd": torch.from_numpy(objects.extra.astype(np.int64)),
                }
            ],
        )
    result = metric.compute()
    return DetectionScores(
        metrics={
            **{name: float(result[theirs]) for name, theirs in _NAMES.items()},
            "AR": float(result[f"mar_{max(max_detections, 11)}"]),
        },
        images=images,
        objects=sum(int((objects.extra == 0).sum()) for objects in labels.values()),
        detections=sum(len(boxes.xyxy) for boxes in found.values()),
    )

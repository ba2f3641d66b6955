"""Detection quality without identities: average precision (AP) against COCO or MOTChallenge labels."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from centertrack.average_precision.detection_files import Image, ImageBoxes, read_labels_and_detections
from tracker.arrays import Floats
from tracker.errors import InputError
from tracker.io.atomic import atomic_path
from tracker.text_table import text_table

_IOU_50, _IOU_75 = 0, 5  # of COCO's ten thresholds, 0.50 to 0.95
_ALL_SIZES = 0  # of COCO's size ranges
_SIZES = {"small": 1, "medium": 2, "large": 3}


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
    from faster_coco_eval import COCO, COCOeval_faster

    numbers = {image: number for number, image in enumerate(labels, start=1)}
    classes = {int(label) for boxes in [*labels.values(), *found.values()] for label in boxes.labels}
    about: dict[str, Any] = {
        "images": [{"id": number} for number in numbers.values()],
        "categories": [{"id": label} for label in sorted(classes)],
    }
    objects = _annotations(labels, numbers, "iscrowd")
    detections = _annotations(found, numbers, "score")
    # only labels that count are objects; a crowd is a region to ignore
    evaluation = COCOeval_faster(
        COCO({**about, "annotations": objects}), COCO({**about, "annotations": detections}), "bbox", extra_calc=False
    )
    evaluation.params.maxDets = [max_detections]
    evaluation.evaluate()
    evaluation.accumulate()
    precision = np.asarray(evaluation.eval["precision"])  # (IoU, recall, class, size, 1), -1 where there is no object
    recall = np.asarray(evaluation.eval["recall"])  # (IoU, class, size, 1)
    return DetectionScores(
        metrics={
            "AP": _mean(precision[:, :, :, _ALL_SIZES]),
            "AP50": _mean(precision[_IOU_50, :, :, _ALL_SIZES]),
            "AP75": _mean(precision[_IOU_75, :, :, _ALL_SIZES]),
            **{f"AP {size}": _mean(precision[:, :, :, number]) for size, number in _SIZES.items()},
            "AR": _mean(recall[:, :, _ALL_SIZES]),
        },
        images=images,
        objects=sum(int((boxes.extra == 0).sum()) for boxes in labels.values()),
        detections=len(detections),
    )


def _annotations(images: Mapping[Image, ImageBoxes], numbers: Mapping[Image, int], extra: str) -> list[dict[str, Any]]:
    """Return the boxes of all images as COCO annotations; `extra` names their last column."""
    found: list[dict[str, Any]] = []
    for image, boxes in images.items():
        sizes = boxes.xyxy[:, 2:] - boxes.xyxy[:, :2]
        places = np.concatenate([boxes.xyxy[:, :2], sizes], axis=1).astype(np.float64)
        values = boxes.extra.astype(np.int64 if extra == "iscrowd" else np.float64)
        for place, label, value in zip(places.tolist(), boxes.labels.tolist(), values.tolist(), strict=True):
            found.append(
                {
                    "id": len(found) + 1,
                    "image_id": numbers[image],
                    "category_id": label,
                    "bbox": place,
                    "area": place[2] * place[3],
                    "iscrowd": 0,
                    extra: value,
                }
            )
    return found


def _mean(values: Floats) -> float:
    """Return the mean of what is defined; -1 where nothing is."""
    defined = values[values > -1]
    return float(defined.mean()) if defined.size else -1.0

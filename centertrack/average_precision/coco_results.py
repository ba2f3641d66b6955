"""Detections as COCO-style JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typing_extensions import override

from tracker.detections import Detections
from tracker.io.atomic import OutputFile


class CocoWriter(OutputFile):
    """Collects the detections of images and writes them as one JSON object: images, annotations, categories.

    Annotations are COCO results (image_id, category_id, bbox as x y width height in pixels, score) with an id and an
    area, so that tools for ground truth and tools for results both read them. Ids count from 1; category_id is the
    label + 1.

    Args:
        path: The file; it takes its name when it is complete; after an exception what was found so far is kept beside
            it, see `OutputFile`.
        class_names: Name of each label; a label beyond them is named by its number.

    Raises:
        InputError: The file cannot be written.
    """

    def __init__(self, path: str | Path, class_names: list[str]) -> None:
        super().__init__(path)
        self._images: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []
        self._class_names = list(class_names)

    def write(self, file_name: str, size: tuple[int, int], detections: Detections) -> None:
        """Add an image of this (width, height) and what was found in it."""
        image_id = len(self._images) + 1
        self._images.append({"id": image_id, "file_name": file_name, "width": size[0], "height": size[1]})
        rows = zip(detections.boxes.tolist(), detections.scores.tolist(), detections.labels.tolist(), strict=True)
        for (x1, y1, x2, y2), score, label in rows:
            width, height = x2 - x1, y2 - y1
            self._annotations.append(
                {
                    "id": len(self._annotations) + 1,
                    "image_id": image_id,
                    "category_id": label + 1,
                    "bbox": [round(value, 2) for value in (x1, y1, width, height)],
                    "area": round(width * height, 2),
                    "score": round(score, 4),
                    "iscrowd": 0,
                }
            )

    @override
    def _finish(self) -> None:
        most = max((annotation["category_id"] for annotation in self._annotations), default=0)
        names = self._class_names + [f"class {i}" for i in range(len(self._class_names), most)]
        categories = [{"id": i, "name": name} for i, name in enumerate(names, start=1)]
        content = {"images": self._images, "annotations": self._annotations, "categories": categories}
        self.temporary.write_text(json.dumps(content) + "\n", encoding="utf-8")

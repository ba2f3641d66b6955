from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from mark_unlabelled import WIDTH_FACTORS, mark_unlabelled

from tracker import Detections, InputError


def test_people_without_a_label_become_crowd_regions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    class Finder:
        """Finds somebody at x 10 to 20 and somebody at x 50 to 60 of the stored image, however wide it is shown."""

        def __init__(self, weights: str, min_score: float) -> None:
            pass

        def __call__(self, image: np.ndarray) -> list[Detections]:
            factor = image.shape[1] / 100
            seen.append(factor)
            boxes = np.array([[10, 10, 20, 40], [50, 10, 60, 40]], np.float32) * [factor, 1, factor, 1]
            return [Detections(boxes, np.array([0.9, 0.8]), np.zeros(2, int))]

    monkeypatch.setattr("mark_unlabelled.Predictor", Finder)
    for name in WIDTH_FACTORS:
        folder = tmp_path / "detection" / name
        (folder / "images").mkdir(parents=True)
        cv2.imwrite(str(folder / "images" / "a.png"), np.zeros((50, 100, 3), np.uint8))
        content = {
            "images": [{"id": 3, "file_name": "a.png"}],
            "annotations": [{"id": 7, "image_id": 3, "category_id": 1, "bbox": [11, 10, 10, 30]}],
            "categories": [{"id": 1, "name": "person"}],
        }
        (folder / "person.json").write_text(json.dumps(content))
    mark_unlabelled(tmp_path, tmp_path / "marked")
    assert seen == list(WIDTH_FACTORS.values())
    for name in WIDTH_FACTORS:
        first, added = json.loads((tmp_path / "marked" / f"{name}.json").read_text())["annotations"]
        assert first["bbox"] == [11, 10, 10, 30]
        assert added == {"id": 8, "image_id": 3, "category_id": 1, "bbox": [50, 10, 10, 30], "area": 300, "iscrowd": 1}
    (tmp_path / "detection" / name / "images" / "a.png").unlink()
    with pytest.raises(InputError, match=r"cannot read the image .*a\.png"):
        mark_unlabelled(tmp_path, tmp_path / "again")

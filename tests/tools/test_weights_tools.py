from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from mark_unlabelled import WIDTH_FACTORS, mark_unlabelled
from picture_failures import Verdict, judge, worst
from teacher import Teacher

from tracker import Detections, InputError


def test_a_teacher_says_once_whom_several_looks_find(monkeypatch: pytest.MonkeyPatch) -> None:
    class Finder:
        """Finds a large person in small inputs, a small one in large inputs, and somebody in all of them."""

        def __init__(self, weights: str, image_size: tuple[int, int], min_score: float) -> None:
            self.size = image_size

        def __call__(self, image: np.ndarray) -> list[Detections]:
            is_small = self.size == (64, 64)
            own = [10, 0, 60, 100] if is_small else [150, 50, 155, 60]
            shared = [80 + is_small, 20, 100, 60]
            embeddings = np.eye(2)[[int(is_small), int(is_small)]]
            return [Detections([own, shared], [0.5, 0.9 if is_small else 0.8], None, embeddings)]

    monkeypatch.setattr("teacher.Predictor", Finder)
    teacher = Teacher("any", ((64, 64), (320, 160)), 0.1)
    image = np.zeros((100, 200, 3), np.uint8)
    found = teacher.look(image)
    order = np.argsort(found.boxes[:, 0])
    assert found.boxes[order].tolist() == [[10, 0, 60, 100], [81, 20, 100, 60], [150, 50, 155, 60]]
    np.testing.assert_allclose(found.scores[order], [0.5, 0.9, 0.5])
    assert found.embeddings[order].tolist() == [[0, 1], [0, 1], [1, 0]]


def test_people_without_a_label_become_crowd_regions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    class Finder:
        """Finds somebody at x 10 to 20 and somebody at x 50 to 60 of the stored image, however wide it is shown."""

        def __init__(self, weights: str, image_size: tuple[int, int], min_score: float) -> None:
            pass

        def __call__(self, image: np.ndarray) -> list[Detections]:
            factor = image.shape[1] / 100
            seen.append(factor)
            boxes = np.array([[10, 10, 20, 40], [50, 10, 60, 40]], np.float32) * [factor, 1, factor, 1]
            return [Detections(boxes, np.array([0.9, 0.8]), np.zeros(2, int))]

    monkeypatch.setattr("teacher.Predictor", Finder)
    monkeypatch.setattr("mark_unlabelled.SIZES", ((64, 64),))
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


def test_failures_are_what_was_missed_and_what_was_invented() -> None:
    truth = np.array([[0, 0, 10, 20], [50, 0, 60, 20]], float)
    boxes = np.array([[0, 0, 10, 18], [49, 12, 59, 32], [80, 0, 90, 20]], float)
    found, missed, invented = judge(boxes, truth)
    assert found.tolist() == [[0, 0, 10, 18]]
    assert missed.tolist() == [[50, 0, 60, 20]]
    assert invented.tolist() == [[49, 12, 59, 32], [80, 0, 90, 20]]
    assert [len(part) for part in judge(boxes[:0], truth)] == [0, 2, 0]


def test_the_worst_frames_lie_apart() -> None:
    mistakes = {1: 5, 2: 9, 20: 8, 27: 4, 60: 0}
    verdicts = {n: Verdict(np.zeros((0, 4)), np.zeros((m, 4)), np.zeros((0, 4))) for n, m in mistakes.items()}
    assert worst(verdicts, 2) == [2, 27]

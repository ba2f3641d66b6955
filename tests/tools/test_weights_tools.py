from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from label_videos import label_videos
from mark_unlabelled import WIDTH_FACTORS, mark_unlabelled
from picture_failures import Verdict, judge, worst
from teacher import Teacher

from centertrack.data.formats.registry import open_labels
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
    # Mirrored, the large one is at 140 to 190 and the small one at 45 to 50; only who is in the middle is where it was.
    places = np.array([[140, 0, 190, 100], [10, 0, 60, 100], [100, 20, 120, 60]], float)
    assert teacher.confirms(image, places).tolist() == [True, False, True]


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


def test_videos_are_labelled_where_a_mirrored_look_agrees_and_something_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Finder:
        """Finds a post, somebody who walks, and in images that are not mirrored a ghost."""

        def __init__(self, weights: str, image_size: tuple[int, int], min_score: float) -> None:
            pass

        def __call__(self, image: np.ndarray) -> list[Detections]:
            number, is_mirrored = int(image[0].max()), image[0, -1, 0] > 0
            left = 60 + 2 * number
            boxes = np.array([[10, 10, 20, 40], [left, 20, left + 10, 50], [150, 10, 160, 40]], np.float32)
            if is_mirrored:
                boxes = boxes[:2, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [200, 0, 200, 0]
            return [Detections(boxes, np.full(len(boxes), 0.9), np.zeros(len(boxes), int))]

    monkeypatch.setattr("teacher.Predictor", Finder)
    monkeypatch.setattr("label_videos.VIDEOS", ("walk",))
    (tmp_path / "videos" / "walk").mkdir(parents=True)
    for number in range(1, 31):
        image = np.zeros((80, 200, 3), np.uint8)
        image[0, 0] = number
        cv2.imwrite(str(tmp_path / "videos" / "walk" / f"{number:02d}.png"), image)
    label_videos(tmp_path, tmp_path / "labelled", step=10)
    labels = open_labels("mot", tmp_path / "labelled")
    assert [entry.frame for entry in labels.entries] == [1, 2, 3]
    for i, number in enumerate((10, 20, 30)):
        sample = labels[i]
        np.testing.assert_allclose(sample.boxes, [[60 + 2 * number, 20, 70 + 2 * number, 50]], atol=0.01)
        np.testing.assert_allclose(sorted(sample.ignore[:, 0]), [10, 150], atol=0.01)
    assert len({int(labels[i].ids[0]) for i in range(3)}) == 1


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

"""Every family of detectors, on a graph with known boxes: input 64x64, so that boxes are in its pixels.

The image has the colour (204, 102, 51). One score of each graph is the mean of the first channel times a factor: so a
wrong scale or order of the channels is a wrong score.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from centertrack.predictor import Predictor
from tests.centertrack.runtime.detectors.graphs import save, write_detector
from tracker.detections import Detections
from tracker.errors import InputError

IMAGE = np.full((64, 64, 3), (204, 102, 51), np.uint8)
CELLS = 64 + 16 + 4  # of strides 8, 16, 32
LETTERS = {"names": "{0: 'a', 1: 'b', 2: 'c'}"}


def find(path: Path, runtime: str = "openvino", **options: Any) -> Detections:
    return Predictor(path, device="cpu", runtime=runtime, detector_options=options)(IMAGE)[0]


def assert_found(found: Detections, boxes: list[list[float]], scores: list[float], labels: list[int]) -> None:
    np.testing.assert_allclose(found.boxes, boxes, atol=1e-3)
    np.testing.assert_allclose(found.scores, scores, atol=1e-4)
    assert found.labels.tolist() == labels


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "detector.onnx"


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_yolo(file: Path, runtime: str) -> None:
    rows = np.zeros((1, 7, CELLS))
    rows[0, :, 0] = (20, 30, 8, 16, 0, 0.1, 0)  # class 0 by its brightness, 204 / 255
    rows[0, :, 1] = (20.5, 30, 8, 16, 0.5, 0, 0)  # the same object
    rows[0, :, 2] = (20.5, 30, 8, 16, 0, 0, 0.6)  # the same place, another class
    rows[0, :, 83] = (50, 50, 10, 10, 0, 0.7, 0.2)
    write_detector(file, {"output0": rows}, ("output0", (0, 4, 0), 1.0), metadata=LETTERS)
    found = find(file, runtime)
    assert_found(
        found,
        [[16, 22, 24, 38], [45, 45, 55, 55], [16.5, 22, 24.5, 38]],
        [0.8, 0.7, 0.6],
        [0, 1, 2],
    )


def test_yolo_with_masks_is_read_as_far_as_its_classes(file: Path) -> None:
    rows = np.zeros((1, 4 + 1 + 32, CELLS))
    rows[0, :5, 3], rows[0, 5:, 3] = (20, 30, 8, 16, 0.9), 5.0
    outputs = {"output0": rows, "output1": np.zeros((1, 32, 16, 16))}
    write_detector(file, outputs, metadata={"names": "{0: 'person'}", "task": "segment"})
    assert_found(find(file), [[16, 22, 24, 38]], [0.9], [0])


def test_yolo_with_objectness(file: Path) -> None:
    rows = np.zeros((1, 3 * CELLS, 7))
    rows[0, 0] = (20, 30, 8, 16, 0, 0.25, 0.5)  # objectness 0.8 by its brightness, times 0.5
    rows[0, 251] = (50, 50, 10, 10, 0.5, 1, 0)
    write_detector(file, {"output": rows}, ("output", (0, 0, 4), 1.0))
    assert_found(find(file), [[45, 45, 55, 55], [16, 22, 24, 38]], [0.5, 0.4], [0, 1])


def test_yolo_whose_objectness_is_always_1(file: Path) -> None:
    rows = np.zeros((1, CELLS, 7))
    rows[0, :, 4] = 1
    rows[0, 5] = (20, 30, 8, 16, 1, 0, 0.1)
    write_detector(file, {"output": rows}, ("output", (0, 5, 5), 1.0))
    assert_found(find(file), [[16, 22, 24, 38]], [0.8], [0])


def test_yolox(file: Path) -> None:
    rows = np.zeros((1, CELLS, 7))
    rows[0, :, :2] = 0.5
    rows[0, 10] = (0.5, 0.25, math.log(2), math.log(3), 0, 0, 0.9)  # stride 8, row 1, column 2; 51 x 0.01 x 0.9
    rows[0, 83] = (0, 0.5, 0, math.log(0.5), 0.5, 0.8, 0)  # stride 32, row 1, column 1
    write_detector(file, {"output": rows}, ("output", (0, 10, 4), 0.01))
    assert_found(find(file), [[12, -2, 28, 22], [16, 40, 48, 56]], [0.459, 0.4], [1, 0])


def test_yolox_that_is_decoded_already(file: Path) -> None:
    rows = np.zeros((1, CELLS, 7))
    columns = np.concatenate([(np.arange(64 // s) + 0.5) * s for s in (8, 16, 32) for _ in range(64 // s)])
    lines = np.concatenate([np.repeat((np.arange(64 // s) + 0.5) * s, 64 // s) for s in (8, 16, 32)])
    rows[0, :, 0], rows[0, :, 1] = columns, lines
    rows[0, 10] = (20, 10, 16, 24, 0, 0, 0.9)
    write_detector(file, {"output": rows}, ("output", (0, 10, 4), 0.01))
    assert_found(find(file), [[12, -2, 28, 22]], [0.459], [1])


def test_end_to_end(file: Path) -> None:
    rows = np.zeros((1, 300, 6))
    rows[0, 0] = (16, 22, 24, 38, 0, 2)
    rows[0, 1] = (16, 22, 24, 38, 0.3, 2)  # what the graph gives twice is there twice
    write_detector(file, {"output0": rows}, ("output0", (0, 0, 4), 1.0), metadata=LETTERS)
    assert_found(find(file), [[16, 22, 24, 38]] * 2, [0.8, 0.3], [2, 2])


def test_rtdetr_in_one_output(file: Path) -> None:
    rows = np.zeros((1, 300, 7))
    rows[0, 7] = (0.25, 0.5, 0.125, 0.25, 0, 0, 0.2)
    metadata = {**LETTERS, "description": "Ultralytics rtdetr-l model"}
    write_detector(file, {"output0": rows}, ("output0", (0, 7, 5), 1.0), metadata=metadata)
    assert_found(find(file), [[12, 24, 20, 40]], [0.8], [1])


@pytest.mark.parametrize(("classes", "label"), [(3, 2), (2, 1)])
def test_rtdetr_that_tells_the_best_class_only(file: Path, classes: int, label: int) -> None:
    rows = np.zeros((1, 300, 6))
    rows[0, 7] = (0.25, 0.5, 0.125, 0.25, 0, label)
    names = "{0: 'a', 1: 'b', 2: 'c'}" if classes == 3 else "{0: 'a', 1: 'b'}"
    metadata = {"names": names, "description": "Ultralytics rtdetr-l model"}
    write_detector(file, {"output0": rows}, ("output0", (0, 7, 4), 1.0), metadata=metadata)
    assert_found(find(file), [[12, 24, 20, 40]], [0.8], [label])


def test_rtdetr_with_scores_of_two_classes(file: Path) -> None:
    rows = np.zeros((1, 300, 6))
    rows[0, 7] = (0.25, 0.5, 0.125, 0.25, 0, 0.3)
    metadata = {"names": "{0: 'a', 1: 'b'}", "description": "Ultralytics rtdetr-l model"}
    write_detector(file, {"output0": rows}, ("output0", (0, 7, 4), 1.0), metadata=metadata)
    assert_found(find(file), [[12, 24, 20, 40]], [0.8], [0])


def detr_outputs(classes: int) -> tuple[np.ndarray, np.ndarray]:
    boxes, logits = np.zeros((1, 10, 4)), np.full((1, 10, classes), -9.0)
    boxes[0, 3] = (0.25, 0.5, 0.125, 0.25)
    logits[0, 3, 1] = 0
    return boxes, logits


@pytest.mark.parametrize("image", [(1, 3, 64, 64), ("batch", "channels", 64, 64)])
def test_detr(file: Path, image: tuple[int | str, ...]) -> None:
    boxes, logits = detr_outputs(classes=3)
    write_detector(file, {"logits": logits, "pred_boxes": boxes}, ("logits", (0, 3, 1), 1.0), image=image)
    assert_found(find(file), [[12, 24, 20, 40]], [1 / (1 + math.exp(-0.8))], [1])


def test_detr_whose_scores_are_between_0_and_1_already(file: Path) -> None:
    boxes, logits = detr_outputs(classes=3)
    scores = np.where(logits < 0, 0.01, 0)
    write_detector(file, {"logits": scores, "pred_boxes": boxes}, ("logits", (0, 3, 1), 1.0))
    assert_found(find(file), [[12, 24, 20, 40]], [0.8], [1])


def test_boxes_and_scores_of_a_grid_are_not_taken_for_queries(file: Path) -> None:
    write_detector(file, {"boxes": np.zeros((1, 4420, 4)), "scores": np.zeros((1, 4420, 2))})
    with pytest.raises(InputError, match="cannot tell what kind of detector this is"):
        find(file)


def test_detr_with_four_classes_is_told_by_its_names(file: Path) -> None:
    boxes, logits = detr_outputs(classes=4)
    write_detector(file, {"logits": logits, "pred_boxes": boxes}, ("logits", (0, 3, 1), 1.0))
    assert_found(find(file), [[12, 24, 20, 40]], [1 / (1 + math.exp(-0.8))], [1])


def test_rf_detr_has_cocos_own_category_ids(file: Path) -> None:
    boxes, logits = detr_outputs(classes=91)
    write_detector(file, {"dets": boxes, "labels": logits}, ("labels", (0, 3, 1), 1.0))
    score = 1 / (1 + math.exp(-(0.8 - 0.485) / 0.229))
    assert_found(find(file, class_names="coco90"), [[12, 24, 20, 40]], [score], [0])  # id 1, a person


def test_detr_with_the_size_as_a_second_input(file: Path) -> None:
    boxes = np.zeros((1, 5, 4), np.float32)
    boxes[0, 2] = (0.25, 0.5, 0.5, 0.75)
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "picks"], ["scores"]),
        helper.make_node("Cast", ["orig_target_sizes"], ["sizes"], to=TensorProto.FLOAT),
        helper.make_node("Concat", ["sizes", "sizes"], ["twice"], axis=1),
        helper.make_node("Mul", ["fractions", "twice"], ["boxes"]),
        helper.make_node("Identity", ["classes"], ["labels"]),
    ]
    constants = {
        "fractions": boxes,
        "picks": np.array([[0, 0, 1, 0, 0]], np.float32),
        "classes": np.array([[0, 0, 7, 0, 0]]),
    }
    inputs = {"images": ("float32", (1, 3, 64, 64)), "orig_target_sizes": ("int64", (1, 2))}
    save(file, nodes, inputs, {"labels": "int64", "boxes": "float32", "scores": "float32"}, constants)
    assert_found(find(file), [[16, 32, 32, 48]], [(204 + 102 + 51) / 3 / 255], [7])


@pytest.mark.parametrize("image", [(1, 3, 64, 64), (3, 64, 64)])
def test_torchvision(file: Path, image: tuple[int, ...]) -> None:
    outputs = {"boxes": np.array([[1.0, 2, 30, 40], [5, 6, 7, 8]]), "scores": np.zeros(2), "labels": np.array([1, 3])}
    write_detector(file, outputs, ("scores", (0,), 1.0), image=image)
    assert_found(find(file), [[1, 2, 30, 40]], [0.8], [0])


def test_nanodet(file: Path) -> None:
    rows = np.full((1, CELLS + 1, 3 + 32), 0.0)  # and one cell of stride 64
    sides = np.full((4, 8), -30.0)
    sides[[0, 1, 2, 3], [1, 2, 3, 4]] = 30  # 1, 2, 3 and 4 cells
    sides[0, 3] = 30  # or 3: 2 cells on the left
    rows[0, 10, 3:] = sides.ravel()  # stride 8, row 1, column 2: corner (16, 8)
    write_detector(file, {"output": rows}, ("output", (0, 10, 2), -0.5))
    score = -0.5 * (51 - 103.53) / 57.375
    assert_found(find(file), [[0, -8, 40, 40]], [score], [2])


def test_ssd(file: Path) -> None:
    rows = np.zeros((1, 1, 4, 7))
    rows[0, 0, 0] = (0, 1, 0, 0.25, 0.5, 0.5, 0.75)
    rows[0, 0, 1] = (0, 2, 0.2, 0, 0, 1, 1)
    rows[0, 0, 2] = (-1, 1, 0.9, 0, 0, 1, 1)  # the end
    rows[0, 0, 3] = (0, 1, 0.9, 0, 0, 1, 1)
    write_detector(file, {"detection_out": rows}, ("detection_out", (0, 0, 0, 2), 0.01))
    assert_found(find(file), [[16, 32, 32, 48], [0, 0, 64, 64]], [0.51, 0.2], [0, 1])


def test_boxes_and_labels(file: Path) -> None:
    outputs = {"boxes": np.array([[1.0, 2, 30, 40, 0], [5, 6, 7, 8, 0]]), "labels": np.array([1, 0])}
    write_detector(file, outputs, ("boxes", (0, 4), 0.01))
    assert_found(find(file), [[1, 2, 30, 40]], [0.51], [1])

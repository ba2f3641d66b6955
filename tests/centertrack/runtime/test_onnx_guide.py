"""The program of docs/onnx.md on an exported file finds what our own predictor finds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from centertrack.models import from_pretrained
from centertrack.predictor import Predictor
from centertrack.runtime.export import export_model
from centertrack.synthetic import SceneConfig, StreetScene
from tests.conftest import PROJECT
from tracker.boxes import iou_matrix

PROGRAM, COMPARISON = re.findall(
    r"^```python\n(.*?)^```$", (PROJECT / "docs" / "onnx.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
)


@pytest.mark.parametrize(
    ("weights", "input_size", "source_size", "least"),
    [
        ("fairmot-nano", (640, 384), (960, 540), 5),
        pytest.param("fairmot-small", (480, 288), (960, 540), 5, marks=pytest.mark.slow),  # boxes are suppressed
        pytest.param("fairmot-small", (480, 288), (360, 480), 3, marks=pytest.mark.slow),  # padded at the sides
    ],
)
def test_plain_onnx_runtime_finds_the_same_boxes(
    weights: str,
    input_size: tuple[int, int],
    source_size: tuple[int, int],
    least: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    image = StreetScene(SceneConfig(size=source_size, seed=4, people=12)).frame(8).frame.image
    cv2.imwrite("photos/1.jpg", image[..., ::-1])
    export_model(from_pretrained(weights), "nano.onnx", image_size=input_size)
    names: dict[str, Any] = {}
    exec(PROGRAM, names)
    image = names["image"]
    expected = Predictor(weights, "cpu", image_size=input_size, precision="f32", min_score=0.2)(image)[0]
    boxes, scores, labels, embeddings = names["find"](image, 0.2)
    assert len(boxes) >= least
    assert boxes.shape == expected.boxes.shape
    pairs = iou_matrix(boxes, expected.boxes).argmax(axis=1)  # scores that differ by rounding may change places
    assert sorted(pairs) == list(range(len(boxes)))
    np.testing.assert_allclose(boxes, expected.boxes[pairs], atol=0.01)
    np.testing.assert_allclose(scores, expected.scores[pairs], atol=1e-3)
    np.testing.assert_allclose(embeddings, expected.embeddings[pairs], atol=1e-2)
    assert labels.tolist() == expected.labels[pairs].tolist()
    if weights == "fairmot-nano":
        exec(COMPARISON, names)
        distance, rest = capsys.readouterr().out.split(maxsplit=1)
        assert float(distance) < 0.01
        assert rest == "pixels apart\n"

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.centertrack.runtime.detectors.graphs import write_detector

CELLS = 20 * 12 + 10 * 6 + 5 * 3  # of an input of 160x96, as large as the clip
NAMES = {"names": "{0: 'person', 1: 'car', 2: 'dog'}"}


@pytest.fixture
def yolo(tmp_path: Path) -> list[str]:
    """Options for a detector that sees a person, half of whom is left of the image, and a car."""
    rows = np.zeros((1, 7, CELLS))
    rows[0, :, 0] = (5, 50, 20, 40, 0.9, 0, 0)
    rows[0, :, 1] = (100, 50, 40, 20, 0, 0.8, 0)
    path = write_detector(tmp_path / "yolo.onnx", {"output0": rows}, image=(1, 3, 96, 160), metadata=NAMES)
    return ["--weights", str(path), "--device", "cpu"]

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from centertrack import Predictor
from centertrack.runtime.shipped import has_int8, write_shipped
from centertrack.runtime.weights import find_weights, open_weights
from centertrack.synthetic import SceneConfig, StreetScene
from tests.conftest import PROJECT
from tracker.errors import InputError

pytest.importorskip("nncf", reason="the extra [quantise] is not installed")
sys.path.insert(0, str(PROJECT / "tools"))
from quantise_weights import quantise_weights

pytestmark = pytest.mark.slow


@pytest.fixture
def picture() -> np.ndarray:
    return StreetScene(SceneConfig(size=(320, 192), seconds=0.1, people=6, seed=3)).frame(0).frame.image


@pytest.fixture
def converted(tmp_path: Path) -> Path:
    """A copy of shipped weights with an exact conversion beside it."""
    path = Path(shutil.copy(find_weights("fairmot-nano"), tmp_path))
    write_shipped(path)
    return path


@pytest.fixture
def pictures(tmp_path: Path, picture: np.ndarray) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(4):
        cv2.imwrite(str(folder / f"{number}.png"), np.roll(picture, 20 * number, axis=1))
    return folder


def test_a_quantised_graph_joins_the_exact_one(converted, pictures, picture):
    exact = Predictor(converted, device="cpu", precision="f32")(picture)[0]
    assert not has_int8(open_weights(converted))
    quantise_weights(str(converted), pictures, 4)
    assert has_int8(open_weights(converted))
    fast = Predictor(converted, device="cpu", precision="int8")
    again = Predictor(converted, device="cpu", precision="f32")(picture)[0]
    assert fast.runtime.precision == "int8"
    np.testing.assert_array_equal(again.boxes, exact.boxes)
    found = fast(picture)[0]
    assert len(found)
    assert not np.array_equal(found.scores[:3], exact.scores[:3])
    assert fast(np.zeros((128, 96, 3), np.uint8))  # of another shape


def test_a_folder_without_pictures_is_told(converted, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="expected a folder of pictures"):
        quantise_weights(str(converted), tmp_path / "empty")

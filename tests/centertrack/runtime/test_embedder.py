"""Embeddings for the boxes of detectors that have none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from centertrack.models import save_weights
from centertrack.predictor import Predictor
from centertrack.runtime.crops import CropNetwork
from centertrack.runtime.embedder import open_embedder
from centertrack.runtime.reid_map import ReidMap
from tests.centertrack.conftest import small_network
from tests.centertrack.runtime.detectors.graphs import write_colour_yolo, write_crop_network, write_detector
from tracker.errors import InputError


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("name", ["fairmot-nano", "fairmot-small", "fairmot-base"])
def test_our_own_head_gives_its_own_boxes_what_the_network_gives_them(name: str, street: np.ndarray) -> None:
    own = Predictor(name, device="cpu", min_score=0.4)(street)[0]
    assert own.embeddings is not None
    assert len(own) >= 3
    again = unit(ReidMap(name)(street, own.boxes))
    alike = (again * own.embeddings).sum(axis=1)
    assert (alike > 0.999).mean() > 0.8  # the peak of a box lies in the cell of its centre, or beside it
    others = again @ own.embeddings.T
    assert (others.argmax(axis=1) == np.arange(len(own))).mean() > 0.8


@pytest.fixture(scope="module")
def street() -> np.ndarray:
    from centertrack.synthetic import DEMO_SCENE, StreetScene

    return StreetScene(DEMO_SCENE).frame(40).frame.image


def test_a_detector_with_our_head(tmp_path: Path, picture: np.ndarray, weights: Path) -> None:
    detector = write_colour_yolo(tmp_path / "yolo.onnx", (1, 3, 96, 160))
    predictor = Predictor(detector, device="cpu", embeddings=weights)
    assert predictor.has_embeddings
    found = predictor(picture)[0]
    assert found.embeddings is not None
    assert found.embeddings.shape == (len(found), 16)
    np.testing.assert_allclose(np.linalg.norm(found.embeddings, axis=1), 1, atol=1e-5)


def test_crops_are_seen_as_the_options_say(tmp_path: Path) -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    image[10:30, 20:40] = (255, 102, 51)
    path = write_crop_network(tmp_path / "reid.onnx")
    boxes = np.array([[20.0, 10, 40, 30], [0, 0, 10, 10]])
    plain = {"mean": 0, "std": 1}
    np.testing.assert_allclose(CropNetwork(path, plain)(image, boxes), [[1, 0.4, 0.2], [0, 0, 0]], atol=1e-5)
    turned = CropNetwork(path, {**plain, "channel_order": "bgr", "scale": 1})(image, boxes)
    np.testing.assert_allclose(turned, [[51, 102, 255], [0, 0, 0]], atol=1e-3)
    default = CropNetwork(path)(image, boxes[:1])
    np.testing.assert_allclose(
        default, [[(1 - 0.485) / 0.229, (0.4 - 0.456) / 0.224, (0.2 - 0.406) / 0.225]], atol=1e-4
    )


@pytest.mark.parametrize("shape", [("batch", 3, 32, 16), (1, 3, 32, 16), (4, 3, "h", "w")])
def test_any_number_of_crops(tmp_path: Path, shape: tuple[int | str, ...]) -> None:
    network = CropNetwork(write_crop_network(tmp_path / "reid.onnx", shape), {"mean": 0, "std": 1})
    image = np.repeat(np.arange(100, dtype=np.uint8)[None, :, None], 20, axis=0).repeat(3, axis=2)
    for count in (0, 1, 9):
        boxes = np.array([[10 * i, 0, 10 * i + 10, 20] for i in range(count)], float).reshape(-1, 4)
        found = network(image, boxes)
        assert found.shape == (count, 3)
        np.testing.assert_allclose(found[:, 0] * 255, 10 * np.arange(count) + 4.5, atol=0.6)


def test_boxes_beyond_the_image_are_seen_as_its_border(tmp_path: Path) -> None:
    network = CropNetwork(write_crop_network(tmp_path / "reid.onnx"), {"mean": 0, "std": 1})
    image = np.full((20, 20, 3), 51, np.uint8)
    boxes = np.array([[-30.0, -30, -10, -10], [50, 50, 60, 60], [-5, 5, 40, 8]])
    np.testing.assert_allclose(network(image, boxes), np.full((3, 3), 0.2), atol=1e-5)


def test_what_makes_no_embeddings_is_refused(tmp_path: Path) -> None:
    save_weights(small_network("detection"), tmp_path / "boxes.safetensors")
    detector = write_detector(tmp_path / "yolo.onnx", {"a": np.zeros((1, 7, 84)), "b": np.zeros((1, 3))})
    with pytest.raises(InputError, match=r"boxes\.safetensors has no re-identification head; use fairmot"):
        open_embedder(tmp_path / "boxes.safetensors")
    with pytest.raises(InputError, match="is no network for embeddings"):
        open_embedder(detector)
    with pytest.raises(InputError, match="no weights 'fairmot-nanno'"):
        open_embedder("fairmot-nanno")
    with pytest.raises(InputError, match="fairmot-nano has no options, got scale"):
        open_embedder("fairmot-nano", {"scale": 1})
    with pytest.raises(InputError, match="the embedding network has no option 'scal'; did you mean scale"):
        open_embedder(write_crop_network(tmp_path / "reid.onnx"), {"scal": 1})
    with pytest.raises(InputError, match="belong to a network for embeddings, and none is given"):
        Predictor("fairmot-nano", device="cpu", embedding_options={"scale": 1})

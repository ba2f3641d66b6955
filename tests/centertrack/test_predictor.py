from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from safetensors.numpy import save_file

from centertrack.geometry import fit_input_size
from centertrack.models import save_weights
from centertrack.predictor import Predictor
from centertrack.runtime.contract import DecodeOptions, RawDetections
from tests.centertrack.conftest import CLIP_SIZE, small_network
from tracker.errors import InputError


class WholeInput:
    """A runtime that always finds the same two boxes: a quarter of the input, and a weak one."""

    name, streams = "fake", 1

    def __init__(self, dim: int = 2) -> None:
        self.shapes: list[tuple[int, ...]] = []
        self.dim = dim

    def __call__(self, images: np.ndarray) -> RawDetections:
        self.shapes.append(images.shape)
        count, height, width = images.shape[:3]
        boxes = np.array([[width / 4, height / 4, width / 2, height / 2], [0, 0, 1, 1]], np.float32)
        return RawDetections(
            np.tile(boxes, (count, 1, 1)),
            np.tile(np.array([0.9, 0.05], np.float32), (count, 1)),
            np.zeros((count, 2), np.int64),
            np.ones((count, 2, self.dim), np.float32) / max(self.dim, 1) ** 0.5,
        )


@pytest.fixture
def predictor(weights: Path) -> Predictor:
    predictor = Predictor(weights)
    predictor.runtime = WholeInput()
    return predictor


@pytest.mark.parametrize("size", [(160, 96), (1280, 720), (640, 480), (480, 640), (97, 31)])
def test_boxes_come_back_in_source_pixels(predictor, size):
    width, height = size
    (found,) = predictor([np.zeros((height, width, 3), np.uint8)])
    input_height, input_width = predictor.runtime.shapes[0][1:3]
    scale = min(input_width / width, input_height / height)
    shown = np.array([width * scale, height * scale])
    margin = (np.array([input_width, input_height]) - shown) / 2
    corner = (np.array([input_width, input_height]) / 4 - margin) / scale
    np.testing.assert_allclose(found.boxes[0, :2], corner, atol=1.5 / scale)


def test_a_source_in_the_shape_of_the_input_needs_no_padding(predictor):
    (found,) = predictor(np.zeros((192, 320, 3), np.uint8))
    np.testing.assert_allclose(found.boxes, [[80, 48, 160, 96]])


def test_weak_detections_are_left_out(predictor):
    (found,) = predictor(np.zeros((96, 160, 3), np.uint8))
    assert found.scores.tolist() == pytest.approx([0.9])
    assert found.embeddings.shape == (1, 2)


def test_boxes_of_negative_size_are_left_out(predictor):
    """Published networks do not clamp their distances, and say so where they are sure of nothing."""
    plain = predictor.runtime

    def inverted(images: np.ndarray) -> RawDetections:
        found = plain(images)
        found.scores[:, 1] = 0.8
        found.boxes[:, 1] = [10, 10, 9, 20]
        return found

    predictor.runtime = inverted
    (found,) = predictor(np.zeros((96, 160, 3), np.uint8))
    assert found.scores.tolist() == pytest.approx([0.9])


def test_weights_say_which_overlapping_boxes_are_one_object(tmp_path):
    def crowd(images: np.ndarray) -> RawDetections:
        boxes = [[0, 0, 40, 80], [4, 0, 44, 80], [20, 0, 60, 80], [1, 0, 41, 80]]
        return RawDetections(
            np.array([boxes], np.float32),
            np.array([[0.9, 0.8, 0.7, 0.6]], np.float32),
            np.array([[0, 0, 0, 1]]),
            np.eye(4, dtype=np.float32)[None],
        )

    found = {}
    for nms_iou in (1.0, 0.6, 0.3):
        network = small_network(nms_iou=nms_iou)
        save_weights(network, tmp_path / "weights.safetensors")
        predictor = Predictor(tmp_path / "weights.safetensors", image_size=(320, 192))
        predictor.runtime = crowd
        (detections,) = predictor(np.zeros((192, 320, 3), np.uint8))
        found[nms_iou] = [round(score, 1) for score in detections.scores.tolist()]
        assert detections.embeddings.argmax(axis=1).tolist() == [round(9 - 10 * s) for s in found[nms_iou]]
    # the second lies on the first (IoU .82), the third half on both (.33, .43); the fourth is of another class
    assert found == {1.0: [0.9, 0.8, 0.7, 0.6], 0.6: [0.9, 0.7, 0.6], 0.3: [0.9, 0.6]}


def test_boxes_are_suppressed_before_the_best_are_kept(tmp_path):
    def many(images: np.ndarray) -> RawDetections:
        lefts = np.array([0, 1, 2, 100, 101, 200], np.float32)
        boxes = np.stack((lefts, 0 * lefts, lefts + 40, 0 * lefts + 80), axis=1)
        scores = np.linspace(0.9, 0.4, 6, dtype=np.float32)
        return RawDetections(boxes[None], scores[None], np.zeros((1, 6), np.int64), np.zeros((1, 6, 0), np.float32))

    save_weights(small_network(nms_iou=0.6), tmp_path / "weights.safetensors")
    predictor = Predictor(tmp_path / "weights.safetensors", image_size=(320, 192), max_detections=2)
    predictor.runtime = many
    (found,) = predictor(np.zeros((192, 320, 3), np.uint8))
    assert found.boxes[:, 0].tolist() == [0, 100]


@pytest.mark.parametrize(
    ("config", "kernel", "expected"),
    [({}, None, (10, 3)), ({}, 5, (10, 5)), ({"nms_iou": 0.6}, None, (30, 1)), ({"nms_iou": 0.6}, 3, (30, 3))],
)
def test_weights_that_suppress_boxes_are_read_at_every_cell(config, kernel, expected):
    assert DecodeOptions.of_weights(config, 10, kernel) == DecodeOptions(*expected)


@pytest.mark.parametrize("nms_iou", [0.0, 1.5])
def test_an_overlap_that_is_no_fraction_is_refused(nms_iou):
    with pytest.raises(InputError, match="nms_iou must lie above 0 and not above 1"):
        small_network(nms_iou=nms_iou)


def test_one_many_none(predictor):
    image = np.zeros((96, 160, 3), np.uint8)
    assert len(predictor(image)) == 1
    assert len(predictor([image] * 3)) == 3
    assert len(predictor(np.stack([image] * 2))) == 2
    assert predictor([]) == []


def test_neighbours_of_one_size_go_in_one_batch_and_keep_their_order(predictor):
    wide, upright = np.zeros((96, 160, 3), np.uint8), np.zeros((160, 96, 3), np.uint8)
    found = predictor([wide, wide, upright, wide])
    assert [shape[:3] for shape in predictor.runtime.shapes] == [(2, 96, 160), (1, 160, 96), (1, 96, 160)]
    assert len(found) == 4


def test_a_network_without_reid_gives_no_embeddings(predictor):
    predictor.runtime = WholeInput(dim=0)
    assert predictor(np.zeros((96, 160, 3), np.uint8))[0].embeddings is None


def test_a_given_image_size_is_kept_whatever_the_source(weights):
    predictor = Predictor(weights, image_size=(128, 64))
    predictor.runtime = WholeInput()
    predictor([np.zeros((300, 100, 3), np.uint8)])
    assert predictor.runtime.shapes == [(1, 64, 128, 3)]


def test_weights_that_forbid_it_get_no_input_of_another_shape(weights):
    predictor = Predictor(weights)
    predictor.runtime = WholeInput()
    predictor.input_format = replace(predictor.input_format, adapts=False)
    predictor([np.zeros((300, 100, 3), np.uint8)])
    predictor.input_format = replace(predictor.input_format, resize="keep")
    predictor([np.zeros((300, 100, 3), np.uint8)])
    assert [shape[1:3] for shape in predictor.runtime.shapes] == [(96, 160), (320, 128)]


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((10, 10, 2), np.uint8),
        np.zeros((10, 10, 3), np.float32),
        np.zeros((0, 10, 3), np.uint8),
        np.zeros((2, 2, 10, 10, 3), np.uint8),
        None,
        7,
        Image.new("I;16", (8, 8)),
        "no.jpg",
    ],
)
def test_what_is_no_image_is_refused(predictor, image):
    with pytest.raises(InputError, match=r"an image must be an array|picture of Pillow in mode I;16|no\.jpg"):
        predictor([image])
    with pytest.raises(InputError):
        predictor(image)


def test_an_image_in_every_form_gives_the_same(weights, picture, tmp_path):
    predictor = Predictor(weights, device="cpu", precision="f32")
    path = tmp_path / "picture.png"
    Image.fromarray(picture).save(path)
    opaque = np.dstack([picture, np.full(picture.shape[:2], 9, np.uint8)])
    (expected,) = predictor(picture)
    assert len(expected)
    for one in (
        Image.fromarray(picture),
        Image.fromarray(opaque),
        path,
        str(path),
        opaque,
        [picture],
        picture[None],
        iter([path]),
    ):
        (found,) = predictor(one)
        np.testing.assert_array_equal(found.boxes, expected.boxes)
    for one in (picture[..., ::-1], opaque[..., [2, 1, 0, 3]], Image.fromarray(picture), path):
        (found,) = predictor(one, bgr=True)
        np.testing.assert_array_equal(found.boxes, expected.boxes)
    grey = picture[..., 1]
    (expected,) = predictor(np.repeat(grey[..., None], 3, axis=2))
    for one in (grey, grey[..., None], Image.fromarray(grey), [grey]):
        (found,) = predictor(one)
        np.testing.assert_array_equal(found.boxes, expected.boxes)
    assert len(predictor([picture, grey, str(path)])) == 3
    assert predictor([]) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": "no-such-weights"}, "no weights 'no-such-weights'"),
        ({"image_size": (100, 64)}, "multiples of 32"),
        ({"device": "tpu"}, "device must be one of"),
        ({"runtime": "tensorflow"}, "runtime must be one of"),
        ({"runtime": "openvino", "device": "cuda"}, "cuda|CPU"),
    ],
)
def test_bad_options_are_one_sentence(weights, options, message):
    with pytest.raises(InputError, match=message):
        Predictor(**{"weights": weights, **options})


def test_a_file_that_is_no_weights(tmp_path):
    path = tmp_path / "broken.safetensors"
    path.write_bytes(b"no tensors here")
    with pytest.raises(InputError, match="written by save_weights"):
        Predictor(path)
    save_file({"a": np.zeros(2)}, path, metadata={"config": "{}"})
    with pytest.raises(InputError, match="not that of a CenterNet"):
        Predictor(path)


@pytest.mark.parametrize(
    ("input_format", "reason"),
    [
        ({"size": [160, 96], "zoom": 2}, "has no option 'zoom'"),
        ({"size": 160}, "not iterable"),
        ({"size": ["a", "b"]}, "not supported"),
        ({"mean": None}, "not iterable"),
        ({"size": [160, 90]}, "multiples of 32"),
    ],
)
def test_weights_that_want_images_in_an_unknown_way_are_named(tmp_path, input_format, reason):
    path = tmp_path / "later.safetensors"
    config = {"output_heads": {"heatmap": {}, "box_2d": {}}, "input_format": input_format}
    save_file({"a": np.zeros(2)}, path, metadata={"config": json.dumps(config)})
    with pytest.raises(InputError, match=rf"later\.safetensors: its input_format .*{reason}"):
        Predictor(path)


def test_weights_and_networks_give_the_same_detections(tmp_path, picture):
    model = small_network(seed=5).half().float()  # files hold float16
    save_weights(model, tmp_path / "w.safetensors")
    from_file = Predictor(tmp_path / "w.safetensors", runtime="torch")(picture)[0]
    in_memory = Predictor(model, runtime="torch")(picture)[0]
    np.testing.assert_allclose(from_file.boxes, in_memory.boxes, atol=1e-3)
    np.testing.assert_allclose(from_file.scores, in_memory.scores, atol=1e-5)


@given(st.tuples(st.integers(16, 4000), st.integers(16, 4000)))
def test_the_fitted_size_costs_no_more_and_shows_no_less(source):
    budget = (640, 384)
    width, height = fit_input_size(source, budget)
    assert width % 32 == height % 32 == 0
    assert width * height <= budget[0] * budget[1]
    scale = min(width / source[0], height / source[1])
    assert scale >= min(budget[0] / source[0], budget[1] / source[1]) - 1e-9


def test_the_clip_needs_the_size_of_the_weights():
    assert fit_input_size(CLIP_SIZE, CLIP_SIZE) == CLIP_SIZE

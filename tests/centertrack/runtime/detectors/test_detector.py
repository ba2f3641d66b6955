"""What a file or a user says about a detector of another project, and what is said when it cannot be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openvino
import pytest
import yaml

from centertrack.predictor import Predictor
from centertrack.runtime.last_used import KEPT
from centertrack.runtime.network_file import OpenVinoFile
from centertrack.runtime.openvino_core import core, has_units
from tests.centertrack.runtime.detectors.graphs import write_colour_yolo, write_detector
from tracker.errors import InputError

IMAGE = np.full((64, 64, 3), (204, 102, 51), np.uint8)
CELLS = 84
LETTERS = "{0: 'a', 1: 'b', 2: 'c'}"


def open_detector(path: Path, image_size: tuple[int, int] | None = None, **options: Any) -> Predictor:
    return Predictor(path, device="cpu", image_size=image_size, detector_options=options)


@pytest.fixture
def yolo(tmp_path: Path) -> Path:
    """One box, whose class 0 has the mean of the first channel as its score; the others have 0.3 and 0.2."""
    rows = np.zeros((1, 7, CELLS))
    rows[0, :, 5] = (20, 30, 8, 16, 0, 0.3, 0.2)
    return write_detector(tmp_path / "yolo.onnx", {"output0": rows}, ("output0", (0, 4, 5), 1.0))


@pytest.mark.parametrize(
    ("options", "score", "label"),
    [
        ({}, 0.8, 0),
        ({"channel_order": "bgr"}, 0.3, 1),  # 51 / 255 is less
        ({"channel_order": "bgr", "scale": 102}, 0.5, 0),
        ({"mean": 0.6}, 0.3, 1),
        ({"mean": [0.2, 0.9, 0.9]}, 0.6, 0),
        ({"mean": 0.5, "std": (0.5, 1, 1)}, 0.6, 0),
        ({"classes": "b"}, None, None),  # the best class is another
        ({"classes": ["a", 2]}, 0.8, 0),
    ],
)
def test_options_say_what_the_pixels_were(
    yolo: Path, options: dict[str, Any], score: float | None, label: int | None
) -> None:
    found = open_detector(yolo, class_names="a,b,c", **options)(IMAGE)[0]
    if score is None:
        assert len(found) == 0
        return
    np.testing.assert_allclose(found.scores, [score], atol=1e-5)
    assert found.labels.tolist() == [label]


def test_letterbox_or_stretch(yolo: Path) -> None:
    wide = np.full((64, 128, 3), (204, 102, 51), np.uint8)
    letterboxed, stretched = open_detector(yolo)(wide)[0], open_detector(yolo, resize="stretch")(wide)[0]
    np.testing.assert_allclose(letterboxed.boxes, [[32, 12, 48, 44]])  # 16 lines of padding above, at half the size
    np.testing.assert_allclose(stretched.boxes, [[32, 22, 48, 38]])
    np.testing.assert_allclose(stretched.scores, [0.8], atol=1e-5)
    np.testing.assert_allclose(letterboxed.scores, [(204 + 114) / 2 / 255], atol=1e-5)
    np.testing.assert_allclose(open_detector(yolo, padding=255)(wide)[0].scores, [(204 + 255) / 2 / 255], atol=1e-5)


def test_overlapping_boxes_of_one_class_only_compete(tmp_path: Path) -> None:
    rows = np.zeros((1, 6, CELLS))
    rows[0, :, 0], rows[0, :, 1] = (20, 30, 10, 10, 0.9, 0), (21, 30, 10, 10, 0.8, 0)  # IoU 0.82
    rows[0, :, 2], rows[0, :, 3] = (-1, 30, 10, 10, 0, 0.7), (20, 30, 10, 10, 0, 0.6)
    path = write_detector(tmp_path / "yolo.onnx", {"output0": rows})
    assert open_detector(path)(IMAGE)[0].scores.tolist() == pytest.approx([0.9, 0.7, 0.6])
    assert open_detector(path, nms_iou=0.9)(IMAGE)[0].scores.tolist() == pytest.approx([0.9, 0.8, 0.7, 0.6])


def test_names_size_and_stride_come_from_the_metadata(tmp_path: Path) -> None:
    metadata = {"names": "{0: 'person'}", "imgsz": "[96, 192]", "stride": "32", "task": "detect"}
    path = write_colour_yolo(tmp_path / "yolo.onnx", ("batch", 3, "height", "width"), metadata)
    predictor = open_detector(path)
    assert predictor.class_names == ["person"]
    assert predictor.input_format.size == (192, 96)
    colour = np.array((100, 50, 20), np.uint8)
    found = predictor(np.broadcast_to(colour, (96, 192, 3)).copy())[0]
    np.testing.assert_allclose(found.boxes, [[90, 40, 110, 60]], atol=0.01)
    upright = predictor(np.broadcast_to(colour, (192, 96, 3)).copy())[0]  # an input of its own shape
    np.testing.assert_allclose(upright.boxes, [[90, 40, 110, 60]], atol=0.01)
    np.testing.assert_allclose(upright.scores, [0.9], atol=1e-5)


@pytest.mark.parametrize("names", ["person", "{0: open('x', 'w')}", "[" * 100_000, "{0: 'a', 7: 'b'}", "3"])
def test_metadata_that_is_no_names_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: str) -> None:
    monkeypatch.chdir(tmp_path)
    metadata = {"names": names, "imgsz": names, "stride": names}
    write_detector(tmp_path / "yolo.onnx", {"output0": np.zeros((1, 7, CELLS))}, metadata=metadata)
    assert open_detector(tmp_path / "yolo.onnx").class_names == ["class 0", "class 1", "class 2"]
    assert not Path("x").exists()


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_inputs_of_any_size_take_the_one_asked_for(tmp_path: Path, runtime: str) -> None:
    path = write_colour_yolo(tmp_path / "yolo.onnx", ("batch", 3, "height", "width"))
    image = np.full((50, 100, 3), (100, 50, 20), np.uint8)
    predictor = Predictor(path, device="cpu", runtime=runtime, image_size=(256, 128))
    found = predictor(image)[0]
    assert predictor.input_format.size == (256, 128)
    # the letterbox's padding gives another box of its own grey; the box of the image is in pixels of the input
    scale, left, top = 128 / 50, 0, 0
    box = np.array([90 - left, 40 - top, 110 - left, 60 - top]) / scale
    assert np.abs(found.boxes - box).max(axis=1).min() < 0.05


def test_without_metadata_the_size_is_640_by_640_pixels_in_the_shape_of_the_source(tmp_path: Path) -> None:
    path = write_colour_yolo(tmp_path / "yolo.onnx", ("batch", 3, "height", "width"))
    assert open_detector(path).input_format.for_source((1920, 1080)).size == (832, 480)


def test_as_many_shapes_are_kept_as_there_is_room_for(tmp_path: Path) -> None:
    file = OpenVinoFile(write_colour_yolo(tmp_path / "yolo.onnx", (1, 3, "height", "width")))
    for width in range(32, 32 * (KEPT + 4), 32):
        assert file([np.zeros((1, 3, 32, width), np.float32)])[0].shape == (1, 5, 21 * width // 32)
    assert len(list(file._compiled)) == KEPT


def test_bfloat16_takes_any_shape_as_well(tmp_path: Path) -> None:
    if not has_units("bf16"):
        pytest.skip("this processor has no units for bfloat16")
    path = write_colour_yolo(tmp_path / "yolo.onnx", (1, 3, "height", "width"))
    file = OpenVinoFile(path, precision="bf16")
    for width in (64, 96, 64, 128):
        assert file([np.zeros((1, 3, 64, width), np.float32)])[0].shape == (1, 5, 42 * width // 32)


@pytest.mark.parametrize(
    ("kind", "shape", "channels"), [("float16", (1, 3, 64, 64), 255), ("uint8", (1, 64, 64, 3), 1)]
)
def test_inputs_of_other_numbers_and_layouts(tmp_path: Path, kind: str, shape: tuple[int, ...], channels: int) -> None:
    rows = np.zeros((1, 5, CELLS))
    rows[0, :, 5] = (20, 30, 8, 16, 0)
    path = write_detector(
        tmp_path / "yolo.onnx", {"output0": rows}, ("output0", (0, 4, 5), channels / 255), shape, kind
    )
    image = IMAGE if kind == "uint8" else IMAGE // 255  # half precision reaches 65504
    if kind == "float16":
        np.testing.assert_allclose(open_detector(path, scale=255)(IMAGE)[0].scores, [0.8], atol=1e-3)
    else:
        np.testing.assert_allclose(open_detector(path)(image)[0].scores, [0.8], atol=1e-5)
        with pytest.raises(InputError, match="takes pixels as they are"):
            open_detector(path, scale=1)


def test_an_openvino_model_and_the_metadata_beside_it(tmp_path: Path, yolo: Path) -> None:
    openvino.save_model(core().read_model(yolo), tmp_path / "best.xml")
    (tmp_path / "metadata.yaml").write_text(
        yaml.safe_dump({"names": {0: "cat", 1: "dog", 2: "cow"}, "imgsz": [64, 64]})
    )
    predictor = open_detector(tmp_path / "best.xml")
    assert predictor.class_names == ["cat", "dog", "cow"]
    np.testing.assert_allclose(predictor(IMAGE)[0].boxes, [[16, 22, 24, 38]])


def test_class_names_from_files(tmp_path: Path, yolo: Path) -> None:
    (tmp_path / "names.txt").write_text("cat\ndog\n\ncow\n")
    (tmp_path / "data.yaml").write_text("names: {0: cat, 1: dog, 2: cow}\n")
    for file in ("names.txt", "data.yaml"):
        assert open_detector(yolo, class_names=str(tmp_path / file)).class_names == ["cat", "dog", "cow"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scal": 1}, "the detector has no option 'scal'; did you mean scale?"),
        ({"scale": 0}, "scale must be a number above 0"),
        ({"scale": "big"}, "scale must be a number above 0"),
        ({"mean": [1, 2]}, "mean must be one number or three"),
        ({"std": 0}, "std must be above 0"),
        ({"channel_order": "rbg"}, "channel_order must be rgb or bgr"),
        ({"resize": "crop"}, "resize must be one of letterbox, stretch"),
        ({"padding": 300}, "padding must be a number from 0 to 255"),
        ({"nms_iou": 2}, "nms_iou must be a number from 0 to 1"),
        ({"class_names": "a,b"}, "its outputs have 3 classes, but 2 are named: a, b"),
        ({"class_names": "missing.txt"}, "class_names must be names with commas between them, a file"),
        ({"classes": "person"}, "no class 'person'; it has class 0, class 1, class 2"),
        ({"classes": 3}, "no class '3'"),
        ({"family": "yolo9000"}, "no family of detectors 'yolo9000'"),
        ({"family": "ssd"}, r"is no detector of the family ssd: expected \(1, 1, N, 7\)"),
    ],
)
def test_options_that_do_not_fit(yolo: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_detector(yolo, **options)


def test_what_cannot_be_told_is_listed(tmp_path: Path) -> None:
    path = write_detector(tmp_path / "odd.onnx", {"features": np.zeros((1, 10, 9)), "more": np.zeros((1, 2))})
    with pytest.raises(InputError) as error:
        open_detector(path)
    message = str(error.value)
    assert (
        "cannot tell what kind of detector this is: found inputs images float32 (1, 3, 64, 64) and outputs " in message
    )
    assert "features float32 (1, 10, 9), more float32 (1, 2)" in message
    assert "yolo: (1, 4 + classes, cells)" in message
    assert "torchvision: boxes (N, 4), labels (N), scores (N)" in message
    assert "\n" not in message


def test_boxes_that_are_turned_are_not_read_as_upright_ones(tmp_path: Path) -> None:
    path = write_detector(tmp_path / "obb.onnx", {"output0": np.zeros((1, 7, CELLS))}, metadata={"task": "obb"})
    with pytest.raises(InputError, match=r"output0 float32 \(1, 7, 84\), task obb; expected"):
        open_detector(path)


def test_a_family_that_is_named_is_believed(tmp_path: Path) -> None:
    rows = np.zeros((1, 7, 10))
    rows[0, :, 5] = (20, 30, 8, 16, 0, 0.3, 0.2)
    path = write_detector(tmp_path / "yolo.onnx", {"output0": rows}, ("output0", (0, 4, 5), 1.0))
    with pytest.raises(InputError, match="cannot tell"):
        open_detector(path)
    np.testing.assert_allclose(open_detector(path, family="yolo")(IMAGE)[0].boxes, [[16, 22, 24, 38]])


def test_files_that_are_no_detectors(tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match=r"broken\.onnx: cannot be read"):
        open_detector(tmp_path / "broken.onnx")
    with pytest.raises(InputError, match="no such exported network"):
        open_detector(tmp_path / "missing.onnx")
    grey = write_detector(tmp_path / "two.onnx", {"output0": np.zeros((1, 7, CELLS))}, image=(3, 5))
    with pytest.raises(InputError, match=r"expected one input for images.*found images float32 \(3, 5\)"):
        open_detector(grey)


def test_a_size_that_a_fixed_graph_does_not_take(tmp_path: Path) -> None:
    rows = np.zeros((1, 7, CELLS))
    path = write_detector(tmp_path / "fixed.onnx", {"output0": rows}, image=(2, 3, 64, 64))
    with pytest.raises(
        InputError, match=r"takes images float32 \(2, 3, 64, 64\), and cannot be executed with \(1, 3, 64, 64\)"
    ):
        Predictor(path, device="cpu", runtime="onnxruntime")


def test_options_for_our_own_weights_are_refused() -> None:
    with pytest.raises(InputError, match="scale: fairmot-nano says itself what it is"):
        Predictor("fairmot-nano", device="cpu", detector_options={"scale": 1})


@pytest.mark.parametrize(("name", "person"), [("person-detection-0303", 0), ("person-vehicle-bike-detection-2003", 1)])
def test_people_are_found_by_real_detectors(shared_data: Path, name: str, person: int) -> None:
    path = shared_data.parent / "teachers" / name / f"{name}.xml"
    pictures = sorted((shared_data / "MOT17-mini").rglob("*.jpg"))
    if not path.is_file() or not pictures:
        pytest.skip(f"there is no {path}, or no picture to try it on")
    predictor = open_detector(path, classes=person)
    found = predictor(cv2.cvtColor(cv2.imread(str(pictures[0])), cv2.COLOR_BGR2RGB))[0]
    assert (found.scores > 0.3).sum() >= 3
    sizes = found.boxes[:, 2:] - found.boxes[:, :2]
    assert np.median(sizes[:, 1] / sizes[:, 0]) > 1.5  # upright

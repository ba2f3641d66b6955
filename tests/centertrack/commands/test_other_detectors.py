"""Detectors of other projects on the command line: tracked, detected, reported, and described by others."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from centertrack import track
from centertrack.cli import main
from tests.centertrack.commands.test_cli import error_of
from tests.centertrack.runtime.detectors.graphs import write_crop_network, write_detector
from tracker.errors import InputError
from tracker.io.mot import read_results

CELLS = 20 * 12 + 10 * 6 + 5 * 3  # of an input of 160x96, as large as the clip
NAMES = {"names": "{0: 'person', 1: 'car', 2: 'dog'}"}


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def yolo(tmp_path: Path) -> str:
    """A person and a car, and a dog of whom nobody is sure."""
    rows = np.zeros((1, 7, CELLS))
    rows[0, :, 0] = (40, 50, 20, 40, 0.9, 0, 0)
    rows[0, :, 1] = (100, 50, 40, 20, 0, 0.8, 0)
    rows[0, :, 2] = (140, 80, 10, 10, 0, 0, 0.2)
    return str(write_detector(tmp_path / "yolo.onnx", {"output0": rows}, image=(1, 3, 96, 160), metadata=NAMES))


def run(*arguments: str) -> int:
    return main([*arguments, "--device", "cpu"])


def test_its_boxes_are_tracked_and_the_rows_tell_the_class(clip: Path, yolo: str) -> None:
    assert run("track", str(clip), "--weights", yolo, "--results", "rows.txt", "--video", "out.mp4") == 0
    rows = read_results("rows.txt")
    last = rows.frames == 12
    assert sorted(rows.classes[last].tolist()) == [1, 2]
    boxes = rows.boxes_xyxy[last][np.argsort(rows.classes[last])]
    np.testing.assert_allclose(boxes, [[30, 30, 50, 70], [80, 40, 120, 60]], atol=0.1)
    assert Path("out.mp4").stat().st_size > 1000


def test_one_class_is_as_good_as_a_detector_that_knows_no_other(clip: Path, yolo: str) -> None:
    options = ["--detector-option", "classes=car"]
    assert run("track", str(clip), "--weights", yolo, *options, "--results", "rows.txt") == 0
    rows = read_results("rows.txt")
    assert set(rows.classes.tolist()) == {-1}
    assert len(set(rows.ids.tolist())) == 1


def test_detect_names_the_classes(image_folder: Path, yolo: str) -> None:
    assert run("detect", str(image_folder), "--weights", yolo, "--results", "found.json", "--min-score", "0.1") == 0
    found = json.loads(Path("found.json").read_text())
    assert [category["name"] for category in found["categories"]] == ["person", "car", "dog"]
    first = [one for one in found["annotations"] if one["image_id"] == 1]
    assert [(one["category_id"], one["bbox"]) for one in first] == [
        (1, [30, 30, 20, 40]),
        (2, [80, 40, 40, 20]),
        (3, [135, 75, 10, 10]),
    ]


def test_classes_whose_number_nothing_tells_are_numbered(image_folder: Path, tmp_path: Path) -> None:
    outputs = {"boxes": np.array([[1.0, 2, 30, 40, 0.9]]), "labels": np.array([2])}
    write_detector(tmp_path / "zoo.onnx", outputs, image=(1, 3, 96, 160))
    assert run("detect", str(image_folder), "--weights", "zoo.onnx", "--results", "found.json") == 0
    found = json.loads(Path("found.json").read_text())
    assert [category["name"] for category in found["categories"]] == ["class 0", "class 1", "class 2"]


def test_detections_are_tracked_later(image_folder: Path, yolo: str) -> None:
    assert run("detect", str(image_folder), "--weights", yolo, "--results", "found.json") == 0
    assert main(["associate", "found.json", "--tracker", "bytetrack", "--results", "later"]) == 0
    assert run("track", str(image_folder), "--weights", yolo, "--tracker", "bytetrack", "--results", "now.txt") == 0
    assert Path("later/found.txt").read_text() == Path("now.txt").read_text()


@pytest.mark.parametrize("embeddings", ["head", "crops"])
def test_a_tracker_that_compares_appearance(clip: Path, yolo: str, weights: Path, embeddings: str) -> None:
    source = str(weights) if embeddings == "head" else str(write_crop_network(Path("reid.onnx")))
    options = ["--embedding-option", "scale=1"] if embeddings == "crops" else []
    arguments = ["--weights", yolo, "--tracker", "fairmot", "--embeddings", source, *options]
    assert run("track", str(clip), *arguments, "--results", "rows.txt") == 0
    assert len(set(read_results("rows.txt").ids.tolist())) == 2


def test_embeddings_in_python(clip: Path, yolo: str) -> None:
    crops = write_crop_network(Path("reid.onnx"))
    session = track(clip, yolo, "fairmot", device="cpu", embeddings=crops, detector_options={"classes": ["person"]})
    shapes = {frame.detections.embeddings.shape for frame in session if frame.detections is not None}
    assert shapes == {(1, 3)}


def test_a_tracker_that_gets_no_embeddings_says_what_to_give(clip: Path, yolo: str, capsys) -> None:
    assert run("track", str(clip), "--weights", yolo, "--tracker", "fairmot") == 2
    message = error_of(capsys)
    assert f"tracker fairmot compares appearance, but {yolo} has no re-identification head" in message
    assert "give --embeddings fairmot-small, or use --tracker scene" in message
    assert run("track", str(clip), "--weights", yolo, "--postprocess", "link") == 2
    assert "give --embeddings fairmot-small, or leave it out" in error_of(capsys)
    with pytest.raises(InputError, match="give embeddings='fairmot-small'"):
        track(clip, yolo, "fairmot", device="cpu")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--embeddings", "fairmot-small"], "which tracker scene does not compare; leave it out"),
        (["--embeddings", "osnet.onnx", "--tracker", "fairmot"], "no such network: osnet.onnx"),
        (["--embedding-option", "scale=1"], "none is given"),
        (["--detector-option", "scal=1"], "the detector has no option 'scal'; did you mean scale?"),
        (["--detector-option", "scale"], "expected an option as NAME=VALUE"),
        (["--detector-option", "classes=cat"], "the detector has no class 'cat'; it has person, car, dog"),
        (["--image-size", "64x64"], "was made for images of 160x96, and does not work at another size"),
        (["--runtime", "torch"], "on cpu this file runs with openvino or onnxruntime, not with torch"),
    ],
)
def test_options_that_do_not_fit(clip: Path, yolo: str, capsys, options: list[str], message: str) -> None:
    assert run("track", str(clip), "--weights", yolo, *options) == 2
    assert message in error_of(capsys)
    assert not Path("runs").exists()


def test_a_sequence_of_its_tracks_is_evaluated_and_reported(yolo: str, picture: np.ndarray) -> None:
    folder = Path("MOT17-99-SDP")
    for name in ("img1", "gt"):
        (folder / name).mkdir(parents=True)
    ini = "[Sequence]\nname=MOT17-99-SDP\nimDir=img1\nframeRate=25\nseqLength=6\nimWidth=160\nimHeight=96\nimExt=.png\n"
    (folder / "seqinfo.ini").write_text(ini)
    for number in range(1, 7):
        cv2.imwrite(str(folder / "img1" / f"{number:06d}.png"), picture[..., ::-1])
    (folder / "gt" / "gt.txt").write_text("".join(f"{number},1,31,31,20,40,1,1,1\n" for number in range(1, 7)))
    options = ["--detector-option", "classes=person", "--tracker", "bytetrack"]
    assert run("track", str(folder), "--weights", yolo, *options, "--results", "results/") == 0
    outputs = ["--json", "scores.json", "--report", "report.html", "--images", "."]
    assert main(["evaluate", "--gt", str(folder), "--results", "results", *outputs]) == 0
    assert '"MOTA": 1.0' in Path("scores.json").read_text()
    assert Path("report.html").is_file()

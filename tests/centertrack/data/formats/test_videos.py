"""VisDrone, Scalabel and CVAT for video as training data, through the readers that the evaluation has."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from centertrack.cli import main
from centertrack.data.formats.registry import guess_format, open_labels
from tracker.errors import InputError


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def images(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        cv2.imwrite(str(folder / name), np.zeros((60, 80, 3), np.uint8))


@pytest.fixture
def visdrone(tmp_path: Path) -> Path:
    rows = "1,7,10,20,30,40,1,4,0,0\n1,0,0,0,9,9,0,0,0,0\n2,7,12,20,30,40,1,4,0,0\n2,8,1,2,3,4,1,1,0,0\n"
    write(tmp_path / "annotations" / "uav.txt", rows)
    images(tmp_path / "sequences" / "uav", ["0000001.jpg", "0000002.jpg"])
    return tmp_path


@pytest.fixture
def scalabel(tmp_path: Path) -> Path:
    def label(identity, category, x, **more):
        return {"id": identity, "category": category, "box2d": {"x1": x, "y1": 20, "x2": x + 30, "y2": 60}, **more}

    frames = [
        {"name": "b-1.jpg", "videoName": "b", "frameIndex": 0, "labels": [label("7", "car", 10)]},
        {"name": "b-2.jpg", "videoName": "b", "frameIndex": 1,
         "labels": [label("7", "car", 12), label("8", "rider", 40, attributes={"crowd": True})]},
    ]  # fmt: skip
    images(tmp_path / "images" / "b", ["b-1.jpg", "b-2.jpg"])
    return write(tmp_path / "labels.json", json.dumps(frames))


@pytest.fixture
def cvat_video(tmp_path: Path) -> Path:
    box = '<box frame="{}" outside="0" keyframe="1" xtl="{}" ytl="20" xbr="{}" ybr="60"/>\n'
    frames = "<start_frame>0</start_frame><stop_frame>10</stop_frame><frame_filter>step=5</frame_filter>"
    meta = f"<meta><task>{frames}</task></meta>"
    track = f'<track id="7" label="car">{box.format(0, 10, 40)}{box.format(10, 20, 50)}</track>'
    images(tmp_path / "images", ["frame_000000.png", "frame_000005.png", "frame_000010.png"])
    return write(tmp_path / "annotations.xml", f"<annotations>{meta}{track}</annotations>").parent


def test_visdrone(visdrone: Path) -> None:
    assert guess_format(visdrone) == "visdrone"
    data = open_labels("visdrone", visdrone)
    assert data[0].boxes.tolist() == [[10, 20, 40, 60]]
    assert data[0].ignore.tolist() == [[0, 0, 9, 9]]
    assert [data.class_names[label] for label in data[1].labels] == ["car", "pedestrian"]
    assert data.num_identities == 2


def test_scalabel(scalabel: Path) -> None:
    assert guess_format(scalabel) == "scalabel"
    data = open_labels("scalabel", scalabel, step=1)
    assert [entry.boxes[:, 0].tolist() for entry in data.entries] == [[10], [12]]
    assert data[1].ignore.tolist() == [[40, 20, 70, 60]]
    with pytest.raises(InputError, match=r"expected the frames of b in .*elsewhere.*images=FOLDER"):
        open_labels("scalabel", scalabel, images=scalabel.parent / "elsewhere")


def test_cvat_video_with_a_frame_step(cvat_video: Path) -> None:
    assert guess_format(cvat_video) == "cvat-video"
    data = open_labels("cvat-video", cvat_video)
    assert [(entry.frame, entry.boxes[:, 0].tolist()) for entry in data.entries] == [(1, [10]), (6, [15]), (11, [20])]
    assert data.class_names == ["car"]


def test_a_video_is_converted_and_checked(visdrone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "convert", str(visdrone), "--to", "cvat", "--output", str(tmp_path / "out")]) == 0
    assert "2 images, 3 boxes, 2 identities" in capsys.readouterr().out
    assert (tmp_path / "out" / "uav" / "gt" / "labels.txt").read_text().splitlines()[3] == "car"
    assert main(["data", "convert", str(visdrone), "--to", "visdrone", "--output", str(tmp_path / "other")]) == 2
    assert "data are written in one of the formats coco," in capsys.readouterr().err

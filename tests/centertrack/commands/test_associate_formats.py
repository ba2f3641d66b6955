"""Boxes of other programs in their own forms: one person walks to the right, one car stands; frame 4 shows nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from centertrack.cli import main
from tests.centertrack.commands.test_cli import error_of
from tracker.io.mot import read_results

FRAMES = (1, 2, 3, 5, 6)
WIDTH, HEIGHT = 200, 100


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def person(frame: int) -> list[float]:
    """Left, top, width and height; pixels from 0."""
    return [20 + 2 * frame, 30, 20, 40]


CAR = [120, 40, 40, 20]


def associate(*arguments: str) -> int:
    return main(["associate", *arguments, "--tracker", "bytetrack", "--results", "out"])


def assert_tracked(name: str, classes: dict[int, list[float]]) -> None:
    """Check frames, classes (that of a box -> its box in frame 6) and that every object has one id."""
    rows = read_results(Path("out", f"{name}.txt"))
    assert np.unique(rows.frames).tolist() == list(FRAMES)
    last = rows.frames == 6
    found = dict(zip(rows.classes[last].tolist(), (rows.boxes_xywh[last] - (1, 1, 0, 0)).tolist(), strict=True))
    assert found.keys() == classes.keys()
    for number, box in classes.items():
        np.testing.assert_allclose(found[number], box, atol=0.6)
    assert len(np.unique(rows.ids)) == len(classes)


def results(*categories: int) -> list[dict[str, Any]]:
    boxes = {1: person, 3: lambda frame: CAR}
    return [
        {"image_id": frame, "category_id": category, "bbox": boxes[category](frame), "score": 0.9}
        for frame in FRAMES
        for category in categories
    ]


def write(name: str, content: Any) -> str:
    Path(name).write_text(content if isinstance(content, str) else json.dumps(content))
    return name


def test_a_list_of_coco_results() -> None:
    assert associate(write("walk.json", results(1, 3))) == 0
    assert_tracked("walk", {1: person(6), 3: CAR})


def test_results_of_one_class_tell_none() -> None:
    assert associate(write("walk.json", results(1))) == 0
    assert_tracked("walk", {-1: person(6)})


def test_images_are_frames_by_name_and_sequences_by_folder(capsys) -> None:
    images = [{"id": 10 * n, "file_name": f"{s}/img1/{n:06d}.jpg"} for s in "a" for n in range(1, 8)]
    images += [{"id": 10 * n + 1, "file_name": f"b/img1/frame{n}.jpg"} for n in (9, 10, 11, 12, 13, 14)]
    both = [{**one, "image_id": 10 * one["image_id"]} for one in results(1, 3)]
    both += [{**one, "image_id": 10 * (8 + one["image_id"]) + 1} for one in results(1)]
    categories = [{"id": 1, "name": "person"}, {"id": 3, "name": "car"}]
    write("both.json", {"images": images, "annotations": both, "categories": categories})
    assert associate("both.json") == 0
    assert capsys.readouterr().out == "a: out/a.txt\nb: out/b.txt\n"
    assert_tracked("a", {1: person(6), 3: CAR})
    assert_tracked("b", {1: person(6)})


def det_rows(columns: str, classes: bool = True) -> str:
    lines = []
    for frame in FRAMES:
        for number, (left, top, width, height) in ((1, person(frame)), (3, CAR)):
            tail = columns.format(number) if classes else columns
            lines.append(f"{frame},-1,{left + 1},{top + 1},{width},{height},0.9{tail}\n")
    return "".join(lines)


@pytest.mark.parametrize("columns", [",{}", ",{},-1,-1"])
def test_the_class_column_of_det_txt_is_kept(columns: str) -> None:
    Path("WALK/det").mkdir(parents=True)
    write("WALK/det/det.txt", det_rows(columns))
    write("WALK/seqinfo.ini", "[Sequence]\nname=WALK\nframeRate=25\nseqLength=6\n")
    assert associate("WALK") == 0
    assert_tracked("WALK", {1: person(6), 3: CAR})
    assert associate("WALK/det/det.txt") == 0  # the file means its sequence
    assert_tracked("WALK", {1: person(6), 3: CAR})


def test_a_file_of_detections_needs_no_folder() -> None:
    assert associate(write("walk.txt", det_rows(",{}"))) == 0
    assert_tracked("walk", {1: person(6), 3: CAR})


def test_classes_do_not_take_each_others_tracks() -> None:
    rows = [{**one, "category_id": 1 if one["image_id"] < 4 else 3} for one in results(1)]
    assert associate(write("walk.json", rows)) == 0
    tracks = read_results("out/walk.txt")
    assert len(np.unique(tracks.ids)) == 2


def write_yolo(folder: str, name: str, with_scores: bool = True) -> None:
    Path(folder).mkdir(parents=True)
    for frame in FRAMES:
        lines = []
        for label, (left, top, width, height) in ((0, person(frame)), (2, CAR)):
            values = ((left + width / 2) / WIDTH, (top + height / 2) / HEIGHT, width / WIDTH, height / HEIGHT)
            lines.append(" ".join(f"{value:.6f}" for value in values) + (" 0.9" if with_scores else ""))
            lines[-1] = f"{label} {lines[-1]}\n"
        write(f"{folder}/{name.format(frame)}", "".join(lines))


@pytest.mark.parametrize("name", ["street_{}.txt", "{:06d}.txt"])
@pytest.mark.parametrize("with_scores", [True, False])
def test_yolo_labels_and_the_size_of_the_images(name: str, with_scores: bool, capsys) -> None:
    write_yolo("walk/labels", name, with_scores)
    assert associate("walk/labels") == 2
    assert "nothing tells its size: expected --image-size WxH, seqinfo.ini, or the images" in error_of(capsys)
    assert associate("walk/labels", "--image-size", f"{WIDTH}x{HEIGHT}") == 0
    assert_tracked("walk", {1: person(6), 3: CAR})


@pytest.mark.parametrize("place", ["seqinfo", "images", "beside"])
def test_what_tells_the_size_of_the_images(place: str) -> None:
    write_yolo("walk/labels", "{}.txt")
    if place == "seqinfo":
        size = f"imWidth={WIDTH}\nimHeight={HEIGHT}\n"
        write("walk/seqinfo.ini", f"[Sequence]\nname=walk\nframeRate=25\nseqLength=6\n{size}")
    else:
        folder = Path("walk/images" if place == "images" else "walk/labels")
        folder.mkdir(exist_ok=True)
        cv2.imwrite(str(folder / "1.png"), np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    assert associate("walk/labels") == 0
    assert_tracked("walk", {1: person(6), 3: CAR})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not valid JSON"),
        ({"boxes": []}, "walk.json: expected COCO results: a list of detections"),
        ([5], "walk.json: annotation 0: expected COCO results"),
        ([{**results(1)[0], "bbox": [1, 2, 3]}], "annotation 0: expected bbox [x, y, w, h], four numbers"),
        ([{**results(1)[0], "bbox": [1, 2, 3, float("nan")]}], "annotation 0: expected numbers in bbox"),
        ([{**results(1)[0], "score": None}], "annotation 0: expected a score"),
        ([{**results(1)[0], "image_id": 0}], "annotation 0: expected image_id, a frame from 1"),
        ([{**results(1)[0], "image_id": 9_000_000}], "frames without detections on end"),
        ([{**results(1)[0], "category_id": "person"}], "annotation 0: expected category_id"),
        ({"images": [{"id": 1}], "annotations": []}, "image 0: expected an id and a file_name"),
        ({"images": [{"id": 1, "file_name": "1.jpg"}] * 2, "annotations": []}, "image 1: its file_name or id"),
        ({"images": [], "annotations": results(1)}, "annotation 0: there is no image 1"),
        (
            {"images": [{"id": i, "file_name": f"{f}/a/1.jpg"} for i, f in enumerate("xy")], "annotations": []},
            "images of two folders of the same name are the same frame",
        ),
    ],
)
def test_json_that_cannot_be_used(capsys, content: Any, message: str) -> None:
    assert associate(write("walk.json", content)) == 2
    assert message in error_of(capsys)
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("0 0.5 0.5 0.1\n", "labels/1.txt:1: expected class, centre x, centre y, width, height as fractions"),
        ("\n0 0.5 0.5 0.1 x\n", "labels/1.txt:2: expected fractions of the image"),
        ("0 50 50 10 10\n", "labels/1.txt:1: expected fractions of the image from -1 to 2"),
        ("0 0.5 0.5 0.1 0.1 7\n", "labels/1.txt:1: expected a score from 0 to 1"),
        ("car 0.5 0.5 0.1 0.1\n", "labels/1.txt:1: expected a class"),
    ],
)
def test_labels_that_cannot_be_used(capsys, row: str, message: str) -> None:
    Path("labels").mkdir()
    write("labels/1.txt", row)
    assert associate("labels", "--image-size", "100x100") == 2
    assert message in error_of(capsys)
    assert not Path("out").exists()


def test_boxes_of_no_size_are_left_out(caplog) -> None:
    assert associate(write("walk.json", [*results(1), {**results(1)[0], "bbox": [5, 5, 0, 9]}])) == 0
    assert_tracked("walk", {-1: person(6)})
    assert "walk.json: 1 box has no size and is left out" in caplog.text

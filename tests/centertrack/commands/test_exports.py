"""Tracks as labels for correction by hand, and back by our own readers."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import cv2
import numpy as np
import pytest

from centertrack.cli import main
from tests.centertrack.commands.test_cli import error_of
from tracker import Tracks
from tracker.io.cvat_video_writer import CvatVideoTracks
from tracker.io.key_frames import find_keys
from tracker.io.label_studio import LabelStudioTracks
from tracker.io.mot import read_results
from tracker.io.track_formats import FORMATS, guess_track_format, read_found
from tracker.io.track_writer import TrackedSource

FOLDERS = {"coco": "annotations.json", "yolo": "data.yaml", "mot": "gt/gt.txt"}


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: object) -> None:
    assert main(list(map(str, arguments))) == 0


def assert_same_tracks(labels: Path, rows: str, name: str = "still") -> None:
    """Check that labels hold the frames, ids and, within the tolerance of key frames, the boxes of rows."""
    found, expected = read_found(guess_track_format(labels), labels, name, labels).rows, read_results(rows)
    order, other = (np.lexsort((one.ids, one.frames)) for one in (found, expected))
    assert found.frames[order].tolist() == expected.frames[other].tolist()
    assert found.ids[order].tolist() == expected.ids[other].tolist()
    np.testing.assert_allclose(found.boxes_xywh[order], expected.boxes_xywh[other], atol=2)


def test_cvat_gets_key_frames_and_our_reader_gets_all_back(clip, yolo):
    run("track", clip, *yolo, "--export", "cvat", "--results", "rows.txt", "--clip")
    root = ElementTree.parse("runs/cvat/still.xml").getroot()
    assert [child.tag for child in root] == ["version", "meta", "track", "track"]
    assert root.findtext("version") == "1.1"
    task = root.find("meta/task")
    assert task is not None
    expected = {"name": "still", "size": "12", "mode": "interpolation", "start_frame": "0", "stop_frame": "11"}
    assert {name: task.findtext(name) for name in expected} == expected
    assert [label.findtext("name") for label in task.iter("label")] == ["person", "car", "dog"]
    assert (task.findtext("original_size/width"), task.findtext("original_size/height")) == ("160", "96")
    for one in root.iter("track"):
        assert one.attrib.keys() == {"id", "label", "source"}
        assert [box.get("frame") for box in one] == [one[0].get("frame"), "11"]  # nobody moves
    for box in root.iter("box"):
        assert box.attrib.keys() == {"frame", "outside", "occluded", "keyframe", "xtl", "ytl", "xbr", "ybr", "z_order"}
    assert_same_tracks(Path("runs/cvat/still.xml"), "rows.txt")


def test_label_studio_gets_a_task_that_our_reader_reads(clip, yolo, capsys):
    run("track", clip, *yolo, "--export", "label-studio=tasks.json", "--results", "rows.txt", "--clip")
    (task,) = json.loads(Path("tasks.json").read_text())
    assert task["data"]["video"].endswith("still.mp4")
    regions = task["predictions"][0]["result"]
    assert {one["type"] for one in regions} == {"videorectangle"}
    assert sorted(one["value"]["labels"][0] for one in regions) == ["car", "person"]
    for one in regions:
        assert one["value"]["framesCount"] == 12
        for entry in one["value"]["sequence"]:
            assert entry.keys() == {"frame", "enabled", "rotation", "x", "y", "width", "height", "time"}
            assert all(0 <= entry[side] <= 100 for side in ("x", "y", "width", "height"))
    assert_same_tracks(Path("tasks.json"), "rows.txt")
    capsys.readouterr()
    run("evaluate", "--gt", "tasks.json", "--results", "rows.txt", "--classes", "car")
    assert "class car only" in capsys.readouterr().out


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_of_images_and_labels(clip, yolo, name, capsys):
    run("track", clip, *yolo, "--export", f"{name}=labels", "--results", "rows.txt", "--clip")
    folder = Path("labels/still")
    assert f"  export {name}: labels/still/{FOLDERS[name]}\n" in capsys.readouterr().out
    assert len(list(folder.rglob("*.jpg"))) == 12
    assert cv2.imread(str(next(folder.rglob("*.jpg")))).shape == (96, 160, 3)
    if name != "yolo":
        assert_same_tracks(folder / FOLDERS[name], "rows.txt")
    count = len(read_results("rows.txt"))
    source = folder / "annotations.json" if name == "coco" else folder
    run("data", "convert", source, "--to", "jde", "--output", "jde")
    assert f"12 images, {count} boxes, 2 identities" in capsys.readouterr().out
    if name == "yolo":
        assert [line.split()[-1] for line in (folder / "labels/still/000012.txt").read_text().splitlines()] == [
            "1",
            "2",
        ]


def test_images_of_a_folder_are_linked(image_folder, yolo):
    run("track", image_folder, *yolo, "--export", "yolo")
    images = sorted(Path("runs/yolo/frames/images/frames").iterdir())
    assert [path.name for path in images] == [f"{number:06d}.png" for number in range(1, 7)]
    assert images[2].read_bytes() == (image_folder / "3.png").read_bytes()


def test_mot_says_that_it_knows_one_class(clip, yolo, caplog):
    run("track", clip, *yolo, "--export", "mot")
    assert "knows one class only" in caplog.text


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [("mot", "still/gt/gt.txt", "still-2/gt/gt.txt"), ("cvat", "still.xml", "still-2.xml")],
)
def test_what_was_corrected_is_kept(clip, yolo, name, first, second):
    run("track", clip, *yolo, "--export", name)
    corrected = Path("runs", name, first)
    corrected.write_text("corrected by hand")
    run("track", clip, *yolo, "--export", name)
    assert corrected.read_text() == "corrected by hand"
    assert Path("runs", name, second).stat().st_size > 0


def test_only_what_is_asked_for_is_written(clip, yolo):
    run("track", clip, *yolo, "--export", "cvat", "--export", "label-studio")
    assert sorted(path.as_posix() for path in Path("runs").rglob("*.*")) == [
        "runs/cvat/still.xml",
        "runs/label-studio/still.json",
    ]


def test_postprocessed_tracks_are_exported(clip, yolo):
    run("track", clip, *yolo, "--export", "cvat", "--postprocess", "smooth", "--results", "rows.txt", "--clip")
    assert_same_tracks(Path("runs/cvat/still.xml"), "rows.txt")


def test_what_was_labelled_until_a_failure_is_kept(image_folder, yolo, capsys):
    Path(image_folder, "4.png").write_bytes(b"no image")
    assert main(["track", str(image_folder), *yolo, "--export", "coco", "--export", "cvat"]) == 2
    content = json.loads(Path("runs/coco/frames/annotations.json").read_text())
    assert [image["frame_id"] for image in content["images"]] == [1, 2, 3]
    assert Path("runs/cvat/frames.partial.xml").is_file()


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["cvatt"], "--export cvatt: there is no such format; did you mean cvat?"),
        (["cvat", "cvat=x/"], "--export cvat is given twice"),
        (["cvat=x.json"], "--export cvat x.json: expected a file name ending in .xml"),
    ],
)
def test_what_cannot_be_exported(clip, yolo, texts, message, capsys):
    assert main(["track", str(clip), *yolo, *(word for text in texts for word in ("--export", text))]) == 2
    assert message in error_of(capsys)


def tracks(*people: tuple[int, float, bool]) -> Tracks:
    """Return tracks of people given as (id, left edge, whether they are seen)."""
    ids, lefts, seen = zip(*people, strict=True) if people else ((), (), ())
    boxes = np.array([(left, 20, left + 20, 60) for left in lefts], np.float32).reshape(-1, 4)
    count = len(ids)
    return Tracks(
        np.array(ids, np.int64), boxes, np.ones(count, np.float32), np.zeros(count, np.int64),
        np.where(np.array(seen, bool), np.arange(count), -1),
    )  # fmt: skip


@pytest.mark.parametrize(("writer", "name"), [(CvatVideoTracks, "walk.xml"), (LabelStudioTracks, "walk.json")])
def test_gaps_turns_and_ends_survive(writer, name):
    """Somebody walks, turns, is away, comes back unseen, and leaves before the end."""
    path = {
        **{n: 2.0 * n for n in range(1, 11)},
        **{n: 40.0 - 3 * n for n in range(11, 14)},
        20: 90.0,
        21: 91.0,
        22: 92,
    }
    with writer(name, TrackedSource("walk", 25.0, (160, 96), ["person"], True, "walk.mp4")) as file:
        for frame in range(1, 31):
            people = [(7, path[frame], frame < 20)] if frame in path else []
            file.write(frame, tracks(*people, (3, 100, True)), frame / 25)
    format_name = guess_track_format(Path(name))
    table = read_found(format_name, Path(name), next(iter(FORMATS[format_name].sequences(Path(name)))), Path(name))
    mine = table.rows.where(table.rows.ids == 7)
    assert dict(zip(mine.frames.tolist(), (mine.boxes_xywh[:, 0] - 1).round(3).tolist(), strict=True)) == pytest.approx(
        path, abs=1
    )
    assert (table.rows.ids == 3).sum() == 30
    assert (table.length, table.names) == (30, {1: "person"})


def test_frames_at_a_distance_are_no_gaps():
    with CvatVideoTracks("every5.xml", TrackedSource("every5")) as file:
        for frame in range(11, 61, 5):
            file.write(frame, tracks(*([(1, frame, True)] if frame < 40 else [])))
    root = ElementTree.parse("every5.xml").getroot()
    boxes = [(int(box.attrib["frame"]), box.get("outside")) for box in root.iter("box")]
    assert boxes == [(10, "0"), (35, "0"), (40, "1")]
    place = {name: root.findtext(f"meta/task/{name}") for name in ("size", "start_frame", "stop_frame", "frame_filter")}
    assert place == {"size": "10", "start_frame": "10", "stop_frame": "55", "frame_filter": "step=5"}
    table = read_found("cvat-video", Path("every5.xml"), "every5", Path("every5.xml"))
    assert table.rows.frames.tolist() == [11, 16, 21, 26, 31, 36]
    assert table.labelled.tolist() == list(range(11, 61, 5))


def test_unseen_is_occluded():
    with CvatVideoTracks("walk.xml", TrackedSource("walk")) as file:
        for frame in range(1, 7):
            file.write(frame, tracks((1, 10, frame not in (3, 4))))
    boxes = {int(box.attrib["frame"]): box.get("occluded") for box in ElementTree.parse("walk.xml").iter("box")}
    assert boxes == {0: "0", 1: "0", 2: "1", 3: "1", 4: "0", 5: "0"}


def test_odd_names_stay_valid_xml():
    with CvatVideoTracks("odd.xml", TrackedSource("a\x1b<b>&\ud800", class_names=["<car>\x00"])) as file:
        file.write(1, tracks((1, 10, True)))
    assert ElementTree.parse("odd.xml").findtext("meta/task/name") == "a\\x1b<b>&\\xd800"


def test_boxes_between_key_frames_are_as_near_as_is_said():
    rng = np.random.default_rng(0)
    boxes = np.array([100, 100, 200, 300]) + np.cumsum(rng.normal(0, 3, (200, 4)), axis=0)
    frames = np.cumsum(rng.integers(1, 4, 200))
    keys = find_keys(frames, boxes)
    between = np.stack([np.interp(frames, frames[keys], boxes[keys, side]) for side in range(4)], axis=1)
    allowed = np.maximum(1.0, 0.02 * (boxes[:, 3] - boxes[:, 1]))
    assert (np.abs(between - boxes).max(axis=1) <= allowed).all()
    assert len(keys) < 120
    assert keys[0] == 0
    assert keys[-1] == 199


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"data": {"image": "a.jpg"}}, "tasks[0]: expected a task of a video"),
        ({"predictions": [{"result": [{"type": "videorectangle"}]}]}, "result[0]: expected a value with labels and a"),
        ({"annotations": {"a": 1}}, "tasks[0]: expected annotations or predictions as a list"),
        (
            {"annotations": [{"result": [{"type": "videorectangle", "value": {"labels": ["car"], "sequence": [{}]}}]}]},
            "result[0]: expected a frame from 1",
        ),
    ],
)
def test_broken_tasks_are_named(task, message, capsys):
    Path("gt.txt").write_text("1,1,10,10,20,40,1,1,1\n")
    data = {"data": {"video": "a.mp4", "width": 160, "height": 96}}
    Path("a.json").write_text(json.dumps([{**data, **task}]))
    assert main(["evaluate", "--gt", "gt.txt", "--results", "a.json"]) == 2
    assert message in error_of(capsys)

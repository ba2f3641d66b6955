"""What `track`, `detect` and `associate` write, in every format, and that the commands read what the others write."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from centertrack import detect, track
from centertrack.app.exports import EXPORTS
from centertrack.app.outputs import TRACK_SUFFIXES
from centertrack.cli import main
from centertrack.commands.shared.output_options import EXPORT_NAMES
from tests.centertrack.commands.conftest import CELLS
from tests.centertrack.commands.test_cli import error_of
from tests.centertrack.runtime.detectors.graphs import write_detector
from tests.conftest import PROJECT
from tracker.errors import InputError
from tracker.io.mot import read_results
from tracker.io.track_formats import guess_track_format, read_found
from tracker.io.track_writers import WRITERS
from tracker.io.tracks_csv import COLUMNS

HAS_PYARROW = find_spec("pyarrow") is not None
SUFFIXES = [pytest.param(one, marks=pytest.mark.skipif(one == ".parquet" and not HAS_PYARROW, reason="needs pyarrow"))
            for one in TRACK_SUFFIXES]  # fmt: skip


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: object) -> None:
    assert main(list(map(str, arguments))) == 0


def read_csv(name: str) -> list[dict[str, str]]:
    with Path(name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_what_the_command_line_lists_is_what_there_is():
    assert tuple(WRITERS) == TRACK_SUFFIXES
    assert tuple(EXPORTS) == EXPORT_NAMES


# Results by suffix


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_of_results_says_the_same(clip, yolo, suffix):
    run("track", clip, *yolo, "--results", "rows.txt")
    run("track", clip, *yolo, "--results", f"other{suffix}")
    path = Path(f"other{suffix}")
    rows, found = read_results("rows.txt"), read_found(guess_track_format(path), path, "other", path)
    assert found.rows.frames.tolist() == rows.frames.tolist()
    assert found.rows.ids.tolist() == rows.ids.tolist()
    assert found.rows.classes.tolist() == rows.classes.tolist()
    np.testing.assert_allclose(found.rows.boxes_xywh, rows.boxes_xywh, atol=0.011)
    np.testing.assert_allclose(found.scores, rows.scores, atol=1e-4)
    if suffix != ".txt":
        assert found.names == {1: "person", 2: "car"}
        assert found.times[12] == pytest.approx(11 / 25, abs=1e-3)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("side", ["--gt", "--results"])
def test_every_format_of_results_is_evaluated(clip, weights, suffix, side, capsys):
    for name in (f"a/still{suffix}", "b/still.txt"):
        run("track", clip, "--weights", weights, "--device", "cpu", "--results", name)
    other = "--results" if side == "--gt" else "--gt"
    capsys.readouterr()
    for place in ("a", f"a/still{suffix}"):
        run("evaluate", side, place, other, "b/still.txt", "--benchmark", "none")
        assert "100.00  100.00  100.00  100.00  100.00" in capsys.readouterr().out


def test_results_of_the_video_count_for_a_sequence_of_a_public_detector(capsys):
    Path("gt/MOT17-02-SDP/gt").mkdir(parents=True)
    Path("gt/MOT17-02-SDP/gt/gt.txt").write_text("1,1,11,11,20,40,1,1,1\n")
    Path("found").mkdir()
    Path("found/MOT17-02.csv").write_text("id,frame,x1,y1,x2,y2\n4,1,10,10,30,50\n")
    run("evaluate", "--gt", "gt", "--results", "found")
    assert "MOT17-02-SDP  100.00" in capsys.readouterr().out
    assert main(["evaluate", "--gt", "gt", "--results", "found", "--sequences", "MOT17-04-SDP"]) == 2
    Path("found/MOT17-02.csv").rename("found/else.csv")
    Path("found/more.csv").write_text("id,frame,x1,y1,x2,y2\n")
    capsys.readouterr()
    assert main(["evaluate", "--gt", "gt", "--results", "found"]) == 2
    assert "no results for MOT17-02-SDP in found; there is else, more" in error_of(capsys)


def test_a_table_has_a_header_seconds_names_and_speeds(clip, yolo):
    run("track", clip, *yolo, "--results", "rows.csv")
    rows = read_csv("rows.csv")
    assert tuple(rows[0]) == COLUMNS
    first, last = rows[0], rows[-1]
    assert (first["seconds"], first["speed"], last["speed"], last["seen"]) == ("0.0", "", "0.0", "1")
    assert {(row["class"], row["class_number"]) for row in rows} == {("person", "1"), ("car", "2")}


def test_speed_is_that_of_the_middle_in_pixels_a_second():
    lines = [f"{frame},-1,{11 + 4 * frame},11,20,40,0.9\n" for frame in range(1, 40)]
    Path("walk.txt").write_text("".join(lines))
    run("associate", "walk.txt", "--tracker", "bytetrack", "--option", "frame_rate=25", "--results", "out/walk.csv")
    speeds = [float(row["speed"]) for row in read_csv("out/walk.csv")[15:]]
    np.testing.assert_allclose(speeds, 100, rtol=0.05)
    run("associate", "walk.txt", "--tracker", "bytetrack", "--results", "out/walk.csv")
    assert {(row["seconds"], row["speed"]) for row in read_csv("out/walk.csv")} == {("", "")}  # nobody told the rate


def test_names_of_classes_are_quoted(clip, tmp_path):
    rows = np.zeros((1, 6, CELLS))
    rows[0, :, 0] = (50, 50, 20, 40, 0.9, 0)
    names = {"names": "{0: 'van, or \"bus\"', 1: 'car'}"}
    write_detector(tmp_path / "odd.onnx", {"output0": rows}, image=(1, 3, 96, 160), metadata=names)
    run("track", clip, "--weights", "odd.onnx", "--device", "cpu", "--results", "rows.csv")
    assert {row["class"] for row in read_csv("rows.csv")} == {'van, or "bus"'}
    assert read_found("csv", Path("rows.csv"), "rows", Path("rows.csv")).names == {1: 'van, or "bus"'}


def test_lines_of_json_tell_also_frames_that_nobody_is_in(clip, yolo):
    run("track", clip, *yolo, "--classes", "dog", "--results", "rows.jsonl")
    header, *frames = (json.loads(line) for line in Path("rows.jsonl").read_text().splitlines())
    assert header == {"source": "still", "frame_rate": 25.0, "size": [160, 96], "classes": ["person", "car", "dog"]}
    assert [(frame["frame"], frame["tracks"]) for frame in frames] == [(number, []) for number in range(1, 13)]


def test_rows_on_standard_output_come_alone(clip, yolo, capsys):
    run("track", clip, *yolo, "--results", "rows.txt")
    capsys.readouterr()
    run("track", clip, *yolo, "--results", "-")
    said = capsys.readouterr()
    assert said.out == Path("rows.txt").read_text()
    assert said.err.startswith("still: 12 frames, 2 ids (1 person, 1 car)")
    assert main(["track", str(clip), str(clip), *yolo, "--results", "-"]) == 2
    assert "2 sources do not go to standard output together" in error_of(capsys)
    assert main(["detect", str(clip), *yolo, "--results", "-"]) == 2
    assert "--results -: expected a file name ending in .json" in error_of(capsys)


def test_a_pipe_that_is_closed_ends_the_run(clip, yolo):
    command = [sys.executable, "-m", "centertrack", "track", str(clip), *yolo, "--results", "-"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    assert process.wait(timeout=60) == 2
    assert "error: nobody reads standard output any more" in said
    assert "Traceback" not in said


def test_a_star_stands_for_the_name_of_the_source(clip, image_folder, yolo):
    run("track", clip, image_folder, clip, *yolo, "--results", "out/*.csv")
    assert sorted(path.name for path in Path("out").iterdir()) == ["frames.csv", "still-2.csv", "still.csv"]
    for name in ("a", "b"):
        Path(f"{name}.txt").write_text("1,-1,11,11,20,40,0.9\n2,-1,11,11,20,40,0.9\n")
    run("associate", "a.txt", "b.txt", "--results", "found/*.json")
    assert sorted(path.name for path in Path("found").iterdir()) == ["a.json", "b.json"]


def test_several_sequences_do_not_go_into_one_file(capsys):
    for name in ("a", "b"):
        Path(f"{name}.txt").write_text("1,-1,11,11,20,40,0.9\n")
    assert main(["associate", "a.txt", "b.txt", "--results", "one.csv"]) == 2
    assert "2 sequences need a folder, or a name with a *" in error_of(capsys)
    assert main(["associate", "a.txt", "--results", "one.xls"]) == 2
    assert "one.xls: expected a file name ending in .txt, .csv" in error_of(capsys)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_tracks_are_tracked_again(clip, yolo, suffix):
    run("track", clip, *yolo, "--results", f"first{suffix}")
    run("associate", f"first{suffix}", "--tracker", "bytetrack", "--results", "again.txt")
    rows = read_results("again.txt")
    assert np.unique(rows.frames).tolist() == list(range(1, 13))
    assert set(rows.classes.tolist()) == {1, 2}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "frame,id,x1,y1,x2,y2\n1,1,0,0,9\n", "a.csv:2: expected 6 columns as in the header, got 5"),
        ("a.csv", "frame,id,x1,y1,x2,y2\n1,1,0,0,9,9\n1,2,0,nan,9,9\n", "a.csv:3: expected y1 from"),
        ("a.csv", "frame,id,x1,y1,x2,y2,class_number\n1,1,0,0,9,9,0\n", "a.csv:2: expected class_number from 1"),
        ("a.json", '{"tracks": [{"id": 1}]}', "a.json: tracks[0]: expected a track with id, frames and boxes"),
        ("a.json", '{"tracks": [{"id": 1, "frames": [1], "boxes": []}]}', "tracks[0]: expected boxes, scores, seconds"),
        ("a.json", '{"tracks": [{"id": 1, "frames": [1], "boxes": [[1, 2]]}]}', "tracks[0]: expected a box"),
        ("a.jsonl", '{"source": "a"}\n{"frame": 1, "tracks": [{"id": -1}]}', "a.jsonl:2: expected an id from 0"),
        ("a.jsonl", '{"source": "a"}\n{"frame": 1\n', "a.jsonl:2: not valid JSON"),
        ("a.json", '[{"data": {"video": "a.mp4"}, "predictions": []}]', "expected width and height of the video"),
    ],
)  # fmt: skip
def test_broken_results_are_named(name, content, message, capsys):
    Path("gt.txt").write_text("1,1,10,10,20,40,1,1,1\n")
    Path(name).write_text(content)
    assert main(["evaluate", "--gt", "gt.txt", "--results", name]) == 2
    assert message in error_of(capsys)


@pytest.mark.skipif(not HAS_PYARROW, reason="needs pyarrow")
def test_parquet_that_is_none(capsys):
    Path("gt.txt").write_text("1,1,10,10,20,40,1,1,1\n")
    Path("a.parquet").write_bytes(b"PAR1")
    assert main(["evaluate", "--gt", "gt.txt", "--results", "a.parquet"]) == 2
    assert "cannot read a.parquet" in error_of(capsys)


def test_what_was_tracked_until_a_failure_is_kept(image_folder, yolo, capsys):
    Path(image_folder, "4.png").write_bytes(b"no image")
    for suffix in (".csv", ".json", ".jsonl"):
        assert main(["track", str(image_folder), *yolo, "--results", f"rows{suffix}"]) == 2
        assert not Path(f"rows{suffix}").exists()
        kept = Path(f"rows.partial{suffix}")
        assert read_found(guess_track_format(kept), kept, "rows", kept).rows.frames.max() == 3


# Classes


@pytest.mark.parametrize("classes", ["car", "2", "CAR,2", "names.txt"])
def test_only_chosen_classes_are_tracked(clip, yolo, classes, capsys):
    Path("names.txt").write_text("car\n")
    run("track", clip, *yolo, "--classes", classes, "--results", "rows.txt")
    assert set(read_results("rows.txt").classes.tolist()) == {2}
    assert "12 frames, 1 id, " in capsys.readouterr().out  # of one class there is nothing to tell apart


def test_the_summary_counts_by_class(clip, yolo, capsys):
    run("track", clip, *yolo, "--classes", "person,car", "--results", "rows.txt")
    assert "12 frames, 2 ids (1 person, 1 car), " in capsys.readouterr().out
    run("detect", clip, *yolo, "--results", "found.json")
    assert "12 frames, 24 detections (12 person, 12 car), " in capsys.readouterr().out


def test_only_chosen_classes_are_detected(image_folder, yolo):
    run("detect", image_folder, *yolo, "--classes", "person", "--results", "found.json")
    found = json.loads(Path("found.json").read_text())
    assert {one["category_id"] for one in found["annotations"]} == {1}
    run("associate", "found.json", "--classes", "person", "--results", "out")
    assert len(read_results("out/found.txt")) == 6


def test_only_chosen_classes_are_associated(capsys):
    lines = [f"{n},-1,{left},11,20,40,0.9,{number}\n" for n in (1, 2, 3) for left, number in ((11, 1), (90, 3))]
    Path("walk.txt").write_text("".join(lines))
    run("associate", "walk.txt", "--classes", "3", "--results", "out")
    assert set(read_results("out/walk.txt").classes.tolist()) == {3}
    assert main(["associate", "walk.txt", "--classes", "car", "--results", "out"]) == 2
    assert "there is no class 'car' in the detections of walk; its classes have no names: give" in error_of(capsys)


def test_classes_in_python(clip, yolo):
    for classes in ("car", ["car"], [2]):
        labels = {
            label for frame in track(clip, yolo[1], device="cpu", classes=classes) for label in frame.tracks.labels
        }
        assert labels == {1}
    report = detect(clip, yolo[1], device="cpu", classes="person,dog").run()
    assert (report.detections, dict(report.detection_labels)) == (12, {0: 12})
    with pytest.raises(InputError, match="at least one class"):
        track(clip, yolo[1], device="cpu", classes=[])


def test_a_class_that_does_not_exist(clip, yolo, weights, capsys):
    for command in ("track", "detect"):
        assert main([command, str(clip), *yolo, "--classes", "bus"]) == 2
        assert "there is no class 'bus' in " in (error := error_of(capsys))
        assert error.endswith("; there are: 1 person, 2 car, 3 dog\n")
        assert main([command, str(clip), *yolo, "--classes", "0"]) == 2
        assert "there is no class '0'" in error_of(capsys)
    assert main(["track", str(clip), "--weights", str(weights), "--device", "cpu", "--classes", "perso"]) == 2
    assert error_of(capsys).endswith("did you mean person? there are: 1 person\n")
    run("track", clip, "--weights", weights, "--device", "cpu", "--classes", "person", "--results", "rows.txt")
    assert set(read_results("rows.txt").classes.tolist()) == {-1}


def test_an_option_of_the_detector_that_leaves_nothing(clip, yolo, capsys):
    assert main(["track", str(clip), *yolo, "--classes", "car", "--detector-option", "classes=person"]) == 2
    assert "leaves out all of the classes that are chosen" in error_of(capsys)


def test_the_picture_names_the_classes_where_there_are_several(image_folder, yolo):
    options = ["--max-frames", "1", "--video"]
    run("detect", image_folder, *yolo, *options, "both.mp4")
    run("detect", image_folder, *yolo, "--classes", "car", *options, "car.mp4")
    both, car = (next(iter(detect(name, yolo[1], device="cpu"))).image for name in ("both.mp4", "car.mp4"))
    right = np.s_[20:40, 80:150]  # above the car
    assert np.abs(both[right].astype(int) - car[right]).max() > 60


# Boxes


def test_boxes_are_cut_to_the_image_where_that_is_asked_for(clip, yolo):
    run("track", clip, *yolo, "--results", "rows.txt")
    assert read_results("rows.txt").boxes_xyxy[:, 0].min() == pytest.approx(-5, abs=0.1)
    run("track", clip, *yolo, "--clip", "--results", "rows.txt")
    boxes = read_results("rows.txt").boxes_xyxy
    assert boxes[:, 0].min() == 0
    assert boxes[:, 2].min() == pytest.approx(15, abs=0.1)
    run("detect", clip, *yolo, "--clip", "--results", "found.json")
    assert min(one["bbox"][0] for one in json.loads(Path("found.json").read_text())["annotations"]) == 0


def write_gap() -> None:
    """Detections of somebody who is not detected in frames 31 to 34."""
    lines = [f"{n},-1,{11 + 2 * n},41,20,40,0.9\n" for n in range(1, 50) if not 31 <= n <= 34]
    Path("gap.txt").write_text("".join(lines))


@pytest.mark.parametrize("suffix", [one for one in TRACK_SUFFIXES if one != ".parquet"])
def test_coasting_boxes_are_marked_and_can_be_left_out(suffix):
    write_gap()
    command = ["associate", "gap.txt", "--tracker", "scene", "--option", "frame_rate=25"]
    run(*command, "--results", f"all{suffix}")
    run(*command, "--no-coasting", "--results", f"seen{suffix}")
    every, seen = (
        read_found(guess_track_format(path), path, "gap", path).rows.frames.tolist()
        for path in (Path(f"all{suffix}"), Path(f"seen{suffix}"))
    )
    assert set(every) - set(seen) == {31, 32, 33, 34} & set(every) != set()
    if suffix == ".csv":
        marked = {int(row["frame"]) for row in read_csv("all.csv") if row["seen"] == "0"}
        assert marked == set(every) - set(seen)
    if suffix == ".json":
        (one,) = json.loads(Path("all.json").read_text())["tracks"]
        assert {n for n, is_seen in zip(one["frames"], one["seen"], strict=True) if not is_seen} == set(every) - set(
            seen
        )


def test_interpolated_boxes_are_marked_and_stay():
    write_gap()
    command = ["associate", "gap.txt", "--tracker", "bytetrack", "--option", "frame_rate=25"]
    run(*command, "--no-coasting", "--postprocess", "interpolate", "--results", "filled.csv")
    assert {int(row["frame"]) for row in read_csv("filled.csv") if row["seen"] == "0"} == {31, 32, 33, 34}


# Ids in the summary


def test_the_summary_counts_the_ids_of_the_file(clip, weights, monkeypatch, capsys):
    from dataclasses import replace

    from centertrack.app import tracks_sink

    def join(trajectories, steps, frame_rate):
        return replace(trajectories, ids=np.ones_like(trajectories.ids))

    command = ["track", str(clip), "--weights", str(weights), "--device", "cpu", "--results", "rows.txt"]
    run(*command)
    count = len(np.unique(read_results("rows.txt").ids))
    assert f"12 frames, {count} ids, " in capsys.readouterr().out
    assert count > 3
    monkeypatch.setattr(tracks_sink, "postprocess", join)
    run(*command, "--postprocess", "link")
    assert set(read_results("rows.txt").ids.tolist()) == {1}
    assert "12 frames, 1 id, " in capsys.readouterr().out


# Photos


@pytest.fixture
def photos(picture) -> Path:
    Path("photos").mkdir()
    for name in ("p1.png", "p2.png", "holiday.jpeg"):
        cv2.imwrite(f"photos/{name}", picture)
    return Path("photos")


def test_photos_become_a_picture_each(photos, yolo, capsys):
    run("detect", photos, *yolo, "--video", "found/")
    assert sorted(path.name for path in Path("found").iterdir()) == ["holiday.jpg", "p1.jpg", "p2.jpg"]
    assert "  video: found\n" in capsys.readouterr().out
    run("detect", photos / "p1.png", *yolo, "--video", "one/")
    assert [path.name for path in Path("one").iterdir()] == ["p1.jpg"]
    before, after = cv2.imread("photos/p1.png"), cv2.imread("found/p1.jpg")
    assert before.shape == after.shape
    assert np.abs(before.astype(int) - after).max() > 100  # boxes


def test_photos_of_several_folders_stay_apart(photos, yolo):
    run("detect", photos, photos / "p1.png", *yolo, "--video", "found")
    found = sorted(path.relative_to("found").as_posix() for path in Path("found").rglob("*.jpg"))
    assert found == ["p1/p1.jpg", "photos/holiday.jpg", "photos/p1.jpg", "photos/p2.jpg"]


def test_photos_of_one_stem_get_two_pictures(photos, yolo, picture):
    cv2.imwrite("photos/p1.jpg", picture)
    run("detect", photos, *yolo, "--video", "found/")
    assert sorted(path.name for path in Path("found").glob("p1*")) == ["p1.jpg.jpg", "p1.png.jpg"]


def test_photos_are_not_replaced_by_their_pictures(photos, yolo, capsys):
    assert main(["detect", str(photos), *yolo, "--video", "photos/"]) == 2
    assert "photos holds the images of the source" in error_of(capsys)
    assert sorted(path.name for path in photos.iterdir()) == ["holiday.jpeg", "p1.png", "p2.png"]


def test_frames_and_files_stay_videos(image_folder, photos, yolo):
    run("detect", image_folder, *yolo, "--video", "found/")  # 1.png to 6.png
    run("detect", photos, *yolo, "--video", "photos.mp4")
    assert Path("found/frames.mp4").is_file()
    assert Path("photos.mp4").is_file()

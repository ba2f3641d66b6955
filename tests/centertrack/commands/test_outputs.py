from __future__ import annotations

from pathlib import Path

import pytest

from centertrack.commands.shared.options import read_assignments
from centertrack.commands.shared.outputs import OutputKind, OutputPlan
from tracker.errors import InputError


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def plan(results: str | None = None, video: str | None = None, sources: tuple[str, ...] = ("cam.mp4",)) -> OutputPlan:
    kinds = [
        OutputKind("results", ".txt", results, (".txt", ".csv")),
        OutputKind("video", ".mp4", video, (".mp4", ".mkv")),
    ]
    return OutputPlan(kinds, sources)


def named(paths: dict[str, Path]) -> dict[str, str]:
    return {kind: path.as_posix() for kind, path in paths.items()}


def test_nothing_given_means_both_under_runs():
    assert named(plan().paths_for("cam")) == {"results": "runs/cam.txt", "video": "runs/cam.mp4"}


def test_what_lies_under_runs_is_never_replaced():
    Path("runs").mkdir()
    Path("runs/cam.mp4").touch()
    assert named(plan().paths_for("cam")) == {"results": "runs/cam-2.txt", "video": "runs/cam-2.mp4"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("rows.txt", "rows.txt"),
        ("a/rows.csv", "a/rows.csv"),
        ("a/", "a/cam.txt"),
        ("a", "a/cam.txt"),
        ("old.d", "old.d/cam.txt"),
    ],
)
def test_a_file_or_a_folder(given, expected):
    Path("old.d").mkdir()
    assert named(plan(results=given).paths_for("cam")) == {"results": expected}


def test_names_that_differ_only_in_case_are_told_apart():
    several = plan(results="out/", sources=("a/cam.mp4", "b/CAM.mp4", "c/cam.avi"))
    assert [named(several.paths_for(name))["results"] for name in ("cam", "CAM", "cam")] == [
        "out/cam.txt", "out/CAM-2.txt", "out/cam-3.txt",
    ]  # fmt: skip


def test_a_url_becomes_a_file_name():
    assert named(plan(sources=("rtsp://user@10.0.0.1/stream",)).paths_for("rtsp://user@10.0.0.1/stream")) == {
        "results": "runs/rtsp_user_10.0.0.1_stream.txt",
        "video": "runs/rtsp_user_10.0.0.1_stream.mp4",
    }


def test_two_outputs_in_one_file():
    with pytest.raises(InputError, match="--results and --video name the same file"):
        OutputPlan([OutputKind(name, ".txt", "out.txt", (".txt",)) for name in ("results", "video")], ["cam.mp4"])


@pytest.mark.parametrize("results", ["imgs/001.jpg", "rows.mp4", "rows.json"])
def test_rows_never_take_the_place_of_another_kind_of_file(results):
    with pytest.raises(InputError, match=r"--results .*: expected a file name ending in \.txt, \.csv"):
        plan(results=results, sources=("imgs",))


@pytest.mark.parametrize("source", ["imgs", "imgs/", "imgs/*.jpg", "imgs/001.jpg"])
def test_a_video_is_not_written_among_the_images_of_a_source(source):
    Path("imgs").mkdir()
    Path("imgs/001.jpg").touch()
    with pytest.raises(InputError, match=r"imgs/out\.mp4 lies among the images of the source"):
        plan(video="imgs/out.mp4", sources=(source,)).paths_for("imgs")
    assert named(plan(video="imgs/out/out.mp4", sources=(source,)).paths_for("imgs")) == {"video": "imgs/out/out.mp4"}
    assert named(plan(results="imgs/rows.txt", sources=(source,)).paths_for("imgs")) == {"results": "imgs/rows.txt"}


def test_a_source_is_never_an_output():
    with pytest.raises(InputError, match="is a source"):
        plan(results="./", video="./").paths_for("cam")


@pytest.mark.parametrize("labels", ["SEQ/gt/gt.txt", "SEQ/det/det.txt"])
def test_labels_of_a_sequence_are_never_replaced(labels):
    Path(labels).parent.mkdir(parents=True)
    plan(labels, sources=("SEQ",)).paths_for("SEQ")  # nothing there that could be lost
    Path(labels).write_text("1,1,10,10,40,100,1,1,1\n")
    with pytest.raises(InputError, match=f"{labels} holds the (ground truth|detections) of a sequence; choose another"):
        plan(labels, sources=("SEQ",)).paths_for("SEQ")
    with pytest.raises(InputError, match="choose another"):
        plan(labels, sources=("clip.mp4",)).paths_for("clip")  # whatever the source is


def test_option_values():
    given = ["a=1", "b=1.5", "c=true", "d=none", "e=cosine", "f-g=-2", "h=inf", "i="]
    assert read_assignments(given) == {
        "a": 1, "b": 1.5, "c": True, "d": None, "e": "cosine", "f_g": -2, "h": float("inf"), "i": "",
    }  # fmt: skip
    with pytest.raises(InputError, match="given twice"):
        read_assignments(["a=1", "a=2"])

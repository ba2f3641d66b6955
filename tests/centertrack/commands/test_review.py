"""`review`, `edit` and `evaluate --edits` as a user calls them."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from centertrack.cli import main
from tests.centertrack.review.conftest import rows_text, write_clip
from tracker.editing.edit_list import EditList, edits_beside
from tracker.editing.edits import DrawBoxes, Merge, SetClass, Swap
from tracker.io.track_formats import guess_track_format, read_found
from tracker.io.video import open_source


@pytest.fixture
def results(tmp_path: Path) -> Path:
    path = tmp_path / "street.txt"
    path.write_text(rows_text())
    return path


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def test_edit_writes_corrected_rows_and_leaves_the_others_as_they_are(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edits = EditList(edits_beside(results), results)
    edits.append(Merge(3, 4))
    edits.append(DrawBoxes(3, ((17, 74, 120, 20, 48), (22, 84, 120, 20, 48))))
    before, listed = results.read_bytes(), edits.path.read_bytes()
    corrected = results.with_name("corrected.txt")
    assert run("edit", results, edits.path, "--results", corrected) == 0
    assert "2 edits: 4 ids before, 3 after" in capsys.readouterr().out
    assert (results.read_bytes(), edits.path.read_bytes()) == (before, listed)
    rows = corrected.read_text().splitlines()
    assert {row for row in rows if ",1," in row[:5]} <= set(before.decode().splitlines())
    assert "19,3,78.00,120.00,20.00,48.00,1.0000,-1,-1,-1" in rows
    untouched = [row for row in before.decode().splitlines() if row.split(",")[1] in "12"]
    assert [row for row in rows if row.split(",")[1] in "12"] == untouched


def test_classes_of_some_tracks_stand_in_column_8(results: Path) -> None:
    edits = EditList(edits_beside(results), results)
    edits.append(SetClass(1, 2))
    corrected = results.with_name("corrected.txt")
    assert run("edit", results, edits.path, "--results", corrected) == 0
    classes = {tuple(row.split(",")[i] for i in (1, 7)) for row in corrected.read_text().splitlines()}
    assert classes == {("1", "2"), ("2", "1"), ("3", "1"), ("4", "1")}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("results", "these are edits of another street.txt"),
        ("missing", "no such edit list; centertrack review makes one"),
        ("output", "would be overwritten; choose another output"),
        ("suffix", "expected a file name ending in .txt, .csv"),
    ],
)
def test_edit_refuses_in_one_sentence(
    change: str, words: str, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    EditList(edits_beside(results), results).append(Merge(3, 4))
    output = {"output": results, "suffix": results.with_suffix(".doc")}.get(change, results.with_name("corrected.txt"))
    before = results.read_bytes()
    if change == "results":
        results.write_text(rows_text().replace("0.9000", "0.8000"))
        before = results.read_bytes()
    if change == "missing":
        edits_beside(results).unlink()
    assert run("edit", results, edits_beside(results), "--results", output) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert results.read_bytes() == before


@pytest.mark.parametrize("suffix", [".csv", ".json", ".jsonl"])
def test_corrected_tracks_in_every_format_are_the_same(suffix: str, results: Path) -> None:
    EditList(edits_beside(results), results).append(Merge(3, 4))
    folder = results.parent / "out"
    for name in (f"street{suffix}", "street.txt"):
        assert run("edit", results, edits_beside(results), "--results", folder / name) == 0
    first, second = (read_edited_rows(folder / name) for name in (f"street{suffix}", "street.txt"))
    assert first == second


def read_edited_rows(path: Path) -> set[tuple[float, ...]]:
    rows = read_found(guess_track_format(path), path, path.stem, path).results()
    return {
        (frame, one, *(round(value, 1) for value in box))
        for frame, one, box in zip(rows.frames.tolist(), rows.ids.tolist(), rows.boxes_xywh.tolist(), strict=True)
    }


def test_corrected_tracks_become_a_video_and_labels(results: Path) -> None:
    clip = write_clip(results.with_name("clip.mp4"))
    EditList(edits_beside(results), results).append(Merge(3, 4))
    folder = results.parent / "out"
    exported = [f"--export={name}={folder / name}/" for name in ("mot", "yolo")]
    video = folder / "clip.mp4"
    assert run("edit", results, edits_beside(results), "--source", clip, "--video", video, *exported) == 0
    with open_source(video) as frames:
        assert sum(1 for _ in frames) == 40
    gt = next((folder / "mot").rglob("gt.txt"))
    assert {row.split(",")[1] for row in gt.read_text().splitlines()} == {"1", "2", "3"}
    assert len(list((folder / "yolo").rglob("*.jpg"))) == 40


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "nothing to write; give --results FILE"),
        (("--video", "out.mp4"), "need the frames; give --source VIDEO"),
        (("--source", "clip.mp4"), "nothing to write"),
    ],
)
def test_edit_says_what_is_missing(
    arguments: tuple[str, ...], words: str, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    EditList(edits_beside(results), results).append(Merge(3, 4))
    assert run("edit", results, edits_beside(results), *arguments) == 2
    assert words in capsys.readouterr().err


def test_evaluate_shows_what_edits_changed(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = tmp_path / "gt" / "street" / "gt"
    truth.mkdir(parents=True)
    joined = rows_text().replace(",4,", ",3,")
    (truth / "gt.txt").write_text(re.sub(r",0\.9000,-1,-1,-1", ",1,1,1", joined))
    edits = EditList(edits_beside(results), results)
    edits.append(Merge(3, 4))
    scores = tmp_path / "scores.json"
    assert run("evaluate", "--gt", truth / "gt.txt", "--results", results, "--edits", edits.path, "--json", scores) == 0
    shown = capsys.readouterr().out
    rows = {line.split("  ")[0].strip(): line.split() for line in shown.splitlines() if line.startswith("street")}
    assert any(name.endswith("edited") and "100.00" in cells for name, cells in rows.items())
    assert json.loads(scores.read_text())


def test_edits_belong_to_one_file(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edits = EditList(edits_beside(results), results)
    edits.append(Swap(1, 2, 20))
    assert run("evaluate", "--gt", tmp_path, "--results", tmp_path, "--edits", edits.path) == 2
    assert "--edits belongs to one file of results" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: folder.joinpath("street.mp4").write_bytes(b"x" * 999), "cannot be opened as a video"),
        (lambda folder: None, "no such file"),
    ],
)
def test_review_refuses_in_one_sentence(
    make: object, words: str, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(results.parent)  # type: ignore[operator]
    assert run("review", results.parent / "street.mp4", results, "--no-browser") == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_review_serves_until_ctrl_c(results: Path) -> None:
    clip = write_clip(results.with_name("clip.mp4"))
    command = [sys.executable, "-m", "centertrack", "review", str(clip), str(results), "--no-browser"]
    program = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert program.stdout is not None
    try:
        address = re.search(r"http://127\.0\.0\.1:\d+/", program.stdout.readline())
        assert address is not None
        with urllib.request.urlopen(address[0] + "about", timeout=20) as answer:
            assert json.load(answer)["name"] == "clip"
        program.send_signal(signal.SIGINT)
        rest, _ = program.communicate(timeout=60)
        assert "every edit is in the list" in rest
        assert program.returncode == 0
    finally:
        program.kill()

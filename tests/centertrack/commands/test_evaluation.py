"""The commands around results: evaluate, evaluate-detections, validate, submit."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from centertrack.cli import main
from tests.centertrack.commands.test_cli import error_of
from tracker.evaluation.benchmarks import TEST_SEQUENCES

ROW = "1,1,10,20,30,40,0.9,-1,-1,-1\n"


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def walk() -> None:
    """One person walks for 10 frames; `good` follows all the time, `bad` changes the id after frame 5."""
    folder = Path("gt", "SEQ-01")
    for name in ("gt", "det"):
        (folder / name).mkdir(parents=True)
    boxes = {frame: f"{10 + frame},20,30,60" for frame in range(1, 11)}
    (folder / "gt" / "gt.txt").write_text("".join(f"{n},1,{box},1,1,1\n" for n, box in boxes.items()))
    (folder / "det" / "det.txt").write_text("".join(f"{n},-1,{box},0.9\n" for n, box in boxes.items()))
    (folder / "seqinfo.ini").write_text("[Sequence]\nname=SEQ-01\nframeRate=25\nseqLength=10\n")
    for name, second in (("good", 7), ("bad", 8)):
        Path(name).mkdir()
        rows = (f"{n},{7 if n <= 5 else second},{box},1,-1,-1,-1\n" for n, box in boxes.items())
        Path(name, "SEQ-01.txt").write_text("".join(rows))


def combined(name: str) -> dict[str, float]:
    return json.loads(Path(name).read_text(encoding="utf-8"))["combined"]


# Evaluate


def test_only_the_chosen_frames_count():
    files = ["--gt", "gt", "--results", "bad", "--json", "scores.json"]
    assert main(["evaluate", *files, "--frames", "half-val"]) == 0
    assert (combined("scores.json")["Frames"], combined("scores.json")["IDSW"]) == (4, 0)
    assert main(["evaluate", *files, "--frames", "3:8"]) == 0
    assert (combined("scores.json")["Frames"], combined("scores.json")["IDSW"]) == (6, 1)


@pytest.mark.parametrize("more", [["--report", "r.html"], ["--check", "motmetrics"]])
def test_workers_share_the_sequences_whatever_is_asked(more, monkeypatch, capsys):
    class Threads(ThreadPoolExecutor):
        used = 0

        def map(self, *arguments: Any) -> Any:
            Threads.used += 1
            return super().map(*arguments)

    monkeypatch.setattr("concurrent.futures.ProcessPoolExecutor", Threads)
    for name in ("gt/SEQ-01", "good/SEQ-01.txt"):
        (shutil.copytree if Path(name).is_dir() else shutil.copy)(name, name.replace("01", "02"))
    files = ["--gt", "gt", "--results", "good", *more]
    assert main(["evaluate", *files]) == 0
    alone = capsys.readouterr().out
    assert main(["evaluate", *files, "--workers", "2"]) == 0
    assert capsys.readouterr().out == alone
    assert Threads.used == (3 if "--check" in more else 1)


def test_several_trackers_are_set_side_by_side(capsys):
    assert main(["evaluate", "--gt", "gt", "--results", "good", "--compare", "bad", "--json", "scores.json"]) == 0
    side_by_side = capsys.readouterr().out.split("\n\n")[1].splitlines()
    cells = [line.split() for line in side_by_side]
    assert [row[0] for row in cells[2:]] == ["good", "bad"]
    assert [row[cells[0].index("IDSW") - 1] for row in cells[2:]] == ["0", "1"]  # "all sequences" is two words
    assert combined("scores.json")["IDSW"] == 0


@pytest.mark.parametrize(
    ("paths", "names"),
    [(["bad"], ["good", "bad"]), (["bad/SEQ-01.txt"], ["good", "SEQ-01"]), (["a/good"], ["good", "a/good"])],
)
def test_the_report_names_every_tracker(capsys, paths, names):
    Path("a/good").mkdir(parents=True)
    Path("a/good/SEQ-01.txt").write_bytes(Path("bad/SEQ-01.txt").read_bytes())
    assert main(["evaluate", "--gt", "gt", "--results", "good", "--compare", *paths, "--report", "out/r.html"]) == 0
    assert "report: out/r.html\n" in capsys.readouterr().out
    assert f"<title>{' / '.join(names)}: tracking report</title>" in Path("out/r.html").read_text(encoding="utf-8")


def test_the_report_has_the_scores_of_the_table(capsys):
    assert main(["evaluate", "--gt", "gt", "--results", "bad"]) == 0
    table = capsys.readouterr().out
    assert main(["evaluate", "--gt", "gt", "--results", "bad", "--report", "r.html", "--images", "gt"]) == 0
    assert capsys.readouterr().out.startswith(table)


def test_another_library_is_asked(capsys):
    assert main(["evaluate", "--gt", "gt", "--results", "bad", "--check", "motmetrics"]) == 0
    out = capsys.readouterr().out
    assert "IDSW       1           1          +0" in out
    assert "motmetrics counts fewer switches" in out


def test_what_is_not_scored_is_said_below_the_table(capsys):
    rows = "".join(f"{n},5,200,20,30,60,1,3,1\n" for n in range(1, 11))
    with Path("gt/SEQ-01/gt/gt.txt").open("a") as file:
        file.write(rows)
    assert main(["evaluate", "--gt", "gt", "--results", "good", "--compare", "bad"]) == 0
    assert "\nnot scored: 10 of 20 labels (10 of class 3)\n" in capsys.readouterr().out  # once, not for each tracker


def test_classes_labelled_frames_and_intervals(capsys):
    truth = Path("gt/SEQ-01/gt/gt.txt")
    truth.write_text("".join(line for line in truth.read_text().splitlines(True) if int(line.split(",")[0]) % 3 == 1))
    command = ["evaluate", "--gt", "gt", "--results", "bad", "--json", "scores.json"]
    assert main(command) == 0
    assert "only 4 of 10 frames count: labels are on every 3rd frame" in capsys.readouterr().out
    assert (combined("scores.json")["Frames"], combined("scores.json")["MOTA"]) == (4, 0.75)
    assert main([*command, "--labelled-frames", "every", "9", "--classes", "1"]) == 0
    assert combined("scores.json")["Frames"] == 2
    assert (
        main([*command, "--labelled-frames", "all", "--intervals", "--compare", "good", "--check", "motmetrics"]) == 0
    )
    out = capsys.readouterr().out
    assert "95 % interval, bad" in out
    assert "bootstrap over 10 windows of 1 frame" in out
    assert "good beats bad by " in out or "bad and good: " in out
    assert "IDSW" in out.split("motmetrics")[1]
    assert "HOTA" in json.loads(Path("scores.json").read_text())["intervals"]


def test_another_library_sees_what_is_scored(capsys):
    Path("gt/SEQ-01/gt/gt.txt").write_text("".join(f"{n},1,{10 + n},20,30,60,1,2,1\n" for n in range(1, 11)))
    assert main(["evaluate", "--gt", "gt", "--results", "bad", "--classes", "2", "--check", "motmetrics"]) == 0
    assert "IDSW       1           1          +0" in capsys.readouterr().out


def test_a_class_can_come_from_a_file(capsys):
    Path("which.txt").write_text("1\n")
    assert main(["evaluate", "--gt", "gt", "--results", "good", "--classes", "which.txt"]) == 0
    assert "class 1 only" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--labelled-frames", "some"], "expected labelled frames as auto, all, 'every N' or a file"),
        (["--classes", "car"], "there is no class 'car' in the ground truth; its classes have no names"),
        (["--gt-format", "kitti"], "expected ground truth in the format kitti"),
        (["--frames", "half"], "expected frames as A:B"),
        (["--sequences", "SEQ-02"], "SEQ-02"),
        (["--compare", "none"], "none"),
        (["--compare", "./good/"], "the same results twice"),
        (["--images", "gt"], "add --report"),
        (["--json", "scores.csv"], "--json scores.csv: expected a file name ending in .json"),
        (["--csv", "scores"], "--csv scores: expected a file name ending in .csv"),
        (["--report", "r.pdf"], "--report r.pdf: expected a file name ending in .html"),
        (["--report", "r.html", "--images", "pictures"], "--images pictures: no such folder"),
    ],
)
def test_what_cannot_be_evaluated(capsys, options, message):
    assert main(["evaluate", "--gt", "gt", "--results", "good", *options]) == 2
    assert message in error_of(capsys)
    assert not Path("r.html").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["evaluate", "--gt", "gt", "--results", "good", "--compare", "bad", "--report", "r.html"],
        ["associate", "gt/SEQ-01", "--results", "out", "--postprocess", "smooth"],
        ["evaluate", "--gt", "gt", "--results", "good", "--intervals", "--classes", "1"],
        ["tune", "gt/SEQ-01", "SEQ-02", "--tracker", "sort", "--trials", "1", "--output", "tuned.yaml"],
        ["validate", "good"],
        ["submit", "mot20", "out.zip", "--benchmark", "MOT20"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_torch_is_not_needed(arguments):
    write_test_set("mot20", TEST_SEQUENCES["MOT20"])
    shutil.copytree("gt/SEQ-01", "SEQ-02")
    program = (
        "import sys\n"
        "from centertrack.cli import main\n"
        f"assert main({arguments!r}) == 0\n"
        "heavy = {'torch', 'torchvision', 'pytorch_lightning', 'timm', 'matplotlib', 'onnx'}\n"
        "assert not heavy & sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


# Detections


def test_detections_are_scored(capsys):
    assert main(["evaluate-detections", "--gt", "gt", "--results", "gt", "--json", "ap.json"]) == 0
    header, cells = (line.split() for line in capsys.readouterr().out.splitlines())
    assert header[:2] == ["AP", "AP50"]
    assert cells[:2] == ["100.00", "100.00"]
    assert json.loads(Path("ap.json").read_text())["AP"] == pytest.approx(1.0)


@pytest.mark.parametrize(("results", "message"), [("none.json", "cannot read none.json"), ("none", "none")])
def test_detections_that_are_not_there(capsys, results, message):
    assert main(["evaluate-detections", "--gt", "gt", "--results", results]) == 2
    assert message in error_of(capsys)


# Validate


def test_valid_files(capsys):
    assert main(["validate", "gt"]) == 0
    assert capsys.readouterr().out == "20 rows in 2 files: no violation\n"


def test_every_violation_is_a_line_and_the_copy_is_clean(capsys):
    with Path("good/SEQ-01.txt").open("a") as file:
        file.write("10,7,1,1,30,60,1,-1,-1,-1\n11,9,1,1,nan,60,1,-1,-1,-1\n")
    assert main(["validate", "good", "--fix"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("good/SEQ-01.txt:11: ")
    assert lines[1].startswith("good/SEQ-01.txt:12: ")
    assert lines[2] == "12 rows in 1 file: 2 violations in 1 of the files; cleaned copy: good_fixed"
    assert main(["validate", "good_fixed"]) == 0


def test_nothing_to_validate(capsys):
    assert main(["validate", "none"]) == 2
    assert "none does not exist" in error_of(capsys)


# Submit


def write_test_set(folder: str, names: tuple[str, ...]) -> None:
    Path(folder).mkdir()
    for name in names:
        Path(folder, f"{name}.txt").write_text(ROW)


def test_a_submission_is_packed(capsys):
    write_test_set("res", TEST_SEQUENCES["MOT17"])
    assert main(["submit", "res", "out.zip", "--benchmark", "MOT17"]) == 0
    assert capsys.readouterr().out == "out.zip: 21 sequences\n"
    with ZipFile("out.zip") as archive:
        assert len(archive.namelist()) == 21


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["res", "out.zip"], "lacks MOT20-08"),
        (["res", "out.tar"], "must end with .zip, got out.tar"),
        (["none", "out.zip"], "none, which is not a folder"),
    ],
)
def test_what_cannot_be_packed(capsys, arguments, message):
    write_test_set("res", TEST_SEQUENCES["MOT20"][:3])
    assert main(["submit", *arguments, "--benchmark", "MOT20"]) == 2
    assert message in error_of(capsys)
    assert not Path(arguments[1]).exists()

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from centertrack.cli import main
from tests.centertrack.commands.test_cli import error_of
from tracker.io.mot import read_results


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def sequences() -> list[str]:
    """Two MOTChallenge folders without frames: one person walks for 6 frames, and is missed in the fourth."""
    for name in ("SEQ-01", "SEQ-02"):
        Path(name, "det").mkdir(parents=True)
        Path(name, "seqinfo.ini").write_text(f"[Sequence]\nname={name}\nframeRate=25\nseqLength=6\n")
        rows = (f"{frame},-1,{100 + 2 * frame},51,40,100,0.9\n" for frame in (1, 2, 3, 5, 6))
        Path(name, "det", "det.txt").write_text("".join(rows))
    return ["SEQ-01", "SEQ-02"]


def frames_of(name: str) -> list[int]:
    return read_results(Path("results", f"{name}.txt")).frames.tolist()


@pytest.mark.parametrize("tracker", [[], ["--tracker", "bytetrack"], ["--tracker", "botsort"]])
def test_every_sequence_gets_a_file(sequences, capsys, tracker):
    assert main(["associate", *sequences, *tracker, "--results", "results"]) == 0
    assert capsys.readouterr().out == "SEQ-01: results/SEQ-01.txt\nSEQ-02: results/SEQ-02.txt\n"
    assert frames_of("SEQ-01") == frames_of("SEQ-02") == [1, 2, 3, 5, 6]


@pytest.mark.parametrize("offline", [[], ["--postprocess", "interpolate"]])
def test_results_keep_the_class_of_the_detections(sequences, offline):
    file = Path("SEQ-01/det/det.txt")
    person, car = (file.read_text().replace(",0.9\n", f",0.9,{number},-1,-1\n") for number in (1, 3))
    file.write_text(person + car.replace(",51,", ",351,"))
    assert main(["associate", *sequences, "--tracker", "bytetrack", *offline, "--results", "results"]) == 0
    rows = read_results("results/SEQ-01.txt")
    assert dict(zip(rows.boxes_xywh[:, 1].round().tolist(), rows.classes.tolist(), strict=True)) == {51: 1, 351: 3}
    assert set(read_results("results/SEQ-02.txt").classes.tolist()) == {-1}


def test_coordinates_in_the_world_are_no_classes(sequences):
    """MOT15's detections may have them in columns 8 to 10."""
    file = Path("SEQ-01/det/det.txt")
    file.write_text(file.read_text().replace(",0.9\n", ",0.9,3,7.5,0\n"))
    assert main(["associate", "SEQ-01", "--tracker", "bytetrack", "--results", "results"]) == 0
    assert set(read_results("results/SEQ-01.txt").classes.tolist()) == {-1}


def test_options_reach_the_tracker(sequences):
    options = ["--tracker", "botsort", "--option", "camera_motion=none", "--option", "min_new_score=0.95"]
    assert main(["associate", *sequences, *options, "--results", "results"]) == 0
    assert frames_of("SEQ-01") == []


def test_gaps_are_filled_afterwards(sequences):
    options = ["--tracker", "bytetrack", "--postprocess", "interpolate,smooth"]
    assert main(["associate", *sequences, *options, "--results", "results"]) == 0
    assert frames_of("SEQ-01") == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("steps", ["interpolate", "smooth", "interpolate,smooth"])
def test_nobody_tracked_leaves_an_empty_file_afterwards_too(sequences, steps):
    options = ["--option", "min_new_score=0.99", "--postprocess", steps]
    assert main(["associate", *sequences, *options, "--results", "results"]) == 0
    assert frames_of("SEQ-01") == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tracker", "bytetrak"], "did you mean bytetrack"),
        (["--option", "max_lost_second=2"], "max_lost_seconds"),
        (["--postprocess", "interpolat"], "there are: link, interpolate, smooth"),
        (["--postprocess", "link"], "needs detections with embeddings"),
        (["--tracker", "fairmot"], "needs detections with embeddings"),
        (["--tracker", "botsort", "--option", "camera_motion=orb"], "needs update(..., frame=image)"),
    ],
)
def test_what_cannot_be_done(sequences, capsys, options, message):
    assert main(["associate", *sequences, *options, "--results", "results"]) == 2
    assert message in error_of(capsys)


def test_a_folder_without_detections(capsys):
    Path("empty").mkdir()
    assert main(["associate", "empty", "--results", "results"]) == 2
    assert "empty" in error_of(capsys)
    assert not Path("results").exists()


def test_results_never_replace_each_other(sequences, capsys):
    assert main(["associate", *sequences, "SEQ-01/", "--results", "results"]) == 2
    assert "several sources hold sequence SEQ-01" in error_of(capsys)
    assert not Path("results").exists()


def test_track_fills_gaps_afterwards(clip, weights):
    network = ["--weights", str(weights), "--device", "cpu", "--tracker", "bytetrack"]
    assert main(["track", str(clip), *network, "--results", "online.txt"]) == 0
    assert main(["track", str(clip), *network, "--results", "offline.txt", "--postprocess", "link,smooth"]) == 0
    online, offline = read_results("online.txt"), read_results("offline.txt")
    assert len(online) == len(offline)
    assert len(np.unique(offline.ids)) <= len(np.unique(online.ids))


def test_track_refuses_an_unknown_step(clip, weights, capsys):
    assert main(["track", str(clip), "--weights", str(weights), "--postprocess", "polish"]) == 2
    assert "there is no postprocessing 'polish'" in error_of(capsys)
    assert not Path("runs").exists()

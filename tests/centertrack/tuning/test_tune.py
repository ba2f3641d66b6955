"""The search finds better options, never sees what is held out, goes on where it stopped, and writes a tracker."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from centertrack.cli import main
from centertrack.tuning.detections import detect_once, read_cached
from centertrack.tuning.study import hold_out, space_of
from centertrack.tuning.trial import TuningSequence, measure_trial
from tests.centertrack.commands.test_cli import error_of
from tracker import TRACKERS, Detections, make_tracker
from tracker.errors import InputError
from tracker.evaluation import evaluate
from tracker.evaluation.evaluator import Protocol
from tracker.search_space import Choice

pytest.importorskip("optuna")


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def sequences() -> list[str]:
    """Two people walk; detections score 0.5, below the default threshold, and each is missed now and then."""
    folders = []
    for number in (1, 2, 3):
        folder = Path("data", f"V-{number}")
        for name in ("gt", "det"):
            (folder / name).mkdir(parents=True)
        random = np.random.default_rng(number)
        truth, found = [], []
        for frame in range(1, 61):
            for who in (1, 2):
                box = f"{100 * who + 2 * frame},{50 * who},30,60"
                truth.append(f"{frame},{who},{box},1,1,1\n")
                if random.random() < 0.85:
                    found.append(f"{frame},-1,{box},0.5,-1,-1,-1\n")
        (folder / "gt" / "gt.txt").write_text("".join(truth))
        (folder / "det" / "det.txt").write_text("".join(found))
        (folder / "seqinfo.ini").write_text(f"[Sequence]\nname=V-{number}\nseqLength=60\nframeRate=25\n")
        folders.append(str(folder))
    return folders


def test_a_search_beats_the_defaults_and_its_file_is_a_tracker(sequences, capsys):
    command = ["tune", *sequences, "--tracker", "bytetrack", "--trials", "18", "--output", "tuned.yaml"]
    assert main([*command, "--option", "min_score=0.4", "--search", "min_new_score"]) == 0
    said = capsys.readouterr().out
    assert "searches min_new_score of bytetrack on V-1, V-2\nheld out: V-3\n" in said
    assert "18 trials; on the sequences of the search HOTA 0.00 -> " in said
    assert "95 % interval over 20 windows of 3 frames" in said
    tuned = yaml.safe_load(Path("tuned.yaml").read_text())
    assert tuned["tracker"] == "bytetrack"
    assert tuned["options"]["min_new_score"] <= 0.5
    assert tuned["tuned"]["held_out"] == ["V-3"]
    assert tuned["tuned"]["held_out_gain_95"][1] > 0.3
    assert main(["associate", sequences[2], "--tracker", "tuned.yaml", "--results", "out"]) == 0
    assert main(["evaluate", "--gt", sequences[2], "--results", "out", "--json", "scores.json"]) == 0
    found = json.loads(Path("scores.json").read_text())["combined"]["HOTA"]
    assert found == pytest.approx(tuned["tuned"]["held_out_defaults_and_best"][1], abs=1e-5)
    assert main(["associate", sequences[2], "--tracker", "tuned.yaml", "--option", "min_new_score=0.9",
                 "--results", "none"]) == 0  # fmt: skip
    assert Path("none/V-3.txt").read_text() == ""


def test_a_search_goes_on_where_it_stopped(sequences, capsys):
    command = ["tune", *sequences, "--tracker", "sort", "--output", "tuned.yaml"]
    assert main([*command, "--trials", "2"]) == 0
    capsys.readouterr()
    assert main([*command, "--trials", "3"]) == 0
    assert "3 trials; " in capsys.readouterr().out
    assert main([*command, "--trials", "2", "--metric", "IDF1"]) == 0  # another study in the same file
    assert "2 trials; " in capsys.readouterr().out


def test_workers_change_nothing(sequences):
    for workers in ("1", "2"):
        command = ["tune", *sequences, "--tracker", "sort", "--trials", "3", "--workers", workers]
        assert main([*command, "--output", f"{workers}.yaml"]) == 0
    assert Path("1.yaml").read_text() == Path("2.yaml").read_text()


def test_a_trial_scores_as_associate_and_evaluate_do(sequences):
    assert main(["associate", sequences[0], "--tracker", "sort", "--results", "out"]) == 0
    expected = evaluate(sequences[0], "out").combined.metrics()
    measured = measure_trial(TuningSequence("V-1", Path(sequences[0])), "sort", {}, Protocol())
    assert measured.scores[""].metrics() == expected


@pytest.mark.parametrize("name", TRACKERS)
def test_every_value_of_a_search_space_is_an_option(name):
    space = type(make_tracker(name)).search_space
    assert space
    for option, searched in space.items():
        for value in searched.values if isinstance(searched, Choice) else (searched.low, searched.high):
            whole = not isinstance(searched, Choice) and searched.is_whole
            make_tracker(name, **{option: int(value) if whole else value})


def test_options_of_appearance_are_searched_where_it_is_compared():
    assert "embedding_limit" not in space_of("scene", {}, None)
    assert "embedding_limit" in space_of("scene-reid", {}, None)
    assert "min_score" not in space_of("sort", {"min_score": 0.3}, None)
    with pytest.raises(InputError, match="sort does not search 'zoom'"):
        space_of("sort", {}, ["zoom"])


def test_a_video_with_all_its_detectors_stays_on_one_side():
    names = [f"MOT17-{number}-{name}" for number in ("02", "04", "05") for name in ("SDP", "DPM")]
    searched, held_out = hold_out(names, None)
    assert held_out == ["MOT17-05-SDP", "MOT17-05-DPM"]
    assert hold_out(names, ["MOT17-02-SDP"])[1] == ["MOT17-02-SDP", "MOT17-02-DPM"]
    assert sorted(searched + held_out) == sorted(names)


def test_detections_of_weights_are_found_once(sequences):
    class Network:
        class_names = ("person",)
        calls = 0

        def __call__(self, images):
            Network.calls += 1
            return [Detections([[1, 2, 3, 4]], [0.5], None, [[0.6, 0.8]]) for _ in images]

    cv2 = pytest.importorskip("cv2")
    frames = Path("frames")
    frames.mkdir()
    for number in (1, 2, 3):
        cv2.imwrite(str(frames / f"{number}.png"), np.zeros((48, 64, 3), np.uint8))
    for _ in range(2):
        detect_once(frames, Path("kept/one.npz"), Network, lambda: None)
    assert Network.calls == 3
    kept = read_cached(Path("kept/one.npz"))
    assert [number for number, found in kept.frames() if len(found) == 1] == [1, 2, 3]
    np.testing.assert_allclose(kept.everything.embeddings, [[0.6, 0.8]] * 3)
    assert not kept.has_classes
    Path("kept/one.npz").write_bytes(b"no archive")
    with pytest.raises(InputError, match=r"cannot read kept/one\.npz: .*remove it"):
        read_cached(Path("kept/one.npz"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["data/V-1"], "a search needs some videos, and others to be judged on"),
        (["data/V-1", "data/V-1"], "several folders are called V-1"),
        (["data/V-1", "data"], "data: expected a sequence folder with gt/gt.txt"),
        (["data/V-1", "data/V-2", "--held-out", "V-9"], "there is no sequence V-9"),
        (["data/V-1", "data/V-2", "--tracker", "fairmot"], "compares appearance: give --weights"),
        (["data/V-1", "data/V-2", "--tracker", "broken.yaml"], "broken.yaml: expected a mapping with tracker: NAME"),
        (["data/V-1", "data/V-2", "--tracker", "typo.yaml"], "typo.yaml: SortTracker has no option 'min_scor'"),
        (["data/V-1", "data/V-2", "--benchmark", "MOT99"], "expected a benchmark of MOT15"),
    ],
)
def test_what_cannot_be_tuned(sequences, capsys, arguments, message):
    Path("broken.yaml").write_text("- sort\n")
    Path("typo.yaml").write_text("tracker: sort\noptions: {min_scor: 0.3}\n")
    try:
        code = main(["tune", *arguments, "--output", "tuned.yaml", "--trials", "1"])
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    assert message in error_of(capsys)
    assert not Path("tuned.yaml").exists()

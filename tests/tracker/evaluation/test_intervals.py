"""Bootstrap intervals: their sums are the scores, they cover the truth as often as they say, and pairs cancel out."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tracker.evaluation.test_evaluate import GAP_BESIDE_ANOTHER, PERFECT, SWITCH, standing
from tracker.evaluation import evaluate
from tracker.evaluation.evaluator import load_sequences
from tracker.evaluation.intervals import (
    FIGURES,
    Units,
    compared,
    figures,
    frame_sums,
    intervals,
    needs_windows,
    paired_intervals,
    window_units,
)
from tracker.evaluation.scores import measure


@pytest.mark.parametrize("sequence", [SWITCH, PERFECT, GAP_BESIDE_ANOTHER], ids=["switch", "perfect", "gap"])
def test_the_sums_over_all_frames_are_the_scores(benchmark_folder, sequence):
    (data,) = load_sequences(*benchmark_folder({"MOT17-01": sequence}))
    whole = figures(frame_sums(data).sum(axis=0, keepdims=True))
    metrics = measure(data).metrics()
    assert {name: whole[name][0] for name in FIGURES} == pytest.approx({name: metrics[name] for name in FIGURES})


def test_the_sums_of_a_crowded_random_scene_are_the_scores(benchmark_folder):
    random = np.random.default_rng(3)
    truth, found = [], []
    for frame in range(1, 60):
        for i in range(8):
            box = np.array([40.0 * i + 3 * frame, 50 + 5 * i, 60, 90])
            truth.append((frame, i + 1, *box))
            if random.random() < 0.8:
                found.append((frame, 1 + i + 10 * (random.random() < 0.1), *(box + random.normal(0, 9, 4))))
    (data,) = load_sequences(*benchmark_folder({"MOT17-01": (60, truth, found)}))
    whole, metrics = figures(frame_sums(data).sum(axis=0, keepdims=True)), measure(data).metrics()
    assert {name: whole[name][0] for name in FIGURES} == pytest.approx({name: metrics[name] for name in FIGURES})


def test_videos_are_drawn_whole_with_all_their_detectors(benchmark_folder):
    numbers = ("02", "04", "05", "09", "10")
    sequences = {f"MOT17-{number}-{det}": SWITCH for number in numbers for det in ("FRCNN", "SDP")}
    result = evaluate(*benchmark_folder({**sequences, "MOT17-11-SDP": PERFECT}), intervals=True)
    assert result.units.kind == "6 videos"
    found = result.intervals()["MOTA"]
    metrics = result.combined.metrics()
    assert found.value == pytest.approx(metrics["MOTA"])
    assert found.low == pytest.approx(0.75)  # the perfect video is not always drawn
    assert 0.75 < found.value < found.high < 1
    assert result.to_dict()["intervals"]["MOTA"] == [found.low, found.high]


def test_few_videos_are_parted_into_windows(benchmark_folder):
    walk = standing(1, range(1, 101))
    result = evaluate(*benchmark_folder({"a": (100, walk, walk[:50]), "b": (100, walk, walk)}), intervals=True)
    assert result.units.kind == "20 windows of 10 frames"
    found = result.intervals()["MOTA"]
    assert found.value == 0.75
    assert found.low < 0.6 < 0.85 < found.high


def test_too_few_frames_give_no_interval(benchmark_folder):
    result = evaluate(*benchmark_folder({"a": (4, *PERFECT[1:])}), intervals=True)
    assert result.units is None
    assert result.intervals() == {}


def test_sequences_of_one_video_are_one():
    assert needs_windows([f"MOT17-{n}-{d}" for n in ("02", "04") for d in ("DPM", "FRCNN", "SDP")])
    assert not needs_windows(["a", "b", "c", "d", "e"])


def test_an_interval_covers_the_truth_about_as_often_as_it_says():
    """Units of 40 boxes, each found with probability 0.7; of 200 experiments about 95 % cover 0.7."""
    random = np.random.default_rng(1)
    covered = 0
    for _ in range(200):
        sums = np.zeros((20, 83))
        sums[:, 76] = random.binomial(40, 0.7, 20)
        sums[:, 77] = 40 - sums[:, 76]
        found = intervals(Units(sums, "units"), samples=500)["MOTA"]
        covered += found.low <= 0.7 <= found.high
    assert 0.86 <= covered / 200 <= 0.99


def test_what_both_trackers_share_cancels_out():
    random = np.random.default_rng(2)
    sums = np.zeros((10, 83))
    sums[:, 76] = random.integers(10, 90, 10)  # hard and easy videos
    sums[:, 77] = 100 - sums[:, 76]
    better = sums.copy()
    better[:, 76:78] += [3, -3]
    alone = intervals(Units(better, "10 videos"))["MOTA"]
    difference = paired_intervals(Units(better, "10 videos"), Units(sums, "10 videos"))["MOTA"]
    assert difference.value == pytest.approx(0.03)
    assert (difference.low, difference.high) == (pytest.approx(0.03), pytest.approx(0.03))
    assert alone.high - alone.low > 0.1
    assert (
        compared("new", "old", "MOTA", difference, "10 videos")
        == "new beats old by 3.0 MOTA, 3.0 to 3.0 (95 %, 10 videos)"
    )
    worse = paired_intervals(Units(sums, "10 videos"), Units(better, "10 videos"))["MOTA"]
    assert compared("old", "new", "MOTA", worse, "10 videos").startswith("new beats old by 3.0")


def test_windows_of_sequences_of_different_lengths():
    assert window_units([np.ones((3, 83))]) is None
    units = window_units([np.ones((150, 83)), np.ones((50, 83))])
    assert units.kind == "20 windows of 10 frames"
    assert units.sums[:, 0].sum() == 200

"""The hand-worked sequences, in whole evaluations from files."""

from __future__ import annotations

import json

import pytest

from tests.tracker.evaluation.conftest import write_ground_truth, write_results
from tracker.errors import InputError
from tracker.evaluation import evaluate


def standing(identity, frames, left=100, top=50, width=20, height=40):
    return [(frame, identity, left, top, width, height) for frame in frames]


SWITCH = (
    6,
    [(f, 1, 100 + 10 * f, 50, 40, 100) for f in range(1, 7)] + [(f, 2, 300 - 10 * f, 60, 40, 100) for f in range(1, 7)],
    [(f, 7, 102 + 10 * f, 50, 40, 100) for f in (1, 2, 3)]
    + [(f, 9, 102 + 10 * f, 50, 40, 100) for f in (5, 6)]
    + [(f, 8, 300 - 10 * f, 64, 40, 100) for f in range(1, 7)]
    + [(3, 11, 500, 300, 40, 100)],
)
PERFECT = (4, standing(1, range(1, 5)), standing(5, range(1, 5)))
# Nothing at all in frames 3 and 4: no fragmentation, as the official evaluator skips such frames.
SILENT_GAP = (6, standing(1, range(1, 7)), standing(3, (1, 2, 5, 6)))
GAP_BESIDE_ANOTHER = (
    6,
    standing(1, range(1, 7)) + standing(2, range(1, 7), left=400),
    standing(3, (1, 2, 5, 6)) + standing(4, range(1, 7), left=400),
)

EXPECTED = {
    "switch": (
        SWITCH,
        {
            "HOTA": 0.750878, "DetA": 0.801619, "AssA": 0.703349, "LocA": 0.919239, "DetRe": 0.868421,
            "DetPr": 0.868421, "AssRe": 0.703349, "AssPr": 0.947368, "MOTA": 0.75, "MOTP": 0.9148, "TP": 11,
            "FN": 1, "FP": 1, "IDSW": 1,
            "MT": 2, "PT": 0, "ML": 0, "Frag": 1, "IDF1": 0.75, "IDP": 0.75, "IDR": 0.75, "IDTP": 9,
            "IDFN": 3, "IDFP": 3, "Dets": 12, "GT_Dets": 12, "IDs": 4, "GT_IDs": 2, "Frames": 6,
        },
    ),
    "perfect": (
        PERFECT,
        {"HOTA": 1, "DetA": 1, "AssA": 1, "LocA": 1, "MOTA": 1, "MOTP": 1, "IDF1": 1, "IDSW": 0, "Frag": 0, "FP": 0},
    ),
    "silent gap": (SILENT_GAP, {"HOTA": 0.666667, "MOTA": 0.666667, "Frag": 0, "IDF1": 0.8, "FN": 2}),
    "gap beside another": (GAP_BESIDE_ANOTHER, {"Frag": 1, "MOTA": 0.833333, "HOTA": 0.849837, "IDF1": 0.909091}),
}  # fmt: skip


@pytest.mark.parametrize("case", EXPECTED)
def test_hand_worked_sequences(benchmark_folder, case):
    sequence, expected = EXPECTED[case]
    metrics = evaluate(*benchmark_folder({"MOT17-01": sequence})).combined.metrics()
    assert {name: metrics[name] for name in expected} == pytest.approx(expected, abs=5e-5)


def test_combined_is_not_the_mean_of_the_rows(benchmark_folder):
    result = evaluate(*benchmark_folder({"MOT17-01": SWITCH, "MOT17-02": PERFECT}))
    expected = {
        "HOTA": 0.821350, "DetA": 0.843432, "AssA": 0.821053, "LocA": 0.940775, "AssPr": 1, "MOTA": 0.8125,
        "MOTP": 0.9375, "IDSW": 1, "MT": 3, "IDF1": 0.8125, "Frames": 10,
    }  # fmt: skip
    metrics = result.combined.metrics()
    assert {name: metrics[name] for name in expected} == pytest.approx(expected, abs=5e-5)
    mean_of_rows = sum(scores.metrics()["HOTA"] for scores in result.sequences.values()) / 2
    assert mean_of_rows == pytest.approx(0.875439, abs=5e-6)


def test_a_tracker_without_boxes_scores_nothing(benchmark_folder):
    metrics = evaluate(*benchmark_folder({"MOT17-01": (6, SWITCH[1], [])})).combined.metrics()
    zero = ("HOTA", "DetA", "AssA", "MOTA", "IDF1", "TP", "FP", "IDSW", "MT", "PT", "Frag", "Dets", "IDs")
    assert all(metrics[name] == 0 for name in zero)
    assert (metrics["LocA"], metrics["FN"], metrics["IDFN"], metrics["ML"]) == (1, 12, 12, 2)


def test_a_sequence_without_ground_truth_has_only_false_positives(benchmark_folder):
    result = evaluate(*benchmark_folder({"MOT17-01": (6, [], SWITCH[2]), "MOT17-02": PERFECT}))
    metrics = result.sequences["MOT17-01"].metrics()
    assert (metrics["FP"], metrics["IDFP"], metrics["LocA"], metrics["MOTA"], metrics["HOTA"]) == (12, 12, 1, 0, 0)
    assert result.combined.metrics()["MOTA"] == pytest.approx((4 - 12) / 4)


def test_misses_behind_the_last_result_count(benchmark_folder):
    metrics = evaluate(*benchmark_folder({"MOT17-01": (9, standing(1, range(1, 10)), standing(1, (1, 2, 3)))}))
    assert metrics.combined.metrics()["FN"] == 6


def test_boxes_on_distractors_are_forgiven_but_not_those_on_ignored_pedestrians(benchmark_folder):
    ground_truth = [
        *standing(1, range(1, 5)),
        *((f, 2, 300, 50, 20, 40, 0, 8) for f in range(1, 5)),  # a distractor
        *((f, 3, 600, 50, 20, 40, 0, 1) for f in range(1, 5)),  # a pedestrian that does not count
    ]
    results = [*standing(1, range(1, 5)), *standing(2, range(1, 5), left=302), *standing(3, range(1, 5), left=600)]
    folders = benchmark_folder({"MOT17-01": (4, ground_truth, results)})
    official = evaluate(*folders).combined.metrics()
    assert (official["TP"], official["FP"], official["Dets"], official["GT_Dets"]) == (4, 4, 8, 4)
    plain = evaluate(*folders, benchmark="none").combined.metrics()
    assert (plain["TP"], plain["FP"]) == (4, 8)


def test_only_mot20_forgives_boxes_on_non_motorised_vehicles(benchmark_folder):
    ground_truth = [*standing(1, (1, 2)), *((f, 2, 300, 50, 20, 40, 0, 6) for f in (1, 2))]
    folders = benchmark_folder({"a": (2, ground_truth, [*standing(1, (1, 2)), *standing(2, (1, 2), left=300)])})
    assert evaluate(*folders, benchmark="MOT17").combined.clear.fp == 2
    assert evaluate(*folders, benchmark="MOT20").combined.clear.fp == 0


@pytest.mark.parametrize(
    ("ground_truth", "results", "message"),
    [
        ([(9, 1, 1, 1, 9, 9)], [], r"gt\.txt:1: expected a frame from 1 to 6, .* got frame 9, id 1"),
        ([(1, 1, 1, 1, 9, 9)], [(2, 5, 1, 1, 9, 9), (0, 4, 1, 1, 9, 9)], r"MOT17-01\.txt:2: expected a frame from 1"),
        (
            [(1, 1, 1, 1, 9, 9)],
            [(2, 5, 1, 1, 9, 9), (1, 1, 1, 1, 9, 9), (2, 5, 8, 8, 9, 9)],
            r"01\.txt:3: id 5 occurs twice in frame 2 \(first in line 1\)",
        ),
        ([(1, 1, 1, 1, 9, 9)], [(2, -1, 1, 1, 9, 9)], r"MOT17-01\.txt:1: expected a positive id"),
        ([(1, 1, 1, 1, 9, 9, 1, 14)], [], r"gt\.txt:1: expected a class from 1 to 13"),
    ],
    ids=["gt frame", "result frame", "id twice", "negative id", "unknown class"],
)  # fmt: skip
def test_rows_that_break_the_rules_are_named(benchmark_folder, ground_truth, results, message):
    folders = benchmark_folder({"MOT17-01": (6, ground_truth, results)})
    with pytest.raises(InputError, match=message):
        evaluate(*folders)


def test_a_result_of_another_class_is_an_error(benchmark_folder):
    gt, results = benchmark_folder({"MOT17-01": PERFECT})
    (results / "MOT17-01.txt").write_text("1,1,1,1,5,5,1,3,-1,-1\n")
    with pytest.raises(InputError, match=r"expected class 1 or -1 .* class 3"):
        evaluate(gt, results)


def test_every_layout_gives_the_same_scores(benchmark_folder, tmp_path):
    gt, results = benchmark_folder({"MOT17-01-FRCNN": SWITCH})
    expected = evaluate(gt, results).to_dict()["combined"]
    flat = tmp_path / "flat"
    write_ground_truth(flat / "MOT17-01-FRCNN.txt", SWITCH[1])
    write_results(tmp_path / "deeper" / "data" / "MOT17-01.txt", SWITCH[2])
    layouts = [
        (gt / "MOT17-01-FRCNN", results / "MOT17-01-FRCNN.txt"),
        (gt / "MOT17-01-FRCNN" / "gt" / "gt.txt", results),
        (flat, results),
        (flat / "MOT17-01-FRCNN.txt", results / "MOT17-01-FRCNN.txt"),
        (tmp_path, tmp_path / "deeper"),
    ]
    for layout in layouts:
        assert evaluate(*layout).to_dict()["combined"] == expected


def test_sequences_are_chosen_by_name(benchmark_folder):
    folders = benchmark_folder({"MOT17-01": SWITCH, "MOT17-02": PERFECT})
    result = evaluate(*folders, sequences=["MOT17-02"])
    assert list(result.sequences) == ["MOT17-02"]
    with pytest.raises(InputError, match=r"no ground truth for MOT17-03 .* there is MOT17-01, MOT17-02"):
        evaluate(*folders, sequences=["MOT17-03"])


def test_missing_files_are_named(benchmark_folder, tmp_path):
    gt, results = benchmark_folder({"MOT17-01": SWITCH, "MOT17-02": PERFECT})
    (results / "MOT17-02.txt").unlink()
    with pytest.raises(InputError, match=r"no results for MOT17-02 in .* there is MOT17-01\."):
        evaluate(gt, results)
    with pytest.raises(InputError, match="is one file, but there are 2 sequences"):
        evaluate(gt, results / "MOT17-01.txt")
    with pytest.raises(InputError, match=r"ground truth .* does not exist"):
        evaluate(tmp_path / "nowhere", results)
    with pytest.raises(InputError, match="expected a benchmark of MOT15"):
        evaluate(gt, results, benchmark="MOT99", sequences=["MOT17-01"])


def test_workers_change_nothing(benchmark_folder):
    folders = benchmark_folder({"MOT17-01": SWITCH, "MOT17-02": PERFECT})
    assert evaluate(*folders, workers=2).to_dict() == evaluate(*folders).to_dict()


def test_the_result_as_table_json_csv_and_pandas(benchmark_folder, tmp_path):
    result = evaluate(*benchmark_folder({"MOT17-01": SWITCH, "MOT17-02": PERFECT}))
    table = result.table()
    assert table.splitlines()[-1].split()[:2] == ["COMBINED", "82.13"]
    assert len({len(line) for line in table.splitlines()}) == 1
    result.write_json(tmp_path / "scores.json")
    stored = json.loads((tmp_path / "scores.json").read_text())
    assert stored["sequences"]["MOT17-01"]["MOTA"] == 0.75
    assert len(stored["combined"]["curves"]["HOTA"]) == 19
    result.write_csv(tmp_path / "scores.csv")
    header, first, *_ = (tmp_path / "scores.csv").read_text().splitlines()
    assert dict(zip(header.split(","), first.split(","), strict=True))["TP"] == "11"
    pytest.importorskip("pandas")
    assert result.to_pandas().loc["COMBINED", "IDSW"] == 1


HALF = (9, standing(1, range(1, 10)), [*standing(1, range(1, 7)), *standing(2, range(7, 10))])


def test_only_the_second_half_counts(benchmark_folder):
    """Nine frames: training half 1-5, validation half 6-9, with the switch at frame 7."""
    metrics = evaluate(*benchmark_folder({"MOT17-01": HALF}), frames="half-val").combined.metrics()
    assert (metrics["Frames"], metrics["GT_Dets"], metrics["Dets"], metrics["IDSW"]) == (4, 4, 4, 1)
    assert metrics["IDF1"] == 0.75


def test_a_tracker_that_started_with_the_half_may_count_from_one(benchmark_folder):
    length, gt, results = HALF
    renumbered = [(frame - 5, *rest) for frame, *rest in results if frame > 5]
    whole = evaluate(*benchmark_folder({"MOT17-01": HALF}), frames="half-val").to_dict()
    assert evaluate(*benchmark_folder({"MOT17-01": (length, gt, renumbered)}), frames="half-val").to_dict() == whole


@pytest.mark.parametrize(
    ("frames", "count"), [("3:5", 3), (":4", 4), ("8:", 2), ("8:99", 2), ("half-train", 5), (":", 9)]
)
def test_stretches_of_frames(benchmark_folder, frames, count):
    metrics = evaluate(*benchmark_folder({"MOT17-01": HALF}), frames=frames).combined.metrics()
    assert (metrics["Frames"], metrics["GT_Dets"], metrics["FN"]) == (count, count, 0)


@pytest.mark.parametrize("frames", ["5:3", "0:3", "12:", "middle", "3"])
def test_frames_that_are_none(benchmark_folder, frames):
    with pytest.raises(InputError, match="expected frames"):
        evaluate(*benchmark_folder({"MOT17-01": HALF}), frames=frames)


def test_a_frame_behind_the_sequence_is_an_error_in_half_a_sequence_too(benchmark_folder):
    folders = benchmark_folder({"MOT17-01": (6, HALF[1][:6], HALF[2])})
    with pytest.raises(InputError, match="expected a frame from 1 to 6"):
        evaluate(*folders, frames="half-val")

"""What is not scored is counted; classes are scored each for itself; only labelled frames count."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.tracker.evaluation.conftest import write_ground_truth
from tracker.errors import InputError
from tracker.evaluation import evaluate
from tracker.evaluation.labelled_frames import LabelledFrames, regular_step

WALK = range(1, 11)


def boxes(identity, frames, left=100, flag=1, number=1):
    return [(frame, identity, left, 50, 20, 40, flag, number) for frame in frames]


@pytest.fixture
def scene(tmp_path):
    """Write ground truth with flags and classes, and results (frame, id, left, class); returns the two paths."""

    def write(ground_truth, results):
        write_ground_truth(tmp_path / "S.txt", ground_truth)
        rows = (f"{frame},{identity},{left},50,20,40,0.9,{number},-1,-1\n" for frame, identity, left, number in results)
        (tmp_path / "results").mkdir()
        (tmp_path / "results" / "S.txt").write_text("".join(rows))
        return tmp_path / "S.txt", tmp_path / "results"

    return write


def found(identity, frames, left=100, number=-1):
    return [(frame, identity, left, number) for frame in frames]


def test_what_the_protocol_leaves_out_is_counted(scene):
    labels = [
        *boxes(1, WALK),
        *boxes(2, (1, 2), left=300, flag=0),
        *boxes(3, (1,), left=500, number=7),
        *boxes(4, (5,), left=700, number=3),
    ]
    result = evaluate(*scene(labels, [*found(9, WALK), *found(8, (1,), left=500)]))
    assert result.remarks() == [
        "not scored: 4 of 14 labels (2 with flag 0, 1 of class 3, 1 of class 7)",
        "not scored: 1 of 11 results (1 on distractors)",
    ]
    assert result.to_dict()["left_out"]["labels_left_out"] == {"with flag 0": 2, "of class 3": 1, "of class 7": 1}
    assert result.combined.counts.gt_dets == 10


def test_flagged_labels_are_scored_when_asked(scene):
    folders = scene(boxes(1, WALK, flag=0), found(1, WALK))
    with pytest.raises(InputError, match=r"10 with flag 0.*--flagged"):
        evaluate(*folders)
    assert evaluate(*folders, flagged=True).combined.metrics()["MOTA"] == 1


def test_classes_are_scored_each_for_itself_and_averaged_both_ways(scene):
    """Class 2: 10 labels, all found. Class 5: 2 labels, one found, one false positive of its own."""
    labels = [*boxes(1, WALK, number=2), *boxes(2, (1, 2), left=300, number=5)]
    results = [*found(1, WALK, number=2), *found(2, (1,), left=300, number=5), *found(3, (9,), left=500, number=5)]
    result = evaluate(*scene(labels, results), classes=[2, 5])
    assert list(result.classes) == ["class 2", "class 5"]
    second = result.classes["class 5"].combined.metrics()
    assert (second["TP"], second["FN"], second["FP"], second["DetA"]) == (1, 1, 1, pytest.approx(1 / 3))
    assert second["HOTA"] == pytest.approx((1 / 3 * 1 / 2) ** 0.5)  # the one match has A = 1 / (2 + 1 - 1)
    averaged = result.class_averaged()
    assert averaged["HOTA"] == pytest.approx((1 + second["HOTA"]) / 2)
    assert averaged["MOTA"] == pytest.approx((1 + 0) / 2)
    assert (averaged["TP"], averaged["Frames"]) == (11, 10)
    total = result.combined.metrics()  # TP 11, FN 1, FP 1; AssA = (10 * 1 + 1 * 1/2) / 11
    assert total["DetA"] == pytest.approx(11 / 13)
    assert total["AssA"] == pytest.approx(10.5 / 11)
    assert total["MOTA"] == pytest.approx(10 / 12)
    assert total["Frames"] == 10
    table = result.table()
    assert "class average" in table
    assert table.splitlines()[-1].startswith("detection average")


def test_a_result_counts_for_its_own_class_only(scene):
    labels = [*boxes(1, WALK, number=2), *boxes(2, WALK, left=300, number=5)]
    folders = scene(labels, [*found(1, WALK, number=5), *found(2, WALK, left=300, number=9)])
    with pytest.raises(InputError, match="nothing is left to score; not scored: 20 of 20 results"):
        evaluate(*folders, classes=["2"])
    result = evaluate(*folders, classes=["5"])
    assert result.combined.clear.fp == 10  # of class 5, on the object of class 2
    assert "not scored: 10 of 20 results (10 of class 9)" in result.remarks()
    assert "class 5 only" in result.remarks()


def test_results_without_classes_count_for_one_class_but_not_for_several(scene):
    folders = scene([*boxes(1, WALK, number=2), *boxes(2, WALK, left=300, number=5)], found(1, WALK))
    result = evaluate(*folders, classes=["2"])
    assert result.combined.metrics()["MOTA"] == 1
    assert "the results have no classes: all count as class 2" in result.remarks()
    with pytest.raises(InputError, match=r"no classes .* and 2 are scored: class 2, class 5"):
        evaluate(*folders, classes=["2", "5"])


def test_classes_have_the_names_of_a_file_beside_the_labels(scene, tmp_path):
    gt, results = scene(boxes(1, WALK, number=2), found(1, WALK, number=2))
    (tmp_path / "classes.txt").write_text("car\nvan\n")
    assert evaluate(gt, results, classes=["Van"]).combined.metrics()["MOTA"] == 1
    assert "class van only" in evaluate(gt, results, classes=["Van"]).remarks()
    with pytest.raises(InputError, match="there is no class 'bus' in the ground truth; there are: 1 car, 2 van"):
        evaluate(gt, results, classes=["bus"])


def test_pedestrians_by_number_are_scored_as_by_the_official_rules(benchmark_folder):
    random = np.random.default_rng(0)
    labels, rows = [], []
    for frame in range(1, 30):
        for i, number in enumerate((1, 1, 1, 2, 7, 8, 3)):
            box = [100.0 * i + frame, 50, 60, 90]
            labels.append((frame, i + 1, *box, int(i != 2), number))
            rows.append((frame, i + 1, *(box + random.normal(0, 6, 4)).round(2).tolist()))
    folders = benchmark_folder({"MOT17-02": (30, labels, rows)})
    assert evaluate(*folders, classes=[1]).combined.metrics() == evaluate(*folders).combined.metrics()


def test_several_classes_as_json_and_csv(scene, tmp_path):
    labels = [*boxes(1, WALK, number=2), *boxes(2, WALK, left=300, number=5)]
    result = evaluate(*scene(labels, [*found(1, WALK, number=2)]), classes=[2, 5])
    result.write_json(tmp_path / "scores.json")
    stored = json.loads((tmp_path / "scores.json").read_text())
    assert stored["classes"]["class 5"]["combined"]["HOTA"] == 0
    assert stored["class_averaged"]["HOTA"] == 0.5
    result.write_csv(tmp_path / "scores.csv")
    rows = [line.split(",") for line in (tmp_path / "scores.csv").read_text().splitlines()]
    assert rows[0][:3] == ["class", "sequence", "HOTA"]
    assert [row[:2] for row in rows[1:]] == [
        ["class 2", "S"], ["class 2", "COMBINED"], ["class 5", "S"], ["class 5", "COMBINED"],
        ["class average", "COMBINED"], ["detection average", "S"], ["detection average", "COMBINED"],
    ]  # fmt: skip


# Labelled frames


def test_a_perfect_tracker_is_perfect_on_labels_of_every_fifth_frame(scene):
    folders = scene(boxes(1, range(3, 60, 5)), found(1, range(1, 60)))
    result = evaluate(*folders)
    assert (result.combined.metrics()["MOTA"], result.combined.counts.frames) == (1, 12)
    assert result.notes == [
        "only 12 of 59 frames count: labels are on every 5th frame (--labelled-frames all counts every frame)"
    ]
    assert evaluate(*folders, labelled_frames="all").combined.metrics()["MOTA"] == pytest.approx((12 - 47) / 12)
    assert evaluate(*folders, labelled_frames="every 10").combined.counts.frames == 6
    assert evaluate(*folders, frames="1:20").combined.counts.frames == 4


def test_the_continuity_of_matches_goes_over_frames_without_labels(scene):
    """Frames 1, 6, 11, ... are labelled; the id changes once, between two of them."""
    switching = [*found(1, range(1, 13)), *found(2, range(13, 32))]
    metrics = evaluate(*scene(boxes(1, range(1, 32, 5)), switching)).combined.metrics()
    assert (metrics["IDSW"], metrics["Frag"], metrics["TP"], metrics["FP"]) == (1, 0, 7, 0)


def test_frames_from_a_file(scene, tmp_path):
    folders = scene(boxes(1, (2, 3, 9)), found(1, WALK))
    (tmp_path / "frames.txt").write_text("2\n3\nS 9\nS,2\n")
    with pytest.raises(InputError, match="expected labelled frames as auto, all, 'every N' or a file"):
        evaluate(*folders, labelled_frames="fifth")
    assert evaluate(*folders, labelled_frames=str(tmp_path / "frames.txt")).combined.counts.frames == 2
    (tmp_path / "frames.txt").write_text("2\n3\n9\n")
    assert evaluate(*folders, labelled_frames=str(tmp_path / "frames.txt")).combined.metrics()["MOTA"] == 1
    (tmp_path / "frames.txt").write_text("2\nthree\n")
    with pytest.raises(InputError, match=r"frames\.txt:2: expected a frame from 1"):
        evaluate(*folders, labelled_frames=str(tmp_path / "frames.txt"))


def test_irregular_sparse_labels_are_told(scene):
    result = evaluate(*scene(boxes(1, (1, 3, 10)), found(1, WALK)))
    assert result.combined.clear.fp == 7
    assert "labels are on 3 of 10 frames, at no regular distance; all frames count" in result.notes[0]


def test_a_single_labelled_frame_is_told(scene):
    assert "labels are on 1 of 10 frames" in evaluate(*scene(boxes(1, (1,)), found(1, WALK))).notes[0]


@pytest.mark.parametrize(("frames", "step"), [([5], 1), ([5, 10], 1), ([5, 10, 20], 5), ([1, 2, 6], 1), ([], 1)])
def test_a_regular_distance_needs_three_labelled_frames(frames, step):
    assert regular_step(np.array(frames, np.int64)) == step


def test_no_labelled_frame_among_the_evaluated_ones():
    with pytest.raises(InputError, match="S: none of the frames 20 to 29 was labelled"):
        LabelledFrames().choose("S", np.array([1, 5, 9]), np.array([1, 5, 9]), range(20, 30))

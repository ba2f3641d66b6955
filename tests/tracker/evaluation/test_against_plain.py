"""The evaluator against the slow, plain one, on scenes that are easy, crowded, gappy and full of ties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tracker.evaluation.conftest import write_ground_truth, write_results
from tests.tracker.evaluation.plain import plain_scores
from tracker.evaluation import evaluate
from tracker.evaluation.evaluator import load_sequences
from tracker.evaluation.scores import measure
from tracker.io.mot import read_ground_truth, read_sequence_info

DISTRACTORS = {"MOT17": (2, 7, 8, 12), "MOT20": (2, 6, 7, 8, 12), "none": None}


def assert_equal_to_plain(gt_path, results_path, length, benchmark="MOT17"):
    expected = plain_scores(gt_path, results_path, length, DISTRACTORS[benchmark])
    (data,) = load_sequences(gt_path, results_path, benchmark=benchmark)  # evaluate refuses where no label counts
    metrics = measure(data).metrics()
    assert metrics == pytest.approx(expected, rel=0, abs=1e-9)


def random_scene(random, tmp_path, length, people, snap, gone):
    """Walkers on a small image, so that many overlap; `snap` puts boxes on a grid, where IoUs tie."""
    gt, results = [], []
    classes = random.choice([1, 1, 1, 1, 2, 6, 7, 8, 9, 12], people)
    flags = random.integers(0, 5, people) > 0
    start = np.c_[random.uniform(0, 120, (people, 2)), random.uniform(15, 50, (people, 2))]
    velocity = np.c_[random.normal(0, 3, (people, 2)), np.zeros((people, 2))]
    track = np.arange(people) + 1
    for frame in range(1, length + 1):
        for i in random.permutation(people):
            box = start[i] + frame * velocity[i]
            if snap:
                box = np.maximum(np.round(box / snap) * snap, [-100, -100, snap, snap])
            if random.random() < 0.9:
                gt.append((frame, i + 1, *box.tolist(), int(flags[i]), int(classes[i])))
            if random.random() < 0.03:
                track[i] = track.max() + 1
            if random.random() < 0.8 and frame not in gone:
                moved = box if snap else box + random.normal(0, 3, 4)
                results.append((frame, int(track[i]), *moved.tolist()))
            if random.random() < 0.05 and frame not in gone:
                results.append((frame, 1000 + i, *box.tolist()))
    folder = tmp_path / "sequence"
    write_ground_truth(folder / "gt" / "gt.txt", gt)
    (folder / "seqinfo.ini").write_text(f"[Sequence]\nseqLength={length}\n")
    write_results(tmp_path / "sequence.txt", results)
    return folder / "gt" / "gt.txt", tmp_path / "sequence.txt", length


@pytest.mark.parametrize("benchmark", DISTRACTORS)
@pytest.mark.parametrize("snap", [0, 10, 30], ids=["free", "grid", "coarse grid"])
@pytest.mark.parametrize("people", [3, 25])
def test_walkers(tmp_path, people, snap, benchmark):
    random = np.random.default_rng([people, snap])
    scene = random_scene(random, tmp_path, length=25, people=people, snap=snap, gone=(1, 7, 8, 19))
    assert_equal_to_plain(*scene, benchmark)


boxes = st.tuples(
    st.integers(0, 3), st.integers(0, 2), st.sampled_from([0, 1, 2, 2, 3]), st.sampled_from([1, 2, 2, -1])
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    gt=st.dictionaries(
        st.tuples(st.integers(1, 4), st.integers(1, 3)),
        st.tuples(boxes, st.integers(0, 3), st.sampled_from([1, 1, 8, 9])),
    ),
    results=st.dictionaries(st.tuples(st.integers(1, 4), st.integers(0, 3)), boxes),
)  # fmt: skip
def test_tiny_scenes_where_nearly_everything_ties(tmp_path, gt, results):
    folder = tmp_path / "sequence"
    write_ground_truth(folder / "gt" / "gt.txt", [(*key, *box, flag, kind) for key, (box, flag, kind) in gt.items()])
    (folder / "seqinfo.ini").write_text("[Sequence]\nseqLength=5\n")
    write_results(tmp_path / "sequence.txt", [(*key, *box) for key, box in results.items()])
    assert_equal_to_plain(folder / "gt" / "gt.txt", tmp_path / "sequence.txt", 5)


def test_boxes_far_out_of_the_image_count_like_others(tmp_path):
    gt = [(frame, i, 1e9 * i + frame, -3e7, 1e8, 2e8) for frame in (1, 2, 3) for i in (1, 2, 3)]
    gt += [(frame, 9, 5.0, 5.0, 20.0, 30.0) for frame in (1, 2, 3)]
    results = [(frame, i, left + 1e7, *rest) for frame, i, left, *rest in gt]
    folder = tmp_path / "sequence"
    write_ground_truth(folder / "gt" / "gt.txt", gt)
    write_results(tmp_path / "sequence.txt", results)
    assert_equal_to_plain(folder / "gt" / "gt.txt", tmp_path / "sequence.txt", 3)


def test_boxes_without_a_size_match_nothing(tmp_path):
    gt = [(frame, i, 100.0 * i, 50.0, 20.0, 40.0) for frame in (1, 2, 3) for i in (1, 2, 3, 4)]
    turned = {
        1: (20.0, 40.0, -20.0, -40.0),
        2: (20.0, 0.0, -20.0, 40.0),
        3: (0.0, 40.0, 20.0, -40.0),
        4: (0, 0, 20, 40),
    }
    results = [(frame, i, left + turned[i][0], top + turned[i][1], *turned[i][2:]) for frame, i, left, top, _, _ in gt]
    folder = tmp_path / "sequence"
    write_ground_truth(folder / "gt" / "gt.txt", gt)
    write_results(tmp_path / "sequence.txt", results)
    assert_equal_to_plain(folder / "gt" / "gt.txt", tmp_path / "sequence.txt", 3)
    metrics = evaluate(folder, tmp_path / "sequence.txt", "MOT17").combined.metrics()
    assert (metrics["TP"], metrics["FP"]) == (3, 9)


@pytest.mark.parametrize("sequence", ["MOT17-09-SDP", pytest.param("MOT17-05-FRCNN", marks=pytest.mark.slow)])
def test_perturbed_real_ground_truth(shared_data, tmp_path, sequence):
    folder = shared_data / "MOT17-labels" / "train" / sequence
    rows = read_ground_truth(folder / "gt" / "gt.txt")
    random = np.random.default_rng(0)
    rows = rows.where(random.random(len(rows)) < 0.8)
    ids = np.where(random.random(len(rows)) < 0.02, rows.ids + 500, rows.ids)
    moved = rows.boxes_xywh + random.normal(0, 0.08, (len(rows), 4)) * rows.boxes_xywh[:, [2, 3, 2, 3]]
    write_results(tmp_path / f"{sequence}.txt", np.c_[rows.frames, ids, moved].tolist())
    length = read_sequence_info(folder).length
    assert_equal_to_plain(folder / "gt" / "gt.txt", tmp_path / f"{sequence}.txt", length)


def test_real_ground_truth_against_itself_is_perfect(shared_data, tmp_path):
    """Without the rows of other classes and of ignored pedestrians: these count as false positives."""
    folder = shared_data / "MOT17-labels" / "train" / "MOT17-02-FRCNN"
    rows = read_ground_truth(folder / "gt" / "gt.txt")
    rows = rows.where(((rows.flags != 0) & (rows.classes == 1)) | np.isin(rows.classes, DISTRACTORS["MOT17"]))
    write_results(tmp_path / "MOT17-02-FRCNN.txt", np.c_[rows.frames, rows.ids, rows.boxes_xywh].tolist())
    metrics = evaluate(folder, tmp_path).combined.metrics()
    ratios = ("HOTA", "DetA", "AssA", "LocA", "MOTA", "MOTP", "IDF1")
    assert {name: metrics[name] for name in ratios} == dict.fromkeys(ratios, 1)

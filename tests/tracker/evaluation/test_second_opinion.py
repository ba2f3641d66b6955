from __future__ import annotations

import pytest

from tests.tracker.evaluation.test_evaluate import GAP_BESIDE_ANOTHER, PERFECT, SWITCH, standing
from tracker.evaluation.evaluator import load_sequences
from tracker.evaluation.second_opinion import second_opinion

pytest.importorskip("motmetrics")


def test_plain_sequences_agree(benchmark_folder):
    folders = benchmark_folder({"MOT17-01": SWITCH, "MOT17-02": PERFECT, "MOT17-03": GAP_BESIDE_ANOTHER})
    header, *rows = second_opinion(load_sequences(*folders))
    assert header == ["", "here", "motmetrics", "difference"]
    assert rows == [
        ["MOTA", "0.8214", "0.8214", "+0.0000"],
        ["IDF1", "0.8519", "0.8519", "+0.0000"],
        ["FP", "1", "1", "+0"],
        ["FN", "3", "3", "+0"],
        ["IDSW", "1", "1", "+0"],
    ]


def test_a_pair_that_motmetrics_keeps_over_a_gap(benchmark_folder):
    """After two frames without a match id 5 fits better than id 3; only motmetrics goes on with 3."""
    others = standing(2, range(1, 7), left=400)
    gt = standing(1, range(1, 7)) + others
    results = standing(3, (1, 2, 5, 6), left=102) + standing(5, (5, 6)) + standing(4, range(1, 7), left=400)
    rows = {name: row for name, *row in second_opinion(load_sequences(*benchmark_folder({"a": (6, gt, results)})))}
    assert rows["IDSW"] == ["1", "0", "-1"]
    assert rows["FP"] == ["2", "2", "+0"]


def test_frames_without_boxes_and_empty_results(benchmark_folder):
    rows = second_opinion(load_sequences(*benchmark_folder({"a": (6, standing(1, (2, 3)), [])})))
    assert rows[4] == ["FN", "2", "2", "+0"]

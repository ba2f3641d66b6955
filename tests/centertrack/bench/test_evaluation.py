from __future__ import annotations

import numpy as np

from centertrack.bench import evaluation
from tracker.evaluation import evaluate


def test_the_crowd_is_a_valid_and_plausible_benchmark(tmp_path):
    gt_rows, result_rows = evaluation.write_crowd(tmp_path, "MOT17-02", (60, 20), np.random.default_rng(0))
    metrics = evaluate(tmp_path / "gt", tmp_path / "results").combined.metrics()
    assert (metrics["GT_Dets"], metrics["Dets"]) == (gt_rows, result_rows) == (1200, result_rows)
    assert 0.5 < metrics["MOTA"] < 0.9
    assert metrics["IDSW"] > 0


def test_every_set_is_timed(monkeypatch):
    monkeypatch.setattr(evaluation, "SETS", {"small": {"MOT17-02": (20, 5), "MOT17-04": (10, 5)}})
    (timing,) = evaluation.bench_evaluation(repeats=1)
    assert (timing.name, timing.gt_rows) == ("small", 150)
    assert timing.seconds > 0
    assert timing.peak_mb > 10

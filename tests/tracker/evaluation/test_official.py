"""The official evaluator's own figures on a set of seven sequences that a script beside the real data makes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tracker.evaluation import evaluate

OFFICIAL_NAMES = {"TP": "CLR_TP", "FN": "CLR_FN", "FP": "CLR_FP"}


@pytest.mark.slow
def test_every_figure_equals_the_official_one(shared_data, tmp_path):
    tools = shared_data.parent / "tools"
    if not (tools / "trackeval_seed0.json").is_file():
        pytest.skip(f"the official figures are not there: {tools}")
    subprocess.run([sys.executable, tools / "make_mot17_like.py", tmp_path, "--seed", "0"], check=True)
    official = json.loads((tools / "trackeval_seed0.json").read_text())["seed0"]
    result = evaluate(tmp_path / "gt", tmp_path / "trackers")
    found = {**result.sequences, "COMBINED": result.combined}
    assert found.keys() == official.keys()
    for sequence, scores in found.items():
        metrics = scores.metrics()
        del metrics["Frames"]
        expected = {name: official[sequence][OFFICIAL_NAMES.get(name, name)] for name in metrics}
        assert metrics == pytest.approx(expected, rel=0, abs=1e-9), sequence
        assert scores.curves()["HOTA"] == pytest.approx(official[sequence]["HOTA_alpha"], rel=0, abs=1e-9)

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from centertrack.cli import main
from centertrack.runtime.weights import DEFAULT_WEIGHTS, list_weights
from tracker.io.mot import read_results

pytestmark = pytest.mark.skipif(DEFAULT_WEIGHTS not in list_weights(), reason="the weights are not bundled")


@pytest.mark.parametrize(("video", "followed"), [("vtest.avi", 4), ("people.mp4", 4)])
def test_people_who_walk_keep_one_id(shared_data: Path, tmp_path: Path, video: str, followed: int):
    """At least so many people carry one id through two thirds of the first 60 frames."""
    rows = tmp_path / "rows.txt"
    options = ["--results", str(rows), "--max-frames", "60", "--device", "cpu", "--runtime", "torch", "--quiet"]
    assert main(["track", str(shared_data / "videos" / video), *options]) == 0
    ids, lengths = np.unique(read_results(rows).ids, return_counts=True)
    assert (lengths >= 40).sum() >= followed, dict(zip(ids.tolist(), lengths.tolist(), strict=True))

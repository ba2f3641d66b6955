from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.centertrack.conftest import small_network
from tracker.errors import InputError
from tracker.io.mot import read_results


def test_detection_over_a_folder(image_folder, tmp_path):
    model = small_network()
    found = model.inference_detection2d(image_folder, batch_size=4, num_detections=9, save_path=tmp_path / "found.json")
    assert [boxes.shape for boxes in found["bboxes"]] == [(9, 4)] * 6
    assert [scores.shape for scores in found["scores"]] == [(9,)] * 6
    np.testing.assert_allclose(found["bboxes"][0], found["bboxes"][5], atol=1e-3)  # the same image, another batch
    content = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert len(content["annotations"]) == 54


def test_detection_of_named_images_above_a_score(image_folder):
    found = small_network().inference_detection2d(image_folder, ["5.png", "2.png"], score_threshold=0.5)
    assert len(found["bboxes"]) == 2
    assert min(scores.min() for scores in found["scores"]) >= 0.5


def test_a_wider_peak_window_keeps_fewer_boxes(image_folder):
    model = small_network()
    narrow, wide = (
        model.inference_detection2d(image_folder, ["1.png"], nms_kernel=kernel, score_threshold=0.05)
        for kernel in (3, 9)
    )
    assert len(wide["scores"][0]) < len(narrow["scores"][0])


def test_tracking_over_a_folder(image_folder, tmp_path):
    tracks = small_network().inference_tracking2d(
        image_folder, save_dir=tmp_path / "out", save_results=True, save_images=True, min_score=0.3
    )
    assert len(tracks) == 6
    assert tracks[0].ids.tolist() == tracks[5].ids.tolist() != []
    assert read_results(tmp_path / "out" / "frames.txt").frames.max() == 6
    assert len(list(Path(tmp_path, "out", "frames").glob("*.jpg"))) == 6


def test_the_network_stays_in_its_mode(image_folder):
    model = small_network().train()
    model.inference_detection2d(image_folder)
    assert model.training


def test_bad_folders_and_missing_targets(tmp_path):
    model = small_network()
    with pytest.raises(InputError, match="found no folder"):
        model.inference_detection2d(tmp_path / "none")
    with pytest.raises(InputError, match="found no folder"):
        model.inference_tracking2d(tmp_path / "none")
    with pytest.raises(InputError, match="expected images"):
        model.inference_detection2d(tmp_path)
    with pytest.raises(InputError, match="need save_dir"):
        model.inference_tracking2d(tmp_path, save_results=True)

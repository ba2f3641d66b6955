from __future__ import annotations

import numpy as np
import pytest
import torch

from centertrack.data.labels import LabelledImages
from centertrack.data.sample import Sample, no_boxes
from centertrack.models import build_centernet
from centertrack.predictor import Predictor
from centertrack.training.calibration import HIGH, LOW, calibrate, calibrate_on, fit_scores, judge
from tests.centertrack.conftest import CLIP_SIZE, small_network
from tracker.detections import Detections


def test_calibration_moves_two_scores_and_keeps_the_order() -> None:
    torch.manual_seed(0)
    heads = {"heatmap": {"num_classes": 1, "width": 8}, "box_2d": {"width": 8}}
    model = (
        build_centernet(
            {
                "task": "detection",
                "backbone": {"name": "shufflenet_v2_x0.5"},
                "neck": {"name": "FPNNeck"},
                "output_heads": heads,
            }
        )
        .double()
        .eval()
    )
    images = torch.rand(1, 3, 64, 64, dtype=torch.float64)
    with torch.no_grad():
        before = model(images).heatmap.flatten()
        low, high = before.min().item(), before.max().item()
        calibrate(model, {low: 0.4, high: 0.75})
        after = model(images).heatmap.flatten()
    assert after.min().item() == pytest.approx(0.4, abs=1e-9)
    assert after.max().item() == pytest.approx(0.75, abs=1e-9)
    order = before.argsort()
    assert (after[order].diff() >= 0).all()


def sample_of(boxes: list[list[float]], labels: list[int], ignore: list[list[float]]) -> Sample:
    regions = np.array(ignore, np.float32).reshape(-1, 4)
    image = np.zeros((96, 160, 3), np.uint8)
    return Sample(image, np.array(boxes, np.float32), np.array(labels), np.full(len(labels), -1), regions)


def test_true_false_and_uncounted_detections() -> None:
    sample = sample_of([[0, 0, 10, 20], [50, 0, 60, 20]], [0, 1], [[100, 0, 140, 40]])
    boxes = [[0, 0, 10, 20], [0, 0, 10, 19], [50, 0, 60, 20], [100, 0, 120, 20], [95, 0, 115, 20], [85, 0, 105, 20]]
    #        true              the same again   another class    to be ignored       mostly so           mostly not
    found = Detections(boxes, [0.9, 0.8, 0.7, 0.6, 0.5, 0.4], [0, 0, 0, 0, 0, 0])
    scores, is_true = judge([found], [sample])
    assert scores.tolist() == pytest.approx([0.9, 0.8, 0.7, 0.4])
    assert is_true.tolist() == [True, False, False, False]


def test_a_better_detection_takes_the_object() -> None:
    sample = sample_of([[0, 0, 10, 20]], [0], [])
    found = Detections([[0, 0, 10, 14], [0, 0, 10, 20]], [0.3, 0.8], [0, 0])
    scores, is_true = judge([found], [sample])
    assert dict(zip(scores.round(2).tolist(), is_true.tolist(), strict=True)) == {0.8: True, 0.3: False}


def test_the_best_threshold_by_hand() -> None:
    # 25 true boxes at 0.5, then 10 false and 5 true at 0.2, of 30 objects: taking the weak ones costs 10 for 5 / 2
    scores = np.array([0.5] * 25 + [0.2] * 15)
    is_true = np.array([True] * 25 + [False] * 10 + [True] * 5)
    best, median = fit_scores(scores, is_true, objects=30)
    assert (best, median) == pytest.approx((0.35, 0.5))
    # 2 false boxes for 5 more of 30 are worth it: 45 / (45 + 2) > 37.5 / (37.5 + 2.5)
    best, _ = fit_scores(np.array([0.5] * 25 + [0.2] * 7), np.array([True] * 25 + [False] * 2 + [True] * 5), objects=30)
    assert best == pytest.approx(0.2)


def test_too_little_was_found_to_tell() -> None:
    assert fit_scores(np.zeros(0), np.zeros(0, bool), objects=50) is None
    assert fit_scores(np.linspace(0.9, 0.5, 19), np.ones(19, bool), objects=50) is None


class Truth:
    """Images whose objects are what a network finds above a score."""

    num_identities, num_classes = 0, 1
    class_names = ("person",)

    def __init__(self, predictor: Predictor, threshold: float) -> None:
        self.samples = []
        for seed in range(4):
            image = np.random.default_rng(seed).integers(0, 256, (96, 160, 3), dtype=np.uint8)
            (found,) = predictor(image)
            kept = found[found.scores >= threshold]
            self.samples.append(Sample(image, kept.boxes, kept.labels, np.full(len(kept), -1), no_boxes()))

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        return self.samples[index]


def test_the_best_threshold_of_a_network_becomes_that_of_the_trackers() -> None:
    model = small_network()
    predictor = Predictor(model, runtime="torch", image_size=CLIP_SIZE, min_score=0.01)
    scores = np.sort(np.concatenate([predictor(sample.image)[0].scores for sample in Truth(predictor, 0.0).samples]))
    threshold = float(scores[-60:-58].mean())  # 59 detections lie above it
    truth = Truth(predictor, threshold)
    wanted = [sample.boxes for sample in truth.samples]
    assert sum(map(len, wanted)) == 59 and not 0.35 < threshold < 0.45
    fit = calibrate_on(model, [truth])
    assert fit is not None and fit.best == pytest.approx(threshold, abs=0.02)
    again = Predictor(model, runtime="torch", min_score=LOW)
    found = [again(sample.image)[0] for sample in truth.samples]
    assert sum(map(len, found)) == pytest.approx(59, abs=2)
    assert float(np.median(np.concatenate([one.scores for one in found]))) == pytest.approx(HIGH, abs=0.02)
    assert calibrate_on(model, [Truth(again, 0.9999)]) is None


def test_a_set_without_images_says_nothing_about_scores() -> None:
    assert calibrate_on(small_network().eval(), [LabelledImages([], ["person"])]) is None

"""Scores that mean the same after any training.

How high a heatmap peaks depends on how long a network was trained, while trackers have fixed default thresholds. So the
threshold that separates true from false boxes best on labelled images is searched, and the heatmap's last layer scaled
and shifted until that threshold is 0.4, FairMOT's default, and half of the detections above it exceed 0.75, as
ByteTrack and its relatives expect. The order of the scores does not change, and neither does average precision.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from centertrack.data.sample import Array, Sample, SampleSet
from centertrack.predictor import Predictor
from centertrack.training.module import CenterNet
from tracker.boxes import box_area, iou_matrix
from tracker.detections import Detections

LOW, HIGH = 0.40, 0.75  # what the best threshold, and the median of the scores above it, become
MIN_SCORE = 0.03
MIN_IOU = 0.5
MIN_FOUND = 20  # true boxes; fewer say nothing about a threshold
MAX_IMAGES = 200
FALSE_WEIGHT = 2.0  # a false box counts as much as two missed ones, since a false track lasts


class ScoreFit(NamedTuple):
    """What scores a network gives.

    Attributes:
        best: The threshold with the best F score.
        median: Of the scores above it.
    """

    best: float
    median: float


def calibrate_on(model: CenterNet, sets: Sequence[SampleSet]) -> ScoreFit | None:
    """Calibrate a network on labelled images that it was not trained on.

    Args:
        model: In evaluation mode; its heatmap head changes.
        sets: The images; at most `MAX_IMAGES` of them are looked at, evenly spread.

    Returns:
        What the scores were before; None where too little was found to tell, and nothing was changed.
    """
    step = max(1, math.ceil(sum(map(len, sets)) / MAX_IMAGES))
    samples = [part[i] for part in sets for i in range(0, len(part), step)]
    predictor = Predictor(model, device=str(model.device), runtime="torch", min_score=MIN_SCORE)
    scores, is_true = judge((predictor(sample.image)[0] for sample in samples), samples)
    fit = fit_scores(scores, is_true, sum(len(sample.boxes) for sample in samples))
    if fit is not None:
        calibrate(model, {fit.best: LOW, fit.median: HIGH})
    return fit


def judge(found: Iterable[Detections], samples: Sequence[Sample]) -> tuple[Array, Array]:
    """Tell true from false detections.

    A detection is true if it overlaps an object of its class that no better one took, by an IoU of half or more; it
    does not count if half of it lies in a region to ignore.

    Returns:
        The scores of those that count and whether each is true, (K,) and (K,) bool.
    """
    scores, is_true = [], []
    for detections, sample in zip(found, samples, strict=True):
        overlap = iou_matrix(detections.boxes, sample.boxes)
        overlap[detections.labels[:, None] != sample.labels] = 0
        ignored = _inside(detections.boxes, sample.ignore) >= 0.5
        for row in np.argsort(-detections.scores, kind="stable"):
            best = int(overlap[row].argmax()) if overlap.shape[1] else -1
            hit = best >= 0 and overlap[row, best] >= MIN_IOU
            if hit:
                overlap[:, best] = 0
            if hit or not ignored[row]:
                scores.append(float(detections.scores[row]))
                is_true.append(hit)
    return np.array(scores), np.array(is_true, bool)


def _inside(boxes: Array, regions: Array) -> Array:
    """Return which fraction of each (K, 4) box lies in the (I, 4) region that covers most of it."""
    if not len(regions):
        return np.zeros(len(boxes))
    low = np.maximum(boxes[:, None, :2], regions[:, :2])
    high = np.minimum(boxes[:, None, 2:], regions[:, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2).max(axis=1)
    return np.asarray(shared / np.maximum(box_area(boxes), 1e-6))


def f_score(true: Array, false: Array, missed: Array) -> Array:
    """Return the F score of detections, in [0, 1], in which a false one weighs `FALSE_WEIGHT` times a missed one.

    >>> f_score(np.array([6, 6]), np.array([1, 3]), np.array([4, 0]))
    array([0.75, 0.75])
    """
    hits = (1 + 1 / FALSE_WEIGHT) * true
    return hits / (hits + false + missed / FALSE_WEIGHT)


def fit_scores(scores: Array, is_true: Array, objects: int) -> ScoreFit | None:
    """Find the threshold with the best F score over all objects.

    >>> fit_scores(np.linspace(0.9, 0.3, 50), np.arange(50) < 40, objects=40)
    ScoreFit(best=0.416..., median=0.661...)
    """
    order = np.argsort(-scores, kind="stable")
    falling, true = scores[order], np.cumsum(is_true[order])
    if not len(falling) or true[-1] < MIN_FOUND:
        return None
    last = int(f_score(true, np.arange(1, len(true) + 1) - true, objects - true).argmax())
    best = float(falling[last : last + 2].mean())
    median = float(np.median(falling[: last + 1]))
    return ScoreFit(best, median) if 0 < best < median < 1 else None


@torch.no_grad()
def calibrate(model: CenterNet, new_scores: dict[float, float]) -> None:
    """Scale and shift the heatmap's logits so that two scores become two others, and the rest keeps its order."""
    (low, high), (new_low, new_high) = map(_logit, new_scores), map(_logit, new_scores.values())
    scale = (new_high - new_low) / (high - low)
    last = model.head("heatmap").last_layer()
    assert last.bias is not None
    last.weight.mul_(scale)
    last.bias.mul_(scale).add_(new_low - scale * low)


def _logit(probability: float) -> float:
    return math.log(probability / (1 - probability))

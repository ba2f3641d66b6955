"""Counts on drawn streets, of which the true crossings are known."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from centertrack.synthetic import SceneConfig, StreetScene
from tracker import Detections, Tracks, make_tracker
from tracker.counting import Counter, Line
from tracker.counting.counter import MARGIN
from tracker.counting.tally import tally_places

RATE, SIZE = 12.5, (160, 96)
LINE = Line("gate", (80, -20), (80, 200))  # drawn downwards: "in" is to the left; feet may be below the image
SEEDS = range(2, 8)


@lru_cache
def street(seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Boxes (N, 4) and ids (N,) of everybody of whom a quarter is seen, frame by frame."""
    config = SceneConfig(size=SIZE, seconds=8, frame_rate=RATE, seed=seed, people=10, furniture=0, pan=0, zoom=0.9)
    return [(shot.boxes[seen], shot.ids[seen]) for shot in StreetScene(config) for seen in (shot.visibility > 0.25,)]


def true_crossings(seed: int) -> dict[str, int]:
    """Who changes the side of the line: middle of the feet from one frame to the next in which somebody is seen."""
    sides: dict[int, bool] = {}
    counts = {"in": 0, "out": 0}
    for boxes, ids in street(seed):
        for x, identity in zip((boxes[:, 0] + boxes[:, 2]) / 2, ids.tolist(), strict=True):
            is_left = bool(x < LINE.start[0])
            if identity in sides and sides[identity] != is_left:
                counts["in" if is_left else "out"] += 1
            sides[identity] = is_left
    return counts


def count_true_tracks(seed: int, margin: float, noise: float = 0.0) -> dict[str, int]:
    """Count the true tracks, with noise in sizes of the box, whatever the gaps."""
    random = np.random.default_rng(seed)
    counter = Counter([LINE], margin=margin, max_gap_seconds=100)
    for number, (boxes, ids) in enumerate(street(seed)):
        scores, labels = np.ones(len(ids), np.float32), np.zeros_like(ids)
        tracks = Tracks(ids, shaken(boxes, noise, random), scores, labels, np.arange(len(ids)))
        counter.update(tracks, number / RATE)
    return counter.lines[0].counts


def shaken(boxes: np.ndarray, noise: float, random: np.random.Generator) -> np.ndarray:
    size = np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(axis=1))[:, None]
    return boxes + np.tile(noise * size * random.normal(size=(len(boxes), 2)), 2)


def track_and_count(seed: int) -> Counter:
    """Track boxes that tremble, of which one in ten is missing, and count."""
    random = np.random.default_rng(seed)
    tracker = make_tracker("scene", frame_rate=RATE)
    counter = Counter([LINE])
    for number, (boxes, _) in enumerate(street(seed)):
        found = shaken(boxes, 0.05, random)[random.random(len(boxes)) > 0.1]
        detections = Detections(found, random.uniform(0.75, 0.95, len(found)))
        counter.update(tracker.update(detections, time=number / RATE), number / RATE)
    return counter


@pytest.mark.parametrize("seed", SEEDS)
def test_true_tracks_give_the_true_crossings(seed):
    assert count_true_tracks(seed, margin=0.0) == true_crossings(seed)
    assert sum(true_crossings(seed).values()) > 1


def test_the_intervals_of_what_a_tracker_found_hold_the_true_crossings():
    held, counted, true = [], 0, 0
    for seed in SEEDS:
        counter = track_and_count(seed)
        line = tally_places(counter, str)["lines"]["gate"]
        for way, number in true_crossings(seed).items():
            held.append(line["estimate"][way]["low"] <= number <= line["estimate"][way]["high"])
            counted, true = counted + line[way], true + number
    assert np.mean(held) >= 0.9
    assert 0.75 * true <= counted <= true  # so that the intervals had something to do


def test_without_hysteresis_trembling_boxes_are_counted_again_and_again():
    truth = [true_crossings(seed)[way] for seed in SEEDS for way in ("in", "out")]

    def error(margin: float) -> int:
        found = [count_true_tracks(seed, margin, noise=0.06) for seed in SEEDS]
        numbers = [counts[way] for counts in found for way in ("in", "out")]
        return sum(abs(number - true) for number, true in zip(numbers, truth, strict=True))

    assert error(MARGIN) < 0.3 * error(0.0)

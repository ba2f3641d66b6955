"""How long one `update` takes, from a street to a crowd: ours, and every other tracker library that is installed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tracker import Detections, make_tracker
from tracker.detections import Array

CROWDS = (20, 100, 300, 1000)
"""Boxes a frame of the standard table."""

Update = Callable[[Detections], object]


@dataclass(frozen=True)
class CrowdScene:
    """People who walk straight on through 1920 x 1080 pixels, as a detector with a re-id head would see them.

    Heights are 50-150 px, so that in a crowd of 1,000 about one pair in a hundred overlaps. Who leaves on one side
    enters on the other as somebody new: tracks are born and die all the time.

    Attributes:
        people: Visible at any time.
        frames: Length.
        misses: Share of people the detector misses, drawn anew in each frame.
        false_boxes: Boxes on nobody, as a share of `people`.
        embedding_dim: Length of the appearance vectors.
        seed: Of everything that is random.
    """

    people: int
    frames: int = 120
    misses: float = 0.10
    false_boxes: float = 0.05
    embedding_dim: int = 128
    seed: int = 0

    def __iter__(self) -> Iterator[Detections]:
        rng = np.random.default_rng(self.seed)
        size = np.array([1920.0, 1080.0])
        height = rng.uniform(50, 150, self.people)
        shape = np.stack([0.4 * height, height], axis=1)
        centre, velocity = rng.uniform(0, size, (self.people, 2)), rng.normal(0, 2.5, (self.people, 2))
        looks = self._looks(rng, self.people)
        for _ in range(self.frames):
            centre += velocity
            gone = ((centre < 0) | (centre > size)).any(axis=1)
            centre %= size
            looks[gone] = self._looks(rng, int(gone.sum()))
            yield self._detect(rng, centre, shape, looks)

    def _detect(self, rng: np.random.Generator, centre: Array, shape: Array, looks: Array) -> Detections:
        seen = rng.uniform(size=self.people) >= self.misses
        false = round(self.false_boxes * self.people)
        centre = np.concatenate([centre[seen], rng.uniform(0, (1920, 1080), (false, 2))])
        shape = np.concatenate([shape[seen], shape[rng.integers(0, self.people, false)]])
        centre = centre + rng.normal(0, 0.02, centre.shape) * shape
        shape = shape * np.exp(rng.normal(0, 0.02, shape.shape))
        looks = np.concatenate([looks[seen], self._looks(rng, false)])
        looks = looks + rng.normal(0, 0.4 / np.sqrt(self.embedding_dim), looks.shape)
        scores = np.concatenate([rng.beta(8, 2, int(seen.sum())), rng.beta(5, 4, false)])
        boxes = np.concatenate([centre - shape / 2, centre + shape / 2], axis=1)
        return Detections(boxes, scores, None, looks)

    def _looks(self, rng: np.random.Generator, count: int) -> Array:
        looks = rng.normal(size=(count, self.embedding_dim))
        return looks / np.linalg.norm(looks, axis=1, keepdims=True)


def median_update_ms(update: Update, scene: CrowdScene, warm_up: int = 30) -> float:
    """Return the median milliseconds of one `update` call over a scene, the first `warm_up` frames left out."""
    durations = []
    for detections in list(scene):
        start = time.perf_counter()
        update(detections)
        durations.append(time.perf_counter() - start)
    return float(np.median(durations[warm_up:])) * 1e3


def bench_trackers(
    names: Sequence[str] = ("fairmot", "bytetrack"), crowds: Sequence[int] = CROWDS
) -> dict[str, list[float]]:
    """Return name -> median milliseconds per crowd size."""
    return {name: [median_update_ms(make_tracker(name).update, CrowdScene(people)) for people in crowds] for name in names}

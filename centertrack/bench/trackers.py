"""How long one `update` takes, from a street to a crowd: ours, and every other tracker library that is installed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from centertrack.bench.peers import installed_peers
from tracker import Detections, Tracker, make_tracker
from tracker.arrays import Array
from tracker.text_table import text_table

CROWDS = (20, 100, 300, 1000)
"""People in the scenes of the standard table."""


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


@dataclass(frozen=True)
class TrackerTiming:
    """One row of the table.

    Attributes:
        library: "ours", or the peer's package and version.
        tracker: Its name there.
        embeddings: Whether it compares appearance.
        milliseconds: Median of one update, by people in the scene.
    """

    library: str
    tracker: str
    embeddings: bool
    milliseconds: dict[int, float]


def bench_trackers(
    names: Sequence[str] = ("fairmot", "deepsort", "scene-reid", "scene", "bytetrack", "botsort", "ocsort", "sort"),
    crowds: Sequence[int] = CROWDS,
    peers: bool = False,
) -> Iterator[TrackerTiming]:
    """Measure one tracker after the other on the same scenes.

    Set OMP_NUM_THREADS=1 to compare with published tables: single updates are too short to share out.

    Args:
        names: Of our trackers.
        crowds: People in the scenes.
        peers: Also measure the trackers of other libraries, as far as they are installed.
    """
    for name in names:
        milliseconds = {people: median_ms(_ours(name).update, list(CrowdScene(people))) for people in crowds}
        yield TrackerTiming("ours", name, _ours(name).needs_embeddings, milliseconds)
    for peer in installed_peers() if peers else ():
        milliseconds = {
            people: median_ms(peer.start(), [peer.prepare(detections) for detections in CrowdScene(people)])
            for people in crowds
        }
        yield TrackerTiming(peer.library, peer.tracker, peer.embeddings, milliseconds)


def timing_table(timings: Sequence[TrackerTiming]) -> str:
    """Return the measured rows as a plain text table, in milliseconds."""
    crowds = list(timings[0].milliseconds)
    head = ["library", "tracker", "uses", *(f"{people} boxes" for people in crowds)]
    rows = [
        [
            row.library,
            row.tracker,
            "looks" if row.embeddings else "boxes",
            *(_figures(row.milliseconds[c]) for c in crowds),
        ]
        for row in timings
    ]
    return text_table([head, *rows], text_columns=3)


def median_ms(update: Callable[[Any], object], inputs: Sequence[Any], warm_up: int = 30) -> float:
    """Return the median milliseconds of one call, the first `warm_up` inputs left out."""
    durations = []
    for value in inputs:
        start = time.perf_counter()
        update(value)
        durations.append(time.perf_counter() - start)
    return float(np.median(durations[warm_up:])) * 1e3


def _figures(milliseconds: float) -> str:
    return f"{milliseconds:.0f}" if milliseconds >= 100 else f"{milliseconds:#.3g}"


def _ours(name: str) -> Tracker:
    still = {"camera_motion": "none"} if name.startswith("botsort") else {}  # there are no frames to measure it from
    return make_tracker(name, **still)

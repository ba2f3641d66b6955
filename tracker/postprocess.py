"""Better tracks after the fact. Offline: every function here uses frames after the one that it changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tracker.arrays import Array
from tracker.assignment import match
from tracker.detections import Detections, Tracks
from tracker.errors import InputError
from tracker.io.mot import MotWriter

STEPS = ("link", "interpolate", "smooth")
"""What `postprocess` can do, in the order in which it does it."""

MIN_SIGMA = 0.2  # frames; below, neighbours weigh less than 4e-6 and a line through them is one through a point


@dataclass(frozen=True, slots=True, eq=False)
class Trajectories:
    """All tracks of a video as columns, sorted by id and then by frame.

    Attributes:
        frames: (N,) int64, from 1.
        ids: (N,) int64.
        boxes: (N, 4) float64 xyxy.
        scores: (N,) float64.
        labels: (N,) int64.
        indices: (N,) int64, row of the frame's detections; -1 where a track was not detected, or is interpolated.
        embeddings: Id -> sum (D,) of the embeddings of its detections; empty where there were none.
    """

    frames: Array
    ids: Array
    boxes: Array
    scores: Array
    labels: Array
    indices: Array
    embeddings: dict[int, Array]

    def __len__(self) -> int:
        return len(self.frames)

    def __iter__(self) -> Iterator[tuple[int, Tracks]]:
        """Give (frame number, tracks) of each frame that has any, as a tracker would have returned them."""
        order = np.lexsort((self.ids, self.frames))
        numbers, starts = np.unique(self.frames[order], return_index=True)
        parts = np.split(order, starts[1:]) if len(order) else []  # of nothing, split makes one part
        for number, rows in zip(numbers.tolist(), parts, strict=True):
            boxes, scores = self.boxes[rows].astype(np.float32), self.scores[rows].astype(np.float32)
            yield number, Tracks(self.ids[rows], boxes, scores, self.labels[rows], self.indices[rows])

    def write(self, path: str | Path, has_classes: bool = False) -> None:
        """Write MOTChallenge rows.

        Args:
            path: The file; an earlier one is replaced.
            has_classes: Write the class of each track in column 8, from 1, instead of -1.
        """
        with MotWriter(path, has_classes) as writer:
            for number, tracks in self:
                writer.write(number, tracks)


class TrajectoryRecorder:
    """Collects what a tracker returns, frame by frame.

    >>> recorder = TrajectoryRecorder()
    >>> len(recorder.finish())
    0
    """

    def __init__(self) -> None:
        self._frames: list[Array] = []
        self._tracks: list[Tracks] = []
        self._embeddings: dict[int, Array] = {}

    def add(self, number: int, tracks: Tracks, detections: Detections | None = None) -> None:
        """Remember the tracks of a frame.

        Args:
            number: Of the frame, counted from 1.
            tracks: What the tracker returned.
            detections: What it was given; `link` needs their embeddings.
        """
        self._frames.append(np.full(len(tracks), number))
        self._tracks.append(tracks)
        if detections is None or detections.embeddings is None:
            return
        for identity, row in zip(tracks.ids.tolist(), tracks.indices.tolist(), strict=True):
            if row >= 0:
                self._embeddings[identity] = self._embeddings.get(identity, 0.0) + detections.embeddings[row]

    def finish(self) -> Trajectories:
        """Return everything that was added."""
        tracks = [Tracks.empty(), *self._tracks]
        frames = np.concatenate([np.zeros(0, np.int64), *self._frames])
        ids = np.concatenate([part.ids for part in tracks])
        order = np.lexsort((frames, ids))
        return Trajectories(
            frames[order],
            ids[order],
            np.concatenate([part.boxes for part in tracks]).astype(np.float64)[order],
            np.concatenate([part.scores for part in tracks]).astype(np.float64)[order],
            np.concatenate([part.labels for part in tracks])[order],
            np.concatenate([part.indices for part in tracks])[order],
            dict(self._embeddings),
        )


def record(frames: Iterable[tuple[int, Tracks]]) -> Trajectories:
    """Collect (frame number, tracks) of a whole video."""
    recorder = TrajectoryRecorder()
    for number, tracks in frames:
        recorder.add(number, tracks)
    return recorder.finish()


def postprocess(trajectories: Trajectories, steps: Sequence[str], frame_rate: float = 30.0) -> Trajectories:
    """Do some of `STEPS` with their usual settings, in the order of `STEPS`.

    Args:
        trajectories: All tracks of a video.
        steps: Which.
        frame_rate: Frames per second; how long a gap may be is told in seconds.

    Returns:
        New trajectories.

    Raises:
        InputError: A step is unknown, or "link" has no embeddings to go by.
    """
    for step in steps:
        if step not in STEPS:
            raise InputError(f"there is no postprocessing {step!r}; there are: {', '.join(STEPS)}")
    if "link" in steps:
        trajectories = link(trajectories, max_gap=round(10 * frame_rate))
    if "interpolate" in steps:
        trajectories = interpolate(trajectories, max_gap=round(2 / 3 * frame_rate))
    if "smooth" in steps:
        trajectories = smooth(trajectories, sigma=frame_rate / 15)
    return trajectories


def interpolate(trajectories: Trajectories, max_gap: int = 20, min_length: int = 5) -> Trajectories:
    """Fill the gaps of tracks with boxes on a straight line.

    Args:
        trajectories: Of one video.
        max_gap: Frames missing in a row that are still filled.
        min_length: Tracks with fewer boxes are left as they are.
    """
    ids, frames = trajectories.ids, trajectories.frames
    _, inverse, counts = np.unique(ids, return_inverse=True, return_counts=True)
    missing = np.diff(frames) - 1
    fill = (ids[1:] == ids[:-1]) & (missing > 0) & (missing <= max_gap) & (counts[inverse[1:]] >= min_length)
    before = np.flatnonzero(fill)
    missing = missing[before]
    rows = before.repeat(missing)
    within = np.arange(len(rows)) - (missing.cumsum() - missing).repeat(missing) + 1
    share = (within / (missing.repeat(missing) + 1))[:, None]
    boxes = trajectories.boxes[rows] * (1 - share) + trajectories.boxes[rows + 1] * share
    scores = np.minimum(trajectories.scores[rows], trajectories.scores[rows + 1])
    return _sorted(
        replace(
            trajectories,
            frames=np.concatenate([frames, frames[rows] + within]),
            ids=np.concatenate([ids, ids[rows]]),
            boxes=np.concatenate([trajectories.boxes, boxes]),
            scores=np.concatenate([trajectories.scores, scores]),
            labels=np.concatenate([trajectories.labels, trajectories.labels[rows]]),
            indices=np.concatenate([trajectories.indices, np.full(len(rows), -1)]),
        )
    )


def smooth(trajectories: Trajectories, sigma: float = 2.0) -> Trajectories:
    """Smooth centres and sizes by local straight lines under a Gaussian window.

    A straight walk at constant speed stays exactly what it is, also at its ends. Gaps are not looked across.

    Args:
        trajectories: Of one video; interpolate first.
        sigma: Width of the window in frames; below `MIN_SIGMA` boxes stay as they are.
    """
    if not len(trajectories) or sigma <= 0:
        return trajectories
    starts_new = (np.diff(trajectories.ids) != 0) | (np.diff(trajectories.frames) != 1)
    boxes = trajectories.boxes.copy()
    for run in np.split(np.arange(len(boxes)), np.flatnonzero(starts_new) + 1):
        boxes[run] = _local_lines(boxes[run], sigma)
    return replace(trajectories, boxes=boxes)


def link(
    trajectories: Trajectories, embedding_limit: float = 0.2, max_gap: int = 300, max_speed: float = 0.2
) -> Trajectories:
    """Join tracks that look alike, the one ending before the other begins.

    Args:
        trajectories: Of one video, recorded with embeddings.
        embedding_limit: 1 - cos of average embeddings from which tracks are not joined.
        max_gap: Frames between the end of one and the beginning of the other.
        max_speed: How far somebody can get in a frame, in heights of the box.

    Raises:
        InputError: There are no embeddings.
    """
    if not len(trajectories):
        return trajectories
    ids, first, count = np.unique(trajectories.ids, return_index=True, return_counts=True)
    if not trajectories.embeddings:
        raise InputError("linking tracks compares their embeddings and needs detections with embeddings, got none")
    nobody = np.zeros_like(next(iter(trajectories.embeddings.values())))
    embeddings = np.array([trajectories.embeddings.get(identity, nobody) for identity in ids.tolist()])
    embeddings = embeddings / np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-12)
    last = first + count - 1

    cost = 1.0 - np.einsum(
        "nd,md->nm", embeddings, embeddings
    )  # row: ends, column: begins; the same on any number of threads
    gap = trajectories.frames[first][None] - trajectories.frames[last][:, None]
    ends, begins = trajectories.boxes[last], trajectories.boxes[first]
    way = np.linalg.norm(((begins[:, :2] + begins[:, 2:])[None] - (ends[:, :2] + ends[:, 2:])[:, None]) / 2, axis=2)
    reach = max_speed * np.maximum(gap, 0) * (ends[:, 3] - ends[:, 1])[:, None]
    other_class = trajectories.labels[last][:, None] != trajectories.labels[first][None]
    cost[(gap <= 0) | (gap > max_gap) | (way > reach) | other_class] = np.inf

    heads = np.arange(len(ids))
    pairs = match(cost, embedding_limit)
    for end, begin in pairs[np.argsort(trajectories.frames[first[pairs[:, 1]]], kind="stable")].tolist():
        heads[begin] = heads[end]  # chains are followed in time, so the end's head is known
    names = ids[heads].repeat(count)
    joined: dict[int, Array] = {}
    for identity, embedding in trajectories.embeddings.items():
        name = int(ids[heads[np.searchsorted(ids, identity)]])
        joined[name] = joined.get(name, 0.0) + embedding
    return _sorted(replace(trajectories, ids=names, embeddings=joined))


def _sorted(trajectories: Trajectories) -> Trajectories:
    order = np.lexsort((trajectories.frames, trajectories.ids))
    columns = ("frames", "ids", "boxes", "scores", "labels", "indices")
    return replace(trajectories, **{name: getattr(trajectories, name)[order] for name in columns})


def _local_lines(values: Array, sigma: float) -> Array:
    """Fit a weighted line around each row of (N, K) and return its value there."""
    reach = min(int(np.ceil(3 * sigma)), len(values) - 1)
    if reach < 1 or sigma < MIN_SIGMA:
        return values
    offset = np.arange(-reach, reach + 1)
    weight = np.exp(-0.5 * (offset / sigma) ** 2)
    # Sums over the window at each row; rows beyond the ends count nothing.
    ones = np.ones(len(values))
    s0, s1, s2 = (_window_sum(ones, weight * offset**power) for power in (0, 1, 2))
    smoothed = np.empty_like(values)
    for column in range(values.shape[1]):
        t0, t1 = (_window_sum(values[:, column], weight * offset**power) for power in (0, 1))
        smoothed[:, column] = (s2 * t0 - s1 * t1) / (s0 * s2 - s1 * s1)
    return smoothed


def _window_sum(values: Array, weights: Array) -> Array:
    """Return sum over k of weights[k] * values[n + k - reach] for every n, with zeros beyond the ends."""
    reach = len(weights) // 2
    return np.convolve(values, weights[::-1])[reach : reach + len(values)]

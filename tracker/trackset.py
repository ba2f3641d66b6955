"""The live tracks of one tracker as a struct of arrays: every property is one array with one row a track."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from typing_extensions import Self

from tracker.arrays import Array
from tracker.candidates import Candidates
from tracker.detections import Detections
from tracker.kalman import KalmanFilter


class State(IntEnum):
    """Where a track is in its life."""

    TENTATIVE = 0
    """Not detected often enough to be confirmed; has no id yet."""
    TRACKED = 1
    """Confirmed, and matched in this update."""
    LOST = 2
    """Confirmed, but not matched; may come back."""


TENTATIVE, TRACKED, LOST = map(int, State)
"""The states as plain integers, which arrays compare with at once."""


@dataclass(slots=True)
class TrackSet:
    """N tracks.

    Attributes:
        filter: The Kalman filter whose states `motion` holds.
        motion: (N, 5, 4) float64, states of a `BlockKalmanFilter`, or (N, 9, 8) of a `FullKalmanFilter`.
        ids: (N,) int64, positive; 0 while tentative.
        states: (N,) int8 of `State`.
        scores: (N,) float32, of the last matched detection.
        labels: (N,) int64, the class that most matches voted for.
        votes: (N,) int64, lead of that class.
        hits: (N,) int64, matches so far, in most trackers the first detection included.
        born: (N,) float64, tracker time of the first detection, in frames.
        seen: (N,) float64, tracker time of the last match, in frames.
        indices: (N,) int64, detection matched in the last update, -1 if none.
        embeddings: (N, E) float32 unit rows, smoothed appearance; E = 0 where none is used.
    """

    filter: KalmanFilter
    motion: Array
    ids: Array
    states: Array
    scores: Array
    labels: Array
    votes: Array
    hits: Array
    born: Array
    seen: Array
    indices: Array
    embeddings: Array

    @classmethod
    def empty(cls, kalman: KalmanFilter, **more: Array) -> Self:
        """Return no tracks; `more` are the empty arrays that a subclass adds."""
        nobody = Candidates.choose(Detections.empty(), 0.0, kalman.model)
        return cls._starting(kalman, nobody, nobody.indices, 0.0, 0, more)

    @classmethod
    def _starting(
        cls, kalman: KalmanFilter, found: Candidates, columns: Array, now: float, hits: int, more: Mapping[str, Array]
    ) -> Self:
        count = len(columns)
        return cls(
            filter=kalman,
            motion=kalman.initiate(found.measurements[columns]),
            ids=np.zeros(count, np.int64),
            states=np.zeros(count, np.int8),  # TENTATIVE
            scores=found.scores[columns],
            labels=found.labels[columns],
            votes=np.zeros(count, np.int64) + 1,
            hits=np.zeros(count, np.int64) + hits,
            born=np.zeros(count) + now,
            seen=np.zeros(count) + now,
            indices=found.indices[columns],
            embeddings=found.embeddings[columns],
            **more,
        )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def confirmed(self) -> int:
        """The number of tracks that are not tentative; these come first where a single miss ends a tentative track.

        Tracks are added at the end, and of two tentative tracks the earlier one is confirmed no later.
        """
        return int(np.count_nonzero(self.states))  # TENTATIVE is 0

    def boxes(self) -> Array:
        """Return where the tracks are by their motion: (N, 4) float32 xyxy."""
        return self.filter.boxes(self.motion).astype(np.float32)

    def keep(self, mask: Array) -> None:
        """Drop the tracks outside the boolean mask (N,)."""
        rows = mask.nonzero()[0]
        if len(rows) == len(mask):
            return
        for name in self._arrays():
            setattr(self, name, getattr(self, name).take(rows, axis=0))

    def start(self, found: Candidates, columns: Array, now: float, hits: int = 1, **more: Array) -> None:
        """Add tentative tracks at the end.

        Args:
            found: The detections of this frame.
            columns: (M,) those of them that start a track.
            now: Tracker time in frames.
            hits: What they have at the start.
            more: The arrays (M, ...) that a subclass adds.
        """
        if not len(columns):
            return
        started = self._starting(self.filter, found, columns, now, hits, more)
        alone = not len(self)  # take over whole, so that the first embeddings decide their dimension
        for name in self._arrays():
            new = getattr(started, name)
            setattr(self, name, new if alone else np.concatenate([getattr(self, name), new]))

    def vote(self, rows: Array, labels: Array) -> None:
        """Count one label (M,) for each of the tracks `rows` (M,) and keep the majority (Boyer and Moore 1991)."""
        agree = self.labels[rows] == labels
        if agree.all():
            self.votes[rows] += 1
            return
        votes = self.votes[rows] + np.where(agree, 1, -1)
        overruled = votes < 0
        self.labels[rows[overruled]] = labels[overruled]
        self.votes[rows] = np.where(overruled, 1, votes)

    def smooth_embeddings(self, rows: Array, embeddings: Array, momentum: float) -> None:
        """Move the appearance of the tracks `rows` towards new unit rows: e <- m e + (1 - m) new, renormalised."""
        if not len(rows):
            return
        mixed = momentum * self.embeddings.take(rows, axis=0) + (1.0 - momentum) * embeddings
        length = np.sqrt(np.einsum("nd,nd->n", mixed, mixed))
        self.embeddings[rows] = mixed / np.maximum(length, 1e-12)[:, None]

    def state_dict(self) -> dict[str, Array]:
        """Copy all arrays by name."""
        return {name: getattr(self, name).copy() for name in self._arrays()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the arrays of `state_dict`."""
        for name in self._arrays():
            setattr(self, name, np.array(state[name]))

    def _arrays(self) -> list[str]:
        return [name for name in self.__dataclass_fields__ if name != "filter"]

"""The live tracks of one tracker as a struct of arrays: every property is one array with one row a track."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from tracker.detections import Array


class State(IntEnum):
    """Where a track is in its life."""

    TENTATIVE = 0
    """Seen too seldom to be believed; has no id yet."""
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
        ids: (N,) int64, positive; 0 while tentative.
        states: (N,) int8 of `State`.
        motion: (N, 5, 4) float64, Kalman states (see `tracker.kalman`).
        scores: (N,) float32, of the last matched detection.
        labels: (N,) int64, the class that most matches voted for.
        votes: (N,) int64, lead of that class.
        hits: (N,) int64, matches so far, the first detection included.
        born: (N,) float64, tracker time of the first detection, in frames.
        seen: (N,) float64, tracker time of the last match, in frames.
        indices: (N,) int64, detection matched in the last update, -1 if none.
        embeddings: (N, D) float32 unit rows, smoothed appearance; D = 0 where none is used.
    """

    ids: Array
    states: Array
    motion: Array
    scores: Array
    labels: Array
    votes: Array
    hits: Array
    born: Array
    seen: Array
    indices: Array
    embeddings: Array

    @classmethod
    def start(
        cls, motion: Array, scores: Array, labels: Array, indices: Array, embeddings: Array | None, now: float
    ) -> TrackSet:
        """Return tentative tracks that begin now, one for each detection."""
        count = len(motion)
        return TrackSet(
            ids=np.zeros(count, np.int64),
            states=np.zeros(count, np.int8),  # TENTATIVE
            motion=motion,
            scores=scores,
            labels=labels,
            votes=np.zeros(count, np.int64) + 1,
            hits=np.zeros(count, np.int64) + 1,
            born=np.zeros(count) + now,
            seen=np.zeros(count) + now,
            indices=indices,
            embeddings=np.zeros((count, 0), np.float32) if embeddings is None else embeddings,
        )

    @classmethod
    def empty(cls) -> TrackSet:
        """Return no tracks."""
        integers, numbers = np.zeros(0, np.int64), np.zeros(0, np.float32)
        return cls.start(np.zeros((0, 5, 4)), numbers, integers, integers, None, 0.0)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def confirmed(self) -> int:
        """How many tracks are not tentative, where those are the last.

        So it is wherever a single miss ends a tentative track: who started earlier is confirmed earlier.
        """
        return int(np.count_nonzero(self.states))  # TENTATIVE is 0

    def keep(self, mask: Array) -> None:
        """Drop the tracks outside the boolean mask (N,)."""
        rows = mask.nonzero()[0]
        if len(rows) == len(mask):
            return
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name).take(rows, axis=0))

    def append(self, others: TrackSet) -> None:
        """Add tracks at the end."""
        if not len(others):
            return
        alone = not len(self)  # take over whole, so that the first embeddings decide their dimension
        for name in self.__dataclass_fields__:
            new = getattr(others, name)
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
        mixed = momentum * self.embeddings.take(rows, axis=0) + (1.0 - momentum) * embeddings
        length = np.sqrt(np.einsum("nd,nd->n", mixed, mixed))
        self.embeddings[rows] = mixed / np.maximum(length, 1e-12)[:, None]

    def state_dict(self) -> dict[str, Array]:
        """Copy all arrays by name."""
        return {name: getattr(self, name).copy() for name in self.__dataclass_fields__}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over the arrays of `state_dict`."""
        for name in self.__dataclass_fields__:
            setattr(self, name, np.array(state[name], dtype=getattr(self, name).dtype))

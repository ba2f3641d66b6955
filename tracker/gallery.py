"""Many embeddings of every track, in rows that are used again when a track ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tracker.arrays import Array

_PAIRS_AT_ONCE = 256  # bounds the memory of one comparison


class Gallery:
    """The newest embeddings of each track, at most `budget`.

    Args:
        budget: Embeddings kept for each track; the oldest is overwritten.

    >>> gallery = Gallery(budget=2)
    >>> slots = gallery.take(np.array([[1.0, 0.0]]))
    >>> gallery.add(slots, np.array([[0.0, 1.0]]))
    >>> gallery.distances(slots, np.array([[1.0, 0.0]])).tolist()  # the nearest one counts
    [0.0]
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._embeddings = np.zeros((0, budget, 0), np.float32)
        self._counts = np.zeros(0, np.int64)  # embeddings ever added to each slot; 0: free

    def take(self, embeddings: Array) -> Array:
        """Give a slot to each of these first embeddings (N, D) and return the slots (N,) int64."""
        if not len(embeddings):
            return np.zeros(0, np.int64)
        free = np.flatnonzero(self._counts == 0)
        if len(free) < len(embeddings):
            self._grow(len(embeddings) - len(free), embeddings.shape[1])
            free = np.flatnonzero(self._counts == 0)
        slots = free[: len(embeddings)]
        self.add(slots, embeddings)
        return slots

    def add(self, slots: Array, embeddings: Array) -> None:
        """Add one embedding (N, D) to each of the slots (N,)."""
        if not len(slots):
            return
        self._embeddings[slots, self._counts[slots] % self._budget] = embeddings
        self._counts[slots] += 1

    def keep(self, slots: Array) -> None:
        """Free all slots but these."""
        used = np.zeros(len(self._counts), bool)
        used[slots] = True
        self._counts[~used] = 0

    def distances(self, slots: Array, embeddings: Array) -> Array:
        """Return the smallest cosine distance (P,) between the gallery of slot p and embedding p (P, D)."""
        nearest = np.empty(len(slots))
        places = np.arange(self._budget)
        for start in range(0, len(slots), _PAIRS_AT_ONCE):
            part = slice(start, start + _PAIRS_AT_ONCE)
            similarity = np.einsum("pbd,pd->pb", self._embeddings[slots[part]], embeddings[part])
            similarity[places >= self._counts[slots[part], None]] = -1.0
            nearest[part] = 1.0 - similarity.max(axis=1)
        return np.maximum(nearest, 0.0)

    def state_dict(self) -> dict[str, Array]:
        """Copy all that is remembered."""
        return {"embeddings": self._embeddings.copy(), "counts": self._counts.copy()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self._embeddings, self._counts = np.array(state["embeddings"]), np.array(state["counts"])

    def _grow(self, needed: int, dim: int) -> None:
        more = max(needed, len(self._counts))  # doubling: seldom, and memory stays flat
        free = np.zeros((more, self._budget, dim), np.float32)
        self._embeddings = free if not len(self._embeddings) else np.concatenate([self._embeddings, free])
        self._counts = np.concatenate([self._counts, np.zeros(more, np.int64)])

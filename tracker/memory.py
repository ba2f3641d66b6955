"""Long-term memory: the appearance of removed tracks, so that an object that comes back gets its old id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tracker.arrays import Array
from tracker.assignment import match


class LongTermMemory:
    """Ids and average embeddings of removed tracks.

    Args:
        limit: 1 - cos from which a track is not recognised.

    >>> memory = LongTermMemory(limit=0.2)
    >>> memory.add(np.array([7]), np.array([0]), np.array([[1.0, 0.0]]), np.array([100.0]))
    >>> memory.recall(np.array([[0.0, 1.0], [1.0, 0.1]]), np.array([0, 0])).tolist()
    [0, 7]
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._ids = np.zeros(0, np.int64)
        self._labels = np.zeros(0, np.int64)
        self._embeddings = np.zeros((0, 0), np.float32)
        self._left = np.zeros(0)  # tracker time when last seen, in frames

    def add(self, ids: Array, labels: Array, embeddings: Array, left: Array) -> None:
        """Remember tracks: ids (N,), labels (N,), unit rows (N, D) and the time (N,) when they were last seen."""
        if not len(ids):
            return
        self._embeddings = np.concatenate([self._embeddings, embeddings]) if len(self._ids) else embeddings
        self._ids = np.concatenate([self._ids, ids])
        self._labels = np.concatenate([self._labels, labels])
        self._left = np.concatenate([self._left, left])

    def forget(self, before: float) -> None:
        """Drop the tracks that were last seen before this time."""
        if len(self._ids) and self._left.min() < before:
            self._keep(self._left >= before)

    def recall(self, embeddings: Array, labels: Array | None) -> Array:
        """Recognise new tracks by their appearance; a recognised one leaves the memory.

        Args:
            embeddings: (N, D) unit rows.
            labels: (N,) classes, which must agree; None lets every class be every class.

        Returns:
            (N,) int64, the old id, or 0 where the track is not recognised.
        """
        ids = np.zeros(len(embeddings), np.int64)
        if not len(self._ids):
            return ids
        cost = 1.0 - np.einsum("nd,md->nm", embeddings, self._embeddings)
        if labels is not None:
            cost[labels[:, None] != self._labels] = np.inf
        pairs = match(cost, self._limit)
        ids[pairs[:, 0]] = self._ids[pairs[:, 1]]
        stays = np.ones(len(self._ids), bool)
        stays[pairs[:, 1]] = False
        self._keep(stays)
        return ids

    def state_dict(self) -> dict[str, Array]:
        """Copy all that is remembered."""
        return {
            "ids": self._ids.copy(),
            "labels": self._labels.copy(),
            "embeddings": self._embeddings.copy(),
            "left": self._left.copy(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self._ids, self._labels = np.array(state["ids"]), np.array(state["labels"])
        self._embeddings, self._left = np.array(state["embeddings"]), np.array(state["left"])

    def _keep(self, mask: Array) -> None:
        self._ids, self._labels = self._ids[mask], self._labels[mask]
        self._embeddings, self._left = self._embeddings[mask], self._left[mask]

"""What a detector has shown of itself in a stream: how often it misses, who comes back, how exact its boxes are."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

import numpy as np

from tracker.arrays import Array

_PRIOR_SEEN, _PRIOR_MISS_RATE = 200.0, 0.05  # boxes, before any was seen, and their share of misses
_PRIOR_LOSSES = 6.0  # tracks, of which half came back
_PRIOR_CHANGES, _PRIOR_NOISE = 50.0, 0.02  # changes of size, and the standard deviation that they showed
_MEMORY = 1000.0  # changes of size; older ones count less and less
_LARGEST_CHANGE = 0.5  # of a size in two frames; more is another object


class DetectorRecord:
    """Statistics of a detector, from the tracks that were made of its boxes.

    Attributes:
        noise: (2,) float64, variance of a measured width and height, as a share of its square.

    >>> record = DetectorRecord()
    >>> record.miss_rate, record.return_share, record.noise.round(6).tolist()
    (0.05, 0.5, [0.0004, 0.0004])
    """

    def __init__(self) -> None:
        self._seen, self._missed = _PRIOR_SEEN * (1 - _PRIOR_MISS_RATE), _PRIOR_SEEN * _PRIOR_MISS_RATE
        self._returned = self._gone = _PRIOR_LOSSES / 2
        # Variance and covariance of neighbours, of white noise as it shows in second differences.
        self._variance = np.full(2, 6 * _PRIOR_NOISE**2 * _PRIOR_CHANGES)
        self._covariance = np.full(2, -4 * _PRIOR_NOISE**2 * _PRIOR_CHANGES)
        self._changes = _PRIOR_CHANGES
        self.noise = self._estimate_noise()

    @property
    def miss_rate(self) -> float:
        """The share of boxes that were missed, while their track was followed."""
        return self._missed / (self._seen + self._missed)

    @property
    def return_share(self) -> float:
        """The share of lost tracks that were found again."""
        return self._returned / (self._returned + self._gone)

    def count_seen(self, seen: int, gaps: Array) -> None:
        """Count matched boxes, and the frames (R,) that those among them were missed which had been lost."""
        self._seen += seen
        if len(gaps):
            self._missed += float(gaps.sum())
            self._returned += len(gaps)

    def count_gone(self, gone: int) -> None:
        """Count tracks that were absent too long to be back soon; a negative number of those that came back yet."""
        self._gone += gone

    def add_changes(self, changes: Array, before: Array) -> None:
        """Take second differences (N, 2) of log sizes and those one frame before; NaN where one is not known.

        Logarithms of sizes that walk at random, and are measured with white noise of variance R, have second
        differences with the variance 6 R + 2 Q and the covariance -4 R - Q of neighbours: R = -covariance -
        variance / 2. What people do with their size, and a steady change of it, is not taken for noise.
        """
        largest = np.maximum(np.abs(changes), np.abs(before))
        known = (np.maximum(largest[:, 0], largest[:, 1]) < _LARGEST_CHANGE).nonzero()[0]  # not where NaN
        if not len(known):
            return
        changes, before = changes.take(known, axis=0), before.take(known, axis=0)
        kept = (1 - 1 / _MEMORY) ** len(known)
        self._changes = self._changes * kept + len(known)
        self._variance = self._variance * kept + np.einsum("nk,nk->k", changes, changes)
        self._covariance = self._covariance * kept + np.einsum("nk,nk->k", changes, before)

        self.noise = self._estimate_noise()

    def _estimate_noise(self) -> Array:
        noise: Array = np.maximum(-self._covariance - self._variance / 2, 0.0) / self._changes
        return noise

    def state_dict(self) -> dict[str, Any]:
        """Copy all counts by name."""
        return {name.removeprefix("_"): copy(value) for name, value in vars(self).items() if name != "noise"}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        for name, value in state.items():
            setattr(self, f"_{name}", np.array(value) if np.ndim(value) else float(value))
        self.noise = self._estimate_noise()

"""Tracks that remember how well their detections agreed with what was predicted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from typing_extensions import Self

from tracker.arrays import Array
from tracker.candidates import Candidates
from tracker.detector_record import DetectorRecord
from tracker.kalman import KalmanFilter
from tracker.trackset import LOST, TrackSet

_PRIOR_SPREAD = 0.003  # of a new track
_LEAST_SHARE = 0.1  # of a new prediction in the mean; the first ones count alike
_CENTRE_NOISE = 0.5  # variance of a centre, in variances of a size


@dataclass(slots=True)
class JudgedTrackSet(TrackSet):
    """Tracks whose coordinates are centre, width and height.

    Attributes:
        spread: (N, 4) float64, mean square of what a detection differed from the prediction of one frame, as a share
            of width, height, width, height.
        sizes: (N, 3, 2) float64, log of width and height when seen in the last frame, and their first and second
            differences; NaN where not known.
        estimates: (N, 4) float64, the prediction corrected as far as the detector can be trusted; of the last match.
        is_gone: (N,) bool, whether the record of the detector counts it among those who will not be back soon.
    """

    spread: Array
    sizes: Array
    estimates: Array
    is_gone: Array

    @classmethod
    def nobody(cls, kalman: KalmanFilter) -> Self:
        """Return no tracks."""
        return cls.empty(kalman, **_unknown(np.zeros((0, 4))))

    def begin(self, found: Candidates, columns: Array, now: float) -> None:
        """Start tentative tracks from the detections `columns` (M,)."""
        if len(columns):
            self.start(found, columns, now, 1, **_unknown(found.measurements.take(columns, axis=0)))

    def judge(self, rows: Array, measurements: Array, now: float, record: DetectorRecord) -> None:
        """Compare the predictions of the tracks `rows` (P,) with their measurements (P, 4), before they are corrected.

        The estimate is pred + w (z - pred). With the variance C of the differences z - pred, of which the detector's
        noise is R, w = 1 - R / C has the least error: an exact detector is believed, and a person who moves as
        predicted is smoothed the more the noisier the detector is. C grows with the frames since the last match.
        """
        predicted = self.filter.position(self.motion).take(rows, axis=0)
        difference = measurements - predicted
        squared = np.minimum((difference / measurements.take((2, 3, 2, 3), axis=1)) ** 2, 1.0)
        share = np.maximum(1.0 / (1 + self.hits.take(rows)), _LEAST_SHARE)
        share[self.states.take(rows) == LOST] = 0.0
        spread = self.spread.take(rows, axis=0)
        spread += share[:, None] * (squared - spread)
        self.spread[rows] = spread
        noise = _box_noise(record) + 1e-12
        steps = np.maximum(now - self.seen.take(rows), 1.0)
        difference *= 1.0 - noise / np.maximum(spread * steps[:, None], noise)
        predicted += difference
        self.estimates[rows] = predicted
        self._compare_sizes(rows, np.log(measurements[:, 2:]), record)

    def _compare_sizes(self, rows: Array, sizes: Array, record: DetectorRecord) -> None:
        before = self.sizes.take(rows, axis=0)
        now = np.empty_like(before)
        now[:, 0] = sizes
        np.subtract(sizes, before[:, 0], out=now[:, 1])
        np.subtract(now[:, 1], before[:, 1], out=now[:, 2])
        record.add_changes(now[:, 2], before[:, 2])
        self.sizes.fill(np.nan)
        self.sizes[rows] = now

    def agility(self, rows: Array, record: DetectorRecord, low: float, high: float) -> Array:
        """Return how far predictions of the tracks `rows` (P,) fail beyond the detector's noise.

        Args:
            rows: Which tracks.
            record: Of the detector.
            low: Mean spread, less that of the noise, that is 0.
            high: That is 1.
        """
        mean = self.spread.take(rows, axis=0).sum(axis=1)
        mean -= _box_noise(record).sum()
        agility: Array = np.minimum(np.maximum((mean - 4 * low) / (4 * (high - low)), 0.0), 1.0)
        return agility


def _unknown(measurements: Array) -> dict[str, Array]:
    """Return the arrays of tracks that start from measurements (M, 4)."""
    count = len(measurements)
    sizes = np.full((count, 3, 2), np.nan)
    sizes[:, 0] = np.log(measurements[:, 2:])
    return {
        "spread": np.full((count, 4), _PRIOR_SPREAD),
        "sizes": sizes,
        "estimates": measurements,
        "is_gone": np.zeros(count, bool),
    }


def _box_noise(record: DetectorRecord) -> Array:
    """Return the variance (4,) of centre, width and height."""
    width, height = record.noise.tolist()
    return np.array([_CENTRE_NOISE * width, _CENTRE_NOISE * height, width, height])

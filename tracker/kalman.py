"""The Kalman filter of every tracker, for all tracks at once.

A filter owns constants only: states go in, and new states come out. The state of a box is four coordinates, whose
meaning a `MotionModel` fixes, and their change per frame. In the models that trackers use, the constant-velocity step,
the measurement and both noises couple a coordinate only with its own velocity, so the 8 x 8 covariance stays
block-diagonal for ever, and the exact filter is four filters of two numbers each: `BlockKalmanFilter`.
`tracker.kalman_full.FullKalmanFilter` has whole covariances, for cameras that rotate.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from typing_extensions import override

from tracker.arrays import Array
from tracker.motion_models import MotionModel

GATE_CHI2 = 9.4877
"""95 % quantile of chi-square with 4 degrees of freedom: the usual gate on the squared Mahalanobis distance."""


class KalmanFilter(ABC):
    """Predicts and corrects the states of boxes; an array of states has one row a box.

    Args:
        model: The coordinates and their noise.
    """

    def __init__(self, model: MotionModel) -> None:
        self.model = model

    def boxes(self, state: Array) -> Array:
        """Return the boxes (N, 4) xyxy of states."""
        return self.model.to_xyxy(self.position(state))

    @abstractmethod
    def initiate(self, measurement: Array) -> Array:
        """Start states at rest from one measurement (N, 4) each."""

    @abstractmethod
    def position(self, state: Array) -> Array:
        """Return the coordinates (N, 4) of states, as a view that may be written to."""

    @abstractmethod
    def velocity(self, state: Array) -> Array:
        """Return the change per frame (N, 4) of the coordinates, as a view that may be written to."""

    def stop_resizing(self, state: Array, rows: Array) -> None:
        """Set the change of size of the states `rows` to 0, in place."""
        velocity = self.velocity(state)
        for size in self.model.sizes:
            velocity[rows, size] = 0.0

    @abstractmethod
    def predict(self, state: Array, steps: float = 1.0) -> Array:
        """Move states forward at constant velocity: F P F' + Q, F = [[1, steps], [0, 1]] for every coordinate.

        `steps` frames at once give what as many single predictions give (at constant box size). The same polynomial is
        used between whole numbers, so that skipped frames and variable frame rates are handled exactly.

        Args:
            state: The states.
            steps: Frames to move, a real number >= 0.
        """

    @abstractmethod
    def update(self, state: Array, measurement: Array) -> Array:
        """Correct states by one measurement (N, 4) each: K = P H' S^-1, x += K (z - H x), P -= K S K'."""


class BlockKalmanFilter(KalmanFilter):
    """The filter as four filters of two numbers.

    A state is (N, 5, 4) float64: position, velocity, Var(position), Cov(position, velocity), Var(velocity) of the four
    coordinates.

    >>> from tracker.motion_models import XYAH
    >>> kalman = BlockKalmanFilter(XYAH())
    >>> state = kalman.initiate(np.array([[100.0, 50.0, 0.5, 80.0]]))
    >>> kalman.boxes(kalman.predict(state)).tolist()
    [[80.0, 10.0, 120.0, 90.0]]
    """

    @override
    def initiate(self, measurement: Array) -> Array:
        state = np.zeros((len(measurement), 5, 4))
        state[:, 0] = measurement
        state[:, 2], state[:, 4] = self.model.initial_variance(measurement)
        return state

    @override
    def position(self, state: Array) -> Array:
        return state[:, 0]

    @override
    def velocity(self, state: Array) -> Array:
        return state[:, 1]

    @override
    def predict(self, state: Array, steps: float = 1.0) -> Array:
        position, velocity, pp, pv, vv = planes = _planes(state)
        noise_p, noise_v = self.model.process_variance(position)
        moved = np.empty_like(planes)
        moved[1] = velocity
        if steps == 1.0:
            np.add(position, velocity, out=moved[0])
            np.add(pv, vv, out=moved[3])
            moved[2] = pp + pv + moved[3] + noise_p
            np.add(vv, noise_v, out=moved[4])
            return moved.swapaxes(0, 1)
        moved[0] = position + steps * velocity
        # Sums of k and k^2 for k < steps: velocity noise of earlier frames has moved the position since.
        sum_k, sum_k2 = steps * (steps - 1) / 2, steps * (steps - 1) * (2 * steps - 1) / 6
        moved[2] = pp + steps * (2 * pv + steps * vv) + steps * noise_p + sum_k2 * noise_v
        moved[3] = pv + steps * vv + sum_k * noise_v
        moved[4] = vv + steps * noise_v
        return moved.swapaxes(0, 1)

    @override
    def update(self, state: Array, measurement: Array) -> Array:
        position, velocity, pp, pv, vv = planes = _planes(state)
        variance = pp + self.model.measurement_variance(position)  # the diagonal of S
        gain_p, gain_v = pp / variance, pv / variance
        innovation = measurement - position
        corrected = np.empty_like(planes)
        np.add(position, gain_p * innovation, out=corrected[0])
        np.add(velocity, gain_v * innovation, out=corrected[1])
        np.subtract(pp, gain_p * pp, out=corrected[2])
        np.subtract(pv, gain_p * pv, out=corrected[3])
        np.subtract(vv, gain_v * pv, out=corrected[4])
        return corrected.swapaxes(0, 1)

    def innovation_variance(self, state: Array) -> Array:
        """Return the diagonal (N, 4) of the innovation covariance S = H P H' + R, which has no other elements."""
        return state[:, 2] + self.model.measurement_variance(state[:, 0])

    def squared_mahalanobis(self, state: Array, measurement: Array) -> Array:
        """Return the squared Mahalanobis distance (N,) of measurement n (N, 4) to state n."""
        innovation = measurement - state[:, 0]
        return (innovation**2 / self.innovation_variance(state)).sum(axis=1)


def _planes(state: Array) -> Array:
    """Put the five parts of (N, 5, 4) first, each contiguous: arithmetic on them is then twice as quick."""
    return np.ascontiguousarray(state.swapaxes(0, 1))

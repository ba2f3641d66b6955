"""The Kalman filter with whole covariances, for cameras that rotate.

A rotation of the image mixes x with y, and the covariance is no longer that of `BlockKalmanFilter`. As long as nothing
rotates, both filters agree.
"""

from __future__ import annotations

import numpy as np
from typing_extensions import override

from tracker.arrays import Array
from tracker.kalman import KalmanFilter


class FullKalmanFilter(KalmanFilter):
    """The filter with 8 x 8 covariances.

    A state is (N, 9, 8) float64: row 0 the mean (four coordinates, then their changes per frame), rows 1-8 the
    covariance.
    """

    @override
    def initiate(self, measurement: Array) -> Array:
        state = np.zeros((len(measurement), 9, 8))
        state[:, 0, :4] = measurement
        variance, velocity_variance = self.model.initial_variance(measurement)
        diagonal = np.arange(4)
        state[:, 1 + diagonal, diagonal] = variance
        state[:, 5 + diagonal, 4 + diagonal] = velocity_variance
        return state

    @override
    def position(self, state: Array) -> Array:
        return state[:, 0, :4]

    @override
    def velocity(self, state: Array) -> Array:
        return state[:, 0, 4:]

    @override
    def predict(self, state: Array, steps: float = 1.0) -> Array:
        mean, covariance = state[:, 0], state[:, 1:]
        motion = np.eye(8) + steps * np.eye(8, k=4)
        noise_p, noise_v = self.model.process_variance(mean[:, :4])
        sum_k, sum_k2 = steps * (steps - 1) / 2, steps * (steps - 1) * (2 * steps - 1) / 6
        moved = np.empty_like(state)
        moved[:, 0] = mean @ motion.T
        moved[:, 1:] = motion @ covariance @ motion.T
        p, v = np.arange(4), np.arange(4, 8)
        moved[:, 1 + p, p] += steps * noise_p + sum_k2 * noise_v
        moved[:, 1 + p, v] += sum_k * noise_v
        moved[:, 1 + v, p] += sum_k * noise_v
        moved[:, 1 + v, v] += steps * noise_v
        return moved

    @override
    def update(self, state: Array, measurement: Array) -> Array:
        mean, covariance = state[:, 0], state[:, 1:]
        innovation_covariance = covariance[:, :4, :4].copy()  # S
        p = np.arange(4)
        innovation_covariance[:, p, p] += self.model.measurement_variance(mean[:, :4])
        gain = np.linalg.solve(innovation_covariance, covariance[:, :4]).swapaxes(1, 2)  # (N, 8, 4), K = P H' S^-1
        innovation = measurement - mean[:, :4]
        corrected = np.empty_like(state)
        corrected[:, 0] = mean + (gain @ innovation[:, :, None])[:, :, 0]
        corrected[:, 1:] = covariance - gain @ covariance[:, :4]
        return corrected


def move_camera(state: Array, motion: Array) -> Array:
    """Carry states of centre, width and height over to the next image of a moving camera.

    As BoT-SORT does, the 2 x 2 part acts on centre, size and both velocities alike; the shift on the centre only.

    Args:
        state: (N, 9, 8) of a `FullKalmanFilter`, in the `XYWH` model.
        motion: (2, 3) from pixels of the last image to pixels of this one.
    """
    turn = np.kron(np.eye(4), motion[:, :2])
    moved = np.empty_like(state)
    moved[:, 0] = state[:, 0] @ turn.T
    moved[:, 0, :2] += motion[:, 2]
    moved[:, 1:] = turn @ state[:, 1:] @ turn.T
    return moved

"""The Kalman filter of every tracker, for all tracks at once.

The state of a box is four coordinates and their change per frame. In the models that trackers use, the
constant-velocity step, the measurement and both noises couple a coordinate only with its own velocity, so the 8 x 8
covariance stays block-diagonal for ever: the exact filter is four filters of two numbers each. A state is therefore

    (N, 5, 4) float64: position, velocity, Var(position), Cov(position, velocity), Var(velocity)

of four coordinates whose meaning the `MotionModel` fixes. Functions take a state and give a new one.
`tracker.kalman_full` has the same functions with whole covariances, for cameras that rotate.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from tracker.detections import Array

POSITION_WEIGHT = 1 / 20
"""Standard deviation of a coordinate, as a share of the box's size (Wojke et al. 2017)."""
VELOCITY_WEIGHT = 1 / 160
"""Standard deviation of a coordinate's change per frame, as a share of the box's size."""
GATE_CHI2 = 9.4877
"""95 % quantile of chi-square with 4 degrees of freedom: the usual gate on the squared Mahalanobis distance."""

_MIN_SIZE = 1e-3  # px; keeps boxes without area from dividing by zero
_LEAST = np.array([-np.inf, -np.inf, _MIN_SIZE, _MIN_SIZE])
_CENTRE = np.array([[0.5, 0, -1, 0], [0, 0.5, 0, -1], [0.5, 0, 1, 0], [0, 0.5, 0, 1]])  # xyxy @ _CENTRE = cxcywh
_CORNERS = np.array([[1, 0, 1, 0], [0, 1, 0, 1], [-0.5, 0, 0.5, 0], [0, -0.5, 0, 0.5]])  # and back


class MotionModel(ABC):
    """What the four coordinates are, and how far each may be trusted.

    The variances are (N, 4), or (4,) where they are the same for every box: of the four coordinates, and of their
    velocities.
    """

    sizes: ClassVar[tuple[int, ...]] = ()
    """Coordinates that must stop changing while a track is lost, lest its box shrinks to nothing or explodes."""

    @abstractmethod
    def from_xyxy(self, boxes: Array) -> Array:
        """Corners (N, 4) to coordinates (N, 4) float64."""

    @abstractmethod
    def to_xyxy(self, position: Array) -> Array:
        """Coordinates (N, 4) to corners (N, 4)."""

    @abstractmethod
    def initial_variance(self, measurement: Array) -> tuple[Array, Array]:
        """Variances of a state that was seen once."""

    @abstractmethod
    def process_variance(self, position: Array) -> tuple[Array, Array]:
        """Variances that one frame of motion adds."""

    @abstractmethod
    def measurement_variance(self, position: Array) -> Array:
        """Variances of a detector's coordinates."""


class XYAH(MotionModel):
    """Centre, aspect w / h and height; noise in proportion to the height (DeepSORT, JDE, FairMOT, ByteTrack)."""

    sizes = (3,)
    # Variances are height^2 * share + constant: rows are (position, velocity), columns x, y, aspect, height.
    _SHARE = np.array([[[POSITION_WEIGHT**2] * 4], [[VELOCITY_WEIGHT**2] * 4]]) * [1.0, 1.0, 0.0, 1.0]
    _CONSTANT = np.array([[[1e-2**2] * 4], [[1e-5**2] * 4]]) * [0.0, 0.0, 1.0, 0.0]
    _INITIAL_SHARE = _SHARE * np.array([[[2.0**2]], [[10.0**2]]])
    _MEASUREMENT_CONSTANT = np.array([0.0, 0.0, 1e-1**2, 0.0])

    def from_xyxy(self, boxes: Array) -> Array:  # noqa: D102
        position = _to_cxcywh(boxes)
        position[:, 2] /= position[:, 3]
        return position

    def to_xyxy(self, position: Array) -> Array:  # noqa: D102
        position = np.maximum(position, _LEAST)
        position[:, 2] *= position[:, 3]
        return position @ _CORNERS

    def initial_variance(self, measurement: Array) -> tuple[Array, Array]:  # noqa: D102
        position, velocity = measurement[:, 3:4] ** 2 * self._INITIAL_SHARE + self._CONSTANT
        return position, velocity

    def process_variance(self, position: Array) -> tuple[Array, Array]:  # noqa: D102
        position, velocity = position[:, 3:4] ** 2 * self._SHARE + self._CONSTANT
        return position, velocity

    def measurement_variance(self, position: Array) -> Array:  # noqa: D102
        variance: Array = position[:, 3:4] ** 2 * self._SHARE[0] + self._MEASUREMENT_CONSTANT
        return variance


class XYWH(MotionModel):
    """Centre, width and height; noise of x and width in proportion to the width (BoT-SORT).

    Args:
        measurement_weight: Standard deviation of a detector's coordinates, as a share of the box's size.
        velocity_weight: What one frame adds to the standard deviation of a coordinate's change.
    """

    sizes = (2, 3)

    def __init__(self, measurement_weight: float = POSITION_WEIGHT, velocity_weight: float = VELOCITY_WEIGHT) -> None:
        self._measurement_weight = measurement_weight
        self._velocity_weight = velocity_weight

    def from_xyxy(self, boxes: Array) -> Array:  # noqa: D102
        return _to_cxcywh(boxes)

    def to_xyxy(self, position: Array) -> Array:  # noqa: D102
        return np.maximum(position, _LEAST) @ _CORNERS

    def initial_variance(self, measurement: Array) -> tuple[Array, Array]:  # noqa: D102
        squared = self._squared_sizes(measurement)
        return squared * (2 * POSITION_WEIGHT) ** 2, squared * (10 * VELOCITY_WEIGHT) ** 2

    def process_variance(self, position: Array) -> tuple[Array, Array]:  # noqa: D102
        squared = self._squared_sizes(position)
        return squared * POSITION_WEIGHT**2, squared * self._velocity_weight**2

    def measurement_variance(self, position: Array) -> Array:  # noqa: D102
        return self._squared_sizes(position) * self._measurement_weight**2

    @staticmethod
    def _squared_sizes(position: Array) -> Array:
        return np.maximum(position.take((2, 3, 2, 3), axis=1) ** 2, _MIN_SIZE)


class XYSR(MotionModel):
    """Centre, area and aspect w / h, which is constant; the same noise for every box (SORT, OC-SORT)."""

    _INITIAL = np.full(4, 10.0), np.array([1e4, 1e4, 1e4, 0.0])
    _PROCESS = np.ones(4), np.array([1e-2, 1e-2, 1e-4, 0.0])
    _MEASUREMENT = np.array([1.0, 1.0, 10.0, 10.0])

    def from_xyxy(self, boxes: Array) -> Array:  # noqa: D102
        position = _to_cxcywh(boxes)
        width, height = position[:, 2].copy(), position[:, 3].copy()
        position[:, 2], position[:, 3] = width * height, width / height
        return position

    def to_xyxy(self, position: Array) -> Array:  # noqa: D102
        position = np.maximum(position, _LEAST)
        width = np.sqrt(position[:, 2] * position[:, 3])
        position[:, 3] = position[:, 2] / width
        position[:, 2] = width
        return position @ _CORNERS

    def initial_variance(self, measurement: Array) -> tuple[Array, Array]:  # noqa: D102
        return self._INITIAL

    def process_variance(self, position: Array) -> tuple[Array, Array]:  # noqa: D102
        return self._PROCESS

    def measurement_variance(self, position: Array) -> Array:  # noqa: D102
        return self._MEASUREMENT


def initiate(measurement: Array, model: MotionModel) -> Array:
    """Start states at rest from one measurement each.

    Args:
        measurement: (N, 4), in the model's coordinates.
        model: The coordinates' noise.

    Returns:
        (N, 5, 4) states.
    """
    state = np.zeros((len(measurement), 5, 4))
    state[:, 0] = measurement
    state[:, 2], state[:, 4] = model.initial_variance(measurement)
    return state


def boxes(state: Array, model: MotionModel) -> Array:
    """Return the boxes (N, 4) xyxy of states."""
    return model.to_xyxy(state[:, 0])


def stop_resizing(state: Array, rows: Array, model: MotionModel) -> None:
    """Set the change of size of the states `rows` to 0, in place."""
    for size in model.sizes:
        state[rows, 1, size] = 0.0


def predict(state: Array, model: MotionModel, steps: float = 1.0) -> Array:
    """Move states forward at constant velocity: F P F' + Q, F = [[1, steps], [0, 1]] for every coordinate.

    `steps` frames at once give what as many single predictions give (at constant box size), and the same polynomial is
    used between whole numbers, so that skipped frames and variable frame rates are handled exactly.

    Args:
        state: (N, 5, 4).
        model: Gives the process noise of one frame.
        steps: Frames to move, a real number >= 0.
    """
    position, velocity, pp, pv, vv = planes = _planes(state)
    noise_p, noise_v = model.process_variance(position)
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


def update(state: Array, measurement: Array, model: MotionModel) -> Array:
    """Correct states by one measurement each: K = P H' S^-1, x += K (z - H x), P -= K S K'.

    Args:
        state: (N, 5, 4).
        measurement: (N, 4), in the model's coordinates.
        model: Gives the measurement noise.
    """
    position, velocity, pp, pv, vv = planes = _planes(state)
    spread = pp + model.measurement_variance(position)  # S
    gain_p, gain_v = pp / spread, pv / spread
    surprise = measurement - position
    corrected = np.empty_like(planes)
    np.add(position, gain_p * surprise, out=corrected[0])
    np.add(velocity, gain_v * surprise, out=corrected[1])
    np.subtract(pp, gain_p * pp, out=corrected[2])
    np.subtract(pv, gain_p * pv, out=corrected[3])
    np.subtract(vv, gain_v * pv, out=corrected[4])
    return corrected.swapaxes(0, 1)


def measurement_spread(state: Array, model: MotionModel) -> Array:
    """Variance (N, 4) of the next measurement around the state's position: the diagonal of S = H P H' + R."""
    return state[:, 2] + model.measurement_variance(state[:, 0])


def squared_mahalanobis(state: Array, measurement: Array, model: MotionModel) -> Array:
    """Squared Mahalanobis distance (N,) of measurement n (N, 4) to state n (N, 5, 4)."""
    surprise = measurement - state[:, 0]
    return (surprise**2 / measurement_spread(state, model)).sum(axis=1)


def _to_cxcywh(boxes: Array) -> Array:
    centred: Array = boxes @ _CENTRE
    return np.maximum(centred, _LEAST, out=centred)


def _planes(state: Array) -> Array:
    """Put the five parts of (N, 5, 4) first, each contiguous: arithmetic on them is then twice as quick."""
    return np.ascontiguousarray(state.swapaxes(0, 1))

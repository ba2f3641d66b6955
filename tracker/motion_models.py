"""The coordinates of a box in a Kalman filter, and how far each of them is trusted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from typing_extensions import override

from tracker.arrays import Array

POSITION_WEIGHT = 1 / 20
"""Standard deviation of a coordinate, as a share of the box's size (Wojke et al. 2017)."""
VELOCITY_WEIGHT = 1 / 160
"""Standard deviation of a coordinate's change per frame, as a share of the box's size."""

_MIN_SIZE = 1e-3  # px; a box without area would divide by zero
_LEAST = np.array([-np.inf, -np.inf, _MIN_SIZE, _MIN_SIZE])
_CENTRE = np.array([[0.5, 0, -1, 0], [0, 0.5, 0, -1], [0.5, 0, 1, 0], [0, 0.5, 0, 1]])  # xyxy @ _CENTRE = cxcywh
_CORNERS = np.array([[1, 0, 1, 0], [0, 1, 0, 1], [-0.5, 0, 0.5, 0], [0, -0.5, 0, 0.5]])  # and back


class MotionModel(ABC):
    """The four coordinates of a box and the noise of each.

    The variances are those of the four coordinates and of their velocities: (N, 4), or (4,) where they are the same for
    every box.
    """

    sizes: ClassVar[tuple[int, ...]] = ()
    """Coordinates whose velocity is set to 0 while a track is lost, as its box would vanish or grow without end."""

    @abstractmethod
    def from_xyxy(self, boxes: Array) -> Array:
        """Return the coordinates (N, 4) float64 of corners (N, 4)."""

    @abstractmethod
    def to_xyxy(self, position: Array) -> Array:
        """Return the corners (N, 4) of coordinates (N, 4)."""

    @abstractmethod
    def initial_variance(self, measurement: Array) -> tuple[Array, Array]:
        """Return the variances of a state that was measured once."""

    @abstractmethod
    def process_variance(self, position: Array) -> tuple[Array, Array]:
        """Return the variances that one frame of motion adds."""

    @abstractmethod
    def measurement_variance(self, position: Array) -> Array:
        """Return the variances of a detector's coordinates."""


class XYAH(MotionModel):
    """Centre, aspect w / h and height; noise in proportion to the height (DeepSORT, JDE, FairMOT, ByteTrack)."""

    sizes = (3,)
    # Variances are height^2 * share + constant: rows are (position, velocity), columns x, y, aspect, height.
    _SHARE = np.array([[[POSITION_WEIGHT**2] * 4], [[VELOCITY_WEIGHT**2] * 4]]) * [1.0, 1.0, 0.0, 1.0]
    _CONSTANT = np.array([[[1e-2**2] * 4], [[1e-5**2] * 4]]) * [0.0, 0.0, 1.0, 0.0]
    _INITIAL_SHARE = _SHARE * np.array([[[2.0**2]], [[10.0**2]]])
    _MEASUREMENT_CONSTANT = np.array([0.0, 0.0, 1e-1**2, 0.0])

    @override
    def from_xyxy(self, boxes: Array) -> Array:
        position = _to_cxcywh(boxes)
        position[:, 2] /= position[:, 3]
        return position

    @override
    def to_xyxy(self, position: Array) -> Array:
        position = np.maximum(position, _LEAST)
        position[:, 2] *= position[:, 3]
        return position @ _CORNERS

    @override
    def initial_variance(self, measurement: Array) -> tuple[Array, Array]:
        position, velocity = measurement[:, 3:4] ** 2 * self._INITIAL_SHARE + self._CONSTANT
        return position, velocity

    @override
    def process_variance(self, position: Array) -> tuple[Array, Array]:
        position, velocity = position[:, 3:4] ** 2 * self._SHARE + self._CONSTANT
        return position, velocity

    @override
    def measurement_variance(self, position: Array) -> Array:
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

    @override
    def from_xyxy(self, boxes: Array) -> Array:
        return _to_cxcywh(boxes)

    @override
    def to_xyxy(self, position: Array) -> Array:
        return np.maximum(position, _LEAST) @ _CORNERS

    @override
    def initial_variance(self, measurement: Array) -> tuple[Array, Array]:
        squared = self._squared_sizes(measurement)
        return squared * (2 * POSITION_WEIGHT) ** 2, squared * (10 * VELOCITY_WEIGHT) ** 2

    @override
    def process_variance(self, position: Array) -> tuple[Array, Array]:
        squared = self._squared_sizes(position)
        return squared * POSITION_WEIGHT**2, squared * self._velocity_weight**2

    @override
    def measurement_variance(self, position: Array) -> Array:
        return self._squared_sizes(position) * self._measurement_weight**2

    @staticmethod
    def _squared_sizes(position: Array) -> Array:
        return np.maximum(position.take((2, 3, 2, 3), axis=1) ** 2, _MIN_SIZE)


class XYSR(MotionModel):
    """Centre, area and aspect w / h, which is constant; the same noise for every box (SORT, OC-SORT)."""

    _INITIAL = np.full(4, 10.0), np.array([1e4, 1e4, 1e4, 0.0])
    _PROCESS = np.ones(4), np.array([1e-2, 1e-2, 1e-4, 0.0])
    _MEASUREMENT = np.array([1.0, 1.0, 10.0, 10.0])

    @override
    def from_xyxy(self, boxes: Array) -> Array:
        position = _to_cxcywh(boxes)
        width, height = position[:, 2].copy(), position[:, 3].copy()
        position[:, 2], position[:, 3] = width * height, width / height
        return position

    @override
    def to_xyxy(self, position: Array) -> Array:
        position = np.maximum(position, _LEAST)
        width = np.sqrt(position[:, 2] * position[:, 3])
        position[:, 3] = position[:, 2] / width
        position[:, 2] = width
        return position @ _CORNERS

    @override
    def initial_variance(self, measurement: Array) -> tuple[Array, Array]:
        return self._INITIAL

    @override
    def process_variance(self, position: Array) -> tuple[Array, Array]:
        return self._PROCESS

    @override
    def measurement_variance(self, position: Array) -> Array:
        return self._MEASUREMENT


def _to_cxcywh(boxes: Array) -> Array:
    centred: Array = boxes @ _CENTRE
    return np.maximum(centred, _LEAST, out=centred)

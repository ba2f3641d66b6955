"""The cells that detectors without queries have one or several boxes for, level after level, row after row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
ANCHORS = 3  # boxes a cell, of YOLO v5 and v7
MOST_QUERIES = 1000  # boxes of a detector that gives every object once
STRIDES = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32), (16, 32), (16, 32, 64), (4, 8, 16))


def count_cells(size: tuple[int, int], strides: Sequence[int]) -> int:
    """Return how many cells an input of (width, height) has.

    >>> count_cells((640, 640), (8, 16, 32))
    8400
    """
    return sum(math.ceil(size[0] / stride) * math.ceil(size[1] / stride) for stride in strides)


def strides_of(count: int, size: tuple[int, int], anchors: int = 1) -> tuple[int, ...]:
    """Return the strides that give so many boxes of an input of (width, height); () if no usual ones do.

    >>> strides_of(25200, (640, 640), ANCHORS)
    (8, 16, 32)
    """
    return next((strides for strides in STRIDES if count == anchors * count_cells(size, strides)), ())


def are_queries(count: int, size: tuple[int, int]) -> bool:
    """Whether so many boxes of an input of (width, height) are no grid, but those of a detector without suppression.

    >>> are_queries(300, (640, 640)), are_queries(8400, (640, 640))
    (True, False)
    """
    return 0 < count <= MOST_QUERIES and not any(strides_of(count, size, anchors) for anchors in (1, ANCHORS))


@lru_cache(maxsize=8)
def cells(size: tuple[int, int], strides: tuple[int, ...]) -> tuple[Array, Array]:
    """Return the cells of an input of (width, height).

    Returns:
        (M, 2) float32, column and row of each, and (M, 1) float32, its stride.
    """
    places, sides = [], []
    for stride in strides:
        columns, rows = math.ceil(size[0] / stride), math.ceil(size[1] / stride)
        row, column = np.divmod(np.arange(rows * columns), columns)
        places.append(np.stack([column, row], axis=1))
        sides.append(np.full((rows * columns, 1), stride))
    return np.concatenate(places).astype(np.float32), np.concatenate(sides).astype(np.float32)

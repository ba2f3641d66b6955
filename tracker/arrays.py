"""The array types of the package, and a check of images; shape, dtype and unit are told where an array is used."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tracker.errors import InputError

Array: TypeAlias = NDArray[Any]
"""Any numpy array."""
Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]
Image: TypeAlias = NDArray[np.uint8]
"""(H, W, 3) uint8, RGB where nothing else is said."""


def check_frame(frame: Any) -> None:
    """Raise InputError unless the frame is an image: (H, W, 3) or (H, W) uint8 with at least one pixel."""
    is_array = isinstance(frame, np.ndarray)
    if is_array and frame.dtype == np.uint8 and frame.size and (frame.ndim == 2 or frame.shape[2:] == (3,)):
        return
    got = f"{frame.shape} {frame.dtype}" if is_array else type(frame).__name__
    raise InputError(f"frame must be (H, W, 3) or (H, W) uint8, got {got}")

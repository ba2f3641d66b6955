"""One image of a video."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """An image and its place in the video.

    Attributes:
        number: Counted from 1.
        time: Seconds since the first frame.
        image: (H, W, 3) uint8 RGB.
    """

    number: int
    time: float
    image: npt.NDArray[np.uint8]

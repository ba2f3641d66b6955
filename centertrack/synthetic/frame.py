"""A frame of a scene with the truth about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tracker.io.frame import Frame


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticFrame:
    """An image and the truth about it; rows are the figures whose box touches the image.

    Attributes:
        frame: Number, time and RGB image.
        boxes: (N, 4) float32 xyxy, the full extent of each figure, hidden parts included; may leave the image.
        ids: (N,) int64, from 1.
        visibility: (N,) float32, share of the figure's pixels that is seen: not covered and inside the image.
    """

    frame: Frame
    boxes: npt.NDArray[np.float32]
    ids: npt.NDArray[np.int64]
    visibility: npt.NDArray[np.float32]

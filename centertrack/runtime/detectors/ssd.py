"""SSD detectors of OpenVINO's model zoo, which end with the operation DetectionOutput: (1, 1, N, 7)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from typing_extensions import override

from centertrack.runtime.detectors.family import Array, Candidates, Family, Signature
from centertrack.runtime.pixels import PixelFormat


class Ssd(Family):
    """Rows of image, label (0 is the background), score, and corners as fractions; image -1 ends them."""

    name = "ssd"
    expects = "(1, 1, N, 7): image, label, score, xyxy in [0, 1] (DetectionOutput of OpenVINO's model zoo)"
    pixels = PixelFormat(scale=1.0, channel_order="bgr")
    resize = "stretch"

    @override
    @classmethod
    def has_shapes(cls, signature: Signature) -> bool:
        shapes = [port.shape for port in signature.outputs]
        return not signature.inputs and len(shapes) == 1 and (*shapes[0][:2], *shapes[0][3:]) == (1, 1, 7)

    @override
    def read(self, outputs: Sequence[Array], size: tuple[int, int]) -> Candidates:
        rows = outputs[0][0, 0]
        ends = np.flatnonzero(rows[:, 0] < 0)
        rows = rows[: ends[0]] if len(ends) else rows
        return Candidates(rows[:, 3:7] * np.array(size * 2, np.float32), rows[:, 2], rows[:, 1].astype(np.int64) - 1)

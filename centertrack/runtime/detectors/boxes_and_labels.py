"""Detectors of OpenVINO's model zoo that give boxes (N, 5) and labels (N), such as person-detection-0303."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from typing_extensions import override

from centertrack.runtime.detectors.family import Array, Candidates, Family, Signature
from centertrack.runtime.pixels import PixelFormat


class BoxesAndLabels(Family):
    """Corners in pixels and score; labels count from 0."""

    name = "boxes-labels"
    expects = "boxes (N, 5) and labels (N), xyxy in pixels and score (person-detection-0303 and the like)"
    pixels = PixelFormat(scale=1.0, channel_order="bgr")

    def __init__(self, signature: Signature) -> None:
        super().__init__(signature)
        self._boxes, self._labels = _places(signature)

    @override
    @classmethod
    def has_shapes(cls, signature: Signature) -> bool:
        return not signature.inputs and len(signature.outputs) == 2 and bool(_places(signature))

    @override
    def read(self, outputs: Sequence[Array], size: tuple[int, int]) -> Candidates:
        rows = outputs[self._boxes].reshape(-1, 5)
        return Candidates(rows[:, :4], rows[:, 4], outputs[self._labels].reshape(-1).astype(np.int64))


def _places(signature: Signature) -> tuple[int, ...]:
    """Return the places of boxes and labels, () if one is missing."""
    return signature.find_all((2, 5, False), (1, None, True))

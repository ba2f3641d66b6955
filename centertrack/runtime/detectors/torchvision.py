"""torchvision's detectors (Faster R-CNN, RetinaNet, FCOS, SSD): boxes (N, 4), labels (N), scores (N)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from typing_extensions import override

from centertrack.runtime.detectors.family import Array, Candidates, Family, Signature


class Torchvision(Family):
    """Corners in pixels; labels count from 1, since 0 is the background; the graph normalises and resizes by itself."""

    name = "torchvision"
    expects = "boxes (N, 4), labels (N), scores (N), xyxy in pixels (torchvision)"
    size = (1280, 736)

    def __init__(self, signature: Signature) -> None:
        super().__init__(signature)
        self._boxes, self._labels, self._scores = _places(signature)

    @override
    @classmethod
    def has_shapes(cls, signature: Signature) -> bool:
        return not signature.inputs and bool(_places(signature))

    @override
    def read(self, outputs: Sequence[Array], size: tuple[int, int]) -> Candidates:
        labels = outputs[self._labels].astype(np.int64) - 1
        return Candidates(outputs[self._boxes], outputs[self._scores], labels)


def _places(signature: Signature) -> tuple[int, ...]:
    """Return the places of boxes, labels and scores, () if one is missing."""
    return signature.find_all((2, 4, False), (1, None, True), (1, None, False))

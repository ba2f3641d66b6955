"""NanoDet-Plus: (1, cells, classes + 4 x bins), each side of a box as a distribution (generalised focal loss)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from typing_extensions import override

from centertrack.runtime.detectors.family import Array, Candidates, Signature, TableFamily, best_class
from centertrack.runtime.detectors.grid import cells, count_cells
from centertrack.runtime.pixels import PixelFormat

STRIDES = (8, 16, 32, 64)
BINS = 8  # distances of 0 to 7 cells, unless the number of classes tells another


class NanoDet(TableFamily):
    """A score a class, then the distributions of left, top, right and bottom around the upper left corner of a cell."""

    name = "nanodet"
    expects = "(1, cells, classes + 32): scores, and a distribution for each side at strides 8 to 64 (NanoDet-Plus)"
    pixels = PixelFormat(scale=1.0, mean=(103.53, 116.28, 123.675), std=(57.375, 57.12, 58.395), channel_order="bgr")
    resize = "stretch"
    size = (416, 416)
    nms_iou = 0.6

    def __init__(self, signature: Signature) -> None:
        super().__init__(signature)
        values = self.table(signature)[1]
        bins, left = divmod(values - len(signature.names), 4)
        self._bins = bins if signature.names and bins > 1 and left == 0 else BINS
        self.class_count = self._scores = values - 4 * self._bins

    @override
    @classmethod
    def has_shapes(cls, signature: Signature) -> bool:
        count, values = cls.table(signature)
        return count == count_cells(signature.size, STRIDES) and values > 4 * BINS

    @override
    def read(self, outputs: Sequence[Array], size: tuple[int, int]) -> Candidates:
        rows = self.rows(outputs)
        sides = rows[:, self._scores :].reshape(len(rows), 4, self._bins)
        weights = np.exp(sides - sides.max(axis=2, keepdims=True))
        places, strides = cells(size, STRIDES)
        distances = weights @ np.arange(self._bins, dtype=np.float32) / weights.sum(axis=2) * strides
        corner = places * strides
        boxes = np.concatenate([corner - distances[:, :2], corner + distances[:, 2:]], axis=1)
        return best_class(boxes, rows[:, : self._scores])

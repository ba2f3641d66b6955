"""YOLOX: (1, cells, 5 + classes), boxes relative to their cells, or in pixels where the export has decoded them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from typing_extensions import override

from centertrack.runtime.detectors.family import Array, Candidates, Signature, TableFamily
from centertrack.runtime.detectors.grid import cells, strides_of
from centertrack.runtime.detectors.yolo_objectness import best_object
from centertrack.runtime.pixels import PixelFormat


class Yolox(TableFamily):
    """Offset of the centre in cells, logarithm of width and height in cells, objectness, then a score a class."""

    name = "yolox"
    expects = "(1, cells, 5 + classes): cxcywh relative to the cells, objectness and scores (YOLOX)"
    pixels = PixelFormat(scale=1.0, channel_order="bgr")
    nms_iou = 0.65

    def __init__(self, signature: Signature) -> None:
        super().__init__(signature)
        count, values = self.table(signature)
        self.class_count = values - 5
        self._strides = strides_of(count, signature.size)
        self._is_decoded = self._lies_in_pixels(signature)

    def _lies_in_pixels(self, signature: Signature) -> bool:
        """Tell by the centres, which lie near their own cells in whatever unit is theirs."""
        centres = self.rows(signature.blank())[:, :2]
        places, strides = cells(signature.size, self._strides)
        as_pixels, as_offsets = centres / strides - places - 0.5, centres - 0.5
        return bool(np.median(np.abs(as_pixels)) < np.median(np.abs(as_offsets)))

    @override
    @classmethod
    def has_shapes(cls, signature: Signature) -> bool:
        count, values = cls.table(signature)
        return values > 5 and bool(strides_of(count, signature.size))

    @override
    def read(self, outputs: Sequence[Array], size: tuple[int, int]) -> Candidates:
        rows = self.rows(outputs)
        boxes = rows[:, :4]
        if not self._is_decoded:
            places, strides = cells(size, self._strides)
            boxes = np.concatenate([boxes[:, :2] + places, np.exp(boxes[:, 2:])], axis=1) * strides
        return best_object(boxes, rows)

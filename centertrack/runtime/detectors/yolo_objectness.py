"""YOLO with objectness, boxes in pixels: (1, boxes, 5 + classes) of v5 and v7, and of v6, where it is always 1."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from centertrack.runtime.detectors.family import (
    Array,
    Candidates,
    Signature,
    TableFamily,
    best_class,
    corners_of_cxcywh,
)
from centertrack.runtime.detectors.grid import ANCHORS, strides_of


class YoloObjectness(TableFamily):
    """Centre, width and height in pixels, objectness, then a score a class, which counts times the objectness."""

    name = "yolo-objectness"
    expects = "(1, boxes, 5 + classes): cxcywh in pixels, objectness and scores (YOLO v5, v6, v7)"
    nms_iou = 0.65

    def __init__(self, signature: Signature) -> None:
        super().__init__(signature)
        self.class_count = self.table(signature)[1] - 5

    @override
    @staticmethod
    def fits(signature: Signature) -> bool:
        if not YoloObjectness.has_shapes(signature):
            return False
        boxes, _ = YoloObjectness.table(signature)
        if strides_of(boxes, signature.size, ANCHORS):
            return True
        if not strides_of(boxes, signature.size):
            return False
        rows = YoloObjectness(signature).rows(signature.blank())
        return bool((rows[:, 4] == 1).all())

    @override
    @staticmethod
    def has_shapes(signature: Signature) -> bool:
        return YoloObjectness.table(signature)[1] > 5

    @override
    def read(self, outputs: Sequence[Array], size: tuple[int, int]) -> Candidates:
        rows = self.rows(outputs)
        return best_class(corners_of_cxcywh(rows[:, :4]), rows[:, 4:5] * rows[:, 5:])

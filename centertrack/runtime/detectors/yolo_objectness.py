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
    @classmethod
    def fits(cls, signature: Signature) -> bool:
        if not cls.has_shapes(signature):
            return False
        boxes, _ = cls.table(signature)
        if strides_of(boxes, signature.size, ANCHORS):
            return True
        if not strides_of(boxes, signature.size):
            return False
        rows = cls(signature).rows(signature.blank())
        return bool((rows[:, 4] == 1).all())

    @override
    @classmethod
    def has_shapes(cls, signature: Signature) -> bool:
        return cls.table(signature)[1] > 5

    @override
    def read(self, outputs: Sequence[Array], size: tuple[int, int]) -> Candidates:
        rows = self.rows(outputs)
        return best_object(rows[:, :4], rows)


def best_object(boxes: Array, rows: Array) -> Candidates:
    """Give every box the class that scores highest, times the objectness.

    Args:
        boxes: (M, 4) cxcywh in pixels.
        rows: (M, 5 + C), of which the fifth column is the objectness, and those after it are the scores of the classes.
    """
    found = best_class(corners_of_cxcywh(boxes), rows[:, 5:])
    return found._replace(scores=found.scores * rows[:, 4])

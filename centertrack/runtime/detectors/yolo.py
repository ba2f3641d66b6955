"""YOLO without objectness, as ultralytics exports v8, 11 and 12: (1, 4 + classes, cells)."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from centertrack.runtime.detectors.family import (
    USUAL_TASKS,
    Array,
    Candidates,
    Signature,
    TableFamily,
    best_class,
    corners_of_cxcywh,
)
from centertrack.runtime.detectors.grid import strides_of


class Yolo(TableFamily):
    """Centre, width and height in pixels, then a score a class; what follows them (masks, key points) is not read."""

    name = "yolo"
    expects = "(1, 4 + classes, cells): cxcywh in pixels and scores (YOLO v8, 11, 12)"
    nms_iou = 0.7

    def __init__(self, signature: Signature) -> None:
        super().__init__(signature)
        values, _ = self.table(signature)
        named = len(signature.names)
        has_more = signature.says("task") in ("segment", "pose") and 0 < named < values - 4
        self.class_count = self._scores = named if has_more else values - 4

    @override
    @classmethod
    def fits(cls, signature: Signature) -> bool:
        return cls.has_shapes(signature) and bool(strides_of(cls.table(signature)[1], signature.size))

    @override
    @classmethod
    def has_shapes(cls, signature: Signature) -> bool:
        return signature.says("task") in USUAL_TASKS and cls.table(signature)[0] > 4

    @override
    def read(self, outputs: Sequence[Array], size: tuple[int, int]) -> Candidates:
        rows = self.rows(outputs).T
        return best_class(corners_of_cxcywh(rows[:, :4]), rows[:, 4 : 4 + self._scores])

"""RT-DETR as ultralytics exports it: all in one output, (1, queries, 4 + classes), of late (1, queries, 6)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from typing_extensions import override

from centertrack.runtime.detectors.family import (
    Array,
    Candidates,
    Signature,
    TableFamily,
    best_class,
    corners_of_cxcywh,
)
from centertrack.runtime.detectors.grid import are_queries


class DetrJoined(TableFamily):
    """Centre, width and height as fractions of the input, then a score a class, or the best score and its class."""

    name = "detr-joined"
    expects = "(1, queries, 4 + classes) or (1, queries, 6): cxcywh in [0, 1], scores or score and class (RT-DETR)"
    resize = "stretch"

    def __init__(self, signature: Signature) -> None:
        super().__init__(signature)
        values = self.table(signature)[1]
        # Two scores are no whole numbers, and the number of a class is.
        self._has_class = values == 6 and bool((self.rows(signature.blank())[:, 5] % 1 == 0).all())
        self.class_count = None if self._has_class else values - 4

    @override
    @classmethod
    def fits(cls, signature: Signature) -> bool:
        count, values = cls.table(signature)
        is_told = "rtdetr" in signature.says("description") or values == 4 + len(signature.names)
        return values > 4 and is_told and are_queries(count, signature.size)

    @override
    @classmethod
    def has_shapes(cls, signature: Signature) -> bool:
        return cls.table(signature)[1] > 4

    @override
    def read(self, outputs: Sequence[Array], size: tuple[int, int]) -> Candidates:
        rows = self.rows(outputs)
        boxes = corners_of_cxcywh(rows[:, :4] * np.array(size * 2, np.float32))
        if self._has_class:
            return Candidates(boxes, rows[:, 4], rows[:, 5].astype(np.int64))
        return best_class(boxes, rows[:, 4:])

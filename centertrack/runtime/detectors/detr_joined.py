"""RT-DETR as ultralytics exports it: boxes and scores in one output (1, queries, 4 + classes)."""

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
    """Centre, width and height as fractions of the input, then a score a class."""

    name = "detr-joined"
    expects = "(1, queries, 4 + classes): cxcywh in [0, 1] and scores (RT-DETR of ultralytics)"
    resize = "stretch"

    def __init__(self, signature: Signature) -> None:
        super().__init__(signature)
        self.class_count = self.table(signature)[1] - 4

    @override
    @staticmethod
    def fits(signature: Signature) -> bool:
        count, values = DetrJoined.table(signature)
        is_told = "rtdetr" in signature.says("description") or values == 4 + len(signature.names)
        return values > 4 and is_told and are_queries(count, signature.size)

    @override
    @staticmethod
    def has_shapes(signature: Signature) -> bool:
        return DetrJoined.table(signature)[1] > 4

    @override
    def read(self, outputs: Sequence[Array], size: tuple[int, int]) -> Candidates:
        rows = self.rows(outputs)
        return best_class(corners_of_cxcywh(rows[:, :4] * np.array(size * 2, np.float32)), rows[:, 4:])

"""YOLO that gives every object once: (1, boxes, 6) of v10 and 26, and of exports with suppression inside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from typing_extensions import override

from centertrack.runtime.detectors.family import USUAL_TASKS, Array, Candidates, Signature, TableFamily
from centertrack.runtime.detectors.grid import are_queries


class EndToEnd(TableFamily):
    """Corners in pixels, score, class; what follows them (masks, key points) is not read."""

    name = "end-to-end"
    expects = "(1, boxes, 6): xyxy in pixels, score and class (YOLO v10, 26, and exports with nms=True)"

    @override
    @classmethod
    def fits(cls, signature: Signature) -> bool:
        count, values = cls.table(signature)
        if not cls.has_shapes(signature) or "rtdetr" in signature.says("description"):
            return False
        has_more = signature.says("task") in ("segment", "pose") and signature.says("end2end") == "true"
        return (values == 6 or has_more) and are_queries(count, signature.size)

    @override
    @classmethod
    def has_shapes(cls, signature: Signature) -> bool:
        return signature.says("task") in USUAL_TASKS and cls.table(signature)[1] >= 6

    @override
    def read(self, outputs: Sequence[Array], size: tuple[int, int]) -> Candidates:
        rows = self.rows(outputs)
        return Candidates(rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int64))

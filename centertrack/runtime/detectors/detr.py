"""Detection transformers (RT-DETR, D-FINE, DEIM, RF-DETR): boxes (1, queries, 4), logits (1, queries, classes)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from typing_extensions import override

from centertrack.runtime.detectors.family import Array, Candidates, Family, Signature, best_class, corners_of_cxcywh
from centertrack.runtime.detectors.grid import MOST_QUERIES
from centertrack.runtime.pixels import IMAGENET_MEAN, IMAGENET_STD, PixelFormat

COCO_IDS = 91  # logits at COCO's own category ids, which count from 1


class Detr(Family):
    """Centre, width and height as fractions of the input, and a logit a class, or its sigmoid."""

    name = "detr"
    expects = "(1, queries, 4) and (1, queries, classes), cxcywh in [0, 1] and logits (RT-DETR, D-FINE, DEIM, RF-DETR)"
    resize = "stretch"

    def __init__(self, signature: Signature) -> None:
        super().__init__(signature)
        self._boxes, self._logits = _places(signature)
        count = signature.outputs[self._logits].shape[2] or 0
        self._first = 1 if count == COCO_IDS else 0
        self.class_count = count - self._first
        values = signature.blank()[self._logits]
        self._are_scores = bool(values.min() >= 0 and values.max() <= 1)  # the sigmoid is in the graph
        if any(port.name == "dets" for port in signature.outputs):  # RF-DETR
            self.pixels = PixelFormat(mean=IMAGENET_MEAN, std=IMAGENET_STD)

    @override
    @classmethod
    def fits(cls, signature: Signature) -> bool:
        if not cls.has_shapes(signature):
            return False
        queries = signature.outputs[_places(signature)[0]].shape[1]
        return queries is not None and queries <= MOST_QUERIES

    @override
    @classmethod
    def has_shapes(cls, signature: Signature) -> bool:
        return not signature.inputs and bool(_places(signature))

    @override
    def read(self, outputs: Sequence[Array], size: tuple[int, int]) -> Candidates:
        boxes = outputs[self._boxes][0] * np.array(size * 2, np.float32)
        logits = outputs[self._logits][0][:, self._first :]
        found = best_class(corners_of_cxcywh(boxes), logits)
        return found if self._are_scores else found._replace(scores=_sigmoid(found.scores))


def _sigmoid(logits: Array) -> Array:
    scores: Array = 1 / (1 + np.exp(-np.clip(logits, -80, 80)))  # beyond, single precision overflows
    return scores


def _places(signature: Signature) -> tuple[int, ...]:
    """Return the places of boxes and logits, () if there are none."""
    rows = [place for place, port in enumerate(signature.outputs) if len(port.shape) == 3]
    if len(rows) != 2 or signature.outputs[rows[0]].shape[:2] != signature.outputs[rows[1]].shape[:2]:
        return ()
    boxes = [place for place in rows if signature.outputs[place].shape[2] == 4]
    if len(boxes) == 2:  # four classes: the names tell
        boxes = [place for place in rows if signature.outputs[place].name in ("dets", "boxes", "pred_boxes")]
    if len(boxes) != 1:
        return ()
    return boxes[0], rows[1 - rows.index(boxes[0])]

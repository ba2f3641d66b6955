"""Non-maximum suppression: of boxes of one class that overlap, the best stays."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def suppress(boxes: Array, labels: Array, rows: Array, max_iou: float) -> Array:
    """Of boxes that overlap, keep the best (greedy non-maximum suppression, by OpenCV).

    Args:
        boxes: (N, 4) xyxy.
        labels: (N,), only boxes of one class compete.
        rows: (K,) int64, those to choose from, by falling score.
        max_iou: Of two with a higher IoU the later one goes.

    Returns:
        The rows that are left, in order.

    >>> boxes = np.array([[0, 0, 4, 4], [0, 0, 4, 5], [9, 9, 12, 12]], float)
    >>> suppress(boxes, np.zeros(3, int), np.arange(3), 0.6)
    array([0, 2])
    """
    if not len(rows):
        return rows
    chosen = boxes[rows].astype(np.float64)
    chosen -= chosen[:, :2].min()  # OpenCV keeps classes apart by moving them, which negative numbers would undo
    xywh = np.concatenate([chosen[:, :2], chosen[:, 2:] - chosen[:, :2]], axis=1)
    falling = np.linspace(1.0, 0.5, len(rows))  # in place of the scores, which may be equal
    kept = cv2.dnn.NMSBoxesBatched(xywh.tolist(), falling.tolist(), labels[rows].tolist(), 0.0, max_iou)
    return rows.take(np.sort(np.asarray(kept, np.int64).reshape(-1)))

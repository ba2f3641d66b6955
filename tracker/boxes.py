"""Box formats and overlaps.

A format is part of a name: xyxy two corners, xywh top-left corner and size, cxcywh centre and size.
"""

from __future__ import annotations

import numpy as np

from tracker.detections import Array

_NO_AREA = 1e-12  # square px; makes 0 / 0 an IoU of 0
_DENSE_PAIRS = 15000  # up to this many pairs, comparing all of them is quicker than sorting


def xywh_to_xyxy(boxes: Array) -> Array:
    """Top-left corner, width, height (..., 4) to corners.

    >>> xywh_to_xyxy(np.array([[10.0, 20.0, 30.0, 40.0]])).tolist()
    [[10.0, 20.0, 40.0, 60.0]]
    """
    return np.concatenate([boxes[..., :2], boxes[..., :2] + boxes[..., 2:]], axis=-1)


def xyxy_to_xywh(boxes: Array) -> Array:
    """Corners (..., 4) to top-left corner, width, height."""
    return np.concatenate([boxes[..., :2], boxes[..., 2:] - boxes[..., :2]], axis=-1)


def cxcywh_to_xyxy(boxes: Array) -> Array:
    """Centre, width, height (..., 4) to corners."""
    half = boxes[..., 2:] / 2
    return np.concatenate([boxes[..., :2] - half, boxes[..., :2] + half], axis=-1)


def xyxy_to_cxcywh(boxes: Array) -> Array:
    """Corners (..., 4) to centre, width, height.

    >>> xyxy_to_cxcywh(np.array([10.0, 20.0, 40.0, 60.0])).tolist()
    [25.0, 40.0, 30.0, 40.0]
    """
    return np.concatenate([(boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]], axis=-1)


def box_area(boxes: Array) -> Array:
    """Area of xyxy boxes (..., 4), in square pixels."""
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def iou_matrix(boxes: Array, others: Array) -> Array:
    """Intersection over union of every box with every other one.

    Continuous coordinates (no extra pixel); two boxes without area have an IoU of 0.

    Args:
        boxes: (N, 4) xyxy.
        others: (M, 4) xyxy, in the same frame.

    Returns:
        (N, M) in [0, 1].

    >>> iou_matrix(np.array([[0.0, 0, 10, 10]]), np.array([[5.0, 0, 15, 10], [0, 0, 10, 10]])).round(3).tolist()
    [[0.333, 1.0]]
    """
    intersection = _intersection_matrix(boxes, others)
    union = box_area(boxes)[:, None] + box_area(others)[None] - intersection
    return intersection / np.maximum(union, _NO_AREA)


def iou_of_pairs(boxes: Array, others: Array) -> Array:
    """Intersection over union of box n with other n: (P, 4) and (P, 4) xyxy to (P,)."""
    sides = np.minimum(boxes[:, 2:], others[:, 2:]) - np.maximum(boxes[:, :2], others[:, :2])
    np.maximum(sides, 0, out=sides)
    intersection = sides[:, 0] * sides[:, 1]
    union = box_area(boxes) + box_area(others) - intersection
    return intersection / np.maximum(union, _NO_AREA)


def overlapping_pairs(boxes: Array, others: Array) -> tuple[Array, Array, Array]:
    """Find the pairs that overlap at all, and their IoU.

    In a crowd of 1,000 boxes fewer than one pair in a hundred overlaps, so the pairs are found first by sorting along
    x, and only their IoU is computed.

    Args:
        boxes: (N, 4) xyxy.
        others: (M, 4) xyxy.

    Returns:
        rows (P,) into boxes, columns (P,) into others, IoU (P,), all with IoU > 0; in no promised order.

    >>> overlapping_pairs(np.array([[0.0, 0, 10, 10], [50, 0, 60, 10]]), np.array([[0.0, 0, 10, 5]]))
    (array([0]), array([0]), array([0.5]))
    """
    if len(boxes) * len(others) <= _DENSE_PAIRS:
        intersection = _intersection_matrix(boxes, others).ravel()
        found = (intersection > 0).nonzero()[0]
        rows, columns = np.divmod(found, max(len(others), 1))
        shared = intersection[found]
        return rows, columns, shared / (box_area(boxes)[rows] + box_area(others)[columns] - shared)
    rows, columns = _pairs_overlapping_in_x(boxes, others)
    overlap_y = (boxes[rows, 1] < others[columns, 3]) & (others[columns, 1] < boxes[rows, 3])
    rows, columns = rows[overlap_y], columns[overlap_y]
    iou = iou_of_pairs(boxes[rows], others[columns])
    positive = iou > 0
    return rows[positive], columns[positive], iou[positive]


def pairs_in_windows(low: Array, high: Array, positions: Array) -> tuple[Array, Array]:
    """Find all pairs (window, position) with low <= position < high, by sorting the positions once.

    Args:
        low: (N,) start of each window.
        high: (N,) end of each window.
        positions: (M,).

    Returns:
        rows (P,) into the windows, rising, and columns (P,) into the positions.

    >>> pairs_in_windows(np.array([0.0, 5.0]), np.array([2.0, 9.0]), np.array([6.0, 1.0, 8.0]))
    (array([0, 1, 1]), array([1, 0, 2]))
    """
    order = np.argsort(positions, kind="stable")
    ordered = positions[order]
    start = ordered.searchsorted(low)
    count = np.maximum(ordered.searchsorted(high) - start, 0)
    rows = np.arange(len(low)).repeat(count)
    first_of_row = count.cumsum() - count
    within = np.arange(len(rows)) - first_of_row.repeat(count)
    return rows, order[start.repeat(count) + within]


def _pairs_overlapping_in_x(boxes: Array, others: Array) -> tuple[Array, Array]:
    # Two intervals overlap when the later one starts inside the earlier one: each pair is found on exactly one side.
    rows, columns = pairs_in_windows(boxes[:, 0], boxes[:, 2], others[:, 0])
    above = np.nextafter(others[:, 0], np.inf, dtype=others.dtype)
    columns_2, rows_2 = pairs_in_windows(above, others[:, 2], boxes[:, 0])
    return np.concatenate([rows, rows_2]), np.concatenate([columns, columns_2])


def _intersection_matrix(boxes: Array, others: Array) -> Array:
    left, top, right, bottom = boxes.T[:, :, None]
    width = np.minimum(right, others[:, 2]) - np.maximum(left, others[:, 0])
    height = np.minimum(bottom, others[:, 3]) - np.maximum(top, others[:, 1])
    return np.maximum(width, 0, out=width) * np.maximum(height, 0, out=height)

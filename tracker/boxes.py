"""Box formats and overlaps.

A format is part of a name: xyxy two corners, xywh top-left corner and size, cxcywh centre and size.
"""

from __future__ import annotations

import numpy as np

from tracker.arrays import Array
from tracker.errors import InputError

ANCHORS = ("bottom", "centre")
_NO_AREA = 1e-12  # square px; makes 0 / 0 an IoU of 0
_DENSE_PAIRS = 22000  # up to this many pairs, comparing all of them is quicker than sorting


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


def anchor_points(boxes: Array, anchor: str) -> Array:
    """Return the point (N, 2) x, y of each xyxy box (N, 4) that stands for its object.

    Args:
        boxes: xyxy.
        anchor: `bottom`, the middle of the lower side, or `centre`.

    Raises:
        InputError: There is no such anchor.

    >>> boxes = np.array([[10.0, 20.0, 30.0, 60.0]])
    >>> anchor_points(boxes, "bottom").tolist(), anchor_points(boxes, "centre").tolist()
    ([[20.0, 60.0]], [[20.0, 40.0]])
    """
    if anchor not in ANCHORS:
        raise InputError(f"there is no anchor {anchor!r}; there are: {', '.join(ANCHORS)}")
    x = (boxes[:, 0] + boxes[:, 2]) / 2
    return np.stack([x, boxes[:, 3] if anchor == "bottom" else (boxes[:, 1] + boxes[:, 3]) / 2], axis=1)


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
    intersection = intersection_matrix(boxes, others)
    union = box_area(boxes)[:, None] + box_area(others)[None] - intersection
    return intersection / np.maximum(union, _NO_AREA)


def overlapping_pairs(boxes: Array, others: Array, min_iou: float = 0.0) -> tuple[Array, Array, Array]:
    """Find the pairs that overlap at all, and their IoU.

    In a crowd of 1,000 boxes fewer than one pair in a hundred overlaps, so the pairs are found first by sorting along
    x, and only their IoU is computed.

    Args:
        boxes: (N, 4) xyxy.
        others: (M, 4) xyxy.
        min_iou: Pairs that overlap less are not asked for and may be left out, which is quicker; less than 1.

    Returns:
        rows (P,) into boxes, columns (P,) into others, IoU (P,), all with IoU > 0; in no promised order.

    >>> overlapping_pairs(np.array([[0.0, 0, 10, 10], [50, 0, 60, 10]]), np.array([[0.0, 0, 10, 5]]))
    (array([0]), array([0]), array([0.5]))
    """
    rows, columns = _likely_pairs(boxes, others, min_iou)
    if not len(rows):
        return rows, columns, np.zeros(0, boxes.dtype)
    ours, theirs = boxes.take(rows, axis=0), others.take(columns, axis=0)  # many times quicker than boxes[rows]
    sides = np.minimum(ours[:, 2:], theirs[:, 2:]) - np.maximum(ours[:, :2], theirs[:, :2])
    shared = sides[:, 0] * np.maximum(sides[:, 1], 0)
    positive = (shared > 0).nonzero()[0]
    rows, columns, shared = rows.take(positive), columns.take(positive), shared.take(positive)
    return rows, columns, shared / (box_area(boxes).take(rows) + box_area(others).take(columns) - shared)


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


def _likely_pairs(boxes: Array, others: Array, min_iou: float) -> tuple[Array, Array]:
    """Return all pairs that overlap, among others that are only near each other along x."""
    left, right = others[:, 0].copy(), others[:, 2].copy()
    # An IoU of t leaves the left sides at most (1 - t) / t widths apart; below 1/2, to overlap at all is as strict.
    reach = (boxes[:, 2] - boxes[:, 0]) * (1 / min_iou - 1) if min_iou > 0.5 else None
    if len(boxes) * len(others) <= _DENSE_PAIRS:
        if reach is None:
            mask = (boxes[:, :1] < right) & (left < boxes[:, 2:3])
        else:
            mask = np.abs(boxes[:, :1] - left) <= reach[:, None]
        return np.divmod(mask.ravel().nonzero()[0], max(len(others), 1))
    if reach is None:
        # Two intervals overlap when the later one starts inside the earlier one: each pair is found on one side.
        rows, columns = pairs_in_windows(boxes[:, 0], boxes[:, 2], left)
        columns_2, rows_2 = pairs_in_windows(np.nextafter(left, np.inf, dtype=others.dtype), right, boxes[:, 0])
        rows, columns = np.concatenate([rows, rows_2]), np.concatenate([columns, columns_2])
    else:
        rows, columns = pairs_in_windows(boxes[:, 0] - reach, boxes[:, 0] + reach, left)
    overlap_y = (boxes[:, 1][rows] < others[:, 3][columns]) & (others[:, 1][columns] < boxes[:, 3][rows])
    return rows[overlap_y], columns[overlap_y]


def intersection_matrix(boxes: Array, others: Array) -> Array:
    """Return the area that every pair of boxes shares, (N, M).

    Args:
        boxes: (N, 4) xyxy.
        others: (M, 4) xyxy.
    """
    left, top, right, bottom = boxes.T[:, :, None]
    width = np.minimum(right, others[:, 2]) - np.maximum(left, others[:, 0])
    height = np.minimum(bottom, others[:, 3]) - np.maximum(top, others[:, 1])
    return np.maximum(width, 0, out=width) * np.maximum(height, 0, out=height)

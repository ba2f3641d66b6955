"""Which boxes of a sequence overlap, and how much: all frames at once, and only the pairs that touch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tracker.arrays import Floats, Integers, Mask

EPSILON = float(np.finfo(np.float64).eps)  # the official evaluator's tolerance in every threshold
_FAR = 1e6  # pixels; the search treats what lies further out as lying here, the IoU does not
_CANDIDATES_AT_ONCE = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class Overlaps:
    """Pairs of boxes with IoU > 0, sorted by first, then second.

    Attributes:
        first: (P,) row of the first set, sorted by frame as the set is.
        second: (P,) row of the second set.
        iou: (P,) in (0, 1].
    """

    first: Integers
    second: Integers
    iou: Floats

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.first)

    def where(self, keep: Mask | Integers) -> Overlaps:
        """Return the pairs that a mask (P,) or an ascending array of pair numbers selects."""
        return Overlaps(self.first[keep], self.second[keep], self.iou[keep])

    def among(self, first_kept: Mask, second_kept: Mask) -> Overlaps:
        """Return the pairs of the kept boxes, with the row numbers that the boxes have once the others are gone."""
        kept = self.where(first_kept[self.first] & second_kept[self.second])
        return Overlaps((np.cumsum(first_kept) - 1)[kept.first], (np.cumsum(second_kept) - 1)[kept.second], kept.iou)


def find_overlaps(first_frames: Integers, first_xywh: Floats, second_frames: Integers, second_xywh: Floats) -> Overlaps:
    """Return every pair of boxes of the same frame with IoU > 0.

    Two intervals meet when one begins inside the other: with the boxes sorted by frame and left edge, a binary search
    gives the pairs that meet along x, and only for these the IoU is computed.

    Args:
        first_frames: (N,), ascending.
        first_xywh: (N, 4) left, top, width, height.
        second_frames: (M,), ascending.
        second_xywh: (M, 4).

    >>> frames = np.array([1, 1, 2])
    >>> boxes = np.array([[0, 0, 10, 10], [5, 0, 10, 10], [0, 0, 10, 10]], float)
    >>> pairs = find_overlaps(frames, boxes, np.array([1]), np.array([[0.0, 0, 10, 10]]))
    >>> pairs.first.tolist(), pairs.second.tolist(), pairs.iou.round(3).tolist()
    ([0, 1], [0, 0], [1.0, 0.333])
    """
    first, second = _to_corners(first_xywh), _to_corners(second_xywh)
    found = []
    for i, j in _meeting_along_x(first_frames, first, second_frames, second, ties=True):
        found.append(_positive_iou(first, second, i, j))
    for j, i in _meeting_along_x(second_frames, second, first_frames, first, ties=False):
        found.append(_positive_iou(first, second, i, j))
    if not found:
        return Overlaps(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    i, j, iou = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.argsort(i * len(second_xywh) + j)
    return Overlaps(i[order], j[order], iou[order])


def _to_corners(xywh: Floats) -> Floats:
    return np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)


def _meeting_along_x(
    frames: Integers, corners: Floats, other_frames: Integers, other_corners: Floats, ties: bool
) -> Iterator[tuple[Integers, Integers]]:
    """Yield (box, other) in pieces: other begins between left and right of box; with `ties` also at the left itself."""
    other_keys = _line_up(other_frames, other_corners[:, 0])
    order = np.argsort(other_keys, kind="stable")
    other_keys = other_keys[order]
    begins = np.searchsorted(other_keys, _line_up(frames, corners[:, 0]), side="left" if ties else "right")
    ends = np.searchsorted(other_keys, _line_up(frames, corners[:, 2]), side="right")
    counts = np.maximum(ends - begins, 0)
    totals = np.cumsum(counts)
    start = 0
    while start < len(counts):
        done = totals[start - 1] if start else 0
        stop = max(int(np.searchsorted(totals, done + _CANDIDATES_AT_ONCE, side="right")), start + 1)
        count = counts[start:stop]
        box = np.repeat(np.arange(start, stop), count)
        rank = np.arange(len(box)) - np.repeat(totals[start:stop] - count - done, count)
        yield box, order[np.repeat(begins[start:stop], count) + rank]
        start = stop


def _line_up(frames: Integers, x: Floats) -> Floats:
    """Return one ascending coordinate for all frames: those of a frame lie in a stretch of their own."""
    return np.clip(x, -_FAR, _FAR) + frames * (4 * _FAR)


def _positive_iou(first: Floats, second: Floats, i: Integers, j: Integers) -> tuple[Integers, Integers, Floats]:
    """Keep the pairs with IoU > 0.

    Computed in the order of the official evaluator, so that boxes exactly at a threshold fall on the same side.
    """
    a, b = first[i], second[j]
    width = np.minimum(a[:, 2], b[:, 2]) - np.maximum(a[:, 0], b[:, 0])
    height = np.minimum(a[:, 3], b[:, 3]) - np.maximum(a[:, 1], b[:, 1])
    meet = np.flatnonzero((width > 0) & (height > 0))
    i, j, a, b = i[meet], j[meet], a[meet], b[meet]
    intersection = width[meet] * height[meet]
    area_a = (a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1])
    area_b = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    union = area_a + area_b - intersection
    valid = (area_a > EPSILON) & (area_b > EPSILON) & (union > EPSILON)
    return i[valid], j[valid], intersection[valid] / union[valid]

"""The motion that all boxes of a scene share: how the camera moved, told by boxes alone."""

from __future__ import annotations

import numpy as np

from tracker.arrays import Array
from tracker.assignment import match_pairs
from tracker.boxes import overlapping_pairs, pairs_in_windows
from tracker.candidates import Candidates
from tracker.trackset import TRACKED, TrackSet

_MIN_PAIRS = 4  # boxes that must belong together before a jump is taken from them
_MANY_PAIRS = 8  # from as many any jump is taken; fewer might all have been measured or walked a little to one side
_CLEAR_JUMP = 0.03  # of their height: the least jump that is taken from fewer boxes, in x and in y
_PAIR_IOU = 0.1  # with a prediction, that a pair among them needs
_EXPLAINED_IOU = 0.3  # with a prediction: from here on a detection is where somebody was expected
_MIN_EXPLAINED = 0.8  # share of the detections; below, a jump of more than a box is looked for
_MIN_HEIGHT_RATIO = 0.85  # of the boxes of a pair that votes
_LONGEST_JUMP = 3.0  # in heights
_CELL = 0.3  # in heights: votes that differ by less are for the same jump
_CLEAR_MAJORITY = 1.5  # times the votes for no jump


def follow_scene(tracks: TrackSet, boxes: Array, found: Candidates, is_high: Array, class_agnostic: bool) -> None:
    """Move all predictions by the jump that they have in common.

    Where few detections lie at predictions, the jump may be longer than a box: a vote of all pairs finds it. What is
    left of it is the median of the pairs that overlap.

    Args:
        tracks: N tracks; their positions are changed.
        boxes: (N, 4) float32 xyxy, their predictions, which are changed too.
        found: D detections.
        is_high: (D,) which of them have a high score.
        class_agnostic: Whether tracks and detections of different classes may be the same object.
    """
    rows, columns, iou = overlapping_pairs(boxes, found.boxes)
    if _is_unexplained(columns[iou >= _EXPLAINED_IOU], is_high):
        seen, high = (tracks.states == TRACKED).nonzero()[0], is_high.nonzero()[0]
        positions = tracks.filter.position(tracks.motion)
        jump = voted_jump(positions.take(seen, axis=0), found.measurements.take(high, axis=0))
        if jump.any():
            positions[:, :2] += jump
            boxes.reshape(-1, 2)[:] += jump.astype(np.float32)
            rows, columns, iou = overlapping_pairs(boxes, found.boxes)
    near = (iou > _PAIR_IOU) & (tracks.states.take(rows) == TRACKED)
    if not class_agnostic:
        near &= tracks.labels.take(rows) == found.labels.take(columns)
    pairs = near.nonzero()[0]
    shape = len(tracks), len(found)
    rows, columns = match_pairs(rows.take(pairs), columns.take(pairs), 1.0 - iou.take(pairs), 1.0 - _PAIR_IOU, shape)
    if len(rows) < _MIN_PAIRS:
        return
    centres = tracks.filter.position(tracks.motion)[:, :2]
    jumps = np.sort(found.measurements[:, :2].take(columns, axis=0) - centres.take(rows, axis=0), axis=0)
    jump = (jumps[len(rows) // 2] + jumps[(len(rows) - 1) // 2]) / 2  # the median
    if len(rows) < _MANY_PAIRS:
        height = np.median(found.measurements[columns, 3])
        jump = np.where(np.abs(jump) > _CLEAR_JUMP * height, jump, 0.0)
    centres += jump
    boxes.reshape(-1, 2)[:] += jump.astype(np.float32)


def _is_unexplained(explained: Array, is_high: Array) -> bool:
    """Tell whether too few of the high detections lie where somebody was expected; these are listed in `explained`."""
    is_explained = np.zeros(len(is_high), bool)
    is_explained[explained] = True
    count = int(np.count_nonzero(is_high))
    return count >= _MIN_PAIRS and int(np.count_nonzero(is_explained & is_high)) < _MIN_EXPLAINED * count


def voted_jump(positions: Array, measurements: Array) -> Array:
    """Return the jump that most pairs of a track and a detection share.

    Every pair of nearly equal height votes for its difference, and a track counts once for each jump. The jump must
    have four votes, those of half of the tracks, and clearly more than no jump.

    Args:
        positions: (N, 4) centre, width and height of tracks, as predicted.
        measurements: (M, 4) of detections.

    Returns:
        (2,) in x and y; zeros where no jump is clear.

    >>> places = np.array([[100.0, 50, 20, 40], [170, 60, 20, 44], [300, 40, 20, 40], [420, 70, 20, 48]])
    >>> voted_jump(places, places + [60.0, -5, 0, 0]).tolist()
    [60.0, -5.0]
    """
    nothing = np.zeros(2)
    if min(len(positions), len(measurements)) < _MIN_PAIRS:
        return nothing
    height = np.median(measurements[:, 3])
    reach = _LONGEST_JUMP * height
    rows, columns = pairs_in_windows(positions[:, 0] - reach, positions[:, 0] + reach, measurements[:, 0])
    ours, theirs = positions[:, 3].take(rows), measurements[:, 3].take(columns)
    jumps = measurements[:, :2].take(columns, axis=0) - positions[:, :2].take(rows, axis=0)
    alike = np.minimum(ours, theirs) > _MIN_HEIGHT_RATIO * np.maximum(ours, theirs)
    alike &= np.abs(jumps[:, 1]) <= reach
    rows, jumps = rows[alike], jumps[alike]
    if not len(rows):
        return nothing
    winners, votes = _fullest_cell(rows, jumps / (_CELL * height), len(positions))
    still = np.unique(rows[(np.abs(jumps) < _CELL / 2 * height).all(axis=1)])
    if votes < max(_MIN_PAIRS, len(positions) / 2, _CLEAR_MAJORITY * len(still)):
        return nothing
    jump: Array = np.median(jumps[winners], axis=0)
    return jump


def _fullest_cell(rows: Array, points: Array, count: int) -> tuple[Array, int]:
    """Find the unit square that points of most different rows fall into, of four grids that are half a side apart.

    Args:
        rows: (P,) from 0.
        points: (P, 2).
        count: Number of rows.

    Returns:
        A mask (P,) of its points, and the number of different rows.
    """
    best, most = np.zeros(len(rows), bool), 0
    for offset in ((0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5)):
        cells = np.floor(points + offset).astype(np.int64)
        cells -= cells.min(axis=0)
        keys = cells[:, 0] * (cells[:, 1].max() + 1) + cells[:, 1]
        once = np.unique(keys * count + rows) // count
        filled, votes = np.unique(once, return_counts=True)
        if votes.max() > most:
            best, most = keys == filled[votes.argmax()], int(votes.max())
    return best, most

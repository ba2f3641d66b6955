"""One-to-one assignment at the highest total weight, in every frame of a sequence at once.

Most pairs need no solver: if a pair outweighs the best rival of its row plus the best rival of its column, every
optimal assignment contains it (swapping it in gains more than the two pairs it drives out lose). What such pairs leave
open is solved frame by frame.
"""

from __future__ import annotations

import lap
import numpy as np

from tracker.arrays import Floats, Integers, Mask
from tracker.evaluation.tied_assignment import assign_as_official

_RELATIVE_TIE = 1e-9  # totals closer than this, relative to the largest weight, count as equal


def find_forced(rows: Integers, columns: Integers, weights: Floats) -> tuple[Mask, Mask]:
    """Return which pairs every optimal assignment contains, and which are still open.

    Args:
        rows: (P,) ascending. A row belongs to one frame, so the frames need not be told apart.
        columns: (P,)
        weights: (P,) > 0.

    Returns:
        forced (P,) and open (P,); an open pair shares neither row nor column with a forced one.

    >>> find_forced(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([0.9, 0.3, 0.2]))
    (array([ True, False, False]), array([False, False, False]))
    """
    forced = np.zeros(len(rows), bool)
    open_pairs = np.flatnonzero(weights > 0)
    margin = _RELATIVE_TIE * weights.max(initial=0)
    row_count, column_count = rows.max(initial=-1) + 1, columns.max(initial=-1) + 1
    while len(open_pairs):
        row, column, weight = rows[open_pairs], columns[open_pairs], weights[open_pairs]
        is_forced = weight > _best_rival(row, weight) + _best_rival(column, weight) + margin
        if not is_forced.any():
            break
        forced[open_pairs[is_forced]] = True
        row_taken, column_taken = np.zeros(row_count, bool), np.zeros(column_count, bool)
        row_taken[row[is_forced]] = True
        column_taken[column[is_forced]] = True
        open_pairs = open_pairs[~(row_taken[row] | column_taken[column])]
    is_open = np.zeros(len(rows), bool)
    is_open[open_pairs] = True
    return forced, is_open


def _best_rival(groups: Integers, weights: Floats) -> Floats:
    """Return for each pair the highest weight among the other pairs of its group; 0 where it is alone."""
    order = np.argsort(groups, kind="stable")
    weight = weights[order]
    sorted_groups = groups[order]
    is_start = np.concatenate([[True], sorted_groups[1:] != sorted_groups[:-1]])
    starts = np.flatnonzero(is_start)
    group = np.cumsum(is_start) - 1
    best = np.maximum.reduceat(weight, starts)
    is_best = weight == best[group]
    second = np.maximum.reduceat(np.where(is_best, 0, weight), starts)
    second = np.where(np.add.reduceat(is_best.astype(np.int64), starts) > 1, best, second)
    rival = np.empty_like(weights)
    rival[order] = np.where(is_best, second[group], best[group])
    return rival


class FrameSolver:
    """Solves the open pairs of one frame after the other.

    Where two assignments tie, the official evaluator's result depends on its solver's order of search. Only then the
    whole frame is solved in that order (`assign_as_official`).

    Args:
        row_frames: (N,) ascending, frame of each row.
        column_frames: (M,) ascending, frame of each column.
    """

    def __init__(self, row_frames: Integers, column_frames: Integers) -> None:
        self._row_frames = row_frames
        self._column_frames = column_frames

    def solve(self, rows: Integers, columns: Integers, weights: Floats, open_pairs: Integers) -> Integers:
        """Return the pairs of one frame to choose among the open ones.

        Args:
            rows: (P,) of all pairs of the frame, whole-sequence numbers.
            columns: (P,)
            weights: (P,) >= 0; 0 is never chosen.
            open_pairs: (K,) numbers of the pairs to decide on.

        Returns:
            (C,) numbers of the chosen ones.
        """
        chosen, is_unique = solve_open(rows[open_pairs], columns[open_pairs], weights[open_pairs])
        if is_unique:
            return open_pairs[chosen]
        chosen_in_frame = self._solve_as_official(rows, columns, weights)
        return open_pairs[chosen_in_frame[open_pairs]]

    def _solve_as_official(self, rows: Integers, columns: Integers, weights: Floats) -> Mask:
        frame = self._row_frames[rows[0]]
        row_start, row_stop = np.searchsorted(self._row_frames, [frame, frame + 1])
        column_start, column_stop = np.searchsorted(self._column_frames, [frame, frame + 1])
        score = np.zeros((row_stop - row_start, column_stop - column_start))
        score[rows - row_start, columns - column_start] = weights
        matched_rows, matched_columns = assign_as_official(score)
        is_matched = np.zeros(score.shape, bool)
        is_matched[matched_rows, matched_columns] = True
        return is_matched[rows - row_start, columns - column_start] & (weights > 0)


def solve_open(rows: Integers, columns: Integers, weights: Floats) -> tuple[Mask, bool]:
    """Choose pairs of one dense problem; also say whether the optimum is unique.

    It is unique when it stays the optimum although each of its pairs is made a little worse.
    """
    row, row_count = _renumber(rows)
    column, column_count = _renumber(columns)
    cost = np.zeros((row_count, column_count))
    cost[row, column] = -weights
    matched = _lap(cost)
    chosen = (matched[row] == column) & (weights > 0)
    cost[row[chosen], column[chosen]] += _RELATIVE_TIE * weights.max()
    matched_again = _lap(cost)
    again = (matched_again[row] == column) & (weights > 0)
    return chosen, bool((chosen == again).all())


def _renumber(values: Integers) -> tuple[Integers, int]:
    """Return values as 0, 1, ... by first appearance, and how many there are; faster than sorting the few here."""
    listed = values.tolist()
    numbers = {value: number for number, value in enumerate(dict.fromkeys(listed))}
    return np.array([numbers[value] for value in listed]), len(numbers)


def _lap(cost: Floats) -> Integers:
    """Return the column of each row, -1 for none."""
    matched, _ = lap.lapjv(cost, extend_cost=True, return_cost=False)
    return np.asarray(matched)


def assign(row_frames: Integers, column_frames: Integers, rows: Integers, columns: Integers, weights: Floats) -> Mask:
    """Return which pairs the best one-to-one assignment of every frame contains.

    Args:
        row_frames: (N,) ascending, frame of each row.
        column_frames: (M,) ascending, frame of each column.
        rows: (P,) ascending.
        columns: (P,)
        weights: (P,) >= 0; pairs of weight 0 are never chosen.
    """
    chosen, is_open = find_forced(rows, columns, weights)
    if not is_open.any():
        return chosen
    solver = FrameSolver(row_frames, column_frames)
    frames = row_frames[rows]
    for frame in np.unique(frames[is_open]).tolist():
        start, stop = np.searchsorted(frames, [frame, frame + 1])
        pairs = slice(start, stop)
        found = solver.solve(rows[pairs], columns[pairs], weights[pairs], np.flatnonzero(is_open[pairs]))
        chosen[start + found] = True
    return chosen

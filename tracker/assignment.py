"""The pairs of tracks and detections with the lowest total cost (Jonker-Volgenant, package lap)."""

from __future__ import annotations

import numpy as np
from lap import lapjv

from tracker.arrays import Array

_SMALL_PROBLEM = 1024  # up to this many cells, solving whole is quicker than taking it apart


def match(cost: Array, limit: float) -> Array:
    """Pair rows with columns at the lowest total cost, where leaving a pair out costs `limit`.

    The limit is part of the optimisation: a poor pair never forces two good ones apart, as it can when poor pairs are
    dropped afterwards. Solved as min(cost - limit, 0), of which the negative pairs are kept.

    Args:
        cost: (N, M), lower is better; infinite where a pair is impossible.
        limit: Pairs that cost `limit` or more are left out.

    Returns:
        (P, 2) int64, (row, column), by rising row.

    >>> match(np.array([[0.1, 0.9], [0.2, 0.3]]), limit=0.5).tolist()
    [[0, 0], [1, 1]]
    """
    rows, columns = (cost < limit).nonzero()
    rows, columns = match_pairs(rows, columns, cost[rows, columns], limit, cost.shape)
    return np.stack([rows, columns], axis=1)


def match_pairs(rows: Array, columns: Array, costs: Array, limit: float, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Do what `match` does when only some pairs are possible.

    Most pairs of a real scene are beyond doubt: they are taken first, and only what is left is solved.

    Args:
        rows: (P,) row of each possible pair.
        columns: (P,) its column; no pair occurs twice.
        costs: (P,) its cost.
        limit: Pairs that cost `limit` or more are left out.
        shape: Number of rows and of columns.

    Returns:
        rows (Q,) rising and columns (Q,) of the matched pairs.

    >>> match_pairs(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([0.1, 0.2, 0.2]), 0.5, (2, 2))
    (array([0, 1]), array([1, 0]))
    """
    gains = limit - costs
    good = gains > 0
    if np.count_nonzero(good) < len(good):
        rows, columns, gains = rows[good], columns[good], gains[good]
    if len(rows) <= 1:
        return rows, columns
    if not (_repeats(rows) or _repeats(columns)):
        order = rows.argsort()
        return rows[order], columns[order]
    if shape[0] * shape[1] <= _SMALL_PROBLEM:
        return _solve(rows, columns, gains, shape)
    matched_rows, matched_columns = [], []
    order = gains.argsort(kind="stable")
    rows, columns, gains = rows[order], columns[order], gains[order]
    while len(rows):
        sure = _dominant(rows, columns, gains, shape)
        if not sure.any():
            break
        matched_rows.append(rows[sure])
        matched_columns.append(columns[sure])
        open_rows, open_columns = np.ones(shape[0], bool), np.ones(shape[1], bool)
        open_rows[rows[sure]] = False
        open_columns[columns[sure]] = False
        left = open_rows[rows] & open_columns[columns]
        rows, columns, gains = rows[left], columns[left], gains[left]
    if len(rows):
        rows, columns = _solve_compact(rows, columns, gains, shape)
    rows, columns = np.concatenate([*matched_rows, rows]), np.concatenate([*matched_columns, columns])
    order = rows.argsort()
    return rows[order], columns[order]


def _repeats(names: Array) -> bool:
    """Say whether one of the whole numbers (N,) from 0 occurs more than once."""
    return bool(np.bincount(names).max() > 1)


def _dominant(rows: Array, columns: Array, gains: Array, shape: tuple[int, ...]) -> Array:
    """Find pairs that belong to an optimal assignment whatever the others do: a mask (P,); `gains` must rise.

    A solution without the pair uses its row and its column otherwise or not at all. A pair that gains more than the
    best alternatives of both together can replace them.
    """
    best, alternative = _best_two(rows, gains, shape[0])
    best_of_column, alternative_of_column = _best_two(columns, gains, shape[1])
    dominant: Array = gains > alternative[rows] + alternative_of_column[columns]
    return dominant & (gains == best[rows]) & (gains == best_of_column[columns])


def _best_two(groups: Array, gains: Array, count: int) -> tuple[Array, Array]:
    """Return the largest and the second largest of the rising gains of each group, 0 where there is none."""
    best, second, last = np.zeros(count), np.zeros(count), np.zeros(count, np.int64)
    numbers = np.arange(len(groups))
    best[groups], last[groups] = gains, numbers  # of equal places, the last value stays
    others = (last[groups] != numbers).nonzero()[0]
    second[groups[others]] = gains[others]
    return best, second


def _solve_compact(rows: Array, columns: Array, gains: Array, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Solve only the rows and columns that occur."""
    row_names, rows = _compact(rows, shape[0])
    column_names, columns = _compact(columns, shape[1])
    rows, columns = _solve(rows, columns, gains, (len(row_names), len(column_names)))
    return row_names[rows], column_names[columns]


def _compact(names: Array, count: int) -> tuple[Array, Array]:
    """Number the names that occur from 0: the names, and the number of each entry."""
    occurs = np.zeros(count, bool)
    occurs[names] = True
    return np.flatnonzero(occurs), (occurs.cumsum() - 1)[names]


def _solve(rows: Array, columns: Array, gains: Array, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Maximise the sum of gains; cells without a pair are 0, which means unmatched."""
    cost = np.zeros(shape)
    cost[rows, columns] = -gains
    column_of_row, _ = lapjv(cost, extend_cost=True, return_cost=False)
    rows = (column_of_row >= 0).nonzero()[0]
    columns = column_of_row[rows].astype(np.int64)
    matched = cost[rows, columns] < 0
    return rows[matched], columns[matched]

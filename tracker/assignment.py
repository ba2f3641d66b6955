"""Who is who: the pairs of tracks and detections with the lowest total cost (Jonker-Volgenant, package lap)."""

from __future__ import annotations

import numpy as np
from lap import lapjv

from tracker.detections import Array

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

    Gated problems fall apart: a pair whose row and column occur nowhere else is matched at once, and only what is left
    is solved.

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
    good = costs < limit
    if not good.all():
        rows, columns, costs = rows[good], columns[good], costs[good]
    if len(rows) <= 1:
        return rows, columns
    if shape[0] * shape[1] <= _SMALL_PROBLEM:
        return _solve(rows, columns, costs - limit, shape)
    alone = (np.bincount(rows)[rows] == 1) & (np.bincount(columns)[columns] == 1)
    if alone.all():
        order = rows.argsort()
        return rows[order], columns[order]
    contested = ~alone
    row_names, rows_left = np.unique(rows[contested], return_inverse=True)
    column_names, columns_left = np.unique(columns[contested], return_inverse=True)
    size = len(row_names), len(column_names)
    solved_rows, solved_columns = _solve(rows_left, columns_left, costs[contested] - limit, size)
    rows = np.concatenate([rows[alone], row_names[solved_rows]])
    columns = np.concatenate([columns[alone], column_names[solved_columns]])
    order = rows.argsort()
    return rows[order], columns[order]


def _solve(rows: Array, columns: Array, gains: Array, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Minimise the sum of negative gains; cells without a pair are 0, which means unmatched."""
    cost = np.zeros(shape)
    cost[rows, columns] = gains
    _, column_of_row, _ = lapjv(cost, extend_cost=True)
    rows = np.flatnonzero(column_of_row >= 0)
    columns = column_of_row[rows].astype(np.int64)
    matched = cost[rows, columns] < 0
    return rows[matched], columns[matched]

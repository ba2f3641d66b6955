"""The official evaluator's choice among assignments of equal total weight.

Its solver (`scipy.optimize.linear_sum_assignment`) augments the assignment by one row after the other along a shortest
path (Crouse, "On implementing 2D rectangular assignment algorithms", 2016). Which of several optima it ends at depends
on the order in which it looks at columns, and so do the official figures. `assign_as_official` looks at them in the
same order, with the same floating-point operations.
"""

from __future__ import annotations

import numpy as np

from tracker.arrays import Floats, Integers, Mask


def assign_as_official(weights: Floats) -> tuple[Integers, Integers]:
    """Return the assignment of the highest total weight that the official evaluator chooses.

    Args:
        weights: (N, M) float64, finite.

    Returns:
        rows (K,) rising and columns (K,) int64, K = min(N, M): each row or each column is in one pair.

    >>> assign_as_official(np.array([[1.0, 1.0], [1.0, 1.0]]))
    (array([0, 1]), array([0, 1]))
    """
    costs = -weights.astype(np.float64)
    if len(weights) <= weights.shape[1]:
        return np.arange(len(weights)), _columns_of_rows(costs)
    rows = _columns_of_rows(np.ascontiguousarray(costs.T))
    order = rows.argsort()
    return rows[order], order


def _columns_of_rows(costs: Floats) -> Integers:
    """Return the column (N,) of each row at the lowest total cost; `costs` (N, M) has no more rows than columns."""
    row_count, column_count = costs.shape
    row_prices, column_prices = np.zeros(row_count), np.zeros(column_count)
    column_of, row_of = np.full(row_count, -1), np.full(column_count, -1)
    for new_row in range(row_count):
        distances = np.full(column_count, np.inf)
        previous_rows = np.full(column_count, -1)
        unvisited = np.arange(column_count)[::-1].copy()  # the order of search, which decides between equal distances
        visited_rows, visited_columns = [], []
        row, length = new_row, 0.0
        while True:
            visited_rows.append(row)
            lengths = length + costs[row, unvisited] - row_prices[row] - column_prices[unvisited]
            shorter = lengths < distances[unvisited]
            distances[unvisited[shorter]] = lengths[shorter]
            previous_rows[unvisited[shorter]] = row
            place = _nearest(distances[unvisited], row_of[unvisited] < 0)
            column = unvisited[place]
            length = distances[column]
            visited_columns.append(column)
            unvisited[place] = unvisited[-1]
            unvisited = unvisited[:-1]
            if row_of[column] < 0:
                break
            row = row_of[column]
        row_prices[new_row] += length
        others = np.array(visited_rows[1:], np.int64)
        row_prices[others] += length - distances[column_of[others]]
        column_prices[visited_columns] -= length - distances[visited_columns]
        while column >= 0:  # along the path, back to the new row, which had no column
            row = previous_rows[column]
            row_of[column] = row
            column_of[row], column = column, column_of[row]
    return column_of


def _nearest(distances: Floats, is_free: Mask) -> int:
    """Return the place of the lowest distance: of equal ones the last free column, or else the first."""
    places = np.flatnonzero(distances == distances.min())
    free = places[is_free[places]]
    return int(free[-1] if len(free) else places[0])

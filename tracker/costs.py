"""The cost of a pair of a track and a detection: gate, appearance and overlap.

All functions take or return pairs: `rows` (P,) are tracks, `columns` (P,) are detections.
"""

from __future__ import annotations

import numpy as np

from tracker.arrays import Array
from tracker.boxes import pairs_in_windows
from tracker.kalman import BlockKalmanFilter

_DENSE_PAIRS = 1200  # up to this many pairs, gating all of them is quicker than sorting


def gated_pairs(
    states: Array, measurements: Array, kalman: BlockKalmanFilter, gate_chi2: float
) -> tuple[Array, Array, Array]:
    """Find the pairs whose squared Mahalanobis distance is within the gate.

    Args:
        states: (T, 5, 4) predicted states of `kalman`.
        measurements: (D, 4), in the coordinates of its model.
        kalman: Gives the variance of the innovations.
        gate_chi2: Largest squared distance; see `tracker.kalman.GATE_CHI2`.

    Returns:
        rows (P,), columns (P,) and squared distances (P,).
    """
    position, variance = states[:, 0], kalman.innovation_variance(states)
    if len(states) * len(measurements) <= _DENSE_PAIRS:
        innovation = measurements - position[:, None]
        distances = np.einsum("tdk,tk->td", innovation * innovation, 1.0 / variance).ravel()
        found = (distances <= gate_chi2).nonzero()[0]
        rows, columns = np.divmod(found, max(len(measurements), 1))
        return rows, columns, distances[found]
    x, y, reach = measurements[:, 0], measurements[:, 1], np.sqrt(gate_chi2 * variance[:, :2])
    low, high = position[:, 0] - reach[:, 0], position[:, 0] + reach[:, 0]
    rows, columns = pairs_in_windows(low, np.nextafter(high, np.inf), x)
    near_y = np.abs(y[columns] - position[:, 1][rows]) <= reach[:, 1][rows]
    rows, columns = rows[near_y], columns[near_y]
    innovation = measurements.take(columns, axis=0) - position.take(rows, axis=0)
    distances = np.einsum("pk,pk->p", innovation * innovation, (1.0 / variance).take(rows, axis=0))
    inside = distances <= gate_chi2
    return rows[inside], columns[inside], distances[inside]


def cosine_distances(embeddings: Array, others: Array, rows: Array, columns: Array) -> Array:
    """Return max(0, 1 - cos) of each pair of unit rows: (T, D), (N, D) to (P,).

    Summed in a fixed order, pair by pair, so that the result does not depend on the number of threads.

    >>> cosine_distances(np.eye(2), np.eye(2), np.array([0, 0]), np.array([0, 1])).tolist()
    [0.0, 1.0]
    """
    if not len(rows):
        return np.zeros(0, np.float32)
    similarity = np.einsum("pd,pd->p", embeddings.take(rows, axis=0), others.take(columns, axis=0))
    return np.maximum(1.0 - similarity, 0.0)


def euclidean_distances(embeddings: Array, others: Array, rows: Array, columns: Array) -> Array:
    """Return the length of the difference of each pair of unit rows, in [0, 2] (the appearance distance of JDE)."""
    return np.sqrt(2.0 * cosine_distances(embeddings, others, rows, columns))


def fuse_appearance(cost: Array, iou: Array, distances: Array, embedding_limit: float, proximity_limit: float) -> Array:
    """Lower the costs of pairs that are near and look alike (Aharon et al. 2022, equations 12 and 13).

    Args:
        cost: (P,) by overlap.
        iou: (P,).
        distances: (P,) half of 1 - cos.
        embedding_limit: A larger distance does not count.
        proximity_limit: The distance counts only where 1 - IoU is at most this.
    """
    near_and_alike = (distances <= embedding_limit) & (1.0 - iou <= proximity_limit)
    return np.where(near_and_alike, np.minimum(cost, distances), cost)

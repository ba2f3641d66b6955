"""How sure a count is."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

SECONDS_OF_ONE_LOOK = 0.5
LEVEL = 0.95


def track_probability(score: float, seconds: float) -> float:
    """Return how probably a track follows an object: 1 - (1 - score) ** (1 + seconds / 0.5).

    The score of a detection is taken for the probability that there is an object. Detections of neighbouring frames are
    wrong together, so that only two looks in a second count as independent, and all of them would have to be wrong.

    Args:
        score: Mean of the track's detections.
        seconds: For which it was followed.

    >>> round(track_probability(0.5, 0.0), 3), round(track_probability(0.5, 1.0), 3), track_probability(1.2, 1.0)
    (0.5, 0.875, 1.0)
    """
    miss = 1 - min(max(score, 0.0), 1.0)
    return 1 - float(miss ** (1 + seconds / SECONDS_OF_ONE_LOOK))


def count_interval(probabilities: Iterable[float], level: float = LEVEL) -> tuple[int, int]:
    """Return the interval in which the number of independent events lies that happen with given probabilities.

    The number has the Poisson binomial distribution; it is added up exactly, event by event. The interval leaves out at
    most (1 - level) / 2 at either end.

    >>> count_interval([0.5, 0.5]), count_interval([0.999] * 5), count_interval([])
    ((0, 2), (5, 5), (0, 0))
    """
    shares = np.ones(1)  # of 0, 1, 2, ... events
    for probability in probabilities:
        shares = np.append(shares, 0.0) * (1 - probability) + np.append(0.0, shares) * probability
    below = shares.cumsum()
    tail = (1 - level) / 2 + 1e-12
    low = int(np.searchsorted(below, tail, side="right"))
    high = int(np.searchsorted(below, 1 - tail, side="left"))
    return min(low, len(shares) - 1), min(high, len(shares) - 1)

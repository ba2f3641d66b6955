"""How sure a count is.

The constants were fitted to 30 drawn streets that `fairmot-nano` and the default tracker followed; docs/counting.md
says how well they hold on others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tracker.arrays import Floats

SECONDS_OF_ONE_LOOK = 0.5
SHALLOW = 0.3  # sizes of a box: from so far away every other passage is real
HALF_PROBABILITY = 0.4  # that a track crosses which begins or ends on the line
MISSED_PER_HIDDEN, MOST_MISSED = 3.0, 0.6
SHAPE_OF_MISSED = 4
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


def passage_probability(depth: float) -> float:
    """Return how probably a track has passed a border and did not only tremble: depth^2 / (depth^2 + 0.3^2).

    Args:
        depth: How far from the border the track had been on the side that it came from, in sizes of its box.

    >>> passage_probability(0.3), round(passage_probability(3.0), 2)
    (0.5, 0.99)
    """
    return depth**2 / (depth**2 + SHALLOW**2)


class CountEstimate(NamedTuple):
    """What a count says about the number that it counts.

    Attributes:
        low: Lower end of the 95 % interval.
        expected: Mean of the number.
        high: Upper end.
    """

    low: int
    expected: float
    high: int


def estimate_count(probabilities: Sequence[float], hidden_share: float = 0.0) -> CountEstimate:
    """Return how many events there were in truth, of those that were counted and those that were missed.

    Those that were counted happened with the given probabilities, each by itself: their number has the Poisson binomial
    distribution. Those that were missed grow with the share of the time for which tracks are hidden: the share of all
    events that is missed is taken for 3 times as large. Their number has the negative binomial distribution with shape
    4, which is wider than Poisson's since people are hidden together. Both are added up exactly. The lower end of the
    interval takes nothing as missed.

    Args:
        probabilities: Of each event that was counted, or may have been one.
        hidden_share: Of the frames of tracks, those in which they were not seen, from 0 to 1.

    >>> estimate_count([0.5, 0.5]), estimate_count([0.999] * 5).low, estimate_count([])
    (CountEstimate(low=0, expected=1.0, high=2), 5, CountEstimate(low=0, expected=0.0, high=0))
    >>> estimate_count([1.0] * 8, hidden_share=0.1)
    CountEstimate(low=8, expected=11.428571428571429, high=17)
    """
    shares = np.ones(1)  # of 0, 1, 2, ... events
    for probability in probabilities:
        shares = np.append(shares, 0.0) * (1 - probability) + np.append(0.0, shares) * probability
    tail = (1 - LEVEL) / 2 + 1e-9  # sums are exact to 1e-15 an event
    low = int(np.searchsorted(shares.cumsum(), tail, side="right"))
    missed = min(MISSED_PER_HIDDEN * hidden_share, MOST_MISSED)
    mean = float(sum(probabilities))
    more = mean * missed / (1 - missed)
    if more > 0:
        shares = np.convolve(shares, _negative_binomial(more))
    high = int(np.searchsorted(shares.cumsum(), 1 - tail, side="left"))
    return CountEstimate(low, mean + more, min(high, len(shares) - 1))


def _negative_binomial(mean: float) -> Floats:
    """Return the probabilities of 0, 1, 2, ... up to where they are negligible."""
    ratio = mean / (SHAPE_OF_MISSED + mean)
    numbers = np.arange(1, int(20 * mean) + 40)
    factors = (numbers + SHAPE_OF_MISSED - 1) / numbers * ratio
    return np.asarray((1 - ratio) ** SHAPE_OF_MISSED * np.append(1.0, factors.cumprod()))

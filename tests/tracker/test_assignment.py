from itertools import permutations

import numpy as np
import pytest

from tracker.assignment import match, match_pairs


def brute_force_gain(cost, limit):
    """Best sum of (limit - cost) over all ways to pair, where pairs of no gain are left out."""
    if cost.shape[0] > cost.shape[1]:
        cost = cost.T
    gain = np.maximum(limit - cost, 0)
    rows = range(len(cost))
    return max(
        sum(gain[r, c] for r, c in zip(rows, order, strict=True))
        for order in permutations(range(cost.shape[1]), len(cost))
    )


@pytest.mark.parametrize("seed", range(60))
def test_assignment_equals_brute_force(seed):
    rng = np.random.default_rng(seed)
    cost = rng.uniform(0, 1, rng.integers(1, 6, 2))
    cost[rng.uniform(size=cost.shape) < 0.2] = np.inf
    limit = rng.uniform(0.2, 1.0)
    pairs = match(cost, limit)
    chosen = cost[pairs[:, 0], pairs[:, 1]]
    assert (chosen < limit).all()
    assert len(set(pairs[:, 0])) == len(set(pairs[:, 1])) == len(pairs)
    assert (limit - chosen).sum() == pytest.approx(brute_force_gain(cost, limit))


@pytest.mark.parametrize("seed", range(10))
def test_taking_problems_apart_does_not_change_them(seed):
    """A large sparse problem, solved in parts, gains as much as solved whole."""
    rng = np.random.default_rng(seed)
    size = (70, 80)
    cost = np.where(rng.uniform(size=size) < 0.02, rng.uniform(0, 1, size), np.inf)
    rows, columns = np.isfinite(cost).nonzero()
    got = match_pairs(rows, columns, cost[rows, columns], 0.8, size)
    from scipy.optimize import linear_sum_assignment

    gain = np.minimum(np.where(np.isfinite(cost), cost, 9) - 0.8, 0)
    best = gain[linear_sum_assignment(gain)].sum()
    assert (cost[got] - 0.8).sum() == pytest.approx(best)
    assert (np.diff(got[0]) > 0).all()


def test_a_poor_pair_does_not_force_two_good_ones_apart():
    """Without the limit inside, 0-1 and 1-0 would be chosen (sum 1.0 < 1.05) and 0-1 then be dropped."""
    cost = np.array([[0.05, 0.8], [0.2, 1.0]])
    assert match(cost, limit=0.7).tolist() == [[0, 0]]


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nobody_to_match(shape):
    assert match(np.zeros(shape), limit=1.0).shape == (0, 2)


def test_a_pair_that_costs_the_limit_is_refused():
    assert match(np.array([[0.5]]), limit=0.5).tolist() == []
    assert match(np.array([[np.nextafter(0.5, 0)]]), limit=0.5).tolist() == [[0, 0]]

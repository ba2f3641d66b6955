import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from tracker.evaluation.tied_assignment import assign_as_official

WEIGHTS = {
    "equal": lambda random, shape: np.ones(shape),
    "whole": lambda random, shape: random.integers(0, 3, shape).astype(np.float64),
    "sparse": lambda random, shape: np.round(random.random(shape), 1) * (random.random(shape) < 0.3),
    "distinct": lambda random, shape: random.random(shape),
}


@given(
    kind=st.sampled_from(sorted(WEIGHTS)),
    rows=st.integers(0, 12),
    columns=st.integers(0, 12),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_official_solver_is_followed_wherever_it_goes(kind, rows, columns, seed):
    weights = WEIGHTS[kind](np.random.default_rng(seed), (rows, columns))
    for ours, theirs in zip(assign_as_official(weights), linear_sum_assignment(-weights), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_later_row_drives_out_an_earlier_one():
    rows, columns = assign_as_official(np.array([[0.9, 0.8], [0.9, 0.1]]))
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [1, 0])


@pytest.mark.parametrize("size", [40, 150])
def test_crowds(size):
    random = np.random.default_rng(size)
    weights = np.round(random.random((size, size + 7)), 2) * (random.random((size, size + 7)) < 0.1)
    _, theirs = linear_sum_assignment(-weights)
    np.testing.assert_array_equal(assign_as_official(weights)[1], theirs)

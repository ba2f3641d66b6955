from __future__ import annotations

import math

import numpy as np
import pytest

from centertrack.training.retrieval import retrieval_scores


def at(*degrees: float) -> np.ndarray:
    angles = np.deg2rad(degrees)
    return np.stack((np.cos(angles), np.sin(angles)), axis=1)


def test_one_query_is_confused_by_a_stranger() -> None:
    # person 1 at 0 and 40 degrees, person 2 at 30 degrees, each in an image of its own
    rank1, precision = retrieval_scores(at(0, 40, 30), np.array([1, 1, 2]), np.array([0, 1, 2]))
    # both queries of person 1 see the stranger first and themselves second; person 2 is no query
    assert rank1 == 0.0
    assert precision == pytest.approx(0.5)


def test_average_precision_of_several_right_answers() -> None:
    # query at 0: right at 1, wrong at 2, right at 3: (1/1 + 2/3) / 2
    ids, images = np.array([1, 1, 2, 1]), np.array([0, 1, 2, 3])
    rank1, precision = retrieval_scores(at(0, 1, 2, 3), ids, images)
    first, second, third = (1 + 2 / 3) / 2, 0.0, 0.0
    second = (1 + 2 / 3) / 2  # from 1: 0 and 2 are equally near, 0 comes first; then 2, then 3
    third = (1 / 2 + 2 / 3) / 2  # from 3: wrong at 2, right at 1, right at 0
    assert rank1 == pytest.approx(2 / 3)
    assert precision == pytest.approx((first + second + third) / 3)


def test_objects_of_the_same_image_are_not_compared() -> None:
    # the twin at 0 degrees in the query's own image would win otherwise, and make it 0.5
    rank1, _ = retrieval_scores(at(0, 0, 10), np.array([1, 2, 1]), np.array([0, 0, 1]))
    assert rank1 == 1.0


def test_without_a_pair_there_is_no_score() -> None:
    assert all(math.isnan(value) for value in retrieval_scores(at(0, 10), np.array([1, 2]), np.array([0, 1])))

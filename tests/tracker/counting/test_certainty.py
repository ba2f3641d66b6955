from __future__ import annotations

from itertools import product
from math import comb, prod

import numpy as np
import pytest

from tests.tracker.counting.test_line import DOOR, down, tracks, walk
from tracker.counting import Counter, Line
from tracker.counting.certainty import estimate_count, passage_probability, track_probability
from tracker.counting.tally import tally_places


def test_a_track_is_surer_the_higher_it_scores_and_the_longer_it_is_followed():
    assert track_probability(0.6, 1.0) == pytest.approx(1 - 0.4**3)
    assert track_probability(0.6, 0.0) == pytest.approx(0.6)
    assert track_probability(-3.0, 9.0) == 0.0
    assert track_probability(7.0, 0.0) == 1.0


def test_a_passage_from_far_away_is_surer():
    assert passage_probability(0.0) == 0.0
    assert passage_probability(0.6) == pytest.approx(0.8)


def test_the_interval_is_that_of_the_poisson_binomial_distribution():
    probabilities = [0.9, 0.3, 0.75, 0.99, 0.5]
    shares = np.zeros(6)
    for happened in product((0, 1), repeat=5):
        shares[sum(happened)] += prod(p if one else 1 - p for p, one in zip(probabilities, happened, strict=True))
    found = estimate_count(probabilities)
    below = shares.cumsum()
    assert below[found.low - 1] <= 0.025 < below[found.low]
    assert below[found.high - 1] < 0.975 <= below[found.high]
    assert found.expected == pytest.approx(sum(probabilities))


def test_what_is_missed_widens_the_interval_upwards_only():
    seen, hidden = estimate_count([1.0] * 20), estimate_count([1.0] * 20, hidden_share=0.1)
    assert seen == (20, 20, 20)
    assert hidden.low == 20
    assert hidden.expected == pytest.approx(20 / 0.7)
    mean = 20 / 0.7 - 20  # negative binomial with shape 4: C(k + 3, k) (1 - r)^4 r^k, r = mean / (4 + mean)
    ratio = mean / (4 + mean)
    below = np.cumsum([comb(k + 3, k) * (1 - ratio) ** 4 * ratio**k for k in range(60)])
    assert hidden.high == 20 + int((below < 0.975).sum())


def test_a_thousand_events_are_added_up():
    found = estimate_count([0.5] * 1000)
    assert (found.low, found.high) == (469, 531)  # 500 +- 1.96 * sqrt(250)


def test_who_begins_or_ends_on_the_line_may_have_crossed_it():
    counter = Counter([DOOR], max_gap_seconds=0.3)
    walk(counter, *down(99, 110), *[None] * 5)  # began within the margin
    walk(counter, *down(90, 101), *[None] * 5)  # ended within it
    walk(counter, *down(110, 99))  # is there at the end of the video
    line = tally_places(counter, str)["lines"]["door"]
    assert (line["in"], line["out"], line["possible"]) == (0, 0, {"in": 2, "out": 1})
    assert (line["estimate"]["in"]["low"], line["estimate"]["in"]["high"]) == (0, 2)


def test_who_trembles_over_the_line_is_counted_with_little_probability():
    near, far = Counter([DOOR]), Counter([DOOR])
    walk(near, *down(96, 104))
    walk(far, *down(60, 90, 104))
    assert near.events[0].probability < 0.35 < 0.9 < far.events[0].probability


def test_the_hidden_share_counts_frames_between_sights():
    counter = Counter([Line("door", (0, 100), (80, 100))])
    walk(counter, (40, 10), None, None, (40, 11), (40, 12), None)
    counter.update(tracks({1: (40, 13)}, seen=False), 1.0)
    assert counter.hidden_share == pytest.approx(2 / 5)

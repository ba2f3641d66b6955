"""Visits worked out by hand: boxes 10 wide and 40 high have a size of 20 pixels, and a margin of 3."""

from __future__ import annotations

import pytest

from tests.tracker.counting.test_line import tracks, walk
from tracker.counting import Counter, Event, Zone
from tracker.errors import InputError

YARD = Zone("yard", ((20, 20), (80, 20), (80, 80), (20, 80)))
ANGLE = Zone("angle", ((0, 0), (40, 0), (40, 20), (20, 20), (20, 40), (0, 40)))  # an L


def across(*places: float) -> list[tuple[float, float]]:
    return [(x, 50.0) for x in places]


def said(events: list[Event]) -> list[tuple[str, float]]:
    return [(event.direction, round(event.time, 3)) for event in events]


def test_distances_are_to_the_nearest_side_and_negative_outside():
    assert ANGLE.distances([[10, 10], [25, 25], [15, 30], [43, 24], [-3, 5]]).tolist() == [10, -5, 5, -5, -3]
    assert ANGLE.area == 1200


def test_the_order_of_the_corners_does_not_matter():
    turned = Zone("yard", YARD.points[::-1])
    points = [[50, 30], [10, 50], [90, 95], [20, 33]]
    assert turned.distances(points).tolist() == YARD.distances(points).tolist()


def test_a_visit_lasts_from_border_to_border():
    counter = Counter([YARD])
    events = walk(counter, *across(10, 30, 50, 70, 90))
    assert said(events) == [("entry", 0.05), ("exit", 0.35)]
    (visit,) = counter.zones[0].visits
    assert (visit.began, visit.ended, visit.is_whole) == ("entry", "exit", True)
    assert visit.seconds == pytest.approx(0.3)


def test_trembling_on_the_border_is_one_visit():
    counter = Counter([YARD])
    assert said(walk(counter, *across(10, 22, 18, 22.9, 19, 30, 21, 17.1, 22, 30, 50))) == [("entry", 0.409)]
    assert said(walk(counter, *across(19, 17, 16))) == [("exit", 1.097)]


def test_who_is_first_seen_inside_appeared_there():
    counter = Counter([YARD])
    assert said(walk(counter, *across(50, 60, 90))) == [("appeared", 0.0), ("exit", 0.167)]
    assert not counter.zones[0].visits[0].is_whole


def test_who_is_not_seen_any_more_vanished_when_seen_last():
    counter = Counter([YARD], max_gap_seconds=0.5)
    events = walk(counter, *across(10, 50, 50), *[None] * 7)
    assert said(events) == [("entry", 0.025), ("vanished", 0.2)]
    assert counter.zones[0].visits[0].seconds == pytest.approx(0.175)
    assert said(walk(counter, *across(50))) == [("appeared", 1.0)]


def test_a_gap_within_a_visit_does_not_end_it():
    counter = Counter([YARD], max_gap_seconds=0.5)
    assert said(walk(counter, *across(10, 50), None, None, None, *across(50, 90))) == [
        ("entry", 0.025),
        ("exit", 0.575),
    ]


def test_occupancy_is_an_average_over_time_not_over_frames():
    counter = Counter([YARD])
    inside, outside = {1: (50.0, 50.0), 2: (60.0, 50.0)}, {1: (5.0, 50.0), 2: (60.0, 50.0)}
    for time, feet in ((0.0, outside), (1.0, inside), (1.5, outside), (4.0, {})):
        counter.update(tracks(feet), time)
    zone = counter.zones[0]
    assert (zone.now, zone.highest) == (1, 2)
    assert zone.mean == pytest.approx((1 * 1.0 + 2 * 0.5 + 1 * 2.5) / 4.0)


def test_visits_that_go_on_are_open():
    counter = Counter([YARD])
    walk(counter, *across(10, 50, 50))
    (visit,) = counter.zones[0].open_visits(counter.time)
    assert (visit.ended, visit.start, visit.end) == ("open", pytest.approx(0.025), pytest.approx(0.2))


def test_a_zone_narrower_than_the_margin_can_be_entered():
    strip = Zone("strip", ((20, 0), (24, 0), (24, 1000), (20, 1000)))
    assert strip.largest_margin < 1
    assert said(walk(Counter([strip]), *across(10, 22, 22, 30))) == [("entry", 0.083), ("exit", 0.225)]


@pytest.mark.parametrize(
    ("points", "says"),
    [
        (((0, 0), (1, 1)), "zone yard: expected at least 3 points, got 2"),
        (((0, 0), (1, 1), (2, 2)), "its points lie on one line"),
        (((0, 0), (9, 8), (9, 0), (0, 9)), "its sides 1 and 3 cross"),
        (((0, 0), (9, 0), (9, float("inf"))), "expected finite numbers"),
    ],
)
def test_mistakes(points, says):
    with pytest.raises(InputError, match=says):
        Zone("yard", points)

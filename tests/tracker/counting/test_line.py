"""Crossings worked out by hand: boxes 10 wide and 40 high have a size of 20 pixels, and a margin of 3."""

from __future__ import annotations

import numpy as np
import pytest

from tracker.counting import Counter, Event, Line
from tracker.detections import Tracks
from tracker.errors import InputError

DOOR = Line("door", (0, 100), (80, 100))  # drawn to the right: "in" is downwards


def tracks(feet: dict[int, tuple[float, float]], seen: bool = True, label: int = 0) -> Tracks:
    """Tracks by id whose boxes stand on these points."""
    boxes = np.array([[x - 5, y - 40, x + 5, y] for x, y in feet.values()], np.float32).reshape(-1, 4)
    count = len(feet)
    return Tracks(
        np.array(list(feet), np.int64),
        boxes,
        np.full(count, 0.9, np.float32),
        np.full(count, label),
        np.arange(count) if seen else np.full(count, -1),
    )


def walk(counter: Counter, *points: tuple[float, float] | None, rate: float = 10.0) -> list[Event]:
    """One track at a point a frame, None where it is not seen."""
    events = []
    for point in points:
        feet = {} if point is None else {1: point}
        events += counter.update(tracks(feet), counter.frames / rate)
    return events


def down(*heights: float, x: float = 40.0) -> list[tuple[float, float]]:
    return [(x, y) for y in heights]


@pytest.mark.parametrize(
    ("line", "inward"),
    [
        (Line("right", (0, 0), (5, 0)), (0, 1)),
        (Line("left", (5, 0), (0, 0)), (0, -1)),
        (Line("down", (0, 0), (0, 5)), (-1, 0)),
        (Line("up", (0, 5), (0, 0)), (1, 0)),
        (Line("slant", (0, 0), (3, 4)), (-0.8, 0.6)),
    ],
)
def test_in_is_to_the_right_of_somebody_who_looks_along_the_line(line, inward):
    assert line.inward == pytest.approx(inward)
    assert line.distances([np.array(line.start) + 7 * np.array(inward)]) == pytest.approx([7])


def test_a_crossing_has_the_time_and_place_where_the_feet_were_on_the_line():
    (event,) = walk(Counter([DOOR]), (30, 90), (34, 98), (38, 102), (42, 106))
    assert event.time == pytest.approx(0.15)  # half-way between frames 2 and 3
    assert event.point == pytest.approx((36, 100))
    assert (event.frame, event.certain_frame, event.identity) == (3, 4, 1)
    assert (event.what, event.name, event.direction) == ("line", "door", "in")


def test_the_way_back_is_out():
    assert [event.direction for event in walk(Counter([DOOR]), *down(90, 110, 90, 110))] == ["in", "out", "in"]


def test_trembling_within_the_margin_is_no_crossing():
    counter = Counter([DOOR])
    assert walk(counter, *down(90, 101, 99, 102, 98, 103, 97, 103, 97, 102.9)) == []
    (event,) = walk(counter, *down(99, 101, 103.1))
    assert (event.direction, event.frame) == ("in", 12)  # the last passage counts


def test_the_margin_grows_with_the_box():
    assert len(walk(Counter([DOOR], margin=0.15), *down(90, 104))) == 1
    assert walk(Counter([DOOR], margin=0.25), *down(90, 104)) == []


def test_who_is_first_seen_on_the_line_has_not_crossed_it():
    assert walk(Counter([DOOR]), *down(99, 110)) == []


def test_beside_the_end_of_the_line_nothing_is_crossed():
    counter = Counter([DOOR])
    assert walk(counter, *down(90, 110, x=81)) == []
    around = [(81, 110), (40, 110), (40, 90)]  # back over the line itself
    assert [event.direction for event in walk(counter, *around)] == ["out"]


def test_over_the_line_and_back_around_its_end_is_nothing_while_it_is_not_clear():
    assert walk(Counter([DOOR]), (70, 90), (76, 102), (90, 102), (90, 90), (90, 110)) == []


def test_the_way_is_judged_where_it_passes_the_line_and_not_where_it_ends():
    (event,) = walk(Counter([DOOR]), (70, 90), (90, 130))  # passes at x = 75
    assert event.point == pytest.approx((75, 100))
    assert walk(Counter([DOOR]), (70, 60), (90, 110)) == []  # passes at x = 86


def test_a_short_gap_is_looked_across_and_a_long_one_is_not():
    counter = Counter([DOOR], max_gap_seconds=0.5)
    (event,) = walk(counter, (40, 90), None, None, None, (40, 110))
    assert event.time == pytest.approx(0.2)
    assert walk(counter, *[None] * 6, (40, 90)) == []
    assert [event.direction for event in walk(counter, (40, 110))] == ["in"]


def test_predicted_boxes_cross_nothing():
    counter = Counter([DOOR])
    assert walk(counter, (40, 90)) == []
    assert counter.update(tracks({1: (40, 120)}, seen=False), 0.1) == []
    assert walk(counter, (40, 95)) == []


def test_the_centre_crosses_later_than_the_feet():
    assert walk(Counter([DOOR], anchor="centre"), *down(90, 110)) == []
    assert len(walk(Counter([DOOR], anchor="centre"), *down(90, 130))) == 1


def test_tracks_do_not_mix():
    counter = Counter([DOOR])
    counter.update(tracks({1: (10, 90), 2: (60, 110)}), 0.0)
    events = counter.update(tracks({2: (60, 90), 1: (10, 110)}), 0.1)
    assert {event.identity: event.direction for event in events} == {1: "in", 2: "out"}


def test_times_are_those_of_the_frames():
    counter = Counter([DOOR])
    counter.update(tracks({1: (40, 90)}), 10.0)
    (event,) = counter.update(tracks({1: (40, 110)}), 11.0, frame=77)
    assert (event.time, event.frame) == (pytest.approx(10.5), 77)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (lambda: Line("door", (3, 4), (3, 4)), "line door: its two points are the same, 3,4"),
        (lambda: Line("door", (0, float("nan")), (3, 4)), "line door: expected finite numbers"),
        (lambda: Counter([DOOR, DOOR]), "two lines or zones are called door"),
        (lambda: Counter([DOOR], anchor="feet"), "there is no anchor 'feet'; there are: bottom, centre"),
        (lambda: Counter([DOOR], margin=-1), "margin must be a number from 0, got -1"),
        (lambda: walk(Counter([DOOR]), (40, 90), (40, 91), rate=-10), "time must be a number of seconds"),
    ],
)
def test_mistakes(broken, says):
    with pytest.raises(InputError, match=says):
        broken()

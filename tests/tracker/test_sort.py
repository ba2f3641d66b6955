import pytest

from tests.tracker.scenes import run, seen
from tracker import Detections, make_tracker


def test_shown_from_the_start_or_after_three_matches_in_a_row():
    tracker = make_tracker("sort")
    assert [len(t) for t in run(tracker, [seen((100, 0))] * 5)] == [1] * 5
    assert [t.ids.tolist() for t in run(tracker, [seen((100, 0), (500, 1))] * 4)] == [[1], [1], [1], [1, 2]]


def test_after_a_miss_three_matches_are_needed_again():
    tracker = make_tracker("sort")
    run(tracker, [seen((100, 0))] * 6 + [seen()])
    assert [t.ids.tolist() for t in run(tracker, [seen((100, 0))] * 3)] == [[], [], [1]]


def test_one_frame_of_patience_as_in_the_paper():
    tracker = make_tracker("sort", max_lost_seconds=1 / 30, min_hits=0)
    run(tracker, [seen((100, 0))] * 3 + [seen()])
    assert tracker.update(seen((100, 0))).ids.tolist() == [1]
    run(tracker, [seen()] * 2)
    assert tracker.update(seen((100, 0))).ids.tolist() == [2]


@pytest.mark.parametrize(("shift", "expected"), [(21, [1]), (22, [2])])
def test_overlap_limit(shift, expected):
    """Boxes 40 wide: 21 px apart they share 19 / 61 = 0.31, 22 px apart 18 / 62 = 0.29 of their union."""
    tracker = make_tracker("sort", min_hits=0)
    tracker.update(seen((100, 0)))
    assert tracker.update(seen((100 + shift, 0))).ids.tolist() == expected


def test_a_shrinking_box_does_not_vanish():
    tracker = make_tracker("sort", min_hits=1)
    for height in (100, 60, 30, 12):
        tracker.update(Detections([[100, 100, 100 + 0.4 * height, 100 + height]], [0.9]))
    for _ in range(10):
        tracker.update(seen())
    boxes = tracker._tracks.boxes()
    assert (boxes[:, 2:] >= boxes[:, :2]).all()

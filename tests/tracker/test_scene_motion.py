import numpy as np
import pytest

from tests.tracker.scenes import run, seen
from tracker import make_tracker
from tracker.scene_motion import voted_jump

# Centres, widths and heights of five people, no two of them as far apart as any other two.
FIVE = np.array([[100.0, 100, 40, 100], [180, 120, 40, 96], [290, 90, 40, 104], [430, 130, 40, 100], [600, 80, 40, 98]])


def test_the_jump_of_most_pairs_wins():
    """90 px are two widths: no box overlaps its own prediction, and the first overlaps the second's."""
    np.testing.assert_allclose(voted_jump(FIVE, FIVE + np.array([90.0, -20, 0, 0])), [90, -20])


def test_somebody_new_and_somebody_missed_do_not_matter():
    measured = np.concatenate([FIVE[1:] + np.array([90.0, -20, 0, 0]), [[50.0, 60, 40, 100]]])
    np.testing.assert_allclose(voted_jump(FIVE, measured), [90, -20])


def test_three_pairs_do_not_outvote_the_scene():
    measured = FIVE + np.array([90.0, -20, 0, 0])
    measured[3:] = [[30.0, 400, 40, 100], [800, 500, 40, 100]]
    assert voted_jump(FIVE, measured).tolist() == [0, 0]


def test_who_stays_votes_against_a_jump():
    """Four of eight jump and four stand: no clear majority."""
    eight = np.concatenate([FIVE[:4], FIVE[:4] + np.array([0.0, 500, 0, 0])])
    measured = eight.copy()
    measured[:4, :2] += [90, -20]
    assert voted_jump(eight, measured).tolist() == [0, 0]
    assert voted_jump(eight[:5], measured[:5]).tolist() == [90, -20]


def test_boxes_of_other_heights_and_far_away_do_not_vote():
    assert voted_jump(FIVE, FIVE * np.array([1.0, 1, 1, 0.8]) + np.array([90.0, -20, 0, 0])).tolist() == [0, 0]
    assert voted_jump(FIVE, FIVE + np.array([310.0, 0, 0, 0])).tolist() == [0, 0]


@pytest.mark.parametrize("count", [0, 3])
def test_few_boxes_have_no_vote(count):
    assert voted_jump(FIVE[:count], FIVE[:count] + np.array([90.0, -20, 0, 0])).tolist() == [0, 0]


def test_ids_survive_a_jump_of_more_than_a_box():
    places = [100, 180, 290, 430, 600]
    tracker = make_tracker("scene")
    run(tracker, [seen(*[(x, who) for who, x in enumerate(places)])] * 8)
    tracks = tracker.update(seen(*[(x + 90, who) for who, x in enumerate(places)]))
    assert dict(zip(tracks.ids.tolist(), tracks.boxes[:, 0].round().tolist(), strict=True)) == {
        who + 1: x + 90 for who, x in enumerate(places)
    }

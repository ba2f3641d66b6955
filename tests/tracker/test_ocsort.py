import numpy as np
import pytest

from tests.tracker.scenes import id_of, person, run, seen
from tracker import Detections, make_tracker
from tracker.boxes import xyxy_to_cxcywh


def walk(tracker, frames, speed=6.0, x=100.0):
    """Let one person walk and return the left edge after the last frame."""
    for step in range(frames):
        tracker.update(seen((x + speed * step, 0)))
    return x + speed * (frames - 1)


def test_the_result_may_be_the_observation_itself():
    tracker = make_tracker("ocsort", filtered_boxes=False)
    for x in (100, 107, 109, 121):
        tracks = tracker.update(seen((x, 0)))
        assert tracks.boxes[0].tolist() == person(x)


def test_direction_is_that_of_the_last_three_updates():
    tracker = make_tracker("ocsort")
    for x, y in ((100, 100), (102, 100), (104, 103), (106, 108)):
        tracker.update(seen((x, y, 0)))
    way = np.array([6, 8.0])
    np.testing.assert_allclose(tracker._tracks.directions[0], way / 10, atol=1e-6)


@pytest.mark.parametrize(("weight", "expected"), [(0.0, 1), (1.0, 0)])
def test_direction_decides_between_equal_overlaps(weight, expected):
    """A person who walks to the right, and two boxes beside the predicted place: the one behind overlaps more."""
    tracker = make_tracker("ocsort", direction_weight=weight, class_agnostic=True)
    x = walk(tracker, 8, speed=2.0)
    kalman, motion = tracker._tracks.filter, tracker._tracks.motion
    predicted = kalman.boxes(kalman.predict(motion))[0, 0]
    assert predicted == pytest.approx(x + 2, abs=1)
    tracks = tracker.update(Detections([person(predicted + 12), person(predicted - 11)], [0.9, 0.9]))
    assert tracks.indices[tracks.ids == 1] == [expected]


def test_who_stops_behind_something_is_found_at_the_last_observation():
    """OCR: the prediction ran 8 * 9 px ahead, but the person waited."""
    tracker = make_tracker("ocsort", min_hits=1)
    x = walk(tracker, 10, speed=8.0)
    run(tracker, [seen()] * 9)
    assert id_of(tracker.update(seen((x + 10, 0))), x + 10) == 1


def test_the_gap_is_filtered_again_along_a_straight_path():
    """ORU by hand: predict and update with the boxes on the line between the two observations."""
    tracker = make_tracker("ocsort", min_hits=1)
    x = walk(tracker, 6)
    state, kalman = tracker._tracks.motion.copy(), tracker._tracks.filter
    run(tracker, [seen()] * 3)
    tracker.update(seen((x + 12, 0)))
    for share in (0.25, 0.5, 0.75, 1.0):
        box = np.array([person(x + 12 * share)])
        state = kalman.update(kalman.predict(state), kalman.model.from_xyxy(box))
    np.testing.assert_allclose(tracker._tracks.motion, state, rtol=1e-5, atol=1e-5)


def test_skipped_frames_are_filtered_again_with_the_rest_of_the_last_step():
    tracker = make_tracker("ocsort", min_hits=1)
    for step in range(6):
        tracker.update(seen((100 + 6 * step, 0)), time=step / 30)
    tracker.update(seen(), time=6 / 30)
    tracks = tracker.update(seen((145, 0)), time=7.5 / 30)
    assert tracks.ids.tolist() == [1]
    assert np.isfinite(tracker._tracks.motion).all()


def test_low_scores_only_when_told():
    for use, expected in ((False, []), (True, [1])):
        tracker = make_tracker("ocsort", use_low_scores=use, min_hits=1)
        walk(tracker, 4, speed=0)
        assert tracker.update(seen((100, 0), scores=[0.3])).ids.tolist() == expected


def test_reference_is_the_oldest_known_of_the_last_updates():
    tracker = make_tracker("ocsort", min_hits=1)
    for x in (100, 102, 104):
        tracker.update(seen((x, 0)))
    assert xyxy_to_cxcywh(tracker._tracks.reference())[0, 0] == 120
    tracker.update(seen((106, 0)))
    assert xyxy_to_cxcywh(tracker._tracks.reference())[0, 0] == 122
    run(tracker, [seen()] * 4)
    assert xyxy_to_cxcywh(tracker._tracks.reference())[0, 0] == 126

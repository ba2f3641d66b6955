import numpy as np
import pytest

from tests.tracker.scenes import id_of, person, run, seen
from tracker import Detections, make_tracker


def crowd(shift=0.0, without=()):
    """Return six people who stand still, 90 px apart, as a camera sees them that has moved by `shift`."""
    return seen(*[(100 + 90 * place + shift, place) for place in range(6) if place not in without])


def test_a_jump_of_the_camera_is_taken_from_the_boxes():
    """34 px of a 40 px box: an IoU of 0.08 at a score of 0.9 is too little, but all boxes say the same."""
    for follow, expected in ((True, [1, 2, 3, 4, 5, 6]), (False, [])):
        tracker = make_tracker("scene", follow_scene=follow, coast_seconds=0)
        run(tracker, [crowd()] * 8)
        assert tracker.update(crowd(shift=34)).ids.tolist() == expected


def test_who_is_hidden_jumps_along():
    tracker = make_tracker("scene", coast_seconds=0)
    run(tracker, [crowd()] * 8)
    for step in range(1, 6):
        run(tracker, [crowd(shift=(-1) ** step * 9, without=[2])])
    tracks = tracker.update(crowd(shift=8))
    assert id_of(tracks, 100 + 180 + 8) == 3


def test_three_boxes_do_not_speak_for_the_scene():
    """Three people start to run together; the fourth, hidden, stays where it was."""
    tracker = make_tracker("scene", coast_seconds=0)
    run(tracker, [seen((100, 0), (200, 1), (300, 2), (600, 3))] * 8)
    run(tracker, [seen((100 + 8 * k, 0), (200 + 8 * k, 1), (300 + 8 * k, 2)) for k in range(1, 5)])
    assert tracker._tracks.boxes()[3, 0] == pytest.approx(600, abs=1)


@pytest.mark.parametrize(("people", "shift", "follows"), [(5, 2, False), (5, 6, True), (9, 2, True)])
def test_only_a_clear_jump_is_taken_from_few_boxes(people, shift, follows):
    """3 % of 100 px are 3 px; the last of them is hidden, and jumps along or not."""
    places = [(60 * place, place % 8) for place in range(people)]
    tracker = make_tracker("scene", coast_seconds=0, hidden_seconds=0)
    run(tracker, [seen(*places)] * 12)
    tracker.update(seen(*[(x + shift, who) for x, who in places[:-1]]))
    assert (tracker._tracks.boxes()[people - 1, 0] - places[-1][0] > shift / 2) == follows


def test_heights_tell_near_from_far():
    """The child behind the adult overlaps the adult's prediction more, but is half as tall."""
    for weight, expected in ((0.0, 1), (2.0, 0)):
        tracker = make_tracker("scene", height_weight=weight, coast_seconds=0)
        adult = person(100)
        run(tracker, [Detections([adult], [0.9])] * 5)
        aside, child = person(121), [100, 145, 140, 200]
        tracks = tracker.update(Detections([aside, child], [0.99, 0.6 / 0.55 * 0.9]))
        assert tracks.indices[tracks.ids == 1].tolist() == [expected]


def test_a_followed_track_coasts_for_a_moment():
    tracker = make_tracker("scene")  # 0.2 s are 6 frames
    run(tracker, [seen((100 + 3 * k, 0), (600, 1)) for k in range(10)])
    shown = run(tracker, [seen((600, 1))] * 8)
    assert [len(tracks) for tracks in shown] == [2] * 6 + [1] * 2
    coasting = shown[2][shown[2].ids == 1]
    assert coasting.indices.tolist() == [-1]
    assert coasting.boxes[0, 0] == pytest.approx(100 + 3 * 12, abs=2)


def test_a_new_track_does_not_coast():
    tracker = make_tracker("scene", min_coast_hits=8)
    run(tracker, [seen((100, 0))] * 7)
    assert len(tracker.update(seen())) == 0


def behind_another(hidden_seconds):
    """Return a tracker's results: somebody walks behind a wide box and is not detected for twenty frames."""
    tracker = make_tracker("scene", hidden_seconds=hidden_seconds, coast_seconds=0.1)
    wide = Detections([[190, 90, 330, 240]], [0.9])
    run(tracker, [Detections([person(100 + 4 * k), wide.boxes[0]], [0.9, 0.9]) for k in range(24)])
    return run(tracker, [wide] * 20)


def test_who_is_hidden_by_somebody_coasts_longer():
    """0.5 s are 15 frames; without, 0.1 s are 3."""
    assert [len(tracks) for tracks in behind_another(0.5)] == [2] * 15 + [1] * 5
    assert [len(tracks) for tracks in behind_another(0)] == [2] * 3 + [1] * 17


def test_who_is_hidden_walks_on():
    tracks = behind_another(0.5)[14]
    assert tracks.boxes[tracks.ids == 1][0, 0] == pytest.approx(100 + 4 * (23 + 15), abs=4)


def test_who_leaves_the_image_on_the_right_does_not_coast():
    """The image is 640 px wide; that boxes reached over its border does not make it wider."""
    walk = [seen((500 + 10 * step, 0), (100, 1)) for step in range(14)]
    for frame, expected in ((np.zeros((480, 640, 3), np.uint8), 1), (None, 2)):
        tracker = make_tracker("scene")
        for detections in walk:
            tracker.update(detections, frame)
        assert len(tracker.update(seen((100, 1)), frame)) == expected


def test_nobody_coasts_left_of_the_image_even_if_its_size_is_unknown():
    tracker = make_tracker("scene")
    run(tracker, [seen((100 - 8 * step, 0), (600, 1)) for step in range(16)])
    assert len(tracker.update(seen((600, 1)))) == 1


def test_who_walks_out_of_the_picture_does_not_coast():
    tracker = make_tracker("scene")
    for step in range(20):
        tracker.update(seen((200 - 10 * step, 0), (600, 1)))
    run(tracker, [seen((600, 1))])
    assert len(tracker.update(seen((600, 1)))) == 1


def test_noise_is_in_real_time():
    """Ten frames a second look at three times the motion noise of thirty."""
    slow, fast = make_tracker("scene", frame_rate=10), make_tracker("scene", frame_rate=30)
    for tracker in (slow, fast):
        run(tracker, [seen((100, 0))] * 2 + [seen()])
    assert slow._tracks.motion[0, 2, 0] > 2 * fast._tracks.motion[0, 2, 0]


def test_appearance_needs_embeddings_only_when_asked_for():
    assert make_tracker("scene").update(Detections([person(100)], [0.9])).ids.tolist() == [1]
    tracker = make_tracker("scene-reid")
    run(tracker, [seen((100, 0))] * 5)
    tracks = tracker.update(seen((110, 0), (95, 1)))
    assert tracks.indices[tracks.ids == 1] == [0]


@pytest.mark.parametrize(("cosine", "expected"), [(0.9, 0), (0.7, 1)])
def test_appearance_counts_only_when_it_is_much_alike(cosine, expected):
    """The worse overlap of two wins by its appearance at 1 - cos = 0.1, but not at 0.3, where a stranger may be."""
    tracker = make_tracker("scene-reid")
    run(tracker, [seen((100, 0))] * 5)
    embeddings = np.pad([[cosine, np.sqrt(1 - cosine**2)], [0.0, 1.0]], ((0, 0), (0, 6)))
    tracks = tracker.update(Detections([person(110), person(95)], [0.9, 0.9], None, embeddings))
    assert tracks.indices[tracks.ids == 1] == [expected]


def test_the_extent_is_part_of_the_state():
    tracker = make_tracker("scene")
    run(tracker, [seen((100, 0), (600, 1))] * 10)
    resumed = make_tracker("scene")
    resumed.load_state_dict(tracker.state_dict())
    expected, got = tracker.update(seen((600, 1))), resumed.update(seen((600, 1)))
    assert got.ids.tolist() == expected.ids.tolist()
    np.testing.assert_array_equal(got.boxes, expected.boxes)


def test_near_is_the_same_person_where_nobody_is_missed():
    """An IoU of 0.11 at a score of 0.9: a record of few misses lets it pass, one of many does not."""
    for seen_before, missed, expected in ((1000, 10, 1), (1000, 400, 0)):
        tracker = make_tracker("scene", follow_scene=False, coast_seconds=0, hidden_seconds=0)
        run(tracker, [seen((100, 0))] * 8)
        tracker._record.count_seen(seen_before, np.array([float(missed)]))
        assert np.count_nonzero(tracker.update(seen((132, 0))).ids == 1) == expected


def lost_and_found(returned, gone):
    """Return what is shown when somebody was lost for a frame, and who is found 12 px aside afterwards."""
    tracker = make_tracker("scene", follow_scene=False)
    run(tracker, [seen((100, 0))] * 10)
    tracker._record.count_seen(returned, np.ones(returned))
    tracker._record.count_gone(gone)
    shown = tracker.update(seen())
    return shown.ids.tolist(), tracker.update(seen((118, 0))).ids.tolist()


def test_where_few_come_back_nobody_coasts_and_somebody_else_is_near():
    """18 px of 40 leave an IoU of 0.38 and a similarity of 0.34: enough if most come back, 0.5 is needed if not."""
    assert lost_and_found(returned=20, gone=0) == ([1], [1])
    assert lost_and_found(returned=0, gone=20) == ([], [])

"""Scenes that one can follow on paper, for every tracker of the family."""

import numpy as np
import pytest

from tests.tracker.scenes import id_of, run, seen
from tracker import ByteTracker, Detections, FairMOTTracker, InputError

FAMILY = [FairMOTTracker, ByteTracker]


@pytest.fixture(params=FAMILY, ids=lambda tracker: tracker.__name__)
def tracker(request):
    return request.param()


def test_ids_start_at_one_and_stay(tracker):
    for step in range(10):
        tracks = tracker.update(seen((100 + 3 * step, 0), (400 - 3 * step, 1)))
        assert sorted(tracks.ids.tolist()) == [1, 2]
        assert tracks.indices.tolist() == [0, 1]
        np.testing.assert_allclose(tracks.boxes[:, 0], [100 + 3 * step, 400 - 3 * step], atol=6)


def test_who_appears_later_is_confirmed_when_seen_twice_and_leaves_no_gap(tracker):
    run(tracker, [seen((100, 0)), seen((100, 0), (400, 1)), seen((100, 0))])  # 400 was a false alarm
    first, second = run(tracker, [seen((100, 0), (700, 2))] * 2)
    assert first.ids.tolist() == [1]
    assert second.ids.tolist() == [1, 2]


def test_min_hits_of_one_shows_new_objects_at_once():
    tracker = FairMOTTracker(min_hits=1)
    run(tracker, [seen((100, 0))])
    assert tracker.update(seen((100, 0), (400, 1))).ids.tolist() == [1, 2]


def test_min_hits_of_three_asks_for_three_in_a_row():
    tracker = ByteTracker(min_hits=3)
    counts = [len(tracks) for tracks in run(tracker, [seen(), *[seen((100, 0))] * 4])]
    assert counts == [0, 0, 0, 1, 1]


def test_hidden_for_a_while_returns_with_the_same_id(tracker):
    run(tracker, [seen((100 + 2 * step, 0), (600, 1)) for step in range(10)])
    hidden = run(tracker, [seen((600, 1))] * 8)
    assert all(len(tracks) == 1 for tracks in hidden)
    assert id_of(tracker.update(seen((136, 0), (600, 1))), 136) == 1


def test_hidden_for_too_long_returns_as_somebody_new():
    for frames, expected in ((30, [1]), (31, [])):
        tracker = ByteTracker()
        run(tracker, [seen((100, 0))] * 5 + [seen()] * frames)
        assert tracker.update(seen((100, 0))).ids.tolist() == expected


@pytest.mark.parametrize("rate", [10.0, 25.0])
def test_memory_is_in_seconds(rate):
    tracker = ByteTracker(frame_rate=rate, max_lost_seconds=2.0)
    run(tracker, [seen((100, 0))] * 5 + [seen()] * int(2 * rate))
    assert tracker.update(seen((100, 0))).ids.tolist() == [1]


def test_empty_frames_move_time_on_and_cost_nothing(tracker):
    assert len(tracker.update(Detections.empty())) == 0
    run(tracker, [seen((100, 0))] * 2 + [Detections.empty()] * 100)
    first, second = run(tracker, [seen((100, 0))] * 2)
    assert (first.ids.tolist(), second.ids.tolist()) == ([], [2])


def test_people_who_cross_keep_their_ids_by_their_appearance():
    tracker = FairMOTTracker()
    tracks = run(tracker, [seen((100 + 10 * step, 0), (500 - 10 * step, 1)) for step in range(40)])[-1]
    assert id_of(tracks, 490) == 1
    assert id_of(tracks, 110) == 2


def test_people_who_cross_keep_their_ids_by_their_motion():
    tracker = ByteTracker()
    tracks = run(tracker, [seen((100 + 10 * step, 0), (505 - 10 * step, 112, 1)) for step in range(40)])[-1]
    assert id_of(tracks, 490) == 1
    assert id_of(tracks, 115) == 2


def test_classes_do_not_mix_unless_told():
    frames = [seen((100, 0), labels=[0]), seen((100, 0), labels=[2]), seen((100, 0), labels=[2])]
    assert [t.labels.tolist() for t in run(ByteTracker(), frames)] == [[0], [], [2]]
    tracks = run(ByteTracker(class_agnostic=True), frames)
    assert [t.ids.tolist() for t in tracks] == [[1], [1], [1]]
    assert [t.labels.tolist() for t in tracks] == [[0], [0], [2]]  # one each, then two to one


@pytest.mark.parametrize(
    ("said", "label"), [((2, 2, 5), 2), ((2, 5, 5), 5), ((2, 5, 2, 5, 2), 2), ((2, 2, 5, 5, 5), 5)]
)
def test_the_label_is_that_of_most_detections(said, label):
    tracker = ByteTracker(class_agnostic=True)
    for step, word in enumerate(said):
        tracks = tracker.update(seen((100 + step, 0), labels=[word]))
    assert (tracks.ids.tolist(), tracks.labels.tolist()) == ([1], [label])


def test_scores_equal_to_the_threshold_count():
    assert len(FairMOTTracker(min_score=0.5).update(seen((100, 0), scores=[0.5]))) == 1
    assert len(FairMOTTracker(min_score=0.5).update(seen((100, 0), scores=[0.4999]))) == 0
    assert len(ByteTracker(min_new_score=0.75).update(seen((100, 0), scores=[0.75]))) == 1


def test_low_scores_continue_tracks_but_start_none():
    tracker = ByteTracker()
    run(tracker, [seen((100, 0))] * 3)
    tracks = tracker.update(seen((100, 0), (500, 1), scores=[0.15, 0.3]))
    assert (tracks.ids.tolist(), tracks.indices.tolist()) == ([1], [0])
    assert tracks.scores.tolist() == pytest.approx([0.15])
    assert len(tracker.update(seen((500, 1), scores=[0.3]))) == 0


def test_low_scores_do_not_wake_a_lost_track():
    tracker = ByteTracker()
    run(tracker, [seen((100, 0))] * 3 + [seen()])
    assert len(tracker.update(seen((100, 0), scores=[0.3]))) == 0
    assert tracker.update(seen((100, 0))).ids.tolist() == [1]


def test_two_boxes_on_one_person_become_one_track_and_one_more():
    """A duplicate box cannot take the same track; it is somebody else until the lost-duplicate rule drops it."""
    tracker = FairMOTTracker()
    run(tracker, [seen((100, 0))] * 3)
    both = run(tracker, [seen((100, 0), (101, 0))] * 2)[-1]
    assert sorted(both.ids.tolist()) == [1, 2]
    run(tracker, [seen((100, 0))] * 2)
    assert len(tracker._tracks) == 1


def test_tracks_of_one_place_the_older_survives():
    tracker = ByteTracker()
    run(tracker, [seen((100, 0))] * 6)
    run(tracker, [seen((100, 0), (102, 1))] * 2)
    for _ in range(3):
        tracks = tracker.update(seen((100, 0)))
    assert tracks.ids.tolist() == [1]
    assert len(tracker._tracks) == 1


def test_skipped_frames_are_one_larger_step(tracker):
    """Every fourth frame of a walk at 4 px a frame: the step of 16 px is predicted, not guessed anew."""
    for step in range(12):
        tracker.update(seen((100 + 4 * step, 0)), time=step / 30)
    for step in range(12, 60, 4):
        tracks = tracker.update(seen((100 + 4 * step, 0)), time=step / 30)
        assert tracks.ids.tolist() == [1]
    assert tracks.boxes[0, 0] == pytest.approx(100 + 4 * step, abs=2)


def test_a_long_pause_in_time_ends_all_tracks(tracker):
    tracker.update(seen((100, 0)), time=0.0)
    assert len(tracker.update(seen((100, 0)), time=2.0)) == 0
    assert tracker.update(seen((100, 0)), time=2.1).ids.tolist() == [2]


def test_time_must_not_run_backwards(tracker):
    tracker.update(seen((100, 0)), time=1.0)
    with pytest.raises(InputError, match=r"0\.5 s after 1\.0 s"):
        tracker.update(seen((100, 0)), time=0.5)


def test_reset_starts_a_new_stream(tracker):
    run(tracker, [seen((100, 0))] * 3)
    tracker.reset()
    assert tracker.update(seen((700, 1), (900, 2))).ids.tolist() == [1, 2]


def test_two_trackers_share_nothing():
    first, second = ByteTracker(), ByteTracker()
    run(first, [seen((100, 0), (300, 1))] * 2)
    assert second.update(seen((100, 0))).ids.tolist() == [1]


def test_a_stream_can_be_resumed(tracker):
    frames = [seen((100 + 3 * step, 0), (400 - 3 * step, 1)) for step in range(20)]
    run(tracker, frames[:10])
    resumed = type(tracker)()
    resumed.load_state_dict(tracker.state_dict())
    for frame in frames[10:]:
        expected, got = tracker.update(frame), resumed.update(frame)
        assert got.ids.tolist() == expected.ids.tolist()
        np.testing.assert_array_equal(got.boxes, expected.boxes)


def test_the_state_of_another_tracker_is_refused():
    with pytest.raises(InputError, match="FairMOTTracker"):
        ByteTracker().load_state_dict(FairMOTTracker().state_dict())


def test_flat_and_small_boxes_are_shown_unless_told_otherwise():
    car = Detections([[100, 100, 300, 150], [400, 100, 405, 110]], [0.9, 0.9])
    assert len(ByteTracker().update(car)) == 2
    assert ByteTracker(max_aspect=1.6).update(car).indices.tolist() == [1]
    assert ByteTracker(min_area=100).update(car).indices.tolist() == [0]


def test_missing_embeddings_are_an_error_not_a_fallback():
    with pytest.raises(InputError, match="ByteTracker"):
        FairMOTTracker().update(Detections([[0, 0, 1, 1]], [0.9]))


def test_embeddings_of_another_model_are_an_error():
    tracker = FairMOTTracker()
    tracker.update(seen((100, 0)))
    with pytest.raises(InputError, match="8 numbers until now and have 2"):
        tracker.update(Detections([[0, 0, 1, 1]], [0.9], embeddings=[[1, 0]]))


def test_a_thousand_people_at_once(tracker):
    grid = [(60 * column, 120 * row, (row + column) % 8) for row in range(20) for column in range(50)]
    first, second = run(tracker, [seen(*grid)] * 2)
    assert first.ids.tolist() == second.ids.tolist() == list(range(1, 1001))

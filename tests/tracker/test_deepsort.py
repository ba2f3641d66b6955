import numpy as np
import pytest

from tests.tracker.scenes import person, run, seen
from tracker import Detections, make_tracker
from tracker.gallery import Gallery


def test_an_id_after_three_detections_in_a_row():
    tracker = make_tracker("deepsort")
    assert [t.ids.tolist() for t in run(tracker, [seen((100, 0))] * 4)] == [[], [], [1], [1]]


def test_any_miss_ends_a_tentative_track():
    tracker = make_tracker("deepsort")
    run(tracker, [seen((100, 0))] * 2 + [seen()])
    assert len(tracker._tracks) == 0


def test_one_embedding_of_many_is_enough():
    """Turned around twice: the front is in the gallery still, where an average would be neither."""
    tracker = make_tracker("deepsort", min_hits=1)
    for appearance in (0, 0, 1, 1, 1, 1):
        tracker.update(seen((100, appearance)))
    run(tracker, [seen()] * 2)
    assert tracker.update(seen((100, 0))).ids.tolist() == [1]


def test_who_was_seen_more_recently_chooses_first():
    """Two tracks of the same appearance; the one that is absent longer overlaps better, but has to wait."""
    tracker = make_tracker("deepsort", min_hits=1)
    run(tracker, [seen((100, 0), (112, 0))] * 10 + [seen((112, 0))] * 2)
    tracks = tracker.update(seen((104, 0)))
    assert tracks.ids.tolist() == [2]


@pytest.mark.parametrize("gallery_size", [1, 3])
def test_only_the_newest_embeddings_are_kept(gallery_size):
    tracker = make_tracker("deepsort", min_hits=1, gallery_size=gallery_size)
    for appearance in (0, 1, 1):
        tracker.update(seen((100, appearance)))
    run(tracker, [seen()] * 2)
    tracks = tracker.update(seen((100, 0)))
    assert tracks.ids.tolist() == ([1] if gallery_size == 3 else [2])


def test_slots_are_used_again():
    gallery = Gallery(budget=2)
    embeddings = np.eye(3, dtype=np.float32)
    first = gallery.take(embeddings)
    gallery.keep(first[1:])
    assert gallery.take(embeddings[:1]).tolist() == [first[0]]
    np.testing.assert_allclose(gallery.distances(first, embeddings[[0, 2, 2]]), [0, 1, 0], atol=1e-7)


def test_the_same_appearance_far_away_does_not_match():
    tracker = make_tracker("deepsort", min_hits=1)
    run(tracker, [seen((100, 0))] * 5)
    assert tracker.update(seen((700, 0))).ids.tolist() == [2]


def test_frames_without_anybody_at_the_start():
    tracker = make_tracker("deepsort")
    run(tracker, [Detections.empty()] * 3)
    run(tracker, [Detections([person(100)], [0.9], embeddings=[[1, 0]])] * 3)
    assert len(tracker._tracks) == 1

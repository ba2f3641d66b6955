import numpy as np
import pytest

from tests.tracker.scenes import id_of, person, run, seen
from tracker import Detections, FairMOTTracker, make_tracker


def looking_like(cosine):
    """Return an embedding of this cosine to (1, 0)."""
    return [cosine, np.sqrt(1 - cosine**2)]


@pytest.mark.parametrize(("cosine", "found"), [(0.60, True), (0.58, False)])
def test_appearance_limit(cosine, found):
    """A standing person, hidden once: only appearance can bring a lost track back, at 0.98 * (1 - cos) < 0.4."""
    tracker = FairMOTTracker()
    same = Detections([person(100)], [0.9], embeddings=[looking_like(1.0)])
    run(tracker, [same] * 30 + [Detections.empty()])
    changed = Detections([person(100)], [0.9], embeddings=[looking_like(cosine)])
    assert len(tracker.update(changed)) == found


def test_the_gate_keeps_equal_appearances_apart():
    tracker = FairMOTTracker()
    run(tracker, [seen((100, 0), (600, 0))] * 5)
    tracks = tracker.update(seen((600, 0)))
    assert tracks.ids.tolist() == [2]


def test_an_infinite_gate_compares_everything():
    """Without a gate a person may jump: the project's first, motionless tracker."""
    tracker = FairMOTTracker(gate_chi2=float("inf"), motion_weight=0.0, embedding_limit=0.2)
    run(tracker, [seen((100, 0), (600, 1))] * 3)
    tracks = tracker.update(seen((900, 0), (1200, 1)))
    assert sorted(tracks.ids.tolist()) == [1, 2]
    assert tracks.indices[tracks.ids == 1] == [0]


def test_overlap_saves_a_track_whose_appearance_changed():
    tracker = FairMOTTracker()
    run(tracker, [seen((100, 0))] * 3)
    assert id_of(tracker.update(seen((102, 5))), 102) == 1


def test_appearance_is_averaged_over_time():
    tracker = FairMOTTracker(embedding_momentum=0.9)
    tracker.update(Detections([person(100)], [0.9], embeddings=[[1, 0]]))
    tracker.update(Detections([person(100)], [0.9], embeddings=[[0, 1]]))
    expected = np.array([0.9, 0.1]) / np.hypot(0.9, 0.1)
    np.testing.assert_allclose(tracker._tracks.embeddings[0], expected, atol=1e-6)


def test_jde_measures_lengths_of_differences():
    tracker = make_tracker("jde")
    assert tracker.options.embedding_limit == 0.7
    run(tracker, [seen((100, 0))] * 3 + [seen()])
    assert tracker.update(seen((100, 0))).ids.tolist() == [1]

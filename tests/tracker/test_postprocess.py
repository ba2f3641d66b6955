import numpy as np
import pytest

from tests.tracker.scenes import EMBEDDINGS, person
from tracker import Detections, InputError, Tracks
from tracker.io.mot import read_results
from tracker.postprocess import TrajectoryRecorder, interpolate, link, postprocess, smooth


def tracks_of(*people):
    """Return tracks of people given as (id, left edge), matched to detections in the same order."""
    count = len(people)
    boxes = np.array([person(x) for _, x in people], np.float32).reshape(-1, 4)
    return Tracks(
        np.array([i for i, _ in people], np.int64),
        boxes,
        np.full(count, 0.9, np.float32),
        np.zeros(count, np.int64),
        np.arange(count),
    )


def record(frames, looks=None):
    """Record {frame: [(id, left edge), ...]}; looks {id: which of EMBEDDINGS}."""
    recorder = TrajectoryRecorder()
    for number, people in frames.items():
        tracks = tracks_of(*people)
        embeddings = None if looks is None else EMBEDDINGS[[looks[i] for i, _ in people]].reshape(len(people), -1)
        recorder.add(number, tracks, Detections(tracks.boxes, tracks.scores, None, embeddings))
    return recorder.finish()


def lefts(trajectories, identity):
    rows = trajectories.ids == identity
    return dict(zip(trajectories.frames[rows].tolist(), trajectories.boxes[rows, 0].round(6).tolist(), strict=True))


def test_gaps_are_filled_on_a_straight_line():
    trajectories = record({1: [(1, 100)], 2: [(1, 110)], 6: [(1, 150)]})
    filled = interpolate(trajectories, max_gap=3, min_length=3)
    assert lefts(filled, 1) == {1: 100, 2: 110, 3: 120, 4: 130, 5: 140, 6: 150}
    assert lefts(interpolate(trajectories, max_gap=2, min_length=3), 1) == {1: 100, 2: 110, 6: 150}
    assert lefts(interpolate(trajectories, max_gap=3, min_length=4), 1) == {1: 100, 2: 110, 6: 150}


def test_what_is_interpolated_is_not_seen():
    trajectories = record({1: [(1, 100), (2, 300)], 2: [(2, 300), (1, 110)], 4: [(1, 130)]})
    filled = dict(interpolate(trajectories, min_length=1))
    assert {number: tracks.seen.tolist() for number, tracks in filled.items()} == {
        1: [True, True], 2: [True, True], 3: [False], 4: [True],
    }  # fmt: skip
    assert filled[2].ids.tolist() == [1, 2]
    assert filled[2].indices.tolist() == [1, 0]


def test_tracks_are_not_mixed():
    trajectories = record({1: [(1, 100), (2, 500)], 3: [(1, 104), (2, 490)]})
    filled = interpolate(trajectories, min_length=1)
    assert lefts(filled, 1)[2] == 102
    assert lefts(filled, 2)[2] == 495
    assert [number for number, _ in filled] == [1, 2, 3]


def test_a_straight_walk_is_not_changed_by_smoothing():
    trajectories = record({frame: [(1, 100 + 4 * frame)] for frame in range(1, 30)})
    np.testing.assert_allclose(smooth(trajectories, sigma=3).boxes, trajectories.boxes, rtol=0, atol=1e-6)


def test_smoothing_takes_the_jitter_out():
    rng = np.random.default_rng(0)
    trajectories = record({frame: [(1, 100 + 4 * frame + rng.normal(0, 3))] for frame in range(1, 200)})
    truth = 100 + 4 * np.arange(1, 200)
    error = [np.abs(t.boxes[:, 0] - truth).mean() for t in (trajectories, smooth(trajectories, sigma=3))]
    assert error[1] < 0.5 * error[0]


def test_smoothing_does_not_look_across_gaps():
    trajectories = record({1: [(1, 100)], 2: [(1, 100)], 9: [(1, 300)], 10: [(1, 300)]})
    assert lefts(smooth(trajectories), 1) == {1: 100, 2: 100, 9: 300, 10: 300}


def test_tracks_that_look_alike_are_joined_in_a_chain():
    frames = {1: [(1, 100)], 2: [(1, 102)], 10: [(5, 118)], 11: [(5, 120)], 20: [(9, 138), (3, 500)]}
    joined = link(record(frames, {1: 0, 5: 0, 9: 0, 3: 1}))
    assert sorted(set(joined.ids.tolist())) == [1, 3]
    assert list(lefts(joined, 1)) == [1, 2, 10, 11, 20]
    assert joined.embeddings[1].tolist() == [5, *[0] * 7]


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        ({1: [(1, 100)], 2: [(1, 100), (2, 300)]}, "they were seen together"),
        ({1: [(1, 100)], 400: [(2, 100)]}, "too long apart"),
        ({1: [(1, 100)], 3: [(2, 900)]}, "too far apart"),
    ],
)
def test_tracks_are_not_joined_when(frames, why):
    assert sorted(set(link(record(frames, {1: 0, 2: 0})).ids.tolist())) == [1, 2], why


def test_tracks_that_look_different_are_not_joined():
    assert sorted(set(link(record({1: [(1, 100)], 3: [(2, 100)]}, {1: 0, 2: 1})).ids.tolist())) == [1, 2]


def test_all_steps_and_a_file(tmp_path):
    trajectories = record(
        {f: [(1 if f < 10 else 2, 100 + 2 * f)] for f in range(1, 20) if f not in (9, 10, 11)}, {1: 0, 2: 0}
    )
    better = postprocess(trajectories, ["smooth", "link", "interpolate"], frame_rate=30)
    better.write(tmp_path / "rows.txt")
    rows = read_results(tmp_path / "rows.txt")
    assert rows.frames.tolist() == list(range(1, 20))
    assert set(rows.ids.tolist()) == {1}


def test_nothing_tracked_and_wrong_steps():
    nothing = TrajectoryRecorder().finish()
    assert len(postprocess(nothing, ["link", "interpolate", "smooth"])) == 0
    with pytest.raises(InputError, match="there are: link, interpolate, smooth"):
        postprocess(nothing, ["smoth"])
    with pytest.raises(InputError, match="embeddings"):
        link(record({1: [(1, 100)]}))

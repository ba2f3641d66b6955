import numpy as np
import pytest

from tracker import Detections, make_tracker
from tracker.candidates import Candidates
from tracker.detector_record import DetectorRecord
from tracker.judged_tracks import JudgedTrackSet
from tracker.kalman import BlockKalmanFilter
from tracker.motion_models import XYWH
from tracker.trackset import LOST, TRACKED

MODEL = XYWH()
HERE = np.array([[100.0, 100.0, 40.0, 100.0]])


def one_track():
    """Return a track that was seen once, in frame 0, and stands."""
    tracks = JudgedTrackSet.nobody(BlockKalmanFilter(MODEL))
    tracks.begin(Candidates.choose(Detections(MODEL.to_xyxy(HERE), [0.9]), 0.0, MODEL), np.array([0]), 0.0)
    tracks.states[:] = TRACKED
    return tracks


def detector(noise):
    """Return the record of a detector whose sizes have this variance, and its centres half of it."""
    record = DetectorRecord()
    record.noise = np.array([noise, noise])
    return record


def test_the_spread_is_the_mean_of_squared_differences():
    """4 px of a width of 40 are 10 %: half of 0.01 and half of what was supposed, 0.003, after one hit."""
    tracks = one_track()
    tracks.judge(np.array([0]), HERE + np.array([4.0, 0, 0, 0]), 1.0, detector(0.0))
    np.testing.assert_allclose(tracks.spread[0], [0.0065, 0.0015, 0.0015, 0.0015])


def test_a_detector_without_noise_is_believed():
    tracks = one_track()
    tracks.judge(np.array([0]), HERE + np.array([4.0, 3, 2, 1]), 1.0, detector(0.0))
    np.testing.assert_allclose(tracks.estimates, HERE + np.array([4.0, 3, 2, 1]))


def test_a_noisy_detector_is_believed_by_what_the_noise_leaves():
    """Of a variance of 0.0065 in x 0.001 are noise."""
    tracks = one_track()
    tracks.judge(np.array([0]), HERE + np.array([4.0, 0, 0, 0]), 1.0, detector(0.002))
    assert tracks.estimates[0, 0] == pytest.approx(100 + 4 * (1 - 0.001 / 0.0065), abs=1e-4)


def test_after_a_gap_the_prediction_counts_less_and_is_not_judged():
    """Four frames later the variance of the prediction is four times that of one frame."""
    tracks = one_track()
    tracks.states[:] = LOST
    tracks.judge(np.array([0]), HERE + np.array([4.0, 0, 0, 0]), 4.0, detector(0.002))
    np.testing.assert_allclose(tracks.spread[0], 0.003)
    assert tracks.estimates[0, 0] == pytest.approx(100 + 4 * (1 - 0.001 / 0.012), abs=1e-4)


def test_agility_is_what_noise_does_not_explain():
    tracks = one_track()
    tracks.spread[:] = 0.006
    assert tracks.agility(np.array([0]), detector(0.0), 0.002, 0.006).tolist() == [1]
    assert tracks.agility(np.array([0]), detector(0.002), 0.002, 0.006) == pytest.approx(
        [(0.006 - 0.0015 - 0.002) / 0.004]
    )
    tracks.spread[:] = 0.001
    assert tracks.agility(np.array([0]), detector(0.0), 0.002, 0.006).tolist() == [0]


def jitter(share, frames=200):
    """Return frames of somebody who walks 2 px a frame, and boxes of which are measured with noise, and the truth."""
    rng = np.random.default_rng(1)
    truth = HERE + np.arange(frames)[:, None] * [2.0, 0, 0, 0]
    return truth, truth + rng.normal(0, share, truth.shape) * [40, 100, 40, 100]


@pytest.mark.parametrize(("noise", "at_most"), [(0.0, 0.05), (0.05, 0.9)])
def test_exact_boxes_are_shown_as_they_are_and_noisy_ones_smoothed(noise, at_most):
    """The error of the height, as a share of the detections' own error, or in px where that is 0."""
    truth, measured = jitter(noise)
    tracker = make_tracker("scene")
    shown = [tracker.update(Detections(MODEL.to_xyxy(one[None]), [0.9])).boxes[0] for one in measured]
    heights = np.array([box[3] - box[1] for box in shown])[100:]
    error = np.sqrt(((heights - truth[100:, 3]) ** 2).mean())
    assert error < at_most * (np.sqrt(((measured - truth)[100:, 3] ** 2).mean()) or 1.0)

import numpy as np
import pytest

from tracker.detector_record import DetectorRecord


def test_misses_and_seen_boxes_are_counted_over_what_was_supposed():
    """10 of 200 were supposed: with 800 more seen, and 30 missed of two tracks that came back, 40 of 1030."""
    record = DetectorRecord()
    record.count_seen(800, np.array([10.0, 20.0]))
    assert record.miss_rate == pytest.approx(40 / 1030)
    assert record.return_share == pytest.approx(5 / 8)


def test_who_comes_back_late_is_gone_no_longer():
    record = DetectorRecord()
    record.count_gone(4)
    assert record.return_share == pytest.approx(3 / 10)
    record.count_seen(1, np.array([20.0]))
    record.count_gone(-1)
    assert record.return_share == pytest.approx(4 / 10)


def differences(log_sizes):
    """Return the second differences of (N, 2), and those one frame before."""
    second = np.diff(log_sizes, 2, axis=0)
    return second[1:], second[:-1]


@pytest.mark.parametrize("walk", [0.0, 0.01])
def test_noise_is_told_from_a_size_that_changes(walk):
    """Sizes that walk at random by 1 %, and grow by 0.5 % a frame, measured to 3 % and exactly."""
    rng = np.random.default_rng(0)
    sizes = np.cumsum(rng.normal(0.005, walk, (20000, 2)), axis=0)
    record = DetectorRecord()
    record.add_changes(*differences(sizes + rng.normal(0, [0.03, 0.0], (20000, 2))))
    assert record.noise[0] == pytest.approx(0.03**2, rel=0.1)
    assert record.noise[1] < 0.005**2


def test_unknown_changes_and_those_of_another_object_do_not_count():
    record = DetectorRecord()
    before = record.noise
    record.add_changes(np.array([[np.nan, 0.1], [0.6, 0.0]]), np.array([[0.1, 0.1], [0.0, 0.0]]))
    assert record.noise.tolist() == before.tolist()


def test_the_record_resumes():
    record, resumed = DetectorRecord(), DetectorRecord()
    record.count_seen(50, np.array([3.0]))
    record.add_changes(np.array([[0.02, 0.01]]), np.array([[-0.02, 0.01]]))
    resumed.load_state_dict(record.state_dict())
    assert (resumed.miss_rate, resumed.return_share) == (record.miss_rate, record.return_share)
    assert resumed.noise.tolist() == record.noise.tolist()

import numpy as np
import pytest

from tracker.kalman import BlockKalmanFilter
from tracker.kalman_full import FullKalmanFilter, move_camera
from tracker.motion_models import XYAH, XYWH


def covariance_of(block):
    """Return the (N, 8, 8) covariance that a block state (N, 5, 4) stands for."""
    whole = np.zeros((len(block), 8, 8))
    p, v = np.arange(4), np.arange(4, 8)
    whole[:, p, p], whole[:, p, v], whole[:, v, p], whole[:, v, v] = block[:, 2], block[:, 3], block[:, 3], block[:, 4]
    return whole


@pytest.mark.parametrize("model", [XYAH(), XYWH()])
@pytest.mark.parametrize("steps", [1.0, 2.5])
def test_both_forms_agree_as_long_as_nothing_rotates(model, steps):
    rng = np.random.default_rng(0)
    start = np.array([[100, 50, 140, 170], [900, 300, 960, 330.0]])
    in_blocks, whole = BlockKalmanFilter(model), FullKalmanFilter(model)
    block, full = in_blocks.initiate(model.from_xyxy(start)), whole.initiate(model.from_xyxy(start))
    for step in range(200):
        block, full = in_blocks.predict(block, steps), whole.predict(full, steps)
        if step % 3:
            measurement = model.from_xyxy(start + 50 * np.sin(step / 30) + rng.normal(0, 1, start.shape))
            block = in_blocks.update(block, measurement)
            full = whole.update(full, measurement)
    np.testing.assert_allclose(full[:, 0], block[:, :2].reshape(2, 8), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(full[:, 1:], covariance_of(block), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(whole.boxes(full), in_blocks.boxes(block), atol=1e-8)


def test_a_shifted_camera_shifts_positions_only():
    kalman = FullKalmanFilter(XYWH())
    state = kalman.predict(kalman.initiate(kalman.model.from_xyxy(np.array([[10, 20, 30, 60.0]]))))
    moved = move_camera(state, np.array([[1, 0, 5], [0, 1, -3.0]]))
    assert moved[0, 0].tolist() == [25, 37, 20, 40, 0, 0, 0, 0]
    np.testing.assert_array_equal(moved[:, 1:], state[:, 1:])


def test_a_quarter_turn_swaps_the_uncertainty_of_x_and_y():
    kalman = FullKalmanFilter(XYWH())
    state = kalman.initiate(kalman.model.from_xyxy(np.array([[0, 0, 20, 80.0]])))
    state[0, 0, 4:6] = 3.0, 0.0
    moved = move_camera(state, np.array([[0, -1, 0], [1, 0, 0.0]]))
    np.testing.assert_allclose(moved[0, 0, :2], [-40, 10])
    np.testing.assert_allclose(moved[0, 0, 4:6], [0, 3])
    assert moved[0, 1, 0] == pytest.approx(state[0, 2, 1])
    assert moved[0, 2, 1] == pytest.approx(state[0, 1, 0])


def test_a_turning_camera_couples_x_with_y():
    kalman = FullKalmanFilter(XYWH())
    angle = 0.3
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0]])
    state = kalman.initiate(kalman.model.from_xyxy(np.array([[0, 0, 20, 80.0]])))
    moved = move_camera(state, turn)
    assert abs(moved[0, 1, 1]) > 1.0
    np.testing.assert_allclose(moved[0, 1:], moved[0, 1:].T)
    assert (np.linalg.eigvalsh(moved[0, 1:]) > 0).all()


def test_resizing_is_stopped_in_place():
    kalman = FullKalmanFilter(XYWH())
    state = kalman.initiate(np.array([[0, 0, 20, 80.0]] * 2))
    state[:, 0, 4:] = 1.0
    kalman.stop_resizing(state, np.array([1]))
    assert state[:, 0, 4:].tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]

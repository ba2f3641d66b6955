import numpy as np
import pytest

from tracker import kalman, kalman_full
from tracker.kalman import XYAH, XYWH


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
    block = kalman.initiate(model.from_xyxy(start), model)
    full = kalman_full.initiate(model.from_xyxy(start), model)
    for step in range(200):
        block, full = kalman.predict(block, model, steps), kalman_full.predict(full, model, steps)
        if step % 3:
            measurement = model.from_xyxy(start + 50 * np.sin(step / 30) + rng.normal(0, 1, start.shape))
            block = kalman.update(block, measurement, model)
            full = kalman_full.update(full, measurement, model)
    np.testing.assert_allclose(full[:, 0], block[:, :2].reshape(2, 8), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(full[:, 1:], covariance_of(block), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(kalman_full.boxes(full, model), kalman.boxes(block, model), atol=1e-8)


def test_a_shifted_camera_shifts_positions_only():
    model = XYWH()
    state = kalman_full.predict(kalman_full.initiate(model.from_xyxy(np.array([[10, 20, 30, 60.0]])), model), model)
    moved = kalman_full.move_camera(state, np.array([[1, 0, 5], [0, 1, -3.0]]))
    assert moved[0, 0].tolist() == [25, 37, 20, 40, 0, 0, 0, 0]
    np.testing.assert_array_equal(moved[:, 1:], state[:, 1:])


def test_a_quarter_turn_swaps_the_uncertainty_of_x_and_y():
    model = XYWH()
    state = kalman_full.initiate(model.from_xyxy(np.array([[0, 0, 20, 80.0]])), model)
    state[0, 0, 4:6] = 3.0, 0.0
    moved = kalman_full.move_camera(state, np.array([[0, -1, 0], [1, 0, 0.0]]))
    np.testing.assert_allclose(moved[0, 0, :2], [-40, 10])
    np.testing.assert_allclose(moved[0, 0, 4:6], [0, 3])
    assert moved[0, 1, 0] == pytest.approx(state[0, 2, 1])
    assert moved[0, 2, 1] == pytest.approx(state[0, 1, 0])


def test_a_turning_camera_couples_x_with_y():
    model = XYWH()
    angle = 0.3
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0]])
    state = kalman_full.initiate(model.from_xyxy(np.array([[0, 0, 20, 80.0]])), model)
    moved = kalman_full.move_camera(state, turn)
    assert abs(moved[0, 1, 1]) > 1.0
    np.testing.assert_allclose(moved[0, 1:], moved[0, 1:].T)
    assert (np.linalg.eigvalsh(moved[0, 1:]) > 0).all()


def test_resizing_is_stopped_in_place():
    model = XYWH()
    state = kalman_full.initiate(np.array([[0, 0, 20, 80.0]] * 2), model)
    state[:, 0, 4:] = 1.0
    kalman_full.stop_resizing(state, np.array([1]), model)
    assert state[:, 0, 4:].tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]

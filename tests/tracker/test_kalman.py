"""The batched block filter against the figures of the papers' filter and against plain 8 x 8 algebra."""

import numpy as np
import pytest

from tracker.kalman import BlockKalmanFilter
from tracker.motion_models import XYAH, XYWH

MODELS = [XYAH(), XYWH()]


class PlainFilter:
    """One box, textbook matrices: the independent reference."""

    def __init__(self, measurement, model):
        self.model = model
        initial_p, initial_v = model.initial_variance(measurement[None])
        self.mean = np.concatenate([measurement, np.zeros(4)])
        self.covariance = np.diag(np.concatenate([initial_p[0], initial_v[0]]))

    def predict(self):
        motion = np.eye(8) + np.eye(8, k=4)
        noise = np.diag(np.concatenate([v[0] for v in self.model.process_variance(self.mean[None, :4])]))
        self.mean = motion @ self.mean
        self.covariance = motion @ self.covariance @ motion.T + noise

    def update(self, measurement):
        observe = np.eye(4, 8)
        noise = np.diag(self.model.measurement_variance(self.mean[None, :4])[0])
        innovation_covariance = observe @ self.covariance @ observe.T + noise
        gain = self.covariance @ observe.T @ np.linalg.inv(innovation_covariance)
        innovation = measurement - observe @ self.mean
        self.mean = self.mean + gain @ innovation
        self.covariance = self.covariance - gain @ innovation_covariance @ gain.T
        return innovation @ np.linalg.inv(innovation_covariance) @ innovation


def test_published_figures_of_one_step():
    kalman = BlockKalmanFilter(XYAH())
    state = kalman.predict(kalman.initiate(np.array([[100, 200, 0.5, 80.0]])))
    measurement = np.array([[104, 202, 0.52, 82.0]])
    assert kalman.squared_mahalanobis(state, measurement)[0] == pytest.approx(0.237563, abs=1e-6)
    state = kalman.update(state, measurement)
    np.testing.assert_allclose(state[0, 0], [103.4711, 201.7355, 0.5004, 81.7355], rtol=0, atol=5e-5)
    np.testing.assert_allclose(state[0, 1], [0.8264, 0.4132, 0, 0.4132], rtol=0, atol=5e-5)
    np.testing.assert_allclose(state[0, 2], [13.884298, 13.884298, 0.000196, 13.884298], rtol=0, atol=5e-7)
    np.testing.assert_allclose(state[0, 4], [20.084711, 20.084711, 0, 20.084711], rtol=0, atol=5e-7)


@pytest.mark.parametrize("model", MODELS)
def test_a_thousand_steps_equal_the_plain_filter(model):
    kalman = BlockKalmanFilter(model)
    rng = np.random.default_rng(3)
    start = np.array([[100, 50, 140, 170], [900, 300, 960, 330.0]])
    measurements = model.from_xyxy(start)
    state, plain = kalman.initiate(measurements), [PlainFilter(m, model) for m in measurements]
    for step in range(1000):
        state = kalman.predict(state)
        for filter_ in plain:
            filter_.predict()
        if rng.uniform() < 0.3:
            continue
        boxes = start + 100 * np.sin(step / 50) + rng.normal(0, 1, start.shape)
        measurements = model.from_xyxy(boxes)
        distances = kalman.squared_mahalanobis(state, measurements)
        state = kalman.update(state, measurements)
        expected = [filter_.update(m) for filter_, m in zip(plain, measurements, strict=True)]
        np.testing.assert_allclose(distances, expected, rtol=1e-9)
    for row, filter_ in enumerate(plain):
        np.testing.assert_allclose(state[row, :2].ravel(), filter_.mean, rtol=1e-9, atol=1e-9)
        covariance = filter_.covariance
        np.testing.assert_allclose(state[row, 2], np.diag(covariance)[:4], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(state[row, 3], np.diag(covariance, k=4), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(state[row, 4], np.diag(covariance)[4:], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("model", MODELS)
def test_three_frames_at_once_are_three_single_ones(model):
    """Exact while the box keeps its size, on which the noise depends."""
    kalman = BlockKalmanFilter(model)
    state = kalman.initiate(model.from_xyxy(np.array([[100, 50, 140, 170.0]])))
    state[:, 1, :2] = 4.0, -2.0
    single = kalman.predict(kalman.predict(kalman.predict(state)))
    np.testing.assert_allclose(kalman.predict(state, steps=3.0), single, rtol=1e-12)


def test_half_a_frame_twice_is_one_frame():
    kalman = BlockKalmanFilter(XYAH())
    state = kalman.initiate(np.array([[100, 50, 0.4, 120.0]]))
    twice = kalman.predict(kalman.predict(state, steps=0.5), steps=0.5)
    np.testing.assert_allclose(twice, kalman.predict(state), rtol=1e-12)


@pytest.mark.parametrize("model", MODELS)
def test_coordinates_there_and_back(model):
    boxes = np.array([[10, 20, 30, 80], [-5, 0, 100, 40.0]])
    np.testing.assert_allclose(model.to_xyxy(model.from_xyxy(boxes)), boxes, rtol=0, atol=1e-9)


@pytest.mark.parametrize("model", MODELS)
def test_boxes_without_area_and_shrunken_ones_stay_finite(model):
    kalman = BlockKalmanFilter(model)
    state = kalman.initiate(model.from_xyxy(np.array([[10.0, 10, 10, 10]])))
    state = kalman.update(kalman.predict(state), model.from_xyxy(np.array([[10.0, 10, 10, 10]])))
    assert np.isfinite(state).all()
    state[:, 0, 2:] = -3.0
    boxes = model.to_xyxy(state[:, 0])
    assert (boxes[:, 2:] >= boxes[:, :2]).all()

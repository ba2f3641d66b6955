import cv2
import numpy as np
import pytest

from tracker import InputError
from tracker.camera_motion import IDENTITY, CameraMotion

METHODS = ["sparse_flow", "orb", "ecc"]


@pytest.fixture(scope="module")
def wall():
    """A wall with smooth random texture, larger than the frame that looks at it."""
    noise = np.random.default_rng(0).uniform(0, 255, (60, 80, 3)).astype(np.uint8)
    return cv2.resize(noise, (800, 600), interpolation=cv2.INTER_CUBIC)


def view(wall, motion):
    """Return the 480 x 360 frame in which the pixel x of the wall lies at M x."""
    return cv2.warpAffine(wall, motion, (480, 360), flags=cv2.INTER_LINEAR)


def similarity(angle=0.0, zoom=1.0, shift=(0.0, 0.0)):
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.concatenate([turn, np.reshape(shift, (2, 1))], axis=1)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("downscale", [1.0, 2.0])
def test_a_shift_is_measured_in_source_pixels(wall, method, downscale):
    camera = CameraMotion(method, downscale)
    camera.estimate(view(wall, similarity(shift=(-100, -80))))
    motion = camera.estimate(view(wall, similarity(shift=(-93, -84))))
    point = motion @ [240, 180, 1]
    np.testing.assert_allclose(point, [247, 176], atol=0.7)


@pytest.mark.parametrize("method", METHODS)
def test_a_rotation_is_measured(wall, method):
    camera = CameraMotion(method, downscale=1.0)
    camera.estimate(view(wall, similarity(shift=(-100, -80))))
    motion = camera.estimate(view(wall, similarity(angle=0.02, shift=(-100, -80))))
    assert np.arctan2(motion[1, 0], motion[0, 0]) == pytest.approx(0.02, abs=0.002)


@pytest.mark.parametrize("method", METHODS)
def test_what_cannot_be_measured_is_the_identity(wall, method):
    camera = CameraMotion(method)
    black = np.zeros((360, 480, 3), np.uint8)
    np.testing.assert_array_equal(camera.estimate(view(wall, similarity())), IDENTITY)  # the first frame
    np.testing.assert_array_equal(camera.estimate(black), IDENTITY)
    np.testing.assert_array_equal(camera.estimate(black), IDENTITY)
    np.testing.assert_array_equal(camera.estimate(np.zeros((100, 100, 3), np.uint8)), IDENTITY)  # another size


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 50)])
def test_frames_of_a_few_pixels_are_the_identity(method, size):
    camera = CameraMotion(method)
    for seed in range(2):
        frame = np.random.default_rng(seed).integers(0, 255, (*size, 3), np.uint8)
        np.testing.assert_array_equal(camera.estimate(frame), IDENTITY)


@pytest.mark.parametrize("method", METHODS)
def test_a_cut_to_another_scene_is_plausible_or_the_identity(wall, method):
    camera = CameraMotion(method)
    camera.estimate(view(wall, similarity()))
    other = np.random.default_rng(5).integers(0, 255, (360, 480, 3), np.uint8)
    motion = camera.estimate(other)
    assert np.isfinite(motion).all()
    assert abs(np.sqrt(abs(np.linalg.det(motion[:, :2]))) - 1) <= 0.2


def test_the_same_frames_give_the_same_motion(wall):
    frames = [view(wall, similarity(shift=(-100 - 3 * step, -80))) for step in range(4)]
    first, second = CameraMotion(), CameraMotion()
    for frame in frames:
        np.testing.assert_array_equal(first.estimate(frame), second.estimate(frame))


def test_grey_frames_are_welcome(wall):
    grey = cv2.cvtColor(view(wall, similarity()), cv2.COLOR_RGB2GRAY)
    camera = CameraMotion()
    camera.estimate(grey)
    np.testing.assert_allclose(camera.estimate(grey), IDENTITY, atol=1e-3)


@pytest.mark.parametrize(("method", "downscale", "message"), [("flow", 2, "sparse_flow"), ("orb", 0.5, "downscale")])
def test_wrong_settings_are_named(method, downscale, message):
    with pytest.raises(InputError, match=message):
        CameraMotion(method, downscale)


def test_what_is_no_image_is_named():
    with pytest.raises(InputError, match=r"uint8, got \(3, 90, 160\) float32"):
        CameraMotion().estimate(np.zeros((3, 90, 160), np.float32))

import cv2
import numpy as np
import pytest

from tests.tracker.scenes import person, run, seen
from tracker import Detections, InputError, make_tracker


def still(**options):
    return make_tracker("botsort", camera_motion="none", **options)


@pytest.fixture(scope="module")
def wall():
    noise = np.random.default_rng(0).uniform(0, 255, (60, 120, 3)).astype(np.uint8)
    return cv2.resize(noise, (1200, 600), interpolation=cv2.INTER_CUBIC)


def panning_frames(wall, count, speed):
    """Give frames of a camera that jerks sideways, and where somebody who stands still appears in them."""
    offset = 0
    for step in range(count):
        offset += speed if step % 2 else -speed // 2
        left = 300 + offset
        yield wall[100:500, left : left + 600], 250.0 - offset


def test_camera_motion_needs_frames():
    tracker = make_tracker("botsort")
    with pytest.raises(InputError, match="camera_motion='none'"):
        tracker.update(seen((100, 0)))
    assert tracker.state_dict()["updates"] == 0, "a refused update changes nothing"


def test_a_jerking_camera_is_followed(wall):
    """50 px and back in each frame, boxes 40 wide: without the camera's motion nothing overlaps."""
    moving, unaware = make_tracker("botsort"), still()
    for image, x in panning_frames(wall, 12, speed=50):
        detections = seen((x, 0))
        tracks = moving.update(detections, frame=image)
        lost = unaware.update(detections)
    assert tracks.ids.tolist() == [1]
    assert 1 not in lost.ids


def test_a_stream_of_a_moving_camera_can_be_resumed(wall):
    """The first frame after the pause is 50 px away from the last one before it, which must be known."""
    tracker, resumed = make_tracker("botsort"), make_tracker("botsort")
    for number, (image, x) in enumerate(panning_frames(wall, 8, speed=50)):
        if number == 5:
            resumed.load_state_dict(tracker.state_dict())
        expected = tracker.update(seen((x, 0)), frame=image)
        if number >= 5:
            got = resumed.update(seen((x, 0)), frame=image)
            assert got.ids.tolist() == expected.ids.tolist() == [1]
            np.testing.assert_array_equal(got.boxes, expected.boxes)


def test_frames_of_a_still_camera_change_nothing():
    picture = np.random.default_rng(1).integers(0, 255, (240, 320, 3), np.uint8)
    with_frames, without = make_tracker("botsort"), still()
    for step in range(10):
        detections = seen((100 + 3 * step, 0), (300 - 2 * step, 1))
        got, expected = with_frames.update(detections, frame=picture), without.update(detections)
        assert got.ids.tolist() == expected.ids.tolist()
        np.testing.assert_allclose(got.boxes, expected.boxes, atol=0.05)


def test_appearance_is_off_unless_asked_for():
    assert still().update(Detections([person(100)], [0.9])).ids.tolist() == [1]
    with pytest.raises(InputError, match="embeddings"):
        make_tracker("botsort-reid", camera_motion="none").update(Detections([person(100)], [0.9]))


@pytest.mark.parametrize(("reid", "expected"), [(False, 1), (True, 0)])
def test_appearance_decides_between_near_boxes(reid, expected):
    tracker = still(use_embeddings=reid)
    run(tracker, [seen((100, 0))] * 5)
    tracks = tracker.update(seen((110, 0), (95, 1)))
    assert tracks.indices[tracks.ids == 1] == [expected]


def test_appearance_does_not_count_far_apart():
    tracker = still(use_embeddings=True)
    run(tracker, [seen((100, 0))] * 5)
    assert len(tracker.update(seen((200, 0)))) == 0


def test_low_scores_do_not_change_the_embedding():
    tracker = still(use_embeddings=True)
    run(tracker, [seen((100, 0))] * 3)
    before = tracker._tracks.embeddings.copy()
    assert tracker.update(seen((100, 1), scores=[0.2])).ids.tolist() == [1]
    np.testing.assert_array_equal(tracker._tracks.embeddings, before)

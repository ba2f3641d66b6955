from __future__ import annotations

import numpy as np
import pytest

from tracker.detections import Detections, Tracks
from tracker.draw import Trails, draw_detections, draw_tracks, id_colour


def tracks(boxes: list[list[float]], ids: list[int]) -> Tracks:
    count = len(ids)
    array = np.array(boxes, np.float32).reshape(-1, 4)
    return Tracks(
        np.array(ids, np.int64), array, np.ones(count, np.float32), np.zeros(count, np.int64), np.arange(count)
    )


@pytest.fixture
def grey() -> np.ndarray:
    return np.full((360, 640, 3), 120, np.uint8)


def test_the_box_is_drawn_in_the_colour_of_its_id_and_the_image_is_left_alone(grey):
    drawn = draw_tracks(grey, tracks([[100, 100, 200, 300]], [7]))
    assert (grey == 120).all()
    for x, y in ((100, 200), (200, 200), (150, 300)):
        window = drawn[y - 1 : y + 2, x - 1 : x + 2].reshape(-1, 3)
        assert id_colour(7) in {tuple(pixel) for pixel in window.tolist()}
    assert (drawn[110:290, 110:190] == 120).all()
    assert (drawn[320:, :] == 120).all()


def test_a_label_stays_inside_the_image(grey):
    high = draw_tracks(grey, tracks([[600, 0, 640, 100]], [123456]))
    patch = (high == id_colour(123456)).all(2)
    assert patch[:30, 560:].sum() > 300  # below the upper border, left of the right one


def test_neighbouring_ids_have_clearly_different_colours():
    colours = np.array([id_colour(identity) for identity in range(1, 41)], float)
    steps = np.linalg.norm(np.diff(colours, axis=0), axis=1)
    assert steps.min() > 80
    assert len({tuple(colour) for colour in colours.tolist()}) == 40
    assert id_colour(10**9) == id_colour(10**9)


def test_nothing_to_draw_gives_the_same_image(grey):
    assert (draw_tracks(grey, Tracks.empty(), Trails()) == grey).all()
    assert (draw_detections(grey, Detections.empty()) == grey).all()


def test_boxes_far_outside_leave_no_marks_inside(grey):
    drawn = draw_tracks(grey, tracks([[-1e6, -1e6, 1e6, 1e6]], [1]))
    assert (drawn[60:, 100:] == 120).all()


def test_lines_grow_with_the_image(grey):
    large = np.full((2160, 3840, 3), 120, np.uint8)
    box = [100, 100, 200, 300]
    thin = (draw_tracks(grey, tracks([box], [1]))[200, 80:120] != 120).any(1).sum()
    thick = (draw_tracks(large, tracks([box], [1]))[200, 80:120] != 120).any(1).sum()
    assert thin <= 4
    assert thick >= 6


def test_detections_show_their_class_by_colour(grey):
    detections = Detections([[50, 50, 90, 90], [150, 50, 190, 90]], [0.5, 0.75], [0, 1])
    drawn = draw_detections(grey, detections)
    assert (drawn[70, 48:53] == id_colour(1)).all(1).any()
    assert (drawn[70, 148:153] == id_colour(2)).all(1).any()


class TestTrails:
    def test_they_follow_the_feet(self, grey):
        trails = Trails()
        for step in range(3):
            trails.update(tracks([[10 + 40 * step, 50, 50 + 40 * step, 150]], [4]))
        np.testing.assert_array_equal(trails.points(4), [[30, 150], [70, 150], [110, 150]])
        drawn = draw_tracks(grey, tracks([[90, 50, 130, 150]], [4]), trails)
        reference = np.array(id_colour(4)) - 120  # the line is smoothed: its colour mixes with the ground
        assert ((drawn[147:152, 50].astype(int) - 120) @ reference / (reference @ reference)).max() > 0.4

    def test_they_forget_what_is_old_and_who_is_gone(self):
        trails = Trails(length=3)
        for step in range(5):
            trails.update(tracks([[step, 0, step, 10]], [1]))
        assert trails.points(1)[:, 0].tolist() == [2, 3, 4]
        for _ in range(3):
            trails.update(Tracks.empty())
        assert trails.points(1).shape == (0, 2)

    def test_unknown_ids_and_empty_memories(self):
        assert Trails().points(9).shape == (0, 2)
        with pytest.raises(ValueError, match="length"):
            Trails(length=0)

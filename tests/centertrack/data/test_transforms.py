from __future__ import annotations

import numpy as np
import pytest

from centertrack.data.sample import Sample, no_boxes
from centertrack.data.transforms import WarpOptions, narrow_upright, random_light, random_matrix, warp, wasted_reduction


def make_sample(*boxes: tuple[float, float, float, float], size: tuple[int, int] = (160, 120)) -> Sample:
    """Black image with every box filled white."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    for x1, y1, x2, y2 in boxes:
        image[int(y1) : int(y2), int(x1) : int(x2)] = 255
    count = len(boxes)
    return Sample(image, np.array(boxes, np.float32).reshape(-1, 4), np.zeros(count, np.int64), np.arange(count))


def random_warp(sample: Sample, size: tuple[int, int], options: WarpOptions, seed: int = 0) -> Sample:
    height, width = sample.image.shape[:2]
    return warp(sample, random_matrix((width, height), size, options, np.random.default_rng(seed)), size)


def test_a_known_matrix_moves_the_box() -> None:
    matrix = np.array([[0.5, 0, 10], [0, 2, -20]], np.float32)
    moved = warp(make_sample((40, 30, 60, 50)), matrix, (160, 120))
    np.testing.assert_allclose(moved.boxes, [[30, 40, 40, 80]], atol=1e-4)


@pytest.mark.parametrize("seed", range(20))
def test_the_box_follows_the_pixels(seed: int) -> None:
    options = WarpOptions(scale=(0.5, 1.5), aspect=(0.8, 1.3), rotation=0, shear=0)
    moved = random_warp(make_sample((50, 40, 100, 90)), (192, 128), options, seed)
    white = moved.image[..., 0] > 200
    y, x = np.nonzero(white)
    hull = np.array([x.min(), y.min(), x.max() + 1, y.max() + 1])
    seen = np.clip(moved.boxes[0], 0, [192, 128, 192, 128])
    np.testing.assert_allclose(hull, seen, atol=1.01)  # an edge of white and grey falls into one pixel or the next


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0, 4.0])
def test_image_and_box_grow_from_the_same_corner(scale: float) -> None:
    ramp = np.repeat(np.arange(4, 164, dtype=np.uint8)[None, :, None], 120, axis=0).repeat(3, axis=2)
    nothing = np.zeros(0, np.int64)
    matrix = np.array([[scale, 0, 0], [0, scale, 0]], np.float32)
    moved = warp(Sample(ramp, no_boxes(), nothing, nothing), matrix, (64, 64)).image[8, :, 0]
    # The middle of canvas pixel x lies at (x + 0.5) / scale of the source, where the ramp is 4 + that - 0.5.
    expected = 4 + (np.arange(64) + 0.5) / scale - 0.5
    np.testing.assert_allclose(moved[4:40], expected[4:40], atol=0.51)  # whole grey values


@pytest.mark.parametrize("degrees", [-20, -4, 4, 45, 90])
def test_a_turned_box_holds_the_turned_ellipse(degrees: float) -> None:
    turn = np.deg2rad(degrees)
    linear = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [[1.2, 0.1], [0, 0.9]]
    matrix = np.column_stack((linear, [60, 10])).astype(np.float32)
    (box,) = warp(make_sample((40, 30, 60, 80)), matrix, (200, 200)).boxes
    angles = np.linspace(0, 2 * np.pi, 1000)
    outline = np.stack((50 + 10 * np.cos(angles), 55 + 25 * np.sin(angles))).T @ linear.T + [60, 10]
    np.testing.assert_allclose(box, np.concatenate((outline.min(axis=0), outline.max(axis=0))), atol=0.01)


def test_boxes_of_upright_people_are_narrowed_and_others_stay() -> None:
    widths = np.array([10.0, 40.0, 56.0, 72.0, 86.0, 100.0, 300.0])  # of boxes 100 high, around x = 50
    boxes = np.stack((50 - widths / 2, 0 * widths, 50 + widths / 2, 0 * widths + 100), axis=1).astype(np.float32)
    found = narrow_upright(boxes, aspect=0.4)
    # 1.4 of the aspect is half way from 1 (stays 1) to 1.8 (becomes 1.24); 2.15 from there to 2.5 (stays).
    np.testing.assert_allclose(found[:, 2] - found[:, 0], [10, 40, 44.8, 49.6, 74.8, 100, 300], atol=1e-3)
    np.testing.assert_allclose(found[:, 0] + found[:, 2], 100, atol=1e-3)
    np.testing.assert_array_equal(found[:, [1, 3]], boxes[:, [1, 3]])
    assert narrow_upright(boxes, None) is boxes


def test_boxes_that_leave_become_ignored_and_are_not_clipped() -> None:
    shift = np.array([[1, 0, -45], [0, 1, 0]], np.float32)
    moved = warp(make_sample((40, 20, 60, 60), (10, 20, 50, 60), (0, 0, 20, 20)), shift, (160, 120))
    assert moved.boxes.tolist() == [[-5, 20, 15, 60]]  # three quarters inside: learnt, not clipped
    assert moved.ids.tolist() == [0]
    assert moved.ignore.tolist() == [[0, 20, 5, 60]]  # an eighth inside: ignored; the third is gone


def test_people_too_small_to_learn_are_ignored() -> None:
    moved = warp(make_sample((40, 40, 44, 60)), np.array([[0.5, 0, 0], [0, 0.5, 0]], np.float32), (160, 120))
    assert len(moved.boxes) == 0 and len(moved.ignore) == 1


@pytest.mark.parametrize("reduction", [1, 2, 4, 8])
def test_nothing_is_read_smaller_than_it_is_shown(reduction: int) -> None:
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    for shown in (0.51, 0.75, 1.0):
        matrix = np.column_stack((turn @ np.diag([0.1, shown]) / reduction, [5, 5]))
        assert wasted_reduction(matrix) == (reduction if shown <= 1 else reduction / 2)
    assert wasted_reduction(np.array([[2.0, 0, 0], [0, 0.1, 0]])) == 1


def test_mirroring_keeps_identities_with_their_boxes() -> None:
    options = WarpOptions(scale=(1, 1), aspect=(1, 1), rotation=0, shear=0, flip=1.0)
    moved = random_warp(make_sample((0, 0, 20, 40), (100, 0, 120, 80)), (160, 120), options)
    np.testing.assert_allclose(moved.boxes, [[140, 0, 160, 40], [40, 0, 60, 80]], atol=1e-3)
    assert moved.ids.tolist() == [0, 1]


def test_an_image_without_objects_passes() -> None:
    moved = random_warp(make_sample(), (96, 64), WarpOptions())
    assert moved.image.shape == (64, 96, 3) and moved.boxes.shape == (0, 4)


@pytest.mark.parametrize("seed", range(30))
def test_light_keeps_shape_and_type_and_depends_on_the_seed_alone(seed: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    first, again = (random_light(image, np.random.default_rng(seed)) for _ in range(2))
    assert first.shape == image.shape and first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)

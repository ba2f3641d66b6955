import numpy as np
import pytest

from tracker.boxes import (
    box_area,
    cxcywh_to_xyxy,
    iou_matrix,
    overlapping_pairs,
    pairs_in_windows,
    xywh_to_xyxy,
    xyxy_to_cxcywh,
    xyxy_to_xywh,
)


def random_boxes(rng, count, spread=500.0):
    corners = rng.uniform(0, spread, (count, 2))
    return np.concatenate([corners, corners + rng.uniform(1, 60, (count, 2))], axis=1)


def test_formats_there_and_back():
    boxes = random_boxes(np.random.default_rng(0), 50)
    np.testing.assert_allclose(xywh_to_xyxy(xyxy_to_xywh(boxes)), boxes, rtol=0, atol=1e-12)
    np.testing.assert_allclose(cxcywh_to_xyxy(xyxy_to_cxcywh(boxes)), boxes, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 15, 10), 50 / 150),
        ((0, 0, 10, 10), (2, 2, 4, 4), 4 / 100),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0.0),  # touching is not overlapping: no extra pixel
        ((0, 0, 10, 10), (50, 50, 60, 60), 0.0),
        ((5, 5, 5, 5), (5, 5, 5, 5), 0.0),  # no area, no overlap, no division by zero
    ],
)
def test_iou_by_hand(first, second, expected):
    first, second = np.array([first], float), np.array([second], float)
    assert iou_matrix(first, second)[0, 0] == pytest.approx(expected)
    assert overlapping_pairs(first, second)[2].sum() == pytest.approx(expected)


@pytest.mark.parametrize("count", [0, 1, 7, 40, 300])
def test_sparse_pairs_are_the_dense_ones(count):
    rng = np.random.default_rng(count)
    boxes, others = random_boxes(rng, count), random_boxes(rng, 90)
    others[:5] = boxes[:5] if count >= 5 else others[:5]  # equal left edges are found once
    rows, columns, iou = overlapping_pairs(boxes, others)
    dense = np.zeros((count, 90))
    dense[rows, columns] = iou
    assert len(set(zip(rows.tolist(), columns.tolist(), strict=True))) == len(rows)
    np.testing.assert_allclose(dense, iou_matrix(boxes, others), rtol=0, atol=1e-12)


@pytest.mark.parametrize("count", [20, 300])
@pytest.mark.parametrize("min_iou", [0.3, 0.85])
def test_pairs_above_a_least_iou_are_all_found(count, min_iou):
    rng = np.random.default_rng(count)
    boxes = random_boxes(rng, count)
    others = boxes[:90] + rng.uniform(-3, 3, (len(boxes[:90]), 4))
    others[:, 2:] = np.maximum(others[:, 2:], others[:, :2])
    rows, columns, iou = overlapping_pairs(boxes, others, min_iou)
    dense = iou_matrix(boxes, others)
    np.testing.assert_allclose(iou, dense[rows, columns], rtol=0, atol=1e-12)
    wanted = set(zip(*(dense > min_iou).nonzero(), strict=True))
    assert wanted
    assert wanted <= set(zip(rows, columns, strict=True))


def test_a_narrow_box_beside_and_below_a_wide_one_does_not_overlap_it():
    wide, narrow = np.array([[0.0, 0, 100, 10]]), np.array([[-10.0, 50, -9, 60]])
    assert len(overlapping_pairs(wide, narrow, min_iou=0.85)[0]) == 0


def test_windows_are_half_open():
    rows, columns = pairs_in_windows(np.array([1.0]), np.array([2.0]), np.array([2.0, 1.0, 0.5, 1.5]))
    assert (rows.tolist(), columns.tolist()) == ([0, 0], [1, 3])


def test_area():
    assert box_area(np.array([[1.0, 2, 4, 8]])).tolist() == [18.0]

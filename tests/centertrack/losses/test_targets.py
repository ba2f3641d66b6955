"""Targets against numbers worked by hand and against a plain loop over boxes."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from centertrack.decode import decode_boxes, find_peaks
from centertrack.losses.targets import (
    Objects,
    cornernet_legacy_radius,
    cornernet_radius,
    cover,
    draw_gaussians,
    gaussian_radii,
    window_cells,
)
from tracker.errors import InputError

RADII = [  # height, width, correct at 0.3, correct at 0.7, legacy at 0.3, legacy at 0.7
    (10, 10, 2.2614, 0.8167, 4.9545, 2.7332),
    (20, 10, 2.8902, 1.0774, 6.7797, 3.6779),
    (40, 20, 5.7805, 2.1548, 13.5595, 7.3559),
    (80, 30, 9.1629, 3.4948, 22.7225, 12.1347),
    (3, 2, 0.5341, 0.1952, 1.2000, 0.6581),
]


def make_objects(boxes: list[list[float]], images: list[int] | None = None, labels: list[int] | None = None) -> Objects:
    count = len(boxes)
    return Objects(
        torch.tensor(images or [0] * count, dtype=torch.int64),
        torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        torch.tensor(labels or [0] * count, dtype=torch.int64),
        torch.full((count,), -1),
    )


def random_objects(count: int, images: int, classes: int, shape: tuple[int, int], seed: int = 0) -> Objects:
    generator = torch.Generator().manual_seed(seed)
    height, width = shape
    centre = torch.rand(count, 2, generator=generator) * torch.tensor([width, height])
    half = torch.rand(count, 2, generator=generator) * torch.tensor([width, height]) / 4 + 0.3
    return Objects(
        torch.randint(images, (count,), generator=generator),
        torch.cat((centre - half, centre + half), dim=1),
        torch.randint(classes, (count,), generator=generator),
        torch.full((count,), -1),
    )


@pytest.mark.parametrize("row", RADII, ids=lambda row: f"{row[0]}x{row[1]}")
def test_radii_are_those_worked_by_hand(row: tuple[float, ...]) -> None:
    height, width = torch.tensor([float(row[0])]), torch.tensor([float(row[1])])
    found = [
        radius(height, width, overlap).item()
        for radius in (cornernet_radius, cornernet_legacy_radius)
        for overlap in (0.3, 0.7)
    ]
    assert found == pytest.approx(row[2:], abs=1e-4)


@pytest.mark.parametrize("min_overlap", [0.3, 0.7])
def test_shifting_both_corners_by_the_radius_keeps_the_overlap(min_overlap: float) -> None:
    height, width = 40.0, 20.0
    r = cornernet_radius(torch.tensor(height), torch.tensor(width), min_overlap).item()
    area = height * width
    shifted = (height - r) * (width - r)
    inside = (height - 2 * r) * (width - 2 * r)
    outside = (height + 2 * r) * (width + 2 * r)
    overlaps = [shifted / (2 * area - shifted), inside / area, area / outside]
    assert min(overlaps) == pytest.approx(min_overlap, abs=1e-4)


def test_ttfnet_radii_follow_each_side() -> None:
    radius_x, radius_y = gaussian_radii(torch.tensor([[0.0, 0.0, 10.0, 40.0]]), "ttfnet")
    assert (radius_x.item(), radius_y.item()) == (2, 10)  # int(0.27 * 10), int(0.27 * 40)


def test_unknown_radius_is_refused() -> None:
    with pytest.raises(InputError, match="cornernet_legacy"):
        gaussian_radii(torch.zeros(1, 4), "gauss")


@pytest.mark.parametrize("method", ["cornernet", "cornernet_legacy", "ttfnet", "fixed"])
def test_drawing_at_once_equals_drawing_box_by_box(method: str) -> None:
    shape = (3, 2, 21, 34)
    objects = random_objects(60, images=3, classes=2, shape=shape[2:])
    radii = gaussian_radii(objects.boxes, method)
    torch.testing.assert_close(draw_gaussians(objects, *radii, shape), draw_plainly(objects, *radii, shape))


def draw_plainly(objects: Objects, radius_x: Tensor, radius_y: Tensor, shape: tuple[int, int, int, int]) -> Tensor:
    heatmap = torch.zeros(shape)
    _, _, height, width = shape
    for i in range(len(objects.image)):
        x1, y1, x2, y2 = objects.boxes[i].tolist()
        column = min(max(math.floor((x1 + x2) / 2), 0), width - 1)
        row = min(max(math.floor((y1 + y2) / 2), 0), height - 1)
        rx, ry = int(radius_x[i]), int(radius_y[i])
        sigma_x, sigma_y = (2 * rx + 1) / 6, (2 * ry + 1) / 6
        plane = heatmap[objects.image[i], objects.labels[i]]
        for y in range(max(0, row - ry), min(height, row + ry + 1)):
            for x in range(max(0, column - rx), min(width, column + rx + 1)):
                value = math.exp(-((x - column) ** 2) / (2 * sigma_x**2) - (y - row) ** 2 / (2 * sigma_y**2))
                plane[y, x] = max(plane[y, x].item(), value)
    return heatmap


def test_a_peak_is_exactly_one_and_neighbours_are_not() -> None:
    objects = make_objects([[2.0, 2.0, 12.0, 12.0]])
    heatmap = draw_gaussians(objects, *gaussian_radii(objects.boxes, "cornernet"), (1, 1, 16, 16))
    assert heatmap[0, 0, 7, 7] == 1
    assert (heatmap == 1).sum() == 1
    assert heatmap[0, 0, 7, 8].item() == pytest.approx(math.exp(-0.5 / (5 / 6) ** 2), abs=1e-6)  # radius 2


def test_no_objects_give_an_empty_heatmap() -> None:
    objects = make_objects([])
    assert draw_gaussians(objects, *gaussian_radii(objects.boxes, "ttfnet"), (2, 3, 4, 5)).sum() == 0


def test_a_centre_outside_the_map_moves_to_its_border() -> None:
    objects = make_objects([[-9.0, 3.0, 1.0, 5.0], [3.0, 6.0, 9.0, 16.0]])
    column, row = objects.centres((8, 8))
    assert column.tolist() == [0, 6]
    assert row.tolist() == [4, 7]


def test_windows_are_cut_at_the_border_and_may_vanish() -> None:
    def one(value: int) -> Tensor:
        return torch.tensor([value])

    window, row, column = window_cells(one(3), one(-5), one(9), one(-1), (4, 5))
    assert len(window) == len(row) == len(column) == 0
    _, row, column = window_cells(one(3), one(-5), one(9), one(0), (4, 5))
    assert list(zip(row.tolist(), column.tolist(), strict=True)) == [(0, 3), (0, 4)]


def test_cover_marks_every_cell_that_a_box_touches() -> None:
    mask = cover(torch.tensor([[1.2, 0.0, 2.5, 2.0]]), torch.tensor([1]), (2, 4, 4))
    assert mask.shape == (2, 1, 4, 4)
    assert mask[0].sum() == 0
    assert mask[1, 0].nonzero().tolist() == [[0, 1], [0, 2], [1, 1], [1, 2]]


@pytest.mark.parametrize("method", ["cornernet", "cornernet_legacy", "ttfnet", "fixed"])
def test_drawing_and_decoding_gives_back_the_boxes(method: str) -> None:
    boxes = torch.tensor([[3.0, 2.0, 9.0, 20.0], [14.2, 4.6, 19.9, 18.3], [22.0, 8.5, 25.5, 12.0]])
    objects = Objects(torch.zeros(3, dtype=torch.int64), boxes, torch.tensor([0, 1, 0]), torch.full((3,), -1))
    shape = (24, 32)
    heatmap = draw_gaussians(objects, *gaussian_radii(boxes, method), (1, 2, *shape))
    column, row = objects.centres(shape)
    centre = torch.stack((column, row), dim=1) + 0.5
    box_2d = torch.zeros(1, 4, *shape)
    box_2d[0, :, row, column] = torch.cat((centre - boxes[:, :2], boxes[:, 2:] - centre), dim=1).T
    scores, labels, cells = find_peaks(heatmap, k=3)
    found = decode_boxes(box_2d, cells, stride=4)[0] / 4
    order = found[:, 0].argsort()
    assert scores.tolist() == [[1.0, 1.0, 1.0]]
    assert labels[0, order].tolist() == [0, 1, 0]
    torch.testing.assert_close(found[order], boxes, rtol=0, atol=1e-5)

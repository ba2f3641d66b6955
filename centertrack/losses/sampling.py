"""Which cells train the box head. Batched on the device like `targets.py`; boxes are xyxy in cells of the map."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from centertrack.losses.targets import Objects, gaussian_radii, window_cells
from tracker.errors import InputError

SAMPLINGS = ("center", "center3x3", "ttfnet", "fcos", "atss")
ATSS_CANDIDATES = 9  # k of the paper
ATSS_ANCHOR = 8.0  # side of the square anchor, in cells


class BoxSamples(NamedTuple):
    """Cells that train the box head.

    Attributes:
        image, row, column: (S,) int64, where.
        object: (S,) int64, row of `Objects` that the cell must predict.
        weight: (S,) float32.
    """

    image: Tensor
    row: Tensor
    column: Tensor
    object: Tensor
    weight: Tensor


def sample_cells(
    objects: Objects,
    shape: tuple[int, int],
    strategy: str,
    stride: int = 4,
    alpha: float = 0.54,
    center_radius: float = 1.5,
    centerness: bool = False,
) -> BoxSamples:
    """Choose the cells that train the box head. Of several boxes over one cell the smallest owns it.

    `center`: the centre cell of each object, also where several share it.
    `center3x3`: it and its neighbours.
    `ttfnet`: all cells of its Gaussian window, weighted ln(area in input pixels) * G / sum G (arXiv 1909.00700, eq. 5).
    `fcos`: cells whose centre lies in the box and near the box's (arXiv 1904.01355).
    `atss`: of the 9 cells nearest to the box's centre, those inside whose square anchors overlap it best (arXiv
    1912.02424); the best overlap owns a shared cell.

    Args:
        objects: The objects of the batch.
        shape: (height, width) of the map.
        strategy: One of `SAMPLINGS`.
        stride: Input pixels a cell, for `ttfnet`.
        alpha: Window of `ttfnet`.
        center_radius: For `fcos`: how many cells from the box's centre along each axis; 0 takes the whole box.
        centerness: For `fcos`: weigh by sqrt(min(l, r) / max(l, r) * min(t, b) / max(t, b)).

    Raises:
        InputError: Unknown strategy.
    """
    if strategy == "center":
        return _sample_centres(objects, shape)
    if strategy == "center3x3":
        column, row = objects.centres(shape)
        samples = _in_windows(objects, column - 1, row - 1, column + 1, row + 1, shape)
    elif strategy == "ttfnet":
        samples = _sample_gaussians(objects, shape, stride, alpha)
    elif strategy == "fcos":
        samples = _sample_insides(objects, shape, center_radius, centerness)
    elif strategy == "atss":
        return _sample_adaptively(objects, shape)
    else:
        raise InputError(f"sampling must be one of {', '.join(SAMPLINGS)}, got {strategy!r}")
    area = (objects.boxes[:, 2:] - objects.boxes[:, :2]).prod(dim=1)
    return _keep_winners(samples, _ranks(-area)[samples.object], shape)


def _sample_centres(objects: Objects, shape: tuple[int, int]) -> BoxSamples:
    column, row = objects.centres(shape)
    index = torch.arange(len(column), device=column.device)
    return BoxSamples(objects.image, row, column, index, torch.ones_like(objects.boxes[:, 0]))


def _in_windows(
    objects: Objects, left: Tensor, top: Tensor, right: Tensor, bottom: Tensor, shape: tuple[int, int]
) -> BoxSamples:
    window, row, column = window_cells(left, top, right, bottom, shape)
    weight = torch.ones(len(window), device=window.device)
    return BoxSamples(objects.image[window], row, column, window, weight)


def _sample_gaussians(objects: Objects, shape: tuple[int, int], stride: int, alpha: float) -> BoxSamples:
    column, row = objects.centres(shape)
    radius_x, radius_y = gaussian_radii(objects.boxes, "ttfnet", alpha=alpha)
    window = (column - radius_x, row - radius_y, column + radius_x, row + radius_y)
    samples = _in_windows(objects, *window, shape)
    owner = samples.object
    sigma_x, sigma_y = (2 * radius_x + 1) / 6, (2 * radius_y + 1) / 6
    dx, dy = (samples.column - column[owner]) / sigma_x[owner], (samples.row - row[owner]) / sigma_y[owner]
    gaussian = torch.exp(-0.5 * (dx**2 + dy**2))
    total = torch.zeros_like(objects.boxes[:, 0]).index_add_(0, owner, gaussian)
    size = (objects.boxes[:, 2:] - objects.boxes[:, :2]).clamp(min=1e-3)
    log_area = (size.prod(dim=1) * stride**2).log().clamp(min=0)
    return samples._replace(weight=log_area[owner] * gaussian / total[owner])


def _sample_insides(objects: Objects, shape: tuple[int, int], center_radius: float, centerness: bool) -> BoxSamples:
    x1, y1, x2, y2 = objects.boxes.unbind(dim=1)
    if center_radius > 0:
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        x1, x2 = torch.maximum(x1, x - center_radius), torch.minimum(x2, x + center_radius)
        y1, y2 = torch.maximum(y1, y - center_radius), torch.minimum(y2, y + center_radius)
    # cell j has its centre strictly inside when x1 < j + 0.5 < x2
    left, top = (x1 + 0.5).floor().long(), (y1 + 0.5).floor().long()
    right, bottom = (x2 - 0.5).ceil().long() - 1, (y2 - 0.5).ceil().long() - 1
    samples = _in_windows(objects, left, top, right, bottom, shape)
    if not centerness:
        return samples
    return samples._replace(weight=_centerness(objects.boxes[samples.object], samples.column, samples.row))


def _centerness(boxes: Tensor, column: Tensor, row: Tensor) -> Tensor:
    """How central a cell lies in its box, from 0 at a border to 1 in the middle: (S, 4), (S,), (S,) -> (S,)."""
    cell = torch.stack((column, row), dim=1) + 0.5
    before, after = cell - boxes[:, :2], boxes[:, 2:] - cell  # (S, 2) l t and r b
    ratio = torch.minimum(before, after).clamp(min=0) / torch.maximum(before, after).clamp(min=1e-6)
    return ratio.prod(dim=1).sqrt()


def _sample_adaptively(objects: Objects, shape: tuple[int, int]) -> BoxSamples:
    if not len(objects.image):
        return _sample_centres(objects, shape)
    column, row = _nearest_cells(objects, shape)  # (K, k)
    cell = torch.stack((column, row), dim=2) + 0.5  # (K, k, 2)
    low, high = objects.boxes[:, None, :2], objects.boxes[:, None, 2:]
    half = ATSS_ANCHOR / 2
    overlap = (torch.minimum(high, cell + half) - torch.maximum(low, cell - half)).clamp(min=0).prod(dim=2)
    iou = overlap / ((high - low).prod(dim=2) + ATSS_ANCHOR**2 - overlap)  # (K, k)
    inside = ((cell > low) & (cell < high)).all(dim=2)
    threshold = iou.mean(dim=1, keepdim=True) + (iou.std(dim=1, keepdim=True) if iou.shape[1] > 1 else 0)
    positive = inside & (iou >= threshold - 1e-6)  # in a large box all overlaps are equal, but for rounding
    best = torch.zeros_like(positive).scatter_(1, (iou + inside).argmax(dim=1, keepdim=True), True)
    positive |= best & ~positive.any(dim=1, keepdim=True)
    owner, place = positive.nonzero(as_tuple=True)
    samples = BoxSamples(
        objects.image[owner],
        row[owner, place],
        column[owner, place],
        owner,
        torch.ones(len(owner), device=owner.device),
    )
    return _keep_winners(samples, _ranks(iou[owner, place]), shape)


def _nearest_cells(objects: Objects, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return column and row (K, k) of the cells nearest to each box's centre, nearest first.

    The k nearest lie in a window of k x k cells around the centre, moved inside the map.
    """
    height, width = shape
    middle = (objects.boxes[:, :2] + objects.boxes[:, 2:]) / 2
    sides = min(ATSS_CANDIDATES, width), min(ATSS_CANDIDATES, height)
    first_x = (middle[:, 0].floor().long() - sides[0] // 2).clamp(0, width - sides[0])
    first_y = (middle[:, 1].floor().long() - sides[1] // 2).clamp(0, height - sides[1])
    place = torch.arange(sides[0] * sides[1], device=middle.device)
    column = first_x[:, None] + place % sides[0]  # (K, side * side)
    row = first_y[:, None] + place // sides[0]
    distance = (column + 0.5 - middle[:, :1]) ** 2 + (row + 0.5 - middle[:, 1:]) ** 2
    nearest = distance.topk(min(ATSS_CANDIDATES, len(place)), dim=1, largest=False).indices
    return column.gather(1, nearest), row.gather(1, nearest)


def _ranks(values: Tensor) -> Tensor:
    """Return the place (K,) of each value in rising order; no two share one."""
    ranks = torch.empty_like(values, dtype=torch.int64)
    ranks[values.argsort(stable=True)] = torch.arange(len(values), device=values.device)
    return ranks


def _keep_winners(samples: BoxSamples, rank: Tensor, shape: tuple[int, int]) -> BoxSamples:
    """Leave every cell to the sample with the highest rank (S,)."""
    cell = (samples.image * shape[0] + samples.row) * shape[1] + samples.column
    images = int(samples.image.max()) + 1 if len(samples.image) else 0
    best = torch.full((images * shape[0] * shape[1],), -1, dtype=torch.int64, device=rank.device)
    best.scatter_reduce_(0, cell, rank, reduce="amax")
    kept = best[cell] == rank
    return BoxSamples(*(values[kept] for values in samples))

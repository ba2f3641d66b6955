"""Boxes to target heatmaps, by Gaussians.

Everything is batched on the device: boxes of all images are rows of flat arrays, and their windows of cells are listed
one after the other (`window_cells`), so that cost follows the number of cells touched and there is no loop over boxes.
Boxes are xyxy in cells of the output map.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from tracker.errors import InputError

RADII = ("cornernet", "cornernet_legacy", "ttfnet", "fixed")


class Objects(NamedTuple):
    """The objects of a batch, as rows of flat arrays.

    Attributes:
        image: (K,) int64, index of the image in the batch.
        boxes: (K, 4) float32, xyxy in cells.
        labels: (K,) int64, class.
        ids: (K,) int64, identity, -1 where unknown.
    """

    image: Tensor
    boxes: Tensor
    labels: Tensor
    ids: Tensor

    def middles(self, shape: tuple[int, int]) -> Tensor:
        """Return the centres (K, 2), x y in cells, of which those outside a (height, width) map move to its border."""
        middle = (self.boxes[:, :2] + self.boxes[:, 2:]) / 2
        height, width = shape
        return torch.stack((middle[:, 0].clamp(0, width - 1), middle[:, 1].clamp(0, height - 1)), dim=1)

    def centres(self, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Return the column and row (K,) of the cell that holds each centre, kept inside a (height, width) map."""
        column, row = self.middles(shape).floor().long().unbind(dim=1)
        return column, row


def cornernet_radius(height: Tensor, width: Tensor, min_overlap: float = 0.3) -> Tensor:
    """Return how far both corners of a box can shift, in the worst way, and still leave IoU >= min_overlap.

    The smallest root of the three cases: one corner in and one out, both inside, both outside.

    Args:
        height: (K,), cells.
        width: (K,), cells.
        min_overlap: IoU to keep.

    Returns:
        (K,), cells.

    >>> cornernet_radius(torch.tensor([40.0]), torch.tensor([20.0]), 0.7)
    tensor([2.1548])
    """
    total, area, t = height + width, height * width, min_overlap
    mixed = (total - (total**2 - 4 * area * (1 - t) / (1 + t)).clamp(min=0).sqrt()) / 2
    inside = (2 * total - (4 * total**2 - 16 * (1 - t) * area).clamp(min=0).sqrt()) / 8
    outside = (-2 * t * total + (4 * t**2 * total**2 + 16 * t * (1 - t) * area).sqrt()) / (8 * t)
    return torch.minimum(torch.minimum(mixed, inside), outside).clamp(min=0)


def cornernet_legacy_radius(height: Tensor, width: Tensor, min_overlap: float = 0.7) -> Tensor:
    """Return the radius of the first CornerNet code, which CenterNet and FairMOT still use.

    It takes (b + sqrt(disc)) / 2 in all three cases: wrong roots, and about 3.4 times the correct minimum at 0.7. The
    published accuracies of CenterNet and FairMOT come from it.

    >>> cornernet_legacy_radius(torch.tensor([40.0]), torch.tensor([20.0]), 0.7)
    tensor([7.3559])
    """
    total, area, t = height + width, height * width, min_overlap
    mixed = (total + (total**2 - 4 * area * (1 - t) / (1 + t)).clamp(min=0).sqrt()) / 2
    inside = (2 * total + (4 * total**2 - 16 * (1 - t) * area).clamp(min=0).sqrt()) / 2
    outside = (-2 * t * total + (4 * t**2 * total**2 + 16 * t * (1 - t) * area).sqrt()) / 2
    return torch.minimum(torch.minimum(mixed, inside), outside).clamp(min=0)


def gaussian_radii(
    boxes: Tensor, method: str, min_overlap: float = 0.3, alpha: float = 0.54, fixed_radius: int = 2
) -> tuple[Tensor, Tensor]:
    """Return the whole-cell radii (x, y) of each box's Gaussian.

    Args:
        boxes: (K, 4), xyxy in cells.
        method: `cornernet`, `cornernet_legacy` (one radius for both axes), `ttfnet` (alpha / 2 of each side), `fixed`.
        min_overlap: For the CornerNet radii.
        alpha: For TTFNet (arXiv 1909.00700).
        fixed_radius: For `fixed`, the same for every box, in cells.

    Returns:
        Two (K,) int64 arrays.

    Raises:
        InputError: Unknown method.
    """
    size = boxes[:, 2:] - boxes[:, :2]
    if method == "ttfnet":
        radii = (alpha / 2 * size).long().clamp(min=0)
        return radii[:, 0], radii[:, 1]
    width, height = size.ceil().unbind(dim=1)
    if method == "cornernet":
        radius = cornernet_radius(height, width, min_overlap).long()
    elif method == "cornernet_legacy":
        radius = cornernet_legacy_radius(height, width, min_overlap).long()
    elif method == "fixed":
        radius = torch.full_like(height, fixed_radius, dtype=torch.int64)
    else:
        raise InputError(f"heatmap_target must be one of {', '.join(RADII)}, got {method!r}")
    return radius, radius


def window_cells(
    left: Tensor, top: Tensor, right: Tensor, bottom: Tensor, shape: tuple[int, int]
) -> tuple[Tensor, Tensor, Tensor]:
    """List every cell of every window, window after window.

    Args:
        left, top, right, bottom: (K,) int64, first and last column and row of a window, cut at the map's border here.
        shape: (height, width) of the map.

    Returns:
        window, row, column: (S,) int64 each; S is the number of cells in all windows together.

    >>> corner = torch.tensor([-1]), torch.tensor([0]), torch.tensor([1]), torch.tensor([0])
    >>> [part.tolist() for part in window_cells(*corner, shape=(4, 5))]
    [[0, 0], [0, 0], [0, 1]]
    """
    height, width = shape
    left, top = left.clamp(min=0), top.clamp(min=0)
    columns = (right.clamp(max=width - 1) - left + 1).clamp(min=0)
    rows = (bottom.clamp(max=height - 1) - top + 1).clamp(min=0)
    counts = columns * rows
    window = torch.repeat_interleave(torch.arange(len(counts), device=counts.device), counts)
    start = counts.cumsum(0) - counts
    place = torch.arange(len(window), device=counts.device) - start[window]
    in_row = columns[window]
    return window, top[window] + place // in_row, left[window] + place % in_row


def draw_gaussians(objects: Objects, radius_x: Tensor, radius_y: Tensor, shape: tuple[int, int, int, int]) -> Tensor:
    """Draw one Gaussian per object on its class's heatmap; overlapping ones take the larger value.

    sigma = (2 radius + 1) / 6 on each axis; the window is 2 radius + 1 cells; the peak is exactly 1.

    Args:
        objects: The objects of the batch.
        radius_x, radius_y: (K,) int64, cells.
        shape: (N, C, H, W) of the heatmap.

    Returns:
        (N, C, H, W) float32 in [0, 1].
    """
    _, classes, height, width = shape
    column, row = objects.centres((height, width))
    window, y, x = window_cells(column - radius_x, row - radius_y, column + radius_x, row + radius_y, (height, width))
    sigma_x, sigma_y = (2 * radius_x + 1) / 6, (2 * radius_y + 1) / 6
    exponent = ((x - column[window]) / sigma_x[window]) ** 2 + ((y - row[window]) / sigma_y[window]) ** 2
    values = torch.exp(-0.5 * exponent)
    cell = ((objects.image[window] * classes + objects.labels[window]) * height + y) * width + x
    heatmap = torch.zeros(math.prod(shape), device=objects.boxes.device)
    return heatmap.scatter_reduce_(0, cell, values, reduce="amax").view(shape)


def cover(boxes: Tensor, image: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """Mark the cells that lie under any of the boxes, for regions where the truth is unknown.

    Args:
        boxes: (K, 4), xyxy in cells.
        image: (K,) int64, index of the image in the batch.
        shape: (N, H, W).

    Returns:
        (N, 1, H, W) bool.
    """
    count, height, width = shape
    edges = torch.cat((boxes[:, :2].floor(), boxes[:, 2:].ceil() - 1), dim=1).long()
    left, top, right, bottom = edges.unbind(dim=1)
    window, y, x = window_cells(left, top, right, bottom, (height, width))
    mask = torch.zeros(count * height * width, dtype=torch.bool, device=boxes.device)
    mask[(image[window] * height + y) * width + x] = True
    return mask.view(count, 1, height, width)

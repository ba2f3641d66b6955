"""Network maps to boxes, scores, labels and embeddings."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

BOX_FORMATS = ("ltrb", "ltrb_offset", "size_offset")


def find_peaks(heatmap: Tensor, k: int, kernel: int = 3) -> tuple[Tensor, Tensor, Tensor]:
    """Return the k strongest local maxima of every image, one label a cell.

    A cell is a peak of its class when nothing in its kernel x kernel neighbourhood is higher.

    Args:
        heatmap: (N, C, H, W), probabilities in [0, 1].
        k: Peaks kept per image; at most H * W are returned.
        kernel: Odd side of the neighbourhood.

    Returns:
        scores, labels and cells, each (N, k), by falling score; cell = row * W + column.

    >>> heatmap = torch.zeros(1, 2, 4, 5)
    >>> heatmap[0, 1, 2, 3], heatmap[0, 1, 2, 4], heatmap[0, 0, 0, 0] = 0.9, 0.8, 0.4
    >>> find_peaks(heatmap, k=2)
    (tensor([[0.9000, 0.4000]]), tensor([[1, 0]]), tensor([[13,  0]]))
    """
    highest = F.max_pool2d(heatmap, kernel, stride=1, padding=kernel // 2)
    peaks = heatmap * (heatmap == highest)
    best, labels = peaks.max(dim=1)  # (N, H, W)
    scores, cells = best.flatten(1).topk(min(k, best.shape[1] * best.shape[2]))
    return scores, labels.flatten(1).gather(1, cells), cells


def gather_cells(maps: Tensor, cells: Tensor) -> Tensor:
    """Read a map at chosen cells.

    Args:
        maps: (N, D, H, W).
        cells: (N, K) int64, row * W + column.

    Returns:
        (N, K, D).
    """
    index = cells.unsqueeze(1).expand(-1, maps.shape[1], -1)  # (N, D, K)
    return maps.flatten(2).gather(2, index).transpose(1, 2)


def decode_boxes(
    box_2d: Tensor, cells: Tensor, stride: int, box_format: str = "ltrb", offset: Tensor | None = None
) -> Tensor:
    """Turn box outputs at chosen cells into corners.

    Args:
        box_2d: (N, 4, H, W) distances left, top, right, bottom in cells; (N, 2, H, W) width, height for `size_offset`.
        cells: (N, K) int64.
        stride: Input pixels a cell.
        box_format: `ltrb`: distances, clamped at 0, from the cell centre (index + 0.5). `ltrb_offset`: distances, not
            clamped, from index + offset (FairMOT). `size_offset`: full size around index + offset (CenterNet).
        offset: (N, 2, H, W), dx dy in cells, for the latter two; 0.5 where there is none.

    Returns:
        (N, K, 4), xyxy in input pixels.
    """
    width = box_2d.shape[3]
    anchor = torch.stack((cells % width, cells // width), dim=2).to(box_2d.dtype)  # (N, K, 2), x y
    values = gather_cells(box_2d, cells)
    shift = 0.5 if box_format == "ltrb" or offset is None else gather_cells(offset, cells)
    centre = anchor + shift
    if box_format == "size_offset":
        half = values / 2
        return torch.cat((centre - half, centre + half), dim=2) * stride
    if box_format == "ltrb":
        values = values.clamp(min=0)
    return torch.cat((centre - values[..., :2], centre + values[..., 2:]), dim=2) * stride


def gather_embeddings(reid: Tensor, cells: Tensor) -> Tensor:
    """Return the unit-length embedding at each cell: (N, D, H, W) and (N, K) -> (N, K, D)."""
    return F.normalize(gather_cells(reid, cells), dim=2, eps=1e-12)

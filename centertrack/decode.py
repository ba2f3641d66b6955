"""Network maps to boxes, scores, labels and embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

BOX_FORMATS = ("ltrb", "ltrb_offset", "size_offset")


class Detection2D(NamedTuple):
    """The k best objects of every image, by falling score: what `detect` returns and an exported graph computes.

    Attributes:
        boxes: (N, K, 4) xyxy in input pixels.
        scores: (N, K) in [0, 1].
        labels: (N, K) int64.
        embeddings: (N, K, D) unit rows; D = 0 without a re-identification head.
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor
    embeddings: Tensor


def decode_maps(
    maps: Mapping[str, Tensor | Sequence[Tensor]],
    strides: Sequence[int],
    k: int,
    kernel: int = 3,
    box_format: str = "ltrb",
) -> Detection2D:
    """Decode the maps of a network, of one level or several.

    Args:
        maps: heatmap (N, C, H, W) in [0, 1] and box_2d (N, 4, H, W), perhaps reid (N, D, H, W) and offset (N, 2, H, W);
            each a map, or one map a level.
        strides: Input pixels a cell, of each level.
        k: Objects kept per image, over all levels; at most as many as there are cells.
        kernel: Odd side of the peak window.
        box_format: See `decode_boxes`.
    """
    levels = [{name: level(values, i) for name, values in maps.items()} for i in range(len(strides))]
    if len(levels) == 1:
        return _decode_level(levels[0], strides[0], k, kernel, box_format)
    # The best of all levels together: how many a level has depends on the image.
    cells = [_decode_cells(one, stride, kernel, box_format) for one, stride in zip(levels, strides, strict=True)]
    boxes, scores, labels, embeddings = (torch.cat(parts, dim=1) for parts in zip(*cells, strict=True))
    count = scores.shape[1]
    scores, best = scores.topk(k if k <= count else count)
    return Detection2D(_pick(boxes, best), scores, labels.gather(1, best), F.normalize(_pick(embeddings, best), dim=2))


def level(values: Tensor | Sequence[Tensor], index: int) -> Tensor:
    """Return the map of one level; a single map is level 0."""
    return values if isinstance(values, Tensor) else values[index]


def _decode_level(maps: Mapping[str, Tensor], stride: int, k: int, kernel: int, box_format: str) -> Detection2D:
    scores, labels, cells = find_peaks(maps["heatmap"], k, kernel)
    boxes = decode_boxes(maps["box_2d"], cells, stride, box_format, maps.get("offset"))
    embeddings = gather_embeddings(maps["reid"], cells) if "reid" in maps else boxes.new_zeros((*scores.shape, 0))
    return Detection2D(boxes, scores, labels, embeddings)


def _decode_cells(maps: Mapping[str, Tensor], stride: int, kernel: int, box_format: str) -> Detection2D:
    """Decode every cell of a level; embeddings keep their length."""
    scores, labels = _score_cells(maps["heatmap"], kernel)
    images, count = scores.shape
    every = torch.arange(count, device=scores.device).expand(images, count)
    boxes = decode_boxes(maps["box_2d"], every, stride, box_format, maps.get("offset"))
    embeddings = maps["reid"].flatten(2).transpose(1, 2) if "reid" in maps else boxes[:, :, :0]
    return Detection2D(boxes, scores, labels, embeddings)


def _pick(values: Tensor, rows: Tensor) -> Tensor:
    """(N, R, D) and (N, K) -> (N, K, D)."""
    return values.gather(1, rows.unsqueeze(2).expand(-1, -1, values.shape[2]))


def _score_cells(heatmap: Tensor, kernel: int) -> tuple[Tensor, Tensor]:
    """Return the best class of every cell, 0 where it is no peak: scores and labels (N, H * W)."""
    peaks = heatmap * _is_peak(heatmap, kernel) if kernel > 1 else heatmap
    best, labels = peaks.max(dim=1)
    return best.flatten(1), labels.flatten(1)


def find_peaks(heatmap: Tensor, k: int, kernel: int = 3) -> tuple[Tensor, Tensor, Tensor]:
    """Return the k strongest local maxima of every image, one label a cell.

    A cell is a peak of its class when nothing in its kernel x kernel neighbourhood is higher. Of equal neighbours, as
    rounded or saturated scores make them, only the first one is a peak: an object is found once.

    Args:
        heatmap: (N, C, H, W), probabilities in [0, 1].
        k: Peaks kept per image; at most H * W are returned.
        kernel: Odd side of the neighbourhood.

    Returns:
        scores, labels and cells, each (N, k), by falling score; cell = row * W + column.

    Raises:
        ValueError: `kernel` is even.

    >>> heatmap = torch.zeros(1, 2, 4, 5)
    >>> heatmap[0, 1, 2, 3], heatmap[0, 1, 2, 4], heatmap[0, 0, 0, 0] = 0.9, 0.8, 0.4
    >>> find_peaks(heatmap, k=2)
    (tensor([[0.9000, 0.4000]]), tensor([[1, 0]]), tensor([[13,  0]]))
    """
    if kernel % 2 == 0:
        raise ValueError(f"the peak window must have an odd side, got {kernel}")
    best, labels = _score_cells(heatmap, kernel)
    area = best.shape[1]
    scores, cells = best.topk(k if k <= area else area)  # an export cannot keep `min`
    return scores, labels.gather(1, cells), cells


def _is_peak(heatmap: Tensor, kernel: int) -> Tensor:
    """Mark cells higher than all before them in the window, in reading order, and not lower than all after them.

    Shifted views instead of pooling, which takes several times as long on a CPU.
    """
    reach = kernel // 2
    height, width = heatmap.shape[2:]
    padded = F.pad(heatmap, [reach] * 4)
    columns = [padded[..., i : i + width] for i in range(kernel)]
    left, right = reduce(torch.maximum, columns[:reach]), reduce(torch.maximum, columns[reach + 1 :])
    row = torch.maximum(torch.maximum(left, right), columns[reach])
    rows = [row[:, :, i : i + height] for i in range(kernel)]
    above, below = reduce(torch.maximum, rows[:reach]), reduce(torch.maximum, rows[reach + 1 :])
    own = slice(reach, reach + height)
    is_first = heatmap > torch.maximum(left[:, :, own], above)
    return is_first & (heatmap >= torch.maximum(right[:, :, own], below))


def gather_cells(maps: Tensor, cells: Tensor) -> Tensor:
    """Read a map at chosen cells.

    Args:
        maps: (N, D, H, W).
        cells: (N, K) int64, row * W + column.

    Returns:
        (N, K, D).
    """
    images, depth, height, width = maps.shape
    rows = maps.permute(0, 2, 3, 1).reshape(images * height * width, depth)
    first = torch.arange(images, device=cells.device).unsqueeze(1) * (height * width)
    return F.embedding(cells + first, rows)


def decode_boxes(
    box_2d: Tensor, cells: Tensor, stride: int, box_format: str = "ltrb", offset: Tensor | None = None
) -> Tensor:
    """Turn box outputs at chosen cells into corners.

    Args:
        box_2d: (N, 4, H, W) distances left, top, right, bottom in cells; (N, 2, H, W) width, height for `size_offset`.
        cells: (N, K) int64.
        stride: Input pixels a cell.
        box_format: See `corners`.
        offset: (N, 2, H, W), dx dy in cells, for the formats that have one; 0.5 where there is none.

    Returns:
        (N, K, 4), xyxy in input pixels.
    """
    width = box_2d.shape[3]
    anchor = torch.stack((cells % width, cells // width), dim=2).to(box_2d.dtype)  # (N, K, 2), x y
    shift = 0.5 if box_format == "ltrb" or offset is None else gather_cells(offset, cells)
    return corners(anchor + shift, gather_cells(box_2d, cells), box_format) * stride


def corners(centre: Tensor, values: Tensor, box_format: str = "ltrb") -> Tensor:
    """Turn box values around centres into corners, all in one unit.

    Args:
        centre: (..., 2), x y.
        values: (..., 4) distances left, top, right, bottom; (..., 2) width, height for `size_offset`.
        box_format: `ltrb`: distances, clamped at 0, from the cell centre (index + 0.5). `ltrb_offset`: distances, not
            clamped, from index + offset (FairMOT). `size_offset`: full size around index + offset (CenterNet).

    Returns:
        (..., 4), xyxy.
    """
    if box_format == "size_offset":
        return torch.cat((centre - values / 2, centre + values / 2), dim=-1)
    if box_format == "ltrb":
        values = values.clamp(min=0)
    return torch.cat((centre - values[..., :2], centre + values[..., 2:]), dim=-1)


def gather_embeddings(reid: Tensor, cells: Tensor) -> Tensor:
    """Return the unit-length embedding at each cell: (N, D, H, W) and (N, K) -> (N, K, D)."""
    return F.normalize(gather_cells(reid, cells), dim=2, eps=1e-12)

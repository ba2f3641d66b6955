"""Box losses on corners x1 y1 x2 y2; degenerate boxes give finite values and gradients."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from tracker.errors import InputError

EPS = 1e-7
MIN_HULL = 1e-3  # side of the enclosing box; a smaller one, of two boxes without area, would send gradients of 1 / EPS
BOX_LOSSES = ("l1", "smooth_l1", "iou", "giou", "diou", "ciou")


def box_loss(predicted: Tensor, target: Tensor, kind: str = "giou") -> Tensor:
    """Compare boxes row by row.

    l1, smooth_l1 (beta 1): mean over the four coordinates. iou: 1 - IoU.
    giou (arXiv 1902.09630): 1 - IoU + (C - U) / C.
    diou (arXiv 1911.08287): 1 - IoU + d^2 / diag^2. ciou: diou + a v, with a held constant in the gradient.

    Args:
        predicted: (S, 4), x1 y1 x2 y2, any unit.
        target: (S, 4), in the same unit.
        kind: One of `BOX_LOSSES`.

    Returns:
        (S,) float32, not reduced.

    Raises:
        InputError: `kind` is unknown.

    >>> a, b = torch.tensor([[0.0, 0, 4, 4]]), torch.tensor([[1.0, 1, 5, 7]])
    >>> [round(box_loss(a, b, kind).item(), 6) for kind in ("iou", "giou", "diou", "ciou")]
    [0.709677, 0.823963, 0.777245, 0.777589]
    """
    predicted, target = predicted.float(), target.float()
    if kind == "l1":
        return (predicted - target).abs().mean(dim=1)
    if kind == "smooth_l1":
        return F.smooth_l1_loss(predicted, target, reduction="none").mean(dim=1)
    if kind not in BOX_LOSSES:
        raise InputError(f"box loss must be one of {', '.join(BOX_LOSSES)}, got {kind!r}")
    return _iou_loss(predicted, target, kind)


def _iou_loss(predicted: Tensor, target: Tensor, kind: str) -> Tensor:
    size_p = (predicted[:, 2:] - predicted[:, :2]).clamp(min=0)
    size_t = (target[:, 2:] - target[:, :2]).clamp(min=0)
    overlap = (torch.minimum(predicted[:, 2:], target[:, 2:]) - torch.maximum(predicted[:, :2], target[:, :2])).clamp(0)
    intersection = overlap.prod(dim=1)
    union = size_p.prod(dim=1) + size_t.prod(dim=1) - intersection
    iou = intersection / (union + EPS)
    if kind == "iou":
        return 1 - iou
    hull = torch.maximum(predicted[:, 2:], target[:, 2:]) - torch.minimum(predicted[:, :2], target[:, :2])
    if kind == "giou":
        area = hull.clamp(min=MIN_HULL).prod(dim=1)
        return 1 - iou + (area - union) / (area + EPS)
    centre_distance = (predicted[:, :2] + predicted[:, 2:] - target[:, :2] - target[:, 2:]) / 2
    diou = 1 - iou + centre_distance.square().sum(dim=1) / (hull.square().sum(dim=1) + EPS)
    if kind == "diou":
        return diou
    angle = torch.atan(size_t[:, 0] / (size_t[:, 1] + EPS)) - torch.atan(size_p[:, 0] / (size_p[:, 1] + EPS))
    v = (4 / math.pi**2) * angle.square()
    with torch.no_grad():
        a = v / (1 - iou + v + EPS)
    return diou + a * v

"""Focal losses for heatmaps, computed on logits so that they stay stable where the sigmoid saturates."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def focal_loss(
    logits: Tensor, target: Tensor, ignore: Tensor | None = None, alpha: float = 2.0, beta: float = 4.0
) -> Tensor:
    """Penalty-reduced focal loss of CornerNet (arXiv 1808.01244, equation 1).

    With p = sigmoid(z): -(1 - p)^alpha log p where y = 1, else -(1 - y)^beta p^alpha log(1 - p); the sum is divided by
    the number of cells with y = 1, at least 1.

    Args:
        logits: (N, C, H, W).
        target: Same shape, in [0, 1]; exactly 1 at the objects' centres.
        ignore: (N, 1, H, W) bool, cells that count only if they are positive. None: all cells count.
        alpha: Focus on hard cells.
        beta: Leniency near a centre.

    Returns:
        A scalar, float32.

    >>> z, y = torch.tensor([2.0, -2.0, 0.0, -4.0]), torch.tensor([1.0, 0.0, 0.5, 0.2])
    >>> round(focal_loss(z, y).item(), 7)
    0.01444
    """
    logits, target = logits.float(), target.float()
    p = logits.sigmoid()
    positive = target == 1
    at_centre = (1 - p).pow(alpha) * F.logsigmoid(logits)
    elsewhere = (1 - target).pow(beta) * p.pow(alpha) * F.logsigmoid(-logits)
    loss = -torch.where(positive, at_centre, elsewhere)
    return _normalised_sum(loss, positive, ignore)


def quality_focal_loss(logits: Tensor, target: Tensor, ignore: Tensor | None = None, beta: float = 2.0) -> Tensor:
    """Quality focal loss |y - p|^beta BCE(z, y), for soft targets (arXiv 2006.04388, equation 3).

    Args and normalisation: as `focal_loss`.

    >>> z, y = torch.tensor([2.0, -2.0, 0.0, -4.0]), torch.tensor([1.0, 0.0, 0.5, 0.2])
    >>> round(quality_focal_loss(z, y).item(), 7)
    0.0307116
    """
    logits, target = logits.float(), target.float()
    distance = (target - logits.sigmoid()).abs().pow(beta)
    loss = distance * F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return _normalised_sum(loss, target == 1, ignore)


def _normalised_sum(loss: Tensor, positive: Tensor, ignore: Tensor | None) -> Tensor:
    if ignore is not None:
        loss = loss.masked_fill(ignore & ~positive, 0.0)
    return loss.sum() / positive.sum().clamp(min=1)

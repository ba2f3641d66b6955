"""What a larger network of ours says about an image, as a loss of a smaller one: every cell is a label."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from centertrack.decode import corners
from centertrack.losses.box import box_loss

MIN_SCORE = 0.05  # of the teacher, from which its boxes are worth copying


def imitation_loss(
    heatmaps: Sequence[Tensor],
    boxes: Sequence[Tensor],
    teacher_heatmaps: Sequence[Tensor],
    teacher_boxes: Sequence[Tensor],
) -> Tensor:
    """Compare what two networks of the same levels say about the same images.

    Scores: the Kullback-Leibler divergence of the student's from the teacher's, summed over all cells (distillation,
    arXiv 1503.02531); boxes: GIoU, weighted by the teacher's score. Both are divided by the sum of the teacher's
    scores, at least 1.

    Args:
        heatmaps: (N, C, H, W) float32 logits, one map a level.
        boxes: (N, 4, H, W) distances left, top, right, bottom in cells.
        teacher_heatmaps, teacher_boxes: The same of the teacher.

    Returns:
        A scalar, float32; 0 where the two agree.

    >>> z, b = [torch.tensor([[[[2.0, -1.0]]]])], [torch.ones(1, 4, 1, 2)]
    >>> imitation_loss(z, b, z, b).item()
    0.0
    """
    total, loss = teacher_heatmaps[0].new_zeros(()), heatmaps[0].new_zeros(())
    for z, ltrb, teacher_z, teacher_ltrb in zip(heatmaps, boxes, teacher_heatmaps, teacher_boxes, strict=True):
        score = teacher_z.sigmoid()
        total = total + score.sum()
        answer, certain = (F.binary_cross_entropy_with_logits(x, score, reduction="none") for x in (z, teacher_z))
        loss = loss + (answer - certain).sum()
        best = score.amax(dim=1)
        image, row, column = (best > MIN_SCORE).nonzero(as_tuple=True)
        centre = torch.stack((column, row), dim=1) + 0.5
        own, truth = (corners(centre, x.permute(0, 2, 3, 1)[image, row, column]) for x in (ltrb, teacher_ltrb))
        loss = loss + (box_loss(own, truth, "giou") * best[image, row, column]).sum()
    return loss / total.clamp(min=1)

from __future__ import annotations

import pytest
import torch

from centertrack.losses.imitation import imitation_loss


def kl(teacher: float, student: float) -> float:
    """Divergence of the two Bernoulli distributions whose logits are given."""
    t, s = (torch.tensor(z, dtype=torch.float64).sigmoid() for z in (teacher, student))
    return float(t * (t / s).log() + (1 - t) * ((1 - t) / (1 - s)).log())


def test_scores_and_boxes_by_hand() -> None:
    teacher = [torch.tensor([[[[2.0, -1.0]]]]), torch.tensor([[[[-6.0]]]])]
    student = [torch.tensor([[[[1.0, 0.5]]]]), torch.tensor([[[[-2.0]]]])]
    boxes = [torch.ones(1, 4, 1, 2), torch.ones(1, 4, 1, 1)]
    # the teacher's first box is as wide as both sides of its cell by 1; the student's reaches half as far to the left
    own = [boxes[0].clone(), 5 * boxes[1]]  # where the teacher's score is below 0.05 no box is learnt
    own[0][0, 0, 0, 0] = 0.0
    giou = 1 - 2 / 4  # the student's box is half of the teacher's, which is their hull
    scores = [float(torch.tensor(z).sigmoid()) for z in (2.0, -1.0, -6.0)]
    expected = kl(2, 1) + kl(-1, 0.5) + kl(-6, -2) + scores[0] * giou
    found = imitation_loss(student, own, teacher, boxes).item()
    assert found == pytest.approx(expected / sum(scores), rel=1e-4)


def test_a_student_learns_to_say_the_same() -> None:
    torch.manual_seed(0)
    teacher, teacher_boxes = [torch.randn(2, 1, 3, 4)], [torch.rand(2, 4, 3, 4) + 1]
    heatmap, boxes = [torch.zeros(2, 1, 3, 4, requires_grad=True)], [torch.ones(2, 4, 3, 4, requires_grad=True)]
    before = imitation_loss(heatmap, boxes, teacher, teacher_boxes)
    optimizer = torch.optim.Adam([*heatmap, *boxes], lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        loss = imitation_loss(heatmap, boxes, teacher, teacher_boxes)
        loss.backward()
        optimizer.step()
    assert loss < 0.02 * before
    torch.testing.assert_close(heatmap[0].detach(), teacher[0], atol=0.1, rtol=0)


def test_where_nobody_is_seen_the_loss_is_finite() -> None:
    empty = [torch.full((1, 1, 2, 2), -100.0)]
    boxes = [torch.zeros(1, 4, 2, 2)]
    assert imitation_loss([torch.zeros(1, 1, 2, 2)], boxes, empty, boxes).item() == pytest.approx(4 * 0.6931, rel=1e-3)

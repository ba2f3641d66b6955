from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from centertrack.losses.distillation import TEMPERATURE, EmbeddingDistillation

TEACHER = torch.tensor([[3.0, 0.0], [0.6, 0.8], [0.0, 1.0], [float("nan"), 0.0], [-1.0, 0.2]])


def test_the_loss_is_the_divergence_of_similarities_by_hand() -> None:
    torch.manual_seed(0)
    embeddings, ids = torch.randn(3, 5), torch.tensor([2, 0, 1])
    teacher, student = F.normalize(TEACHER[ids], dim=1), F.normalize(embeddings, dim=1)
    expected = 0.0
    for i in range(3):
        others = [j for j in range(3) if j != i]
        p = torch.stack([teacher[i] @ teacher[j] for j in others]).div(TEMPERATURE).softmax(0)
        q = torch.stack([student[i] @ student[j] for j in others]).div(TEMPERATURE).softmax(0)
        expected += float((p * (p / q).log()).sum()) / 3
    assert EmbeddingDistillation(TEACHER)(embeddings, ids).item() == pytest.approx(expected, rel=1e-5)


def test_lengths_and_rotations_do_not_matter() -> None:
    angle = torch.tensor(0.7)
    turn = torch.stack((torch.stack((angle.cos(), -angle.sin())), torch.stack((angle.sin(), angle.cos()))))
    ids = torch.tensor([0, 1, 2, 4])
    assert EmbeddingDistillation(TEACHER)(5 * TEACHER[ids] @ turn, ids).item() == pytest.approx(0, abs=1e-5)


def test_who_is_unknown_does_not_count() -> None:
    torch.manual_seed(0)
    loss, embeddings = EmbeddingDistillation(TEACHER), torch.randn(5, 4)
    ids = torch.tensor([0, -1, 1, 3, 4])
    torch.testing.assert_close(loss(embeddings, ids), loss(embeddings[[0, 2, 4]], ids[[0, 2, 4]]))


@pytest.mark.parametrize("ids", [[], [-1, -1], [0, 1, 3]])
def test_below_three_there_is_nothing_to_compare(ids: list[int]) -> None:
    embeddings = torch.randn(len(ids), 4, requires_grad=True)
    loss = EmbeddingDistillation(TEACHER)(embeddings, torch.tensor(ids, dtype=torch.int64))
    loss.backward()
    assert loss.item() == 0
    assert embeddings.grad is not None and embeddings.grad.abs().sum() == 0


def test_a_student_learns_who_looks_like_whom() -> None:
    torch.manual_seed(0)
    teacher, student = torch.randn(12, 8), torch.nn.Parameter(torch.randn(12, 4))
    loss, optimizer = EmbeddingDistillation(teacher), torch.optim.Adam([student], lr=0.05)
    before = loss(student, torch.arange(12)).item()
    for _ in range(100):
        optimizer.zero_grad()
        loss(student, torch.arange(12)).backward()
        optimizer.step()
    assert loss(student, torch.arange(12)).item() < before / 5
    assert not loss.state_dict()  # checkpoints do not carry the teacher

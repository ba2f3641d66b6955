from __future__ import annotations

import pytest
import torch

from centertrack.losses import BOX_LOSSES, box_loss
from tracker.errors import InputError

A, B = torch.tensor([[0.0, 0, 4, 4]]), torch.tensor([[1.0, 1, 5, 7]])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("iou", 1 - 0.290323),
        ("giou", 0.823963),
        ("diou", 0.777245),
        ("ciou", 0.777589),
        ("l1", (1 + 1 + 1 + 3) / 4),
        ("smooth_l1", (0.5 + 0.5 + 0.5 + 2.5) / 4),
    ],
)
def test_values_worked_by_hand(kind: str, expected: float) -> None:
    assert box_loss(A, B, kind).item() == pytest.approx(expected, abs=1e-6)


def test_crossing_thin_boxes() -> None:
    thin, flat = torch.tensor([[0.0, 0, 1, 100]]), torch.tensor([[0.0, 0, 100, 1]])
    assert box_loss(thin, flat, "giou").item() == pytest.approx(2 - 1 / 199 - 199 / 10000, abs=1e-6)


def test_disjoint_boxes_cost_more_than_one() -> None:
    assert box_loss(A, A + 10, "giou").item() > 1


@pytest.mark.parametrize("kind", BOX_LOSSES)
def test_equal_boxes_cost_nothing(kind: str) -> None:
    assert box_loss(A, A, kind).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("kind", BOX_LOSSES)
@pytest.mark.parametrize("target", [[3.0, 3, 3, 3], [3.0, 3, 9, 3], [0.0, 0, 1e4, 1e4]], ids=["point", "line", "huge"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_degenerate_boxes_have_finite_losses_and_gradients(kind: str, target: list[float], dtype: torch.dtype) -> None:
    predicted = torch.tensor([[3.0, 3, 3, 3], [5.0, 1, 5, 9], [0.0, 0, 1e4, 1e4]], dtype=dtype, requires_grad=True)
    loss = box_loss(predicted, torch.tensor([target] * 3), kind)
    loss.sum().backward()
    assert loss.dtype == torch.float32
    assert loss.isfinite().all()
    assert predicted.grad is not None
    assert predicted.grad.isfinite().all()


@pytest.mark.parametrize("kind", BOX_LOSSES)
def test_no_boxes_give_no_rows(kind: str) -> None:
    assert box_loss(torch.zeros(0, 4), torch.zeros(0, 4), kind).shape == (0,)


def test_unknown_loss_is_refused() -> None:
    with pytest.raises(InputError, match="giou"):
        box_loss(A, B, "siou")

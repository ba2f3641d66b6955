from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from centertrack.losses import focal_loss, quality_focal_loss

LOGITS = torch.tensor([2.0, -2.0, 0.0, -4.0])
TARGET = torch.tensor([1.0, 0.0, 0.5, 0.2])


@pytest.mark.parametrize(
    ("loss", "terms"),
    [
        (focal_loss, [0.00180356, 0.00180356, 0.01083042, 2.405e-6]),
        (quality_focal_loss, [0.00180356, 0.00180356, 0.0, 0.02710450]),
    ],
)
def test_each_term_is_the_one_worked_by_hand(loss: Any, terms: list[float]) -> None:
    found = [loss(LOGITS[i : i + 1], TARGET[i : i + 1]).item() for i in range(4)]
    assert found == pytest.approx(terms, rel=1e-3, abs=1e-8)
    assert loss(LOGITS, TARGET).item() == pytest.approx(sum(terms), abs=1e-7)


@pytest.mark.parametrize("loss", [focal_loss, quality_focal_loss])
def test_the_sum_is_shared_by_the_centres(loss: Any) -> None:
    once = loss(LOGITS, TARGET)
    twice = loss(torch.cat((LOGITS, LOGITS)), torch.cat((TARGET, TARGET)))
    torch.testing.assert_close(once, twice)


@pytest.mark.parametrize("loss", [focal_loss, quality_focal_loss])
def test_an_image_without_objects_gives_the_plain_sum(loss: Any) -> None:
    found = loss(torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2))
    assert found.item() == pytest.approx(4 * 0.25 * math.log(2))


@pytest.mark.parametrize("loss", [focal_loss, quality_focal_loss])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_saturated_logits_stay_finite(loss: Any, dtype: torch.dtype) -> None:
    logits = torch.tensor([-200.0, 200.0, -200.0, 200.0], dtype=dtype, requires_grad=True)
    value = loss(logits, torch.tensor([1.0, 1.0, 0.0, 0.0]))
    value.backward()
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(200.0)  # (200 + 200) over two centres
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("loss", [focal_loss, quality_focal_loss])
def test_ignored_cells_count_only_where_an_object_is(loss: Any) -> None:
    logits = torch.tensor([[[[3.0, 0.5]]]])
    target = torch.tensor([[[[0.0, 1.0]]]])
    everything = torch.ones(1, 1, 1, 2, dtype=torch.bool)
    torch.testing.assert_close(loss(logits, target, everything), loss(logits[..., 1:], target[..., 1:]))

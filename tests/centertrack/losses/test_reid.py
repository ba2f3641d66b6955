from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from centertrack.losses import ReIDLoss, UncertaintyBalance
from centertrack.losses.reid import embedding_scale


@pytest.mark.parametrize(
    ("identities", "scale"), [(14455, 13.5464), (1, 1.0), (2, 1.0), (3, math.sqrt(2) * math.log(2))]
)
def test_the_scale_grows_with_the_number_of_identities(identities: int, scale: float) -> None:
    assert embedding_scale(identities) == pytest.approx(scale, abs=1e-4)


def test_cross_entropy_of_scaled_unit_embeddings() -> None:
    torch.manual_seed(0)
    loss, embeddings = ReIDLoss(4, 10), torch.randn(3, 4)
    logits = loss.classifier(math.sqrt(2) * math.log(9) * F.normalize(embeddings, dim=1))
    expected = F.cross_entropy(logits[[0, 2]], torch.tensor([7, 1]))
    torch.testing.assert_close(loss(embeddings, torch.tensor([7, -1, 1])), expected)


@pytest.mark.parametrize("count", [0, 5], ids=["no boxes", "boxes without identity"])
def test_a_batch_without_identities_costs_nothing_and_is_not_nan(count: int) -> None:
    loss = ReIDLoss(4, 10)
    embeddings = torch.randn(count, 4, requires_grad=True)
    value = loss(embeddings, torch.full((count,), -1))
    value.backward()
    assert value.item() == 0
    assert embeddings.grad is not None
    assert embeddings.grad.abs().sum() == 0
    assert loss.classifier.weight.grad is not None
    assert loss.classifier.weight.grad.abs().sum() == 0


def test_a_zero_embedding_has_a_finite_gradient() -> None:
    embeddings = torch.zeros(2, 4, requires_grad=True)
    ReIDLoss(4, 10)(embeddings, torch.tensor([1, 2])).backward()
    assert embeddings.grad is not None
    assert embeddings.grad.isfinite().all()


def test_uncertainty_starts_at_the_published_multipliers_and_may_be_negative() -> None:
    balance = UncertaintyBalance()
    one, zero = torch.tensor(1.0), torch.tensor(0.0)
    start = balance(zero, zero).item()
    assert start == pytest.approx(-1.45)
    assert balance(one, zero).item() - start == pytest.approx(0.5 * 6.36, abs=1e-2)
    assert balance(zero, one).item() - start == pytest.approx(0.5 * 2.86, abs=1e-2)
    assert sorted(balance.state_dict()) == ["detection", "identity"]

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from centertrack.losses import ReIDLoss, UncertaintyBalance
from centertrack.losses.reid import embedding_scale
from tracker.errors import InputError


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


def test_focal_is_the_sum_over_identities_shared_by_the_boxes() -> None:
    torch.manual_seed(0)
    loss, embeddings = ReIDLoss(4, 5, kind="focal"), torch.randn(2, 4)
    assert loss.classifier.bias.tolist() == pytest.approx([-math.log(99)] * 5)
    p = loss.classifier(loss.scale * F.normalize(embeddings, dim=1)).sigmoid()
    expected = torch.tensor(0.0)
    for i, identity in enumerate([3, 0]):
        for k in range(5):
            hit = -0.25 * (1 - p[i, k]) ** 2 * p[i, k].log()
            miss = -0.75 * p[i, k] ** 2 * (1 - p[i, k]).log()
            expected = expected + (hit if k == identity else miss)
    torch.testing.assert_close(loss(embeddings, torch.tensor([3, 0])), expected / 2)


def test_triplets_compare_the_farthest_partner_with_the_nearest_stranger() -> None:
    angles = torch.tensor([0.0, 0.4, 1.0, 1.2])
    embeddings = 3 * torch.stack((angles.cos(), angles.sin()), dim=1)  # length does not matter
    loss = ReIDLoss(2, 10, kind="triplet")
    assert not list(loss.parameters())

    def chord(angle: float) -> float:
        return 2 * math.sin(angle / 2)

    expected = [
        max(0.0, chord(0.4) - chord(1.0) + 0.3),
        max(0.0, chord(0.4) - chord(0.6) + 0.3),
        max(0.0, chord(0.2) - chord(0.6) + 0.3),
        max(0.0, chord(0.2) - chord(0.8) + 0.3),
    ]
    found = loss(embeddings, torch.tensor([1, 1, 2, 2])).item()
    assert found == pytest.approx(sum(expected) / 4, abs=1e-5)
    assert loss(embeddings, torch.tensor([1, 2, 3, 4])).item() == 0  # nobody has a partner
    assert loss(embeddings, torch.tensor([1, 1, 1, 1])).item() == 0  # nobody has a stranger


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match="triplet"):
        ReIDLoss(4, 10, kind="arcface")


@pytest.mark.parametrize("kind", ["focal", "triplet"])
@pytest.mark.parametrize("ids", [[], [-1, -1], [4, 4]], ids=["no boxes", "no identity", "equal embeddings"])
def test_other_kinds_are_finite_too(kind: str, ids: list[int]) -> None:
    embeddings = torch.ones(len(ids), 4, requires_grad=True)
    value = ReIDLoss(4, 10, kind)(embeddings, torch.tensor(ids, dtype=torch.int64))
    value.backward()
    assert value.isfinite()
    assert embeddings.grad is not None
    assert embeddings.grad.isfinite().all()


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


@pytest.mark.parametrize("kind", ["cross_entropy", "focal", "triplet"])
def test_autocast_does_not_round_the_comparison(kind: str) -> None:
    torch.manual_seed(0)
    loss, embeddings, ids = ReIDLoss(8, 10, kind), torch.randn(6, 8), torch.tensor([1, 1, 2, 2, -1, 3])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = loss(embeddings, ids)
    assert found.dtype == torch.float32
    assert found.item() == loss(embeddings, ids).item()


def test_uncertainty_starts_at_the_published_multipliers_and_may_be_negative() -> None:
    balance = UncertaintyBalance()
    one, zero = torch.tensor(1.0), torch.tensor(0.0)
    start = balance(zero, zero).item()
    assert start == pytest.approx(-1.45)
    assert balance(one, zero).item() - start == pytest.approx(0.5 * 6.36, abs=1e-2)
    assert balance(zero, one).item() - start == pytest.approx(0.5 * 2.86, abs=1e-2)
    assert sorted(balance.state_dict()) == ["detection", "identity"]

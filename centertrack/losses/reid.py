"""Re-identification losses: which of the training identities is it, or who is nearer than whom?"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import sigmoid_focal_loss
from typing_extensions import override

from tracker.errors import InputError

REID_LOSSES = ("cross_entropy", "focal", "triplet")


class ReIDLoss(nn.Module):
    """Cross entropy over identities on scaled unit embeddings, as in JDE and FairMOT (arXiv 2004.01888, section 4.2).

    The classifier lives here, not in the network: it is needed to train, not to track.

    Args:
        embedding_dim: Length of an embedding.
        num_identities: Classes; ids are 0 .. num_identities - 1, -1 for a box without identity.
        kind: `cross_entropy`; `focal`, the same question one against all (sigmoid, alpha 0.25, gamma 2); or `triplet`,
            without a classifier (see `triplet_loss`).

    Raises:
        InputError: Unknown kind.
    """

    def __init__(self, embedding_dim: int, num_identities: int, kind: str = "cross_entropy") -> None:
        super().__init__()
        if kind not in REID_LOSSES:
            raise InputError(f"reid loss must be one of {', '.join(REID_LOSSES)}, got {kind!r}")
        self.kind = kind
        self.scale = embedding_scale(num_identities)
        if kind == "triplet":
            return
        self.classifier = nn.Linear(embedding_dim, num_identities)
        nn.init.normal_(self.classifier.weight, std=0.01)
        nn.init.constant_(self.classifier.bias, -math.log(99) if kind == "focal" else 0.0)

    @override
    def forward(self, embeddings: Tensor, ids: Tensor) -> Tensor:
        """Return the mean loss over the boxes that have an identity.

        A batch without any gives 0 with a (zero) gradient: the plain mean would be 0 / 0, the NaN that ends trainings.

        Args:
            embeddings: (K, D), raw head outputs at the objects' centres.
            ids: (K,) int64, -1 where unknown.

        Returns:
            A float32 scalar, computed in float32 also under autocast.
        """
        known = ids >= 0
        with torch.autocast(embeddings.device.type, enabled=False):  # it would multiply matrices in half precision
            return self._compare(F.normalize(embeddings[known].float(), dim=1), ids[known])

    def _compare(self, unit: Tensor, ids: Tensor) -> Tensor:
        if self.kind == "triplet":
            return triplet_loss(unit, ids)
        logits = F.linear(self.scale * unit, self.classifier.weight.float(), self.classifier.bias.float())
        if self.kind == "focal":
            one_hot = F.one_hot(ids, logits.shape[1]).to(logits.dtype)
            loss = sigmoid_focal_loss(logits, one_hot, alpha=0.25, gamma=2, reduction="sum")
        else:
            loss = F.cross_entropy(logits, ids, reduction="sum")
        return loss / max(1, len(ids))


def triplet_loss(embeddings: Tensor, ids: Tensor, margin: float = 0.3) -> Tensor:
    """Pull the farthest box of the same identity nearer than the nearest of another (batch hard, arXiv 1703.07737).

    Args:
        embeddings: (K, D) unit rows.
        ids: (K,) int64; only boxes that have both a partner and a stranger in the batch count.
        margin: Euclidean distance by which strangers should be farther.

    Returns:
        A scalar; 0 with a zero gradient where no box counts.

    >>> unit = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    >>> triplet_loss(unit, torch.tensor([7, 7, 8])).round(decimals=4)  # boxes 0 and 1: sqrt 2 - 0 and sqrt 2 - sqrt 2
    tensor(1.0071)
    """
    squared = (2 - 2 * embeddings @ embeddings.T).clamp(min=1e-8)  # the root of 0 has no gradient
    distance = squared.sqrt()
    same = ids[:, None] == ids[None, :]
    partner = same & ~torch.eye(len(ids), dtype=torch.bool, device=ids.device)
    counts = partner.any(dim=1) & (~same).any(dim=1)
    if not counts.any():
        return 0.0 * embeddings.sum()
    farthest = distance.masked_fill(~partner, 0.0)[counts].amax(dim=1)
    nearest = distance.masked_fill(same, math.inf)[counts].amin(dim=1)
    return (farthest - nearest + margin).relu().mean()


def embedding_scale(num_identities: int) -> float:
    """Return s = sqrt(2) ln(n - 1), the length of an embedding before its classifier (JDE, arXiv 1909.12605).

    >>> round(embedding_scale(14455), 4)
    13.5464
    """
    return math.sqrt(2) * math.log(num_identities - 1) if num_identities > 2 else 1.0

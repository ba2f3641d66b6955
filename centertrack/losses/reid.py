"""Re-identification as classification: which of the training identities is it?"""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor, nn


class ReIDLoss(nn.Module):
    """Cross entropy over identities on scaled unit embeddings, as in JDE and FairMOT (arXiv 2004.01888, section 4.2).

    The classifier lives here, not in the network: it is needed to train, not to track.

    Args:
        embedding_dim: Length of an embedding.
        num_identities: Classes; ids are 0 .. num_identities - 1, -1 for a box without identity.
    """

    def __init__(self, embedding_dim: int, num_identities: int) -> None:
        super().__init__()
        self.scale = embedding_scale(num_identities)
        self.classifier = nn.Linear(embedding_dim, num_identities)
        nn.init.normal_(self.classifier.weight, std=0.01)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, embeddings: Tensor, ids: Tensor) -> Tensor:
        """Return the mean loss over the boxes that have an identity.

        A batch without any gives 0 with a (zero) gradient: the plain mean would be 0 / 0, the NaN that ends trainings.

        Args:
            embeddings: (K, D), raw head outputs at the objects' centres.
            ids: (K,) int64, -1 where unknown.
        """
        known = ids >= 0
        unit = self.scale * F.normalize(embeddings[known].float(), dim=1)
        logits = self.classifier(unit)
        loss = F.cross_entropy(logits, ids[known], reduction="sum")
        return loss / known.sum().clamp(min=1)


def embedding_scale(num_identities: int) -> float:
    """Return s = sqrt(2) ln(n - 1), the length of an embedding before its classifier (JDE, arXiv 1909.12605).

    >>> round(embedding_scale(14455), 4)
    13.5464
    """
    return math.sqrt(2) * math.log(num_identities - 1) if num_identities > 2 else 1.0

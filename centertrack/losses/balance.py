"""How detection and identity share one network."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override


class UncertaintyBalance(nn.Module):
    """Learned weights of two tasks (arXiv 1705.07115, as in FairMOT).

    total = 0.5 (exp(-s1) L_det + exp(-s2) L_id + s1 + s2). The s are parameters: they are trained by the same
    optimiser and saved with the model. The total may become negative; the task losses never do.

    Args:
        detection: Start value of s1.
        identity: Start value of s2.

    >>> round(UncertaintyBalance()(torch.tensor(1.0), torch.tensor(2.0)).item(), 4)
    4.5876
    """

    def __init__(self, detection: float = -1.85, identity: float = -1.05) -> None:
        super().__init__()
        self.detection = nn.Parameter(torch.tensor(detection))
        self.identity = nn.Parameter(torch.tensor(identity))

    @override
    def forward(self, detection_loss: Tensor, identity_loss: Tensor) -> Tensor:
        """Return the total of two scalar losses."""
        weighted = (-self.detection).exp() * detection_loss + (-self.identity).exp() * identity_loss
        return 0.5 * (weighted + self.detection + self.identity)

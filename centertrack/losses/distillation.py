"""What a large embedding network says about who looks like whom, as a loss of a small one."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import override

TEMPERATURE = 0.1  # of the similarities: differences of a tenth count


class EmbeddingDistillation(nn.Module):
    """Keep the similarities of a teacher: people whom it finds alike should look alike to the student.

    Every object of a batch compares itself with all others: the softmax of the teacher's cosine similarities is the
    target, that of the student's the answer (relational distillation, arXiv 1904.05068, with a divergence instead of a
    distance). Lengths of the two embeddings need not agree, and no identities are needed.

    Args:
        teacher: (I, D), the teacher's embedding of every identity; NaN where it has none.
    """

    teacher: Tensor

    def __init__(self, teacher: Tensor) -> None:
        super().__init__()
        self.register_buffer("teacher", F.normalize(teacher.float(), dim=1), persistent=False)

    @override
    def forward(self, embeddings: Tensor, ids: Tensor) -> Tensor:
        """Return the mean divergence over the objects that the teacher knows; 0 with a zero gradient below three.

        Args:
            embeddings: (K, D), raw head outputs at the objects' centres.
            ids: (K,) int64, rows of the teacher's embeddings, -1 where unknown.

        >>> loss = EmbeddingDistillation(torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]))
        >>> loss(torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]), torch.arange(3)).item()
        0.0
        """
        known = ids >= 0
        known[known.clone()] = self.teacher[ids[known]].isfinite().all(dim=1)
        with torch.autocast(embeddings.device.type, enabled=False):
            student = F.normalize(embeddings[known].float(), dim=1)
            if len(student) < 3:
                return 0.0 * student.sum()
            target = _log_likeness(self.teacher[ids[known]])
            return F.kl_div(_log_likeness(student), target, reduction="batchmean", log_target=True)


def _log_likeness(unit: Tensor) -> Tensor:
    """(K, D) unit rows -> (K, K - 1) log probabilities that each object resembles each other one."""
    others = ~torch.eye(len(unit), dtype=torch.bool, device=unit.device)
    similarity = (unit @ unit.T / TEMPERATURE)[others].view(len(unit), -1)
    return similarity.log_softmax(dim=1)

"""Start a wide network from a narrow one that was trained already: it computes the same, with more channels to train.

Net2Net (arXiv 1511.05641): channels of the narrow network are repeated, and what reads them shares its weight out among
the copies. Here the shares are random, not equal: copies with equal shares would get equal gradients for ever.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tracker.errors import InputError

SHARES = (0.3, 0.7)  # a copy's weight, before those of a channel are brought to the sum 1


@torch.no_grad()
def widen(narrow: nn.Module, wide: nn.Module) -> None:
    """Fill a wide network so that it computes what a narrow one does.

    Wide channel i of every map repeats narrow channel i modulo their number. Layers that mix channels by their place
    must keep it so; `shufflenet.py` does.

    Args:
        narrow: Trained.
        wide: The same layers with more channels; its weights and statistics are overwritten.

    Raises:
        InputError: The wide network has other layers, or fewer channels somewhere.
    """
    rng = torch.Generator().manual_seed(0)
    state = narrow.state_dict()
    for name, target in wide.state_dict().items():
        source = state.pop(name, None)
        if source is None:
            raise InputError(f"the narrow network lacks {name}")
        old, new = tuple(source.shape), tuple(target.shape)
        if old[2:] != new[2:] or len(old) != len(new) or any(a > b for a, b in zip(old, new, strict=True)):
            raise InputError(f"cannot widen {name} from {old} to {new}")
        target.copy_(_repeat(source, target.shape, rng))
    if state:
        raise InputError(f"the wide network lacks {', '.join(list(state)[:3])}")


def _repeat(source: Tensor, shape: torch.Size, rng: torch.Generator) -> Tensor:
    """Repeat the channels of a tensor; a convolution's weight is (out, in, height, width)."""
    if source.ndim < 1:
        return source
    repeated = source[torch.arange(shape[0]) % len(source)]
    if source.ndim < 2:
        return repeated
    copies = torch.arange(shape[1]) % source.shape[1]
    low, high = SHARES
    shares = low + (high - low) * torch.rand(shape[:2], generator=rng)
    sums = torch.zeros(shape[0], source.shape[1]).index_add_(1, copies, shares)
    shares = shares / sums[:, copies]
    return repeated[:, copies] * shares.reshape(*shape[:2], *[1] * (source.ndim - 2))

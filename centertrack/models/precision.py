"""Where mixed precision stops: sampling positions and what decides about peaks and boxes need all their digits."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch


def full_precision(device_type: str) -> AbstractContextManager[Any]:
    """Leave autocast for a block, if it is on."""
    if torch.is_autocast_enabled(device_type):
        return torch.autocast(device_type, enabled=False)
    return nullcontext()


def finding_precision(device_type: str) -> AbstractContextManager[Any]:
    """Replace bfloat16 where objects are found, if autocast says so.

    Its 8 binary digits suffice to train, but move large boxes by a pixel and let the neighbour of a peak win. float16
    has 11 and is as fast on a GPU; most CPUs compute it in software, so that there float32 is used.
    """
    if not torch.is_autocast_enabled(device_type) or torch.get_autocast_dtype(device_type) != torch.bfloat16:
        return nullcontext()
    return torch.autocast(device_type, torch.float16) if device_type == "cuda" else full_precision(device_type)

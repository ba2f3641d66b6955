"""Where mixed precision stops: sampling positions and what decides about peaks and boxes need all their digits."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch


def is_bfloat16(device_type: str) -> bool:
    """Whether autocast to bfloat16 is on, which keeps 8 binary digits of a number (float16: 11)."""
    return torch.is_autocast_enabled(device_type) and torch.get_autocast_dtype(device_type) == torch.bfloat16


def full_precision(device_type: str) -> AbstractContextManager[Any]:
    """Leave autocast for a block, if it is on."""
    if torch.is_autocast_enabled(device_type):
        return torch.autocast(device_type, enabled=False)
    return nullcontext()

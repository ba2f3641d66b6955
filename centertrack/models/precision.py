"""Where mixed precision stops: sampling positions and the last layer of a head need all their digits."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch


def full_precision(device_type: str) -> AbstractContextManager[Any]:
    """Leave autocast for a block, if it is on."""
    if torch.is_autocast_enabled(device_type):
        return torch.autocast(device_type, enabled=False)
    return nullcontext()

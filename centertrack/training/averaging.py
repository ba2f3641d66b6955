"""Averaged weights that forget the random start quickly."""

from __future__ import annotations

from typing import TypeAlias

import torch
from pytorch_lightning.callbacks import WeightAveraging
from torch import Tensor
from typing_extensions import override

Tensors: TypeAlias = "tuple[Tensor, ...] | list[Tensor]"


def warmed_up_decay(decay: float, updates: int) -> float:
    """Return how much of the average stays after so many updates.

    A fixed decay of 0.999 still holds 67 % of the random start after 400 updates. Here the average covers about the
    last tenth of the training so far, until it is as long as `decay` says.

    >>> [round(warmed_up_decay(0.999, updates), 3) for updates in (1, 10, 100, 100000)]
    [0.182, 0.55, 0.918, 0.999]
    """
    return min(decay, (1 + updates) / (10 + updates))


class WarmedUpAveraging(WeightAveraging):
    """Exponential moving average of the weights, validated, saved and in the end kept instead of the weights.

    Args:
        decay: Part of the average that stays at an update, once warmed up.
        every_n_steps: Optimiser steps from one update to the next.
    """

    def __init__(self, decay: float = 0.999, every_n_steps: int = 1) -> None:
        self.every_n_steps = every_n_steps

        def update(averaged: Tensors, current: Tensors, updates: Tensor | int) -> None:
            if not averaged[0].is_floating_point():  # counters of batch norms
                torch._foreach_copy_(averaged, current)
                return
            torch._foreach_lerp_(averaged, current, 1 - warmed_up_decay(decay, int(updates)))

        super().__init__(use_buffers=True, multi_avg_fn=update)

    @override
    def should_update(self, step_idx: int | None = None, epoch_idx: int | None = None) -> bool:
        """Say whether to update after this optimiser step."""
        return step_idx is not None and step_idx % self.every_n_steps == 0

"""Optimiser and learning-rate schedule, each a small dataclass of named numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from tracker.errors import InputError


@dataclass(frozen=True)
class OptimizerOptions:
    """How weights move.

    Attributes:
        name: `adamw`, `adam` or `sgd`.
        learning_rate: Peak rate.
        weight_decay: Not applied to norms, biases and the loss balance.
        momentum: For `sgd`.
    """

    name: str = "adamw"
    learning_rate: float = 5e-4
    weight_decay: float = 1e-4
    momentum: float = 0.9


@dataclass(frozen=True)
class ScheduleOptions:
    """How the learning rate moves, in fractions of the whole training.

    Attributes:
        name: `cosine`, `step` or `constant`, each after a linear warm-up.
        warmup_steps: Optimiser steps of warm-up.
        final_factor: Rate at the end over the peak rate, for `cosine`.
        milestones: Fractions of the training at which the rate is divided by ten, for `step`.
    """

    name: str = "cosine"
    warmup_steps: int = 200
    final_factor: float = 0.02
    milestones: tuple[float, ...] = (0.67, 0.9)


def build_optimizer(module: nn.Module, options: OptimizerOptions) -> torch.optim.Optimizer:
    """Return the optimiser over all trainable parameters of a module.

    Raises:
        InputError: Unknown name.
    """
    trainable = [p for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trainable if p.ndim > 1], "weight_decay": options.weight_decay},
        {"params": [p for p in trainable if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if options.name == "adamw":
        return torch.optim.AdamW(groups, lr=options.learning_rate)
    if options.name == "adam":
        return torch.optim.Adam(groups, lr=options.learning_rate)
    if options.name == "sgd":
        return torch.optim.SGD(groups, lr=options.learning_rate, momentum=options.momentum)
    raise InputError(f"optimizer must be adamw, adam or sgd, got {options.name!r}")


def build_schedule(optimizer: torch.optim.Optimizer, options: ScheduleOptions, total_steps: int) -> LambdaLR:
    """Return the schedule, to be stepped after every optimiser step."""
    return LambdaLR(optimizer, schedule_factor(options, total_steps))


def schedule_factor(options: ScheduleOptions, total_steps: int) -> Callable[[int], float]:
    """Return the function from step to the factor on the peak learning rate.

    Raises:
        InputError: Unknown name.

    >>> factor = schedule_factor(ScheduleOptions(warmup_steps=10, final_factor=0.0), total_steps=110)
    >>> [round(factor(step), 3) for step in (0, 9, 60, 110)]
    [0.1, 1.0, 0.5, 0.0]
    """
    if options.name not in ("cosine", "step", "constant"):
        raise InputError(f"lr_schedule must be cosine, step or constant, got {options.name!r}")

    def factor(step: int) -> float:
        if step < options.warmup_steps:
            return (step + 1) / options.warmup_steps
        done = min(1.0, (step - options.warmup_steps) / max(1, total_steps - options.warmup_steps))
        if options.name == "cosine":
            return options.final_factor + (1 - options.final_factor) * (1 + math.cos(math.pi * done)) / 2
        if options.name == "step":
            return 0.1 ** sum(done >= milestone for milestone in options.milestones)
        return 1.0

    return factor

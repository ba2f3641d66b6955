"""Optimiser and learning-rate schedule, each a small dataclass of named numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from tracker.errors import InputError

SCHEDULES = ("cosine", "step", "constant", "onecycle")


@dataclass(frozen=True)
class OptimizerOptions:
    """How weights move.

    Attributes:
        name: `adamw`, `adam` or `sgd`.
        learning_rate: Peak rate.
        weight_decay: Not applied to norms, biases and the loss balance.
        momentum: For `sgd`.
        factors: Of parts of the network on the learning rate, by the beginning of their names:
            `{backbone: 0.1, neck.laterals: 0.3}`. The longest beginning counts.
    """

    name: str = "adamw"
    learning_rate: float = 5e-4
    weight_decay: float = 1e-4
    momentum: float = 0.9
    factors: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ScheduleOptions:
    """How the learning rate moves, in fractions of the whole training.

    Attributes:
        name: `cosine`, `step` or `constant`, each after a linear warm-up; or `onecycle` (arXiv 1708.07120), which rises
            and falls along half cosines and needs no other warm-up. Momentum stays as it is.
        warmup_steps: Optimiser steps of warm-up; not for `onecycle`.
        final_factor: Rate at the end over the peak rate, for `cosine` and `onecycle`.
        milestones: Fractions of the training at which the rate is divided by ten, for `step`.
        start_factor: Rate of the first step over the peak rate, for `onecycle`.
        rise: Fraction of the training in which the rate rises to its peak, for `onecycle`.

    Raises:
        InputError: Unknown name, or a fraction outside of its range.
    """

    name: str = "cosine"
    warmup_steps: int = 200
    final_factor: float = 0.02
    milestones: tuple[float, ...] = (0.67, 0.9)
    start_factor: float = 0.04
    rise: float = 0.3

    def __post_init__(self) -> None:
        if self.name not in SCHEDULES:
            raise InputError(f"lr_scheduler.name must be one of {', '.join(SCHEDULES)}, got {self.name!r}")
        for name in ("final_factor", "start_factor", "rise"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"lr_scheduler.{name} must lie between 0 and 1, got {getattr(self, name)}")


def build_optimizer(module: nn.Module, options: OptimizerOptions) -> torch.optim.Optimizer:
    """Return the optimiser over all trainable parameters of a module.

    Args:
        module: The network, with its losses where these learn too.
        options: Which optimiser, and its numbers.

    Raises:
        InputError: Unknown name, or a factor of a part that there is not.
    """
    parts: dict[str, list[nn.Parameter]] = {"": [], **{part: [] for part in options.factors}}
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            parts[max((part for part in parts if name.startswith(part)), key=len)].append(parameter)
    if empty := [part for part in options.factors if not parts[part]]:
        raise InputError(f"optimizer.factors: nothing that is trained has a name that begins with {empty[0]!r}")
    groups = []
    for part, parameters in parts.items():
        rate = options.learning_rate * options.factors.get(part, 1.0)
        for is_matrix, decay in ((True, options.weight_decay), (False, 0.0)):
            chosen = [p for p in parameters if (p.ndim > 1) == is_matrix]
            groups.append({"params": chosen, "weight_decay": decay, "lr": rate})
    if options.name == "adamw":
        return torch.optim.AdamW(groups, lr=options.learning_rate)
    if options.name == "adam":
        return torch.optim.Adam(groups, lr=options.learning_rate)
    if options.name == "sgd":
        return torch.optim.SGD(groups, lr=options.learning_rate, momentum=options.momentum)
    raise InputError(f"optimizer must be adamw, adam or sgd, got {options.name!r}")


def build_schedule(optimizer: torch.optim.Optimizer, options: ScheduleOptions, total_steps: int) -> LambdaLR:
    """Return the schedule, to be stepped after every optimiser step.

    Args:
        optimizer: Its rates are the peak.
        options: Which schedule, and its numbers.
        total_steps: Of the whole training.
    """
    return LambdaLR(optimizer, schedule_factor(options, total_steps))


def schedule_factor(options: ScheduleOptions, total_steps: int) -> Callable[[int], float]:
    """Return the function from step, counted from 0, to the factor on the peak learning rate.

    Args:
        options: Which schedule, and its numbers.
        total_steps: Of the whole training.

    >>> factor = schedule_factor(ScheduleOptions(warmup_steps=10, final_factor=0.0), total_steps=110)
    >>> [round(factor(step), 3) for step in (0, 9, 60, 110)]
    [0.1, 1.0, 0.5, 0.0]
    """
    if options.name == "onecycle":
        return partial(_one_cycle, options, total_steps)

    def factor(step: int) -> float:
        if step < options.warmup_steps:
            return (step + 1) / options.warmup_steps
        done = min(1.0, (step - options.warmup_steps) / max(1, total_steps - options.warmup_steps))
        if options.name == "cosine":
            return _half_cosine(1.0, options.final_factor, done)
        if options.name == "step":
            return 0.1 ** sum(done >= milestone for milestone in options.milestones)
        return 1.0

    return factor


def _one_cycle(options: ScheduleOptions, total_steps: int, step: int) -> float:
    peak, last = options.rise * total_steps - 1, total_steps - 1
    if step < peak:
        return _half_cosine(options.start_factor, 1.0, step / peak)
    return _half_cosine(1.0, options.final_factor, min(1.0, (step - peak) / max(last - peak, 1)))


def _half_cosine(start: float, end: float, done: float) -> float:
    """Go from start to end, slowly at both, while `done` goes from 0 to 1."""
    return end + (start - end) * (1 + math.cos(math.pi * done)) / 2

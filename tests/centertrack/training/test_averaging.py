from __future__ import annotations

import torch
from torch import nn

from centertrack.training.averaging import WarmedUpAveraging, warmed_up_decay


class OneWeight(nn.Module):
    def __init__(self, value: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([value]))
        self.register_buffer("steps", torch.tensor(0))


def average(values: list[float], decay: float) -> torch.optim.swa_utils.AveragedModel:
    callback = WarmedUpAveraging(decay)
    averaged = torch.optim.swa_utils.AveragedModel(OneWeight(values[0]), use_buffers=True, **callback._kwargs)
    for step, value in enumerate(values):
        model = OneWeight(value)
        model.steps.fill_(step)
        averaged.update_parameters(model)
    return averaged


def test_the_start_is_forgotten_although_the_decay_is_high() -> None:
    averaged = average([100.0] + [1.0] * 400, decay=0.999)
    fixed = 1 + 99 * 0.999**400
    assert fixed > 60
    assert averaged.module.weight.item() < 1.001
    assert averaged.module.steps.item() == 400  # counters are copied


def test_two_updates_by_hand() -> None:
    averaged = average([4.0, 2.0, 1.0], decay=0.999)
    after_one = 2 / 11 * 4 + 9 / 11 * 2  # decay (1 + 1) / (10 + 1)
    after_two = 3 / 12 * after_one + 9 / 12 * 1
    torch.testing.assert_close(averaged.module.weight.item(), after_two, rtol=1e-6, atol=0)


def test_the_decay_is_the_limit() -> None:
    assert warmed_up_decay(0.9, 10**6) == 0.9


def test_steps_between_updates() -> None:
    callback = WarmedUpAveraging(every_n_steps=3)
    assert [callback.should_update(step_idx=step) for step in range(4)] == [True, False, False, True]
    assert not callback.should_update(epoch_idx=2)

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR

from centertrack.training.optimization import OptimizerOptions, ScheduleOptions, build_optimizer, build_schedule
from tracker.errors import InputError

PEAK = 0.02


def rates(options: ScheduleOptions, total_steps: int) -> list[float]:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=PEAK)
    schedule = build_schedule(optimizer, options, total_steps)
    found = []
    for _ in range(total_steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


@pytest.mark.parametrize(("total_steps", "rise"), [(100, 0.3), (57, 0.45), (10, 0.2)])
def test_one_cycle_is_that_of_pytorch(total_steps: int, rise: float) -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0, momentum=0.9)
    theirs = OneCycleLR(
        optimizer, PEAK, total_steps, pct_start=rise, div_factor=20, final_div_factor=50, cycle_momentum=False
    )
    expected = []
    for step in range(total_steps):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step + 1 < total_steps:
            theirs.step()
    options = ScheduleOptions("onecycle", start_factor=1 / 20, final_factor=1 / 20 / 50, rise=rise)
    assert rates(options, total_steps) == pytest.approx(expected, rel=1e-6)


def test_one_cycle_by_hand() -> None:
    # 10 steps: up until step 0.5 * 10 - 1 = 4, half way at 2; down until step 9, half way at 6.5
    found = rates(ScheduleOptions("onecycle", start_factor=0.1, final_factor=0.0, rise=0.5), 10)
    assert [found[step] / PEAK for step in (0, 2, 4, 9)] == pytest.approx([0.1, 0.55, 1.0, 0.0])
    assert (found[6] + found[7]) / 2 == pytest.approx(PEAK / 2)


@pytest.mark.parametrize("rise", [0.0, 0.125, 1.0])
def test_one_cycle_without_a_rise_or_a_fall(rise: float) -> None:
    found = rates(ScheduleOptions("onecycle", rise=rise, start_factor=0.1, final_factor=0.1), 8)
    assert found == sorted(found, reverse=rise < 1)
    assert found[7 if rise < 1 else 0] == pytest.approx(0.1 * PEAK)


def test_steps_and_cosine() -> None:
    steps = rates(ScheduleOptions("step", warmup_steps=2, milestones=(0.5, 0.75)), 10)
    assert steps == pytest.approx([PEAK / 2, *[PEAK] * 5, *[PEAK / 10] * 2, *[PEAK / 100] * 2])
    cosine = rates(ScheduleOptions("cosine", warmup_steps=0, final_factor=0.5), 4)
    quarter = 0.25 / 2**0.5  # half the way down, times cos(pi / 4) / 2
    assert cosine == pytest.approx([PEAK, PEAK * (0.75 + quarter), PEAK * 0.75, PEAK * (0.75 - quarter)])


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": "onecyle"}, "must be one of cosine, step, constant, onecycle, got 'onecyle'"),
        ({"rise": 1.5}, "lr_scheduler.rise must lie between 0 and 1, got 1.5"),
    ],
)
def test_what_is_no_schedule(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        ScheduleOptions(**wrong)


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_norms_and_biases_do_not_decay(name: str) -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    module[1].weight.data.fill_(3)
    optimizer = build_optimizer(module, OptimizerOptions(name, learning_rate=0.1, weight_decay=0.5))
    before = {key: value.clone() for key, value in module.state_dict().items()}
    for parameter in module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    after = module.state_dict()
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert changed == {"0.weight"}


def test_an_unknown_optimizer() -> None:
    with pytest.raises(InputError, match="adamw, adam or sgd, got 'adamax'"):
        build_optimizer(nn.Linear(1, 1), OptimizerOptions("adamax"))


def test_parts_learn_at_rates_of_their_own() -> None:
    module = nn.ModuleDict({"a": nn.Linear(1, 1), "ab": nn.ModuleDict({"c": nn.Linear(1, 1), "d": nn.Linear(1, 1)})})
    options = OptimizerOptions("sgd", learning_rate=0.1, weight_decay=0.0, factors={"ab": 0.5, "ab.c": 0.0})
    optimizer = build_optimizer(module, options)
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    moved = {name: round(-value.item(), 3) for name, value in module.named_parameters() if name.endswith("weight")}
    assert moved == {"a.weight": 0.1, "ab.c.weight": 0.0, "ab.d.weight": 0.05}


def test_a_rate_for_nothing_is_a_mistake() -> None:
    with pytest.raises(InputError, match="nothing that is trained has a name that begins with 'neck'"):
        build_optimizer(nn.Linear(1, 1), OptimizerOptions(factors={"neck": 0.1}))

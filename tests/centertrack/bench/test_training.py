from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml

from centertrack.bench import training as bench
from centertrack.cli import main
from centertrack.synthetic import SceneConfig
from tests.centertrack.conftest import CLIP_SIZE
from tests.centertrack.training.test_train import TINY
from tracker.errors import InputError

QUICK = ["--steps", "1", "--rounds", "1", "--workers", "0", "--device", "cpu"]


@pytest.fixture(autouse=True)
def small_street(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "DRAWN", SceneConfig(size=CLIP_SIZE, seconds=0.1, people=3, seed=1))


def test_the_stopwatch_leaves_out_what_warms_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 13.5])  # asked for at the end of step 2, and at the end of step 2 + 3
    monkeypatch.setattr(bench.time, "perf_counter", lambda: next(clock))
    watch = bench.Stopwatch(skipped=2, steps=3)
    for step in range(7):
        watch.on_train_batch_end(None, SimpleNamespace(device=torch.device("cpu")), None, None, step)
    assert watch.seconds == 3.5


def test_ratios_are_those_to_the_model_alone() -> None:
    speed = bench.TrainingSpeed({bench.ALONE: 20.0, bench.FROM_FILES: 15.0}, 0.0, 0.0, 0.0)
    assert speed.ratio(bench.FROM_FILES) == 0.75


def test_a_training_is_measured_on_a_drawn_street(weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = ["--image-size", f"{CLIP_SIZE[0]}x{CLIP_SIZE[1]}", "--batch-size", "2", "--precision", "bf16-mixed"]
    assert main(["bench", "training", "--weights", str(weights), *size, *QUICK]) == 0
    title, _, header, _, *rows, _, memory = capsys.readouterr().out.splitlines()
    assert title.startswith(f"{weights} at 160x96, batches of 2, bf16-mixed on cpu, ")
    assert header.split() == ["measured", "images/s", "ms/image", "of", "the", "model", "alone"]
    assert [row[:31].strip() for row in rows] == [bench.ALONE, bench.FROM_FILES, bench.FROM_MEMORY, bench.LOADER]
    assert all(float(row.split()[-3]) > 0 for row in rows)
    assert rows[0].split()[-1] == "1.00"
    assert memory.startswith("peak memory: ") and float(memory.split()[2]) > 100


def test_a_configuration_says_what_is_trained_on_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "tiny.yaml"
    config.write_text(yaml.safe_dump({**TINY, "trainer": {"precision": "bf16-mixed"}}))
    assert main(["bench", "training", "--config", str(config), *QUICK]) == 0
    assert capsys.readouterr().out.startswith("tiny at 160x96, batches of 2, bf16-mixed on cpu, ")


@pytest.mark.slow
def test_the_memory_of_loader_processes_is_told(weights: Path) -> None:
    with bench.open_plan(None, None, None, CLIP_SIZE) as plan:
        options = bench.TrainingOptions(batch_size=2, workers=1, steps=2, rounds=1)
        speed = bench.measure_training(TINY["model"], plan, options)
    assert speed.loader_mb > 50 and speed.device_mb == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config", "none.yaml"], "cannot read none.yaml: No such file"),
        (["--data", "nowhere"], "nowhere does not exist"),
        (["--weights", "none"], "no weights 'none'"),
        (["--image-size", "100x100"], "multiples of 32"),
    ],
)
def test_what_cannot_be_measured(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "training", *arguments, *QUICK]) == 2
    printed = capsys.readouterr().err
    assert message in printed and printed.count("\n") == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "nano"}, "expected a training configuration with model and data"),
        ({"model": {"backbone": "shufflenet"}}, "expected a training configuration with model and data"),
        ({"model": {"task": "tracking"}}, "expected a training configuration with model and data: 'backbone'"),
        (
            {"model": {"task": "tracking", "backbone": {"name": "shufflenet_v2_x0.5"}}},
            "needs the options neck, output_heads",
        ),
        ({"trainer": ["fast"]}, "expected a training configuration with model and data"),
        ({"data": {**TINY["data"], "batch_size": "two"}}, "batch_size must be a whole number from 1, got 'two'"),
        ({"data": {**TINY["data"], "batch_size": 0}}, "batch_size must be a whole number from 1, got 0"),
    ],
)
def test_mistakes_in_a_configuration(
    change: dict[str, object], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "wrong.yaml"
    config.write_text(yaml.safe_dump({**TINY, "trainer": {}, **change}))
    assert main(["bench", "training", "--config", str(config), "--steps", "1", "--rounds", "1", "--device", "cpu"]) == 2
    printed = capsys.readouterr().err
    assert message in printed and printed.count("\n") == 1


def test_lightning_speaks_again_after_a_failure() -> None:
    level = logging.getLogger("pytorch_lightning").level
    with pytest.raises(InputError), bench._quiet():
        raise InputError("no such data")
    assert logging.getLogger("pytorch_lightning").level == level != logging.ERROR

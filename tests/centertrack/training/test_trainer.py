"""Lightning's switches that the guide names, each with this network and these data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from centertrack.data.datamodule import TrackingDataModule
from centertrack.data.mixture import SourceOptions, collate
from centertrack.models import CenterNet, from_pretrained
from centertrack.training.cli import main
from tests.centertrack.training.test_train import TINY, last_checkpoint

EARLY_STOPPING = {
    "class_path": "pytorch_lightning.callbacks.EarlyStopping",
    "init_args": {"monitor": "val/total", "patience": 1, "min_delta": 1000.0},
}


@pytest.fixture
def content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(tmp_path)
    return json.loads(json.dumps(TINY))


def fit(content: dict[str, Any], *options: str) -> dict[str, Any]:
    """Train, and return the last checkpoint."""
    Path("config.yaml").write_text(yaml.safe_dump(content))
    main(["fit", "--config", "config.yaml", *options])
    return torch.load(last_checkpoint(Path.cwd()), weights_only=True)


def test_accumulated_batches_are_one_step_of_optimiser_and_schedule(content: dict[str, Any]) -> None:
    content["data"].update(batch_size=1, samples_per_epoch=6)
    content["model"]["lr_scheduler"] = {"name": "cosine", "warmup_steps": 0, "final_factor": 0.25}
    saved = fit(content, "--trainer.accumulate_grad_batches", "3", "--trainer.max_epochs", "2")
    assert saved["global_step"] == 4  # 12 batches
    assert saved["lr_schedulers"][0]["last_epoch"] == 4
    peak = saved["hyper_parameters"]["optimizer"]["learning_rate"]
    assert saved["optimizer_states"][0]["param_groups"][0]["lr"] == pytest.approx(0.25 * peak)  # the end of the cosine


def test_a_training_that_no_longer_improves_is_stopped(content: dict[str, Any]) -> None:
    content["trainer"]["callbacks"].append(EARLY_STOPPING)
    content["data"]["validation"] = content["data"]["train"]
    saved = fit(content, "--trainer.max_epochs", "9", "--trainer.limit_val_batches", "1")
    assert saved["epoch"] == 1  # the second: no better than the first by 1000


def test_bfloat16_leaves_the_weights_in_float32(content: dict[str, Any]) -> None:
    saved = fit(content, "--trainer.precision", "bf16-mixed")
    assert {values.dtype for values in saved["state_dict"].values() if values.is_floating_point()} == {torch.float32}
    assert all(values.isfinite().all() for values in saved["state_dict"].values())


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.bfloat16, 0.03), (torch.float16, 0.005)])
def test_losses_under_half_precision_are_nearly_those_of_float32(dtype: torch.dtype, tolerance: float) -> None:
    torch.manual_seed(0)
    data = TrackingDataModule([SourceOptions(**one) for one in TINY["data"]["train"]], size=(160, 96), workers=0)
    batch = collate([data.train_set[i] for i in range(2)])
    model = CenterNet(**TINY["model"], num_identities=data.num_identities)
    expected = model._losses(batch)
    with torch.autocast("cpu", dtype=dtype):
        found = model._losses(batch)
    for name, value in expected.items():
        assert found[name].dtype == torch.float32
        torch.testing.assert_close(found[name], value, rtol=tolerance, atol=0)
    found["total"].backward()
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in model.parameters())


@pytest.mark.slow
def test_a_compiled_network_is_saved_like_any_other(content: dict[str, Any]) -> None:
    saved = fit(content, "--compile", "true", "--trainer.limit_train_batches", "1")
    assert not any("_orig_mod" in name for name in saved["state_dict"])
    found = from_pretrained(last_checkpoint(Path.cwd())).detect(torch.zeros(1, 3, 64, 96), num_detections=1)
    assert found.scores.shape == (1, 1)

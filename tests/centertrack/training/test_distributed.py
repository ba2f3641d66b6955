from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from pytorch_lightning.plugins.layer_sync import TorchSyncBatchNorm

from centertrack.data.datamodule import TrackingDataModule
from centertrack.data.mixture import SourceOptions
from centertrack.models import CenterNet
from tests.centertrack.training.test_train import TINY


@pytest.mark.slow
def test_two_processes_train_one_network(tmp_path: Path) -> None:
    """One of the two sets has no identities, so that some batches leave the identity loss without work."""
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "a.png"), np.full((96, 160, 3), 90, np.uint8))
    (tmp_path / "labels" / "a.txt").write_text("0 0.5 0.5 0.2 0.6\n")
    content = json.loads(json.dumps(TINY))
    content["data"]["train"].append({"format": "yolo", "path": str(tmp_path)})
    content["data"].update(batch_size=1, samples_per_epoch=12, validation=content["data"]["train"][:1])
    content["trainer"].update(devices=2, strategy="ddp", sync_batchnorm=False, limit_val_batches=2)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(content))
    command = [sys.executable, "-m", "centertrack", "train", "fit", "--config", "config.yaml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("Trained weights:") == 1  # the first process speaks for both
    state = torch.load(next(tmp_path.rglob("last.ckpt")), weights_only=True)
    assert state["global_step"] == 6  # 12 samples of two processes, one each step
    people = TrackingDataModule([SourceOptions(**one) for one in content["data"]["train"]]).num_identities
    assert state["state_dict"]["reid_loss.classifier.weight"].shape[0] == people
    # the mean over the samples of both processes, as one process finds it over all four
    of_both = validation_losses(tmp_path)
    content["trainer"].update(devices=1, strategy="auto", limit_val_batches=4)
    content["trainer"]["logger"]["init_args"]["save_dir"] = "alone"
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(content))
    checkpoint = str(next(tmp_path.rglob("last.ckpt")))
    command = [*command[:4], "validate", "--config", "config.yaml", "--ckpt_path", checkpoint]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=300)
    assert of_both == pytest.approx(validation_losses(tmp_path / "alone"), rel=1e-4)


def validation_losses(folder: Path) -> dict[str, float]:
    with next(folder.rglob("metrics.csv")).open() as file:
        rows = list(csv.DictReader(file))
    return {name: float(row[name]) for row in rows for name in ("val/total", "val/heatmap", "val/box_2d") if row[name]}


def test_norms_over_all_processes_are_the_same_network() -> None:
    """What `sync_batchnorm` makes of a network: training it needs GPUs, but names, weights and results stay."""
    torch.manual_seed(0)
    model = CenterNet(**TINY["model"]).eval()
    image = torch.rand(1, 3, 64, 96)
    expected, names = model(image), list(model.state_dict())
    synced = TorchSyncBatchNorm().apply(model)
    kinds = [type(module) for module in synced.modules() if isinstance(module, torch.nn.modules.batchnorm._NormBase)]
    assert kinds and set(kinds) == {torch.nn.SyncBatchNorm}
    assert list(synced.state_dict()) == names
    for found, wanted in zip(synced(image), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)

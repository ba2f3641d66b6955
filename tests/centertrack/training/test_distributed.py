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
    with next(tmp_path.rglob("metrics.csv")).open() as file:
        rows = list(csv.DictReader(file))
    assert any(row["val/total"] for row in rows)

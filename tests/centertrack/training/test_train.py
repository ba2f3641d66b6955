from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml

from centertrack.models import from_pretrained, save_weights
from centertrack.training.cli import main
from tests.conftest import PROJECT

TINY = {
    "trainer": {
        "max_epochs": 1,
        "accelerator": "cpu",
        "devices": 1,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "log_every_n_steps": 1,
        "num_sanity_val_steps": 0,
        "callbacks": [
            {
                "class_path": "pytorch_lightning.callbacks.ModelCheckpoint",
                "init_args": {"save_last": True, "save_top_k": 1, "every_n_epochs": 1},
            }
        ],
        "logger": {"class_path": "pytorch_lightning.loggers.CSVLogger", "init_args": {"save_dir": "logs"}},
    },
    "model": {
        "backbone": {"name": "shufflenet_v2_x0.5"},
        "neck": {"name": "FPNNeck", "upsample_channels": [16, 16, 16], "conv_type": "separable"},
        "output_heads": {
            "heatmap": {"num_classes": 1, "width": 16},
            "box_2d": {"width": 16, "box_multiplier": 16.0},
            "reid": {"embedding_dim": 8, "width": 16},
        },
        "loss": {"balance": "uncertainty"},
        "lr_scheduler": {"name": "cosine", "warmup_steps": 2},
    },
    "data": {
        "size": [160, 96],
        "batch_size": 2,
        "samples_per_epoch": 6,
        "workers": 0,
        "train": [{"format": "synthetic", "options": {"scenes": 1, "frames": 2, "size": [160, 96], "seconds": 1.0}}],
    },
}


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(TINY))
    return path


def last_checkpoint(folder: Path) -> Path:
    return next(folder.rglob("last.ckpt"))


def test_fit_writes_a_checkpoint_that_detects(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["fit", "--config", str(config)])
    checkpoint = last_checkpoint(config.parent)
    assert f"centertrack track VIDEO --weights {checkpoint}" in capsys.readouterr().out
    model = from_pretrained(checkpoint)
    found = model.detect(torch.zeros(1, 3, 64, 96), num_detections=5)
    assert found.embeddings.shape == (1, 5, 8)
    save_weights(model, config.parent / "tiny.safetensors")
    again = from_pretrained(config.parent / "tiny.safetensors").detect(torch.zeros(1, 3, 64, 96), num_detections=5)
    torch.testing.assert_close(again.scores, found.scores, rtol=0, atol=2e-3)  # float16 weights


def test_a_resumed_training_ends_where_an_uninterrupted_one_does(config: Path) -> None:
    constant = ["--model.lr_scheduler.name", "constant"]  # a cosine over one epoch is no half of one over two
    fit = ["fit", "--config", str(config), *constant, "--trainer.logger.init_args.save_dir"]
    main([*fit, "whole", "--trainer.max_epochs", "2"])
    main([*fit, "first"])
    first = last_checkpoint(config.parent / "first")
    main([*fit, "second", "--trainer.max_epochs", "2", "--ckpt_path", str(first)])
    uninterrupted = torch.load(last_checkpoint(config.parent / "whole"), weights_only=True)["state_dict"]
    resumed = torch.load(last_checkpoint(config.parent / "second"), weights_only=True)["state_dict"]
    torch.testing.assert_close(resumed, uninterrupted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("path", sorted((PROJECT / "configs").glob("fairmot*.yaml")), ids=lambda path: path.stem)
def test_every_training_configuration_builds_its_model(path: Path) -> None:
    from centertrack.data.mixture import MixOptions, SourceOptions
    from centertrack.models import CenterNet

    content = yaml.safe_load(path.read_text())
    options = content["model"]
    model = CenterNet(**{**options, "backbone": {**options["backbone"], "pretrained": False}})
    assert sum(p.numel() for p in model.parameters()) > 0
    MixOptions(**content["data"]["mix"])
    assert all(SourceOptions(**source).weight > 0 for source in content["data"]["train"])

from __future__ import annotations

import csv
import json
import shlex
import signal
from pathlib import Path
from shutil import rmtree

import cv2
import numpy as np
import pytest
import torch
import yaml
from pytorch_lightning.strategies import SingleDeviceStrategy

from centertrack.cli import main as command
from centertrack.data.datamodule import TrackingDataModule
from centertrack.data.mixture import SourceOptions
from centertrack.models import CenterNet, from_pretrained, save_weights
from centertrack.predictor import Predictor
from centertrack.training.cli import main
from tracker.errors import InputError

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


def test_fit_learns_who_looks_like_whom_from_a_teacher(config: Path) -> None:
    content = yaml.safe_load(config.read_text())
    source = {**TINY["data"]["train"][0], "embeddings": "teacher.npz"}
    content["data"]["train"] = [TINY["data"]["train"][0], source]
    content["data"]["samples_per_epoch"] = 4
    config.write_text(yaml.safe_dump(content))
    identities = TrackingDataModule([SourceOptions(**TINY["data"]["train"][0])]).num_identities
    rng = np.random.default_rng(0)
    np.savez("teacher.npz", embeddings=rng.normal(size=(identities, 12)).astype(np.float16))
    main(["fit", "--config", str(config)])
    rows = list(csv.DictReader(next(Path("logs").rglob("metrics.csv")).open()))
    assert max(float(row["train/distillation"]) for row in rows if row["train/distillation"]) > 0
    np.savez("teacher.npz", embeddings=np.zeros((identities + 1, 12), np.float16))
    with pytest.raises(InputError, match=rf"teacher.npz: expected embeddings of {identities} identities"):
        main(["fit", "--config", str(config)])


def test_fit_imitates_a_larger_network(config: Path) -> None:
    content = yaml.safe_load(config.read_text())
    content["data"]["samples_per_epoch"] = 4
    content["model"]["loss"] = {"imitation_weight": 2.0}
    config.write_text(yaml.safe_dump(content))
    main(["fit", "--config", str(config)])
    teacher = last_checkpoint(config.parent).rename("teacher.ckpt")
    rmtree("logs")
    main(["fit", "--config", str(config), "--teacher", str(teacher)])
    rows = [row for row in csv.DictReader(next(Path("logs").rglob("metrics.csv")).open()) if row["train/imitation"]]
    heatmap, box, reid, imitation, total = (
        float(rows[0][f"train/{name}"]) for name in ("heatmap", "box_2d", "reid", "imitation", "total")
    )
    assert imitation > 0
    assert total == pytest.approx(heatmap + 5 * box + reid + 2 * imitation, rel=1e-3)
    kept = torch.load(last_checkpoint(config.parent), weights_only=False)["state_dict"]
    assert kept.keys() == torch.load(teacher, weights_only=False)["state_dict"].keys()  # the teacher is no part of it
    with pytest.raises(InputError, match=r"a teacher needs the strides.*\(8, 16, 32\)"):
        main(["fit", "--config", str(config), "--teacher", "fairmot-base"])


def test_fit_applies_transforms_of_torchvision(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = yaml.safe_load(config.read_text())
    v2 = "torchvision.transforms.v2"
    content["data"]["samples_per_epoch"] = 4
    content["data"]["transforms"] = [
        {"class_path": f"{v2}.ColorJitter", "init_args": {"brightness": 0.3}},
        {"class_path": f"{v2}.RandomHorizontalFlip", "init_args": {"p": 1.0}},
        {"class_path": f"{v2}.SanitizeBoundingBoxes"},
    ]
    config.write_text(yaml.safe_dump(content))
    assert command(["train", "fit", "--config", str(config)]) == 0
    assert torch.load(last_checkpoint(config.parent), weights_only=False)["global_step"] == 2
    written = yaml.safe_load(next(config.parent.rglob("config.yaml")).read_text())["data"]["transforms"]
    assert [one["class_path"].rpartition(".")[2] for one in written] == [
        "ColorJitter",
        "RandomHorizontalFlip",
        "SanitizeBoundingBoxes",
    ]


def test_fit_writes_a_checkpoint_that_detects(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["fit", "--config", str(config)])
    checkpoint = last_checkpoint(config.parent)
    weights = checkpoint.with_suffix(".safetensors")
    *_, remark, _, last = capsys.readouterr().out.splitlines()
    assert remark == "Scores: not calibrated, because there is no data.validation; try some values of --min-score."
    assert last == f"Track a video with: centertrack track VIDEO --weights {weights}"
    found = from_pretrained(checkpoint).detect(torch.zeros(1, 3, 64, 96), num_detections=5)
    assert found.embeddings.shape == (1, 5, 8)
    again = from_pretrained(weights).detect(torch.zeros(1, 3, 64, 96), num_detections=5)
    torch.testing.assert_close(again.scores, found.scores, rtol=0, atol=2e-3)  # float16 weights


def test_scores_stay_where_too_little_is_found(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = yaml.safe_load(config.read_text())
    content["data"]["validation"] = content["data"]["train"]
    config.write_text(yaml.safe_dump(content))
    main(["fit", "--config", str(config), "--trainer.limit_val_batches", "1"])
    assert "not calibrated, because too little of data.validation was found" in capsys.readouterr().out


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


def logged_totals(folder: Path) -> list[float]:
    with next(folder.rglob("metrics.csv")).open() as file:
        return [float(row["train/total"]) for row in csv.DictReader(file) if row["train/total"]]


@pytest.mark.parametrize("crash_at", [(1, 0), (1, 2), (2, 3)])  # epoch and batch
def test_a_crashed_training_goes_on_where_it_stopped(
    config: Path, crash_at: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = yaml.safe_load(config.read_text())
    content["trainer"]["max_epochs"], content["data"]["samples_per_epoch"] = 3, 8  # 4 batches an epoch
    content["trainer"]["callbacks"][0]["init_args"]["save_on_exception"] = True
    average = "centertrack.training.averaging.WarmedUpAveraging"
    content["trainer"]["callbacks"].append({"class_path": average, "init_args": {"decay": 0.9}})
    config.write_text(yaml.safe_dump(content))
    fit = ["fit", "--config", str(config), "--trainer.logger.init_args.save_dir"]
    main([*fit, "whole"])
    step = CenterNet.training_step

    def crash(self: CenterNet, batch: dict[str, torch.Tensor], batch_index: int) -> torch.Tensor:
        if (self.trainer.current_epoch, batch_index) == crash_at:
            raise RuntimeError("out of memory")
        return step(self, batch, batch_index)

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="out of memory"):
        patch.setattr(CenterNet, "training_step", crash)
        main([*fit, "first"])
    main([*fit, "second", "--ckpt_path", str(last_checkpoint(config.parent / "first"))])
    parts = logged_totals(config.parent / "first") + logged_totals(config.parent / "second")
    assert parts == pytest.approx(logged_totals(config.parent / "whole"), rel=1e-6)
    uninterrupted, resumed = (
        torch.load(last_checkpoint(config.parent / name), weights_only=True) for name in ("whole", "second")
    )
    assert resumed["global_step"] == uninterrupted["global_step"] == 12
    torch.testing.assert_close(resumed["state_dict"], uninterrupted["state_dict"], rtol=1e-5, atol=1e-6)


def test_fine_tuning_starts_from_other_weights(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(1)
    start = CenterNet(**TINY["model"])
    save_weights(start, config.parent / "start.safetensors")
    capsys.readouterr()
    main(["fit", "--config", str(config), "--start_from", "start.safetensors", "--model.optimizer.learning_rate", "0"])
    assert "start.safetensors" in capsys.readouterr().out.splitlines()[0]
    trained = torch.load(last_checkpoint(config.parent), weights_only=True)["state_dict"]
    for name, value in start.named_parameters():
        torch.testing.assert_close(trained[name], value, rtol=0, atol=2e-3)  # float16 weights


def write_yolo(folder: Path, names: str) -> None:
    """One image with an object of the second class."""
    (folder / "images").mkdir()
    (folder / "labels").mkdir()
    cv2.imwrite(str(folder / "images" / "a.png"), np.zeros((60, 80, 3), np.uint8))
    (folder / "labels" / "a.txt").write_text("1 0.5 0.5 0.2 0.2\n")
    (folder / "classes.txt").write_text(names)


def test_checkpoints_carry_the_names_of_the_classes(config: Path) -> None:
    write_yolo(config.parent, "hen\nchick\n")
    content = yaml.safe_load(config.read_text())
    content["data"]["train"] = [{"format": "yolo", "path": "."}]
    content["model"]["output_heads"]["heatmap"]["num_classes"] = 3
    config.write_text(yaml.safe_dump(content))
    main(["fit", "--config", str(config)])
    checkpoint = last_checkpoint(config.parent)
    assert Predictor(checkpoint, runtime="torch").class_names == ["hen", "chick", "class 2"]
    arguments = ["images", "--weights", str(checkpoint), "--runtime", "torch", "--results", "found.json"]
    assert command(["detect", *arguments]) == 0
    found = json.loads((config.parent / "found.json").read_text())
    assert [category["name"] for category in found["categories"]] == ["hen", "chick", "class 2"]
    save_weights(from_pretrained(checkpoint), "hens.safetensors")
    assert Predictor("hens.safetensors", runtime="torch").class_names == ["hen", "chick", "class 2"]


def test_names_that_the_user_gives_stay(config: Path) -> None:
    content = yaml.safe_load(config.read_text())
    content["model"]["class_names"] = ["walker"]
    config.write_text(yaml.safe_dump(content))
    main(["fit", "--config", str(config)])
    assert from_pretrained(last_checkpoint(config.parent)).config["class_names"] == ["walker"]


def test_more_classes_than_channels_are_refused(config: Path) -> None:
    content = yaml.safe_load(config.read_text())
    assert content["model"]["output_heads"]["heatmap"]["num_classes"] == 1
    write_yolo(config.parent, "hen\nchick\n")
    content["data"]["train"] = [{"format": "yolo", "path": "."}]
    config.write_text(yaml.safe_dump(content))
    with pytest.raises(InputError, match=r"the data have 2 classes \(hen, chick\), but .*num_classes is 1"):
        main(["fit", "--config", str(config)])


def save_on_exception(config: Path) -> None:
    """Let the configuration keep a checkpoint when the training breaks off."""
    content = yaml.safe_load(config.read_text())
    content["trainer"]["callbacks"][0]["init_args"]["save_on_exception"] = True
    config.write_text(yaml.safe_dump(content))


@pytest.mark.parametrize(("kind", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_training_says_how_to_go_on(
    kind: signal.Signals, code: int, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save_on_exception(config)
    step = CenterNet.training_step

    def interrupt(self: CenterNet, batch: dict[str, torch.Tensor], batch_index: int) -> torch.Tensor:
        if batch_index == 1:
            signal.raise_signal(kind)
        return step(self, batch, batch_index)

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start without it
    handlers = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)}
    with monkeypatch.context() as patch:
        patch.setattr(CenterNet, "training_step", interrupt)
        assert command(["train", "fit", "--config", str(config)]) == code
    for one, handler in handlers.items():
        signal.signal(one, handler)
    *_, last = capsys.readouterr().err.splitlines()
    assert "Go on with: centertrack train fit --config" in last
    assert command(shlex.split(last.partition("centertrack ")[2])) == 0
    saved = max(config.parent.rglob("last.ckpt"), key=lambda path: path.stat().st_mtime)
    assert torch.load(saved, weights_only=True)["global_step"] == 3


def test_how_to_go_on_is_told_without_the_other_processes(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a crash of one of several processes nobody takes part in a broadcast."""
    content = yaml.safe_load(config.read_text())
    content["trainer"]["callbacks"][0]["init_args"] = {"save_last": True, "every_n_train_steps": 1}
    config.write_text(yaml.safe_dump(content))
    step = CenterNet.training_step

    def alone(*_: object) -> None:
        raise AssertionError("the other processes have ended")

    def crash(self: CenterNet, batch: dict[str, torch.Tensor], batch_index: int) -> torch.Tensor:
        if batch_index == 2:
            monkeypatch.setattr(SingleDeviceStrategy, "broadcast", alone)
            raise RuntimeError("out of memory")
        return step(self, batch, batch_index)

    monkeypatch.setattr(CenterNet, "training_step", crash)
    with pytest.raises(RuntimeError, match="out of memory"):
        main(["fit", "--config", str(config)])
    options = shlex.split(capsys.readouterr().err.rpartition("centertrack train fit ")[2])
    assert options[::2] == ["--config", "--ckpt_path"] and all(Path(path).is_file() for path in options[1::2])


def test_a_crash_leaves_a_usable_checkpoint(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_on_exception(config)
    step = CenterNet.training_step

    def crash(self: CenterNet, batch: dict[str, torch.Tensor], batch_index: int) -> torch.Tensor:
        if batch_index == 2:
            raise RuntimeError("out of memory")
        return step(self, batch, batch_index)

    monkeypatch.setattr(CenterNet, "training_step", crash)
    with pytest.raises(RuntimeError, match="out of memory"):
        main(["fit", "--config", str(config)])
    saved = next(config.parent.rglob("*.ckpt"))
    assert torch.load(saved, weights_only=True)["global_step"] == 2
    assert from_pretrained(saved).detect(torch.zeros(1, 3, 64, 96), num_detections=1).scores.shape == (1, 1)


def test_every_part_of_the_network_is_compiled_when_asked(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self: compiled.append(type(self).__name__))
    main(["fit", "--config", str(config), "--compile", "true", "--trainer.limit_train_batches", "0"])
    assert sorted(compiled) == ["Box2DHead", "FPNNeck", "HeatmapHead", "ReIDHead", "ShuffleNetBackbone"]

"""Weights there and back, and files that are not what they claim."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import save_file

from centertrack.models import CenterNet, build_centernet, from_pretrained, save_weights
from centertrack.training.checkpoints import load_matching
from tests.centertrack.training.test_module import NANO, nano
from tracker.errors import InputError


def test_saved_weights_come_back_with_their_network(tmp_path: Path) -> None:
    model = nano(num_identities=6, input_format={"size": [96, 64], "channel_order": "bgr"}).eval()
    save_weights(model, tmp_path / "nano.safetensors")
    loaded = from_pretrained(tmp_path / "nano.safetensors")
    assert not loaded.training
    assert loaded.input_format == model.input_format
    assert loaded.reid_loss is None  # the classifier is for training only
    x = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        for found, expected in zip(loaded(x), model(x), strict=True):
            torch.testing.assert_close(found, expected, rtol=0.02, atol=0.02)  # stored as float16
    for key, value in loaded.state_dict().items():
        torch.testing.assert_close(value, model.state_dict()[key], rtol=1e-3, atol=1e-6)


def test_a_training_checkpoint_is_loaded_with_its_network(tmp_path: Path) -> None:
    model = nano(num_identities=6).eval()
    checkpoint = {
        "state_dict": model.state_dict(),
        "hyper_parameters": {**model.config, "_instantiator": "pytorch_lightning.cli.instantiate_module"},
    }
    torch.save(checkpoint, tmp_path / "last.ckpt")
    loaded = from_pretrained(tmp_path / "last.ckpt")
    for key, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value)


def test_lightning_loads_its_own_checkpoint(tmp_path: Path) -> None:
    import pytorch_lightning as pl

    model = nano(num_identities=6, loss={"balance": "uncertainty"})
    trainer = pl.Trainer(logger=False, enable_checkpointing=False, accelerator="cpu", enable_model_summary=False)
    trainer.strategy.connect(model)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    loaded = CenterNet.load_from_checkpoint(tmp_path / "last.ckpt")
    assert sorted(loaded.state_dict()) == sorted(model.state_dict())
    assert torch.equal(loaded.state_dict()["balance.detection"], model.state_dict()["balance.detection"])


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    model = nano()
    other = {**model.config, "neck": {**model.config["neck"], "upsample_channels": [16, 16, 16]}}
    torch.save({"state_dict": model.state_dict(), "hyper_parameters": other}, tmp_path / "wrong.ckpt")
    with pytest.raises(InputError, match="does not fit"):
        from_pretrained(tmp_path / "wrong.ckpt")


@pytest.mark.parametrize("name", ["broken.safetensors", "broken.ckpt", "broken.pth"])
@pytest.mark.parametrize("content", [b"", b"garbage" * 50], ids=["empty", "garbage"])
def test_a_corrupted_file_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=name):
        from_pretrained(tmp_path / name)


@pytest.mark.parametrize("suffix", ["onnx", "xml", "torchscript"])
def test_an_exported_file_is_told_apart_from_weights(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"nano.{suffix}").touch()
    with pytest.raises(InputError, match=rf"nano\.{suffix}: an exported file .* give the weights that it was exported"):
        from_pretrained(tmp_path / f"nano.{suffix}")


def test_a_cut_off_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nano.safetensors"
    save_weights(nano(), path)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(InputError, match="nano"):
        from_pretrained(path)


@pytest.mark.parametrize(
    "config",
    [
        {},
        [1],
        {"architecture": "yolo"},
        {"output_heads": {}, "input_format": {}},
        {"output_heads": {"heatmap": {}}},
        {"output_heads": {"heatmap": {}}, "input_format": {}},
    ],
)
def test_tensors_of_another_architecture_are_one_sentence(tmp_path: Path, config: Any) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(2)}, path, metadata={"config": json.dumps(config)})
    with pytest.raises(InputError, match=f"{path}: (its configuration is not that|not weights) of a CenterNet"):
        from_pretrained(path)


@pytest.mark.parametrize("content", [torch.zeros(2), {"state_dict": {}}, {"hyper_parameters": {}, "state_dict": {}}])
def test_a_checkpoint_of_something_else_is_one_sentence_with_its_path(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "other.pt")
    with pytest.raises(InputError, match=f"^{tmp_path / 'other.pt'}: (?!cannot be read)"):
        from_pretrained(tmp_path / "other.pt")


class Hostile:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_nothing_in_a_file_is_executed(tmp_path: Path) -> None:
    trap = tmp_path / "executed"
    torch.save({"state_dict": {}, "hyper_parameters": Hostile(trap)}, tmp_path / "hostile.ckpt")
    with pytest.raises(InputError, match=r"hostile\.ckpt: not a checkpoint, or one that holds more than tensors"):
        from_pretrained(tmp_path / "hostile.ckpt")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Hostile(trap)))
    with pytest.raises(InputError, match=r"plain\.pth: not a checkpoint, or one that holds more than tensors"):
        from_pretrained(tmp_path / "plain.pth")
    assert not trap.exists()


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(InputError, match="give a file, or one of"):
        from_pretrained("fairmot-giant")


def test_a_network_is_built_from_a_mapping_or_a_file(tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(yaml.safe_dump({"model": NANO, "trainer": {"max_epochs": 1}}))
    for config in (NANO, {"model": NANO}, path, str(path)):
        assert build_centernet(config).num_classes == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [("- 1\n", "mapping"), ("model: {backbone: {name: resnet18}}\n", "neck"), ("a: [\n", "model.yaml")],
)
def test_a_broken_configuration_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        build_centernet(path)


def test_fine_tuning_takes_what_fits_and_reports_the_rest(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = nano()
    save_weights(source, tmp_path / "source.safetensors")
    heads = {**NANO["output_heads"], "reid": {**NANO["output_heads"]["reid"], "embedding_dim": 32}}
    model = CenterNet(**{**NANO, "output_heads": heads})
    report = load_matching(model, tmp_path / "source.safetensors")
    misfits = {"heads.reid.layers.1.weight", "heads.reid.layers.1.bias"}
    assert set(report.lacking) == set(report.left_over) == misfits
    assert report.loaded == report.total - 2
    torch.testing.assert_close(
        model.backbone.state_dict()["stages.0.0.weight"],
        source.backbone.state_dict()["stages.0.0.weight"],
        rtol=1e-3,
        atol=1e-6,
    )
    again = build_centernet(
        {**NANO, "output_heads": heads, "load_from_checkpoint": str(tmp_path / "source.safetensors")}
    )
    assert torch.equal(again.backbone.stages[0][0].weight, model.backbone.stages[0][0].weight)
    assert "heads.reid.layers.1.weight" in caplog.text


def test_nothing_to_fine_tune_from_is_an_error(tmp_path: Path) -> None:
    save_weights(nano(), tmp_path / "nano.safetensors")
    other = CenterNet(
        {"name": "resnet18", "pretrained": False},
        {"name": "SimpleNeck"},
        {"heatmap": {"num_classes": 1}, "box_2d": {}},
        task="detection",
    )
    with pytest.raises(InputError, match="none of its"):
        load_matching(other, tmp_path / "nano.safetensors")


def test_full_precision_is_kept_where_asked_for(tmp_path: Path) -> None:
    model = nano().double()
    save_weights(model, tmp_path / "nano.safetensors", half=False)
    loaded = from_pretrained(tmp_path / "nano.safetensors")
    weight = loaded.state_dict()["neck.project.weight"]
    assert weight.dtype == torch.float64
    assert torch.equal(weight, model.state_dict()["neck.project.weight"])

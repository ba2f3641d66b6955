"""What a user gets for a mistake in a configuration: one sentence and exit code 2."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from centertrack.cli import main as command
from centertrack.training.cli import main
from centertrack.training.parser import shorten
from tests.centertrack.training.test_train import TINY
from tracker.errors import InputError


def write_config(folder: Path, section: str, changes: dict[str, Any]) -> str:
    content = json.loads(json.dumps(TINY))
    content[section].update(changes)
    path = folder / "wrong.yaml"
    path.write_text(yaml.safe_dump(content))
    return str(path)


@pytest.mark.parametrize(
    ("section", "changes", "sentence"),
    [
        ("data", {"batchsize": 3}, "no option 'data.batchsize'; did you mean 'data.batch_size'"),
        ("data", {"train": [{"format": "coco", "wieght": 3}]}, "data.train: there is no option 'wieght'; .*'weight'"),
        ("data", {"size": [160, 90]}, r"data.size must be .* multiples of 32, got \[160, 90\]"),
        ("data", {"batch_size": 8}, "data.samples_per_epoch must be at least data.batch_size, .* got 6 and 8"),
        ("data", {"train": [{"format": "mot", "path": "nowhere"}]}, "a folder of sequences, in nowhere; found neither"),
        ("data", {"train": [{"format": "coco", "path": "no.json"}]}, "cannot read no.json: No such file"),
        (
            "data",
            {"train": [{"format": "synthetic", "warp": {"scal": [1, 2]}}]},
            "WarpOptions has no option 'scal'; did you mean scale",
        ),
        ("data", {"mix": {"mosaik": 0.5}}, "data.mix: there is no option 'mosaik'; did you mean 'mosaic'"),
        (
            "data",
            {"transforms": [{"class_path": "torchvision.transforms.v2.RandomGray"}]},
            "data.transforms: .*'torchvision.transforms.v2' has no attribute 'RandomGray'$",
        ),
        (
            "data",
            {
                "workers": 1,
                "transforms": [{"class_path": "torchvision.transforms.v2.Resize", "init_args": {"size": 32}}],
            },
            r"^the image must come out of data.transforms .* 160 x 96 with 3 channels .*, got 53 x 32 [^\n]*$",
        ),
        (
            "data",
            {"transforms": [{"class_path": "torchvision.transforms.v2.RandomGrayscale", "init_args": {"p": 5}}]},
            r"^configuration: RandomGrayscale: [^\n]*in the interval \[0.0, 1.0\][^\n]*$",
        ),
        (
            "data",
            {
                "workers": 1,
                "transforms": [{"class_path": "torchvision.transforms.v2.RandomCrop", "init_args": {"size": 400}}],
            },
            r"^data.transforms: RandomCrop cannot change a sample: [^\n]*\(96, 160\)[^\n]*$",
        ),
        ("data", {"zzz": 1}, "there is no option 'data.zzz'$"),
        ("model", {"optimizer": {"lr": 0.1}}, "OptimizerOptions has no option 'lr'; there are: name, learning_rate"),
        ("model", {"lr_scheduler": {"steps": 1}}, "ScheduleOptions has no option 'steps'"),
        ("model", {"neck": {"name": "FPNNeck", "zzz": 1}}, "neck FPNNeck has no option 'zzz'"),
        ("trainer", {"max_epoch": 3}, "no option 'trainer.max_epoch'; did you mean 'trainer.max_epochs'"),
        ("model", {"backbone": {"name": "resnet18", "pretrained": "no.pth"}}, "no such weights file: no.pth"),
        ("model", {"loss": {"bx": "giou"}}, "LossOptions has no option 'bx'"),
        ("trainer", {"accelerator": "cud"}, r"^configuration: \w+: [^\n]*'?cud'?[^\n]*$"),
        (
            "trainer",
            {
                "callbacks": [
                    {"class_path": "pytorch_lightning.callbacks.ModelCheckpoint", "init_args": {"save_top_k": -2}}
                ]
            },
            r"^configuration: Invalid value for save_top_k=-2. Must be >= -1$",
        ),
        ("trainer", {"max_epochs": "three"}, "trainer.max_epochs: expected int, got three"),
        ("trainer", {"callbacks": [{"class_path": "no.Such"}]}, "trainer.callbacks: No module named 'no'"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, section: str, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        main(["fit", "--config", write_config(tmp_path, section, changes)])


def test_a_missing_configuration(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"File does not exist: '.*none\.yaml'"):
        main(["fit", "--config", str(tmp_path / "none.yaml")])


def test_the_command_exits_with_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["train", "fit", "--config", write_config(tmp_path, "data", {"sise": [96, 64]})]) == 2
    printed = capsys.readouterr()
    assert printed.err.strip() == "error: configuration: there is no option 'data.sise'; did you mean 'data.size'?"


def test_nothing_is_said_before_the_mistake(tmp_path: Path) -> None:
    config = write_config(tmp_path, "data", {"train": [{"format": "mot", "path": "nowhere"}]})
    program = [sys.executable, "-m", "centertrack", "train", "fit", "--config", config]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_messages_without_a_pattern_are_kept_on_one_line() -> None:
    assert shorten('Parser key "data.size":\n  Something\n  else', []) == "configuration: data.size: Something else"
    union = "Does not validate against any of the Union subtypes\nErrors:\n  - Must be >= -1\n  - Not a valid subclass"
    assert shorten(union, []) == "configuration: Must be >= -1"
    assert shorten("unrecognized arguments: --zzz 3", []) == "configuration: there is no option 'zzz'"

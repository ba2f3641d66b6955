"""Rebuild shipped weights from their configuration and a folder of data.

    python tools/train_weights.py fairmot_nano FOLDER_OF_DATA [--epochs N] [--start_from WEIGHTS] [--runs runs]
    python tools/train_weights.py fairmot_base FOLDER_OF_DATA --teachers FOLDER_OF_MODELS

The training is resumed where it was interrupted. At its end the averaged weights are written as float16 safetensors to
`RUNS/NAME/NAME.safetensors`; `tools/measure_weights.py` measures them, and copying them to `centertrack/weights/` ships
them.
"""

from __future__ import annotations

import os
from pathlib import Path

from embed_people import embed_people
from jsonargparse import auto_cli
from label_images import label_images
from label_videos import label_videos
from mark_unlabelled import mark_unlabelled
from start_from_openvino import start_from_openvino

from centertrack.models.weights_file import save_weights
from centertrack.models.widening import widen
from centertrack.training.checkpoints import build_centernet, from_pretrained
from centertrack.training.cli import main
from tracker.errors import InputError

PROJECT = Path(__file__).resolve().parents[1]
PRETRAINED = "pretrained/fastestdet_coco.pth"
VIDEO_LABELS, MARKS, TAUGHT_LABELS = "videos_labelled", "marked", "labelled"
STARTS, LABELS, DESCRIBES = (  # models of Intel's Open Model Zoo
    f"{name}/{name}.xml"
    for name in ("person-vehicle-bike-detection-2003", "person-detection-0303", "person-reidentification-retail-0277")
)
WIDENED = {"fairmot_small": "fairmot-nano"}  # starts as these weights, widened


def train_weights(
    name: str,
    data: Path,
    epochs: int | None = None,
    start_from: str | None = None,
    runs: Path = Path("runs"),
    teachers: Path | None = None,
) -> None:
    """Train, then write the weights for inference.

    Args:
        name: Of a file in configs/, for example fairmot_nano.
        data: Folder that holds detection/, MOT17/, MOT15/, pretrained/ and, for fairmot_small, videos/.
        epochs: Length of the schedule, by default the configuration's; resume with the same.
        start_from: Weights of this network to train further; by default the start that the configuration describes.
        runs: Where checkpoints, logs and weights go.
        teachers: For fairmot_base: folder of the OpenVINO models that it starts from and learns from, each in a folder
            of its name.
    """
    folder = runs.resolve() / name
    folder.mkdir(parents=True, exist_ok=True)
    config = PROJECT / "configs" / f"{name}.yaml"
    teachers = teachers.resolve() if teachers else None
    root = prepare_data(config, data.resolve(), folder / "data", teachers)
    os.chdir(runs.parent.resolve())  # log folders of the configuration are relative
    arguments = ["fit", "--config", str(config), "--data.root", str(root)]
    if teachers is not None:
        start_from = start_from or str(_begun(teachers / STARTS, folder / "start.safetensors"))
    elif name not in WIDENED:
        arguments += ["--model.backbone.pretrained", str(root / PRETRAINED)]
    elif start_from is None:
        start_from = str(widened(config, WIDENED[name], folder / "widened.safetensors"))
    if start_from is not None:
        arguments += ["--start_from", start_from]
    if epochs is not None:
        arguments += ["--trainer.max_epochs", str(epochs)]
    if last := _last_checkpoint(folder):
        arguments += ["--ckpt_path", str(last)]
    main(arguments)
    weights = folder / f"{name.replace('_', '-')}.safetensors"
    save_weights(from_pretrained(_last_checkpoint(folder) or ""), weights)
    print(f"Weights for inference: {weights}")


def prepare_data(config: Path, data: Path, root: Path, teachers: Path | None = None) -> Path:
    """Make a folder of links to the data, with the labels that earlier weights give beside them; return it."""
    root.mkdir(parents=True, exist_ok=True)
    for entry in data.iterdir():
        link = root / entry.name
        if not link.is_symlink():
            link.symlink_to(entry)
    needed = config.read_text(encoding="utf-8")
    if f"{TAUGHT_LABELS}/" in needed:
        if teachers is None:
            raise InputError(f"{config.name} learns from larger networks: give --teachers FOLDER with {LABELS}")
        label_images(data, root / TAUGHT_LABELS, teachers / LABELS, threads=0)
        embed_people(config, root, teachers / DESCRIBES, threads=0)
    if f"{MARKS}/" in needed:
        mark_unlabelled(data, root / MARKS)
    if VIDEO_LABELS in needed:
        label_videos(data, root / VIDEO_LABELS)
    return root


def widened(config: Path, narrow: str, output: Path) -> Path:
    """Write weights for a configuration's network that compute what narrower ones do; those that exist are kept."""
    if not output.is_file():
        wide = build_centernet(config)
        widen(from_pretrained(narrow), wide.eval())
        save_weights(wide, output, half=False)
    return output


def _begun(detector: Path, output: Path) -> Path:
    if not output.is_file():
        start_from_openvino(detector, output)
    return output


def _last_checkpoint(folder: Path) -> Path | None:
    found = sorted(folder.rglob("last.ckpt"), key=lambda path: path.stat().st_mtime)
    return found[-1] if found else None


if __name__ == "__main__":
    auto_cli(train_weights)

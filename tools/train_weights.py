"""Rebuild shipped weights from their configuration, a folder of data and one of larger networks.

    python tools/train_weights.py fairmot_nano FOLDER_OF_DATA [--epochs N] [--start_from WEIGHTS] [--runs runs]
    python tools/train_weights.py fairmot_base FOLDER_OF_DATA --teachers FOLDER_OF_TEACHERS

The start is made first, unless weights are given: `fairmot_base` starts as person-vehicle-bike-detection-2003
(tools/start_from_openvino.py), `fairmot_nanodet` as NanoDet-Plus-m (tools/start_from_nanodet.py), `fairmot_small` as
the shipped `fairmot-base` with fewer channels (tools/prune_channels.py), which is its teacher too, and `fairmot_nano`
with the backbone of a small detector. Labels are completed by larger networks (tools/label_images.py), which look at
everybody too (tools/embed_people.py); those of `fairmot_nano` are marked by its elders (tools/mark_unlabelled.py).

The training is resumed where it was interrupted. At its end the averaged weights are written as float16 safetensors to
`RUNS/NAME/NAME.safetensors`; `tools/ship_weights.py` calibrates them.
"""

from __future__ import annotations

import os
from pathlib import Path

from embed_people import embed_people
from jsonargparse import auto_cli
from label_images import label_images
from mark_unlabelled import mark_unlabelled
from prune_channels import prune_channels
from start_from_nanodet import start_from_nanodet
from start_from_openvino import start_from_openvino

from centertrack.models.weights_file import save_weights
from centertrack.training.checkpoints import from_pretrained
from centertrack.training.cli import main
from tracker.errors import InputError

PROJECT = Path(__file__).resolve().parents[1]
PRETRAINED = "pretrained/fastestdet_coco.pth"
LABELLED, MARKED = "labelled", "marked"
DETECTOR, LABELS, DESCRIBES = (  # models of Intel's Open Model Zoo
    f"{name}/{name}.xml"
    for name in ("person-vehicle-bike-detection-2003", "person-detection-0303", "person-reidentification-retail-0277")
)
NANODET = "nanodet-plus-m/nanodet-plus-m.npz"
LARGER = {"fairmot_small": "fairmot-base"}  # starts as these weights, and learns from them


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
        name: fairmot_nano, fairmot_nanodet, fairmot_small or fairmot_base.
        data: Folder that holds detection/, unlabelled/, MOT17/, MOT15/ and, for fairmot_nano, pretrained/.
        epochs: Length of the schedule, by default the configuration's; resume with the same.
        start_from: Weights of this network to train further; by default the start that the configuration describes.
        runs: Where checkpoints, logs and weights go.
        teachers: Folder of the networks to start from and to learn from, each in a folder of its name; for all but
            fairmot_nano.
    """
    folder = runs.resolve() / name
    folder.mkdir(parents=True, exist_ok=True)
    config = PROJECT / "configs" / f"{name}.yaml"
    teachers = teachers.resolve() if teachers else None
    root = prepare_data(config, data.resolve(), folder / "data", teachers)
    if start_from is None and teachers is not None:
        start_from = str(prepare_start(name, root, teachers, folder / "start.safetensors"))
    os.chdir(runs.parent.resolve())  # log folders of the configuration are relative
    arguments = ["fit", "--config", str(config), "--data.root", str(root)]
    if teachers is None:
        arguments += ["--model.backbone.pretrained", str(root / PRETRAINED)]
    if start_from is not None:
        arguments += ["--start_from", start_from]
    if name in LARGER:
        arguments += ["--teacher", LARGER[name]]
    if epochs is not None:
        arguments += ["--trainer.max_epochs", str(epochs)]
    if last := _last_checkpoint(folder):
        arguments += ["--ckpt_path", str(last)]
    main(arguments)
    weights = folder / f"{name.replace('_', '-')}.safetensors"
    save_weights(from_pretrained(_last_checkpoint(folder) or ""), weights)
    print(f"Weights for inference: {weights}")


def prepare_data(config: Path, data: Path, root: Path, teachers: Path | None = None) -> Path:
    """Make a folder of links to the data, with what other networks say about them beside; return it.

    Raises:
        InputError: The configuration learns from larger networks, and there are none.
    """
    root.mkdir(parents=True, exist_ok=True)
    for entry in data.iterdir():
        link = root / entry.name
        if not link.is_symlink():
            link.symlink_to(entry)
    needed = config.read_text(encoding="utf-8")
    if f"{LABELLED}/" in needed:
        if teachers is None:
            raise InputError(f"{config.name} learns from larger networks: give --teachers FOLDER with {LABELS}")
        label_images(data, root / LABELLED, teachers / LABELS, threads=0)
        embed_people(config, root, teachers / DESCRIBES, threads=0)
    if f"{MARKED}/" in needed:
        mark_unlabelled(data, root / MARKED)
    return root


def prepare_start(name: str, root: Path, teachers: Path, output: Path) -> Path:
    """Write the weights that a training starts from, and return them; those that exist are kept.

    Raises:
        InputError: A configuration that starts from no other network.
    """
    if output.is_file():
        return output
    if name in LARGER:
        prune_channels(LARGER[name], PROJECT / "configs" / f"{name}.yaml", root, output)
    elif name == "fairmot_base":
        start_from_openvino(teachers / DETECTOR, output)
    elif name == "fairmot_nanodet":
        start_from_nanodet(teachers / NANODET, output)
    else:
        raise InputError(f"{name} starts from no other network: leave out --teachers")
    return output


def _last_checkpoint(folder: Path) -> Path | None:
    found = sorted(folder.rglob("last.ckpt"), key=lambda path: path.stat().st_mtime)
    return found[-1] if found else None


if __name__ == "__main__":
    auto_cli(train_weights)

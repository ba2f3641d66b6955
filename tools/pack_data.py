"""Pack the data of a training configuration for a machine that is at hand only for a while.

    python tools/pack_data.py fairmot_nano FOLDER_OF_DATA PACKS

writes PACKS/pack-000.tar, pack-001.tar, ..., each of at most 60 MB: JPEG images at training resolution, labels, start
weights and a configuration that fits. There:

    for pack in PACKS/*.tar; do tar -xf $pack -C packed; done
    centertrack train fit --config packed/config.yaml --data.root packed --trainer.max_time 00:00:10:00
    centertrack train fit --config packed/config.yaml --data.root packed --ckpt_path LAST.ckpt ...   # the next slice

A training in slices ends with the same weights as one in one piece.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path

import yaml
from jsonargparse import auto_cli
from train_weights import LARGER, PRETRAINED, PROJECT, prepare_data, prepare_start

from centertrack.data.mixture import SourceOptions
from centertrack.data.pack import pack_sources, write_archives
from tracker.io.reading import read_yaml


def pack_data(
    name: str,
    data: Path,
    packs: Path,
    longest_side: int = 800,
    max_mb: float = 60.0,
    teachers: Path | None = None,
) -> None:
    """Write the packs.

    Args:
        name: Of a file in configs/, for example fairmot_nano.
        data: Folder that holds detection/, unlabelled/, MOT17/, MOT15/ and, for fairmot_nano, pretrained/.
        packs: Where the archives go.
        longest_side: Of the images, in pixels.
        max_mb: Size of an archive.
        teachers: See tools/train_weights.py.
    """
    recipe = PROJECT / "configs" / f"{name}.yaml"
    config = read_yaml(recipe)
    with tempfile.TemporaryDirectory() as scratch:
        root, packed = Path(scratch, "data"), Path(scratch, "packed")
        sources = [SourceOptions(**source) for source in config["data"]["train"]]
        sources = pack_sources(sources, prepare_data(recipe, data.resolve(), root, teachers), packed, longest_side)
        config["data"]["train"] = [{key: value for key, value in asdict(one).items() if value} for one in sources]
        config["data"]["root"] = "packed"
        if teachers is not None:
            config["start_from"] = "packed/start.safetensors"
            prepare_start(name, root, teachers, packed / "start.safetensors")
        else:
            config["model"]["backbone"]["pretrained"] = f"packed/{Path(PRETRAINED).name}"
            shutil.copyfile(root / PRETRAINED, packed / Path(PRETRAINED).name)
        if name in LARGER:
            config["teacher"] = LARGER[name]
        (packed / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
        for archive in write_archives(packed, packs, max_mb):
            print(f"{archive}: {archive.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    auto_cli(pack_data)

"""Every configuration is trained two steps, on tiny data at the places and in the formats that it names."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from centertrack.data.convert import convert_data
from centertrack.data.mixture import SourceOptions, open_source_set
from centertrack.models import CenterNet
from centertrack.training.checkpoints import load_matching
from centertrack.training.cli import main
from tests.conftest import PROJECT

CONFIGS = sorted((PROJECT / "configs").glob("*.yaml"))
QUICK = ("fairmot_nano", "own_data", "fairmot_kitti")  # the others take 4 to 10 s each
TRAINED = [pytest.param(path, id=path.stem, marks=[] if path.stem in QUICK else pytest.mark.slow) for path in CONFIGS]
CLASS_NAMES = {"kitti": "Pedestrian"}
LISTS = {"coco": ("annotations.json", "images"), "crowdhuman": ("annotation.odgt", "Images")}


def make_labels(folder: Path, class_name: str) -> Path:
    """Four frames with two walkers, as a CVAT export."""
    random = np.random.default_rng(0)
    rows = []
    for frame in range(1, 5):
        image = random.integers(0, 256, (96, 128, 3), dtype=np.uint8)
        (folder / "img1").mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / "img1" / f"{frame:06d}.jpg"), image)
        rows += [f"{frame},1,{8 * frame},10,24,60,1,1,1\n", f"{frame},2,{100 - 8 * frame},20,20,50,1,1,1\n"]
    (folder / "gt").mkdir()
    (folder / "gt" / "gt.txt").write_text("".join(rows))
    (folder / "gt" / "labels.txt").write_text(f"{class_name}\n")
    return folder


def describe(source: dict[str, Any], root: Path) -> None:
    """Write a teacher's embeddings of the source's identities where it expects them."""
    if "embeddings" in source:
        count = open_source_set(SourceOptions(**source), root).num_identities
        target = root / source["embeddings"]
        target.parent.mkdir(parents=True, exist_ok=True)
        np.savez(target, embeddings=np.random.default_rng(0).normal(size=(count, 8)))


def place(source: dict[str, Any], root: Path, scratch: Path) -> None:
    """Write tiny data of the source's format where the source expects them."""
    name, target = source["format"], root / source.get("path", "")
    if name == "synthetic":
        source["options"] = {"scenes": 1, "frames": 2, "size": [160, 96], "seconds": 1.0}
        return
    options = source.setdefault("options", {})
    if "longest_side" in options:
        options["longest_side"] = 128
    if name == "mot" and "frames" in options and not isinstance(options["frames"], str):
        options["frames"] = [1, 4]
    if target.exists() and name not in LISTS:
        return
    labels = make_labels(scratch / "MOT17-02-SDP", CLASS_NAMES.get(name, "person"))
    made = scratch / "converted"
    convert_data(labels, made, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    if name in LISTS:
        file, images = LISTS[name]
        shutil.copy(made / file, target)
        default = target.parent / images
        shutil.copytree(made / images, root / options["images"] if "images" in options else default, dirs_exist_ok=True)
        if "masks" in options:
            (root / options["masks"]).mkdir(exist_ok=True)
    elif name == "jde":
        shutil.copytree(made, target.parent, dirs_exist_ok=True)
        shutil.copy(made / "train.txt", target)
    elif name == "mot" and target.name.startswith(("MOT", "ETH")):  # one sequence
        shutil.copytree(next(made.iterdir()), target)
    else:
        shutil.copytree(made, target)
    if name == "voc":
        (target / "ImageSets" / "Main").mkdir(parents=True)
        stems = [file.stem for file in (target / "Annotations").glob("*.xml")]
        (target / "ImageSets" / "Main" / f"{options['split']}.txt").write_text("\n".join(stems))


@pytest.mark.parametrize("path", TRAINED)
def test_two_steps(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    data, root = content["data"], tmp_path / "root"
    for number, source in enumerate([*data["train"], *data.get("validation", [])]):
        place(source, root, tmp_path / f"scratch{number}")
        describe(source, root)
    data.update(size=[64, 64], batch_size=2, samples_per_epoch=4, workers=0, root=str(root))
    if content["model"]["backbone"].get("pretrained"):
        content["model"]["backbone"]["pretrained"] = False
    content.pop("start_from", None)
    one_device = {"accelerator": "cpu", "devices": 1, "precision": "32-true", "max_epochs": 1, "limit_val_batches": 0}
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    names = [callback["class_path"].rpartition(".")[2] for callback in content["trainer"]["callbacks"]]
    assert "ModelCheckpoint" in names
    kept = [one for one in content["trainer"]["callbacks"] if not one["class_path"].endswith("LearningRateMonitor")]
    content["trainer"].update(**one_device, **quiet, callbacks=kept, default_root_dir=str(tmp_path / "runs"))
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump(content))
    main(["fit", "--config", str(config)])
    assert next(tmp_path.rglob("last.ckpt")).stat().st_size > 0


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_key_is_known(path: Path) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["fit", "--config", str(path), "--print_config"])
    options = yaml.safe_load(path.read_text(encoding="utf-8"))["model"]
    CenterNet(**{**options, "backbone": {**options["backbone"], "pretrained": False}})


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_configuration_says_how_to_run_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert f"centertrack train fit --config configs/{path.name}" in text
    assert yaml.safe_load(text)["data"]["root"] == "."


def test_own_data_starts_from_everything_that_the_shipped_weights_know() -> None:
    content = yaml.safe_load((PROJECT / "configs" / "own_data.yaml").read_text(encoding="utf-8"))
    report = load_matching(CenterNet(**content["model"]), content["start_from"])
    assert report.is_complete, report

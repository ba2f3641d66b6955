"""The section of docs/train_your_own.md about large networks that teach small ones, as a user types it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from centertrack.cli import main
from centertrack.synthetic import SceneConfig, StreetScene
from tests.conftest import PROJECT, SHARED_DATA
from tracker.boxes import xyxy_to_xywh

TEACHERS = SHARED_DATA.parent / "teachers"
GUIDE = (PROJECT / "docs" / "train_your_own.md").read_text(encoding="utf-8")
SECTION = GUIDE.partition("## Teach a small network with a large one")[2].partition("\n## ")[0]


def draw(folder: Path) -> None:
    """Three frames of a street; half of the people have no label."""
    scene = StreetScene(SceneConfig(size=(640, 360), seconds=1.0, seed=3, people=6))
    (folder / "images").mkdir(parents=True)
    images, annotations = [], []
    for number in range(3):
        image = cv2.cvtColor(scene.frame(10 * number).frame.image, cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(folder / "images" / f"{number}.jpg"), image)
        images.append({"id": number, "file_name": f"{number}.jpg", "width": 640, "height": 360})
        boxes = np.array([[40 + 10 * number, 100, 80 + 10 * number, 220], [300, 120, 340, 230]], float)
        for box in xyxy_to_xywh(boxes).tolist():
            row = {"id": len(annotations) + 1, "image_id": number, "category_id": 1, "bbox": box}
            annotations.append(row)
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "person"}]}
    (folder / "person.json").write_text(json.dumps(content))


@pytest.mark.slow
@pytest.mark.skipif(not TEACHERS.is_dir(), reason="needs the shared teachers")
def test_the_section_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    draw(tmp_path / "mine" / "detection" / "yard")
    (tmp_path / "tools").symlink_to(PROJECT / "tools")
    for name in ("person-detection-0303", "person-reidentification-retail-0277"):
        for suffix in (".xml", ".bin"):
            (tmp_path / name).with_suffix(suffix).symlink_to(TEACHERS / name / f"{name}{suffix}")
    content = yaml.safe_load((PROJECT / "configs" / "own_data.yaml").read_text(encoding="utf-8"))
    content["data"].pop("validation")
    content["data"].update(size=[160, 96], batch_size=2, samples_per_epoch=4, workers=0)
    content["trainer"].update(max_epochs=1, enable_progress_bar=False, enable_model_summary=False, log_every_n_steps=1)
    kept = [one for one in content["trainer"]["callbacks"] if "Validation" not in one["class_path"]]
    content["trainer"]["callbacks"] = kept
    content["trainer"]["logger"] = {
        "class_path": "pytorch_lightning.loggers.CSVLogger",
        "init_args": {"save_dir": "logs"},
    }
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "own_data.yaml").write_text(yaml.safe_dump(content))
    (taught,) = re.findall(r"```yaml\n(.*?)```", SECTION, re.DOTALL)
    (tmp_path / "taught.yaml").write_text(taught)
    (commands,) = re.findall(r"```bash\n(.*?)```", SECTION, re.DOTALL)
    for line in commands.splitlines():
        command = shlex.split(line)
        if command[0] == "python":
            subprocess.run([sys.executable, *command[1:]], check=True)
        else:
            assert main(command[1:]) == 0
    labels = json.loads((tmp_path / "mine" / "taught" / "yard.json").read_text())["annotations"]
    assert len(labels) > 6  # of whom 6 were there
    assert "train/distillation" in next((tmp_path / "logs").rglob("metrics.csv")).read_text()

"""Mark people without a label in COCO-style data sets, so that a training neither learns nor punishes them.

    python tools/mark_unlabelled.py FOLDER_OF_DATA OUTPUT_FOLDER

Public pedestrian sets leave people out. A detector that is trained on them learns to leave people out, too. Earlier
weights look at every image (tools/teacher.py); what they find with confidence where nothing is labelled is written as
a crowd region (`iscrowd` 1), which is an ignore region here. `configs/fairmot_nano.yaml` and `fairmot_small.yaml` train
on the result.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jsonargparse import auto_cli
from teacher import Teacher

from tracker.boxes import iou_matrix, xywh_to_xyxy, xyxy_to_xywh
from tracker.io.atomic import atomic_path
from tracker.io.images import read_image
from tracker.io.reading import read_json
from tracker.wording import counted

WIDTH_FACTORS = {"street_mix": 1.4, "capston2": 1.4, "pennfudan": 1.0, "dim_indoor": 1.0}  # undo a stretch to a square
SIZES = ((864, 480), (448, 256))
SAME = 0.3  # IoU with a label from which a detection is that person


def mark_unlabelled(data: Path, output: Path, weights: str = "fairmot-small", min_score: float = 0.35) -> None:
    """Write a copy of every set's labels with the unlabelled people as crowd regions; files that exist are kept.

    Args:
        data: Folder that holds detection/SET/person.json and detection/SET/images.
        output: SET.json go here.
        weights: Find the people.
        min_score: What counts as found.
    """
    teacher = Teacher(weights, SIZES, min_score)
    output.mkdir(parents=True, exist_ok=True)
    for name, factor in WIDTH_FACTORS.items():
        if (output / f"{name}.json").is_file():
            continue
        content = read_json(data / "detection" / name / "person.json")
        before = len(content["annotations"])
        _mark(content, data / "detection" / name / "images", teacher, factor)
        with atomic_path(output / f"{name}.json") as temporary:
            temporary.write_text(json.dumps(content), encoding="utf-8")
        print(
            f"{name}: {counted(before, 'label')}, "
            f"{counted(len(content['annotations']) - before, 'person', 'people')} without"
        )


def _mark(content: dict[str, Any], images: Path, teacher: Teacher, factor: float) -> None:
    labelled: dict[int, list[list[float]]] = {image["id"]: [] for image in content["images"]}
    for annotation in content["annotations"]:
        labelled[annotation["image_id"]].append(annotation["bbox"])
    number = max((annotation["id"] for annotation in content["annotations"]), default=0)
    for entry in content["images"]:
        image = read_image(images / entry["file_name"])
        wide = cv2.resize(image, None, fx=factor, fy=1.0)
        found = teacher.look(wide).boxes / np.array([factor, 1.0, factor, 1.0])
        truth = xywh_to_xyxy(np.array(labelled[entry["id"]], float).reshape(-1, 4))
        unknown = found[iou_matrix(found, truth).max(axis=1, initial=0.0) < SAME]
        for box in xyxy_to_xywh(unknown).round(1).tolist():
            number += 1
            fields = {"id": number, "image_id": entry["id"], "category_id": content["categories"][0]["id"]}
            content["annotations"].append({**fields, "bbox": box, "area": box[2] * box[3], "iscrowd": 1})


if __name__ == "__main__":
    auto_cli(mark_unlabelled)

"""Let a person detector complete the labels of COCO-style data sets.

    python tools/label_images.py FOLDER_OF_DATA OUTPUT_FOLDER DETECTOR.xml [--sets '{yard: 1.0}']

Public pedestrian sets leave people out, and a network that is trained on them learns to leave people out, too. A large
detector looks at every picture: whoever it is sure of and nobody labelled becomes a box, whoever it half believes in a
region to ignore (a crowd, `iscrowd` 1). Labels of the set stay as they are. Sets that only the detector labelled
(`person_teacher.json`) are sorted in the same way. What the detector said is kept in OUTPUT_FOLDER/seen, a line a
picture, so that an interrupted run goes on where it was.

DETECTOR.xml is an OpenVINO model with the outputs `boxes` (N, 5) x1 y1 x2 y2 score in pixels of its input, which is BGR
in [0, 255], and `labels`, as those of Intel's Open Model Zoo have.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jsonargparse import auto_cli
from teacher import OpenVinoDetector

from tracker.boxes import box_area, iou_matrix, xywh_to_xyxy, xyxy_to_xywh
from tracker.io.atomic import atomic_path
from tracker.io.images import read_image
from tracker.wording import counted

SETS = {"street_mix": 1.4, "pennfudan": 1.0, "dim_indoor": 1.0, "coco128": 1.0, "capston2": 1.4}  # undo a stretch
LABELLED_BY_DETECTOR = ("detection/town_streets", "unlabelled")
SIZES = ((832, 480), (1280, 736))
LARGE = 700  # px; wider pictures, and those as tall as such, are looked at in the larger size
KEPT, UNSURE, SURE = 0.05, 0.12, 0.30
SAME = 0.3  # IoU with a label from which a detection is that person
INSIDE = 0.7  # of a detection within a region to ignore, or within the box of a label half as large again


def label_images(
    data: Path,
    output: Path,
    detector: Path,
    label: int = 0,
    threads: int = 1,
    sets: dict[str, float] = SETS,
) -> None:
    """Write SET.json for every set; those that exist are kept.

    Args:
        data: Folder that holds detection/SET/person.json and detection/SET/images.
        output: The files go here.
        detector: An OpenVINO model.
        label: What it calls a person.
        threads: Of the processor, 0 for all.
        sets: Names of the sets, and how much wider their images should be than they are stored: 1, or more where they
            were stretched to a square.
    """
    (output / "seen").mkdir(parents=True, exist_ok=True)
    looks: list[OpenVinoDetector] = []
    for name, factor in sets.items():
        if (output / f"{name}.json").is_file():
            continue
        looks = looks or [OpenVinoDetector(detector, size, KEPT, label, threads) for size in SIZES]
        content = json.loads((data / "detection" / name / "person.json").read_text(encoding="utf-8"))
        images = data / "detection" / name / "images"
        seen = dict(_look(content, images, looks, factor, output / "seen" / f"{name}.jsonl"))
        _write(complete(content, seen), output / f"{name}.json")
    for folder in LABELLED_BY_DETECTOR:
        target = output / f"{Path(folder).name}.json"
        source = data / folder / "person_teacher.json"
        if source.is_file() and not target.is_file():
            content = json.loads(source.read_text(encoding="utf-8"))
            seen = {image["id"]: [] for image in content["images"]}
            for annotation in content["annotations"]:
                left, top, width, height = annotation["bbox"]
                row = [left, top, left + width, top + height, annotation["score"]]
                seen[annotation["image_id"]].append(row)
            _write(complete({**content, "annotations": []}, seen), target)


def complete(content: dict[str, Any], seen: dict[int, list[list[float]]]) -> dict[str, Any]:
    """Add what a detector saw to the labels of a COCO file.

    Args:
        content: The COCO file.
        seen: Detections of each image id, rows of x1, y1, x2, y2 in pixels of the image and a score.

    Returns:
        A new COCO file: all annotations of the old one, then detections that none of them explains: with a score from
        `SURE` on as objects with their `score`, from `UNSURE` on as crowds.
    """
    labelled: dict[int, list[list[float]]] = {image["id"]: [] for image in content["images"]}
    for annotation in content["annotations"]:
        labelled[annotation["image_id"]].append(annotation["bbox"])
    annotations = list(content["annotations"])
    number = max((annotation["id"] for annotation in annotations), default=0)
    for image, rows in seen.items():
        found = np.array(rows, float).reshape(-1, 5)
        found = found[found[:, 4] >= UNSURE]
        truth = xywh_to_xyxy(np.array(labelled[image], float).reshape(-1, 4))
        new = found[~_explained(found[:, :4], truth)]
        for box, score in zip(xyxy_to_xywh(new[:, :4]).round(1).tolist(), new[:, 4].tolist(), strict=True):
            number += 1
            fields = {"id": number, "image_id": image, "category_id": content["categories"][0]["id"], "bbox": box}
            rest = {"area": box[2] * box[3], "score": round(score, 3), "iscrowd": int(score < SURE)}
            annotations.append({**fields, **rest})
    return {**content, "annotations": annotations}


def _explained(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return which of (N, 4) detections are somebody labelled, whole or in part, (N,) bool."""
    if not len(truth) or not len(found):
        return np.zeros(len(found), bool)
    low = np.maximum(found[:, None, :2], truth[:, :2])
    shared = np.clip(np.minimum(found[:, None, 2:], truth[:, 2:]) - low, 0, None).prod(axis=2)
    part = (shared > INSIDE * box_area(found)[:, None]) & (box_area(found)[:, None] > box_area(truth) / 4)
    return np.asarray(((iou_matrix(found, truth) >= SAME) | part).any(axis=1))


def _look(
    content: dict[str, Any], images: Path, looks: list[OpenVinoDetector], factor: float, cache: Path
) -> Iterator[tuple[int, list[list[float]]]]:
    """Yield the detections of every image, from the cache where they are in it."""
    lines = cache.read_text(encoding="utf-8").splitlines() if cache.is_file() else []
    known = {row["image"]: row["boxes"] for row in map(json.loads, lines)}
    with cache.open("a", encoding="utf-8") as file:
        for entry in content["images"]:
            name = entry["file_name"]
            if name not in known:
                image = cv2.resize(read_image(images / name), None, fx=factor, fy=1.0)
                large = max(image.shape[1], image.shape[0] * 16 / 9) > LARGE
                found = looks[large](image) / np.array([factor, 1.0, factor, 1.0, 1.0])
                known[name] = found.round(3).tolist()
                file.write(json.dumps({"image": name, "boxes": known[name]}) + "\n")
                file.flush()
            yield entry["id"], known[name]


def _write(content: dict[str, Any], target: Path) -> None:
    with atomic_path(target) as temporary:
        temporary.write_text(json.dumps(content), encoding="utf-8")
    added = [annotation for annotation in content["annotations"] if "score" in annotation]
    unsure = sum(annotation["iscrowd"] for annotation in added)
    print(
        f"{target.stem}: {counted(len(content['annotations']) - len(added), 'label')}, "
        f"{counted(len(added) - unsure, 'person', 'people')} added, "
        f"{counted(unsure, 'region')} to ignore",
        flush=True,
    )


if __name__ == "__main__":
    auto_cli(label_images)

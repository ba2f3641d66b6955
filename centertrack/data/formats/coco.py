"""COCO-style JSON: images, annotations and categories in one file."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from typing_extensions import override

from centertrack.data.images import read_size
from centertrack.data.labels import Classes, LabelledImages, Labels, Report, stop_at
from centertrack.data.sample import Array, Sample
from tracker.errors import InputError
from tracker.io.atomic import atomic_path
from tracker.io.coco_video import CocoBox, read_annotations
from tracker.io.images import decode_image
from tracker.io.mot import FRAME_RATES
from tracker.io.reading import MAX_FRAMES, is_file, read_bytes, read_json, read_number, read_whole

MIN_SIDE = 1.0  # px; annotations smaller than this are slips of the mouse


class CocoSet(LabelledImages):
    """Images with boxes from a COCO JSON file.

    Crowd annotations become ignore regions. Categories are numbered from 0 in the order of their ids.

    Args:
        path: The JSON file.
        images: Folder of the images; default `images` beside the file, or the file's own folder.
        identities: `labels`: annotations carry `track_id`, unique within the `video_id` of their image if there is one;
            otherwise as in `LabelledImages`.
        masks: Folder of `IMAGE_NAME.png` files, pixel value k = k-th annotation of the image; for pasting.
        longest_side, classes: As in `LabelledImages`.
        report: Is told of every broken annotation.

    Raises:
        InputError: The file cannot be read or lacks a key.
    """

    def __init__(
        self,
        path: str | Path,
        images: str | Path | None = None,
        identities: str = "none",
        masks: str | Path | None = None,
        longest_side: int | None = None,
        classes: Classes | None = None,
        report: Report = stop_at,
    ) -> None:
        self.path = Path(path)
        content = _read_json(self.path)
        default = self.path.parent / "images"
        folder = Path(images) if images else default if default.is_dir() else self.path.parent
        self.masks = Path(masks) if masks else None
        try:
            categories = sorted((category["id"], str(category.get("name", ""))) for category in content["categories"])
            self.label_of = {category: label for label, (category, _) in enumerate(categories)}
            by_image: dict[int, list[tuple[CocoBox, int]]] = {image["id"]: [] for image in content["images"]}
            if len(by_image) < len(content["images"]) or len(self.label_of) < len(categories):
                raise InputError(f"{self.path}: two images, or two categories, have the same id")
            self._sort_annotations(content["annotations"], by_image, report)
            rates = {
                video["id"]: read_number(video.get("fps") or 0, f"{self.path}: videos", "fps", 0, FRAME_RATES[1])
                for video in content.get("videos", [])
            }
            entries = [
                replace(
                    self._labels(folder, image, by_image[image["id"]]), frame_rate=rates.get(image.get("video_id"), 0)
                )
                for image in content["images"]
            ]
        except InputError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"{self.path}: expected COCO images (id, file_name) and categories: {error!r}") from error
        names = [name or f"class {label}" for label, (_, name) in enumerate(categories)]
        super().__init__(entries, names, classes, identities, longest_side)

    def _sort_annotations(
        self, annotations: list[dict[str, Any]], by_image: dict[int, list[tuple[CocoBox, int]]], report: Report
    ) -> None:
        for one in read_annotations(self.path, annotations, by_image, self.label_of, report):
            try:
                where = f"{self.path}: annotations[{one.place}]"
                track = -1 if one.track is None else read_whole(one.track, where, "track_id")
            except InputError as error:
                report(error)
                continue
            by_image[one.image].append((one, track))

    def _labels(self, folder: Path, image: dict[str, Any], annotations: list[tuple[CocoBox, int]]) -> Labels:
        xywh = np.array([one.box for one, _ in annotations], np.float32).reshape(-1, 4)
        boxes = np.concatenate((xywh[:, :2], xywh[:, :2] + xywh[:, 2:]), axis=1)
        crowd = np.array([one.is_crowd for one, _ in annotations], bool)
        kept = ~crowd & (xywh[:, 2:] > MIN_SIDE).all(axis=1)
        tracks = np.array([track for _, track in annotations], np.int64)
        labels = np.array([self.label_of[one.category] for one, _ in annotations], np.int64)
        return Labels(
            folder / image["file_name"],
            image["file_name"],
            self.path,
            boxes[kept],
            labels[kept],
            tracks[kept],
            np.zeros(int(kept.sum()), np.int64),
            boxes[crowd],
            np.arange(1, len(annotations) + 1)[kept],
            sequence=str(image.get("video_id", "")),
            frame=read_whole(image.get("frame_id") or 0, f"{self.path}: images", "frame_id", 0, MAX_FRAMES),
        )

    @override
    def read(self, index: int, reduction: int = 1) -> Sample:
        """Return one sample as `LabelledImages` does, with masks if there are any."""
        sample = super().read(index, reduction)
        if self.masks is not None:
            sample.masks = self._read_masks(self.masks, self.entries[index], sample.image.shape[:2])
        return sample

    def _read_masks(self, folder: Path, entry: Labels, shape: tuple[int, ...]) -> Array | None:
        file = folder / f"{Path(entry.name).stem}.png"
        if not is_file(file):
            return None
        read_size(file)
        stored = decode_image(read_bytes(file), cv2.IMREAD_GRAYSCALE)  # under any file name, unlike imread
        if stored is None:
            raise InputError(f"cannot read the mask {file}: it is damaged or no image; replace or remove it")
        row_of = np.zeros(256, np.uint8)
        row_of[entry.mask_values] = np.arange(1, len(entry.mask_values) + 1)
        return cv2.resize(row_of[stored], (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST)


def _read_json(path: Path) -> dict[str, Any]:
    content = read_json(path)
    keys = content if isinstance(content, dict) else ()
    missing = [key for key in ("images", "annotations", "categories") if key not in keys]
    if missing:
        raise InputError(f"{path}: a COCO file needs the keys images, annotations and categories; missing {missing}")
    return dict(content)


def write_coco(data: LabelledImages, images: Sequence[Path], folder: Path) -> None:
    """Write `folder/annotations.json`; identities become `track_id`, sequences `video_id` and `frame_id`.

    Args:
        data: The labels.
        images: File of each entry, within `folder/images`.
        folder: Of the new data set.
    """
    rates = {entry.sequence: entry.frame_rate for entry in data.entries}
    videos = {name: i for i, name in enumerate(rates, start=1)}
    frames: dict[str, int] = defaultdict(int)
    content: dict[str, list[dict[str, Any]]] = {
        "images": [],
        "annotations": [],
        "categories": [{"id": i, "name": name} for i, name in enumerate(data.class_names, start=1)],
        "videos": [
            {"id": i, "name": name, **({"fps": rates[name]} if rates[name] else {})} for name, i in videos.items()
        ],
    }
    for number, (entry, image) in enumerate(zip(data.entries, images, strict=True), start=1):
        width, height = read_size(image)
        entry = entry.in_pixels((width, height))
        frames[entry.sequence] += 1
        place = {"video_id": videos[entry.sequence], "frame_id": entry.frame or frames[entry.sequence]}
        name = image.relative_to(folder / "images").as_posix()
        content["images"].append({"id": number, "file_name": name, "width": width, "height": height, **place})
        rows = [
            {"category_id": label + 1, "bbox": _xywh(box), "iscrowd": 0, **({"track_id": i} if i >= 0 else {})}
            for label, i, box in zip(entry.labels.tolist(), entry.ids.tolist(), entry.boxes.tolist(), strict=True)
        ]
        rows += [{"category_id": 1, "bbox": _xywh(box), "iscrowd": 1} for box in entry.ignore.tolist()]
        for row in rows:
            area = round(row["bbox"][2] * row["bbox"][3], 2)
            content["annotations"].append(
                {"id": len(content["annotations"]) + 1, "image_id": number, "area": area, **row}
            )
    with atomic_path(folder / "annotations.json") as temporary:
        temporary.write_text(json.dumps(content) + "\n", encoding="utf-8")


def _xywh(box: list[float]) -> list[float]:
    return [round(value, 3) for value in (box[0], box[1], box[2] - box[0], box[3] - box[1])]

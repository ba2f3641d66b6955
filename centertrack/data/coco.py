"""COCO-style JSON: images, annotations and categories in one file."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from centertrack.data.images import read_rgb
from centertrack.data.sample import Array, Sample, shrink_to
from tracker.errors import InputError

MIN_SIDE = 1.0  # px; annotations smaller than this are slips of the mouse


class CocoSet:
    """Images with boxes from a COCO JSON file.

    Crowd annotations become ignore regions. Categories are numbered from 0 in the order of their ids.

    Args:
        path: The JSON file.
        images: Folder of the images; default `images` beside the file, or the file's own folder.
        identities: `labels`: annotations carry `track_id`; `boxes`: every box is an identity of its own, which trains
            embeddings from single images (as FairMOT does on CrowdHuman); `none`.
        masks: Folder of `IMAGE_NAME.png` files, pixel value k = k-th annotation of the image; for pasting.
        longest_side: Images are kept at most this large, in pixels. None: as they are.

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
    ) -> None:
        self.path = Path(path)
        content = _read_json(self.path)
        default = self.path.parent / "images"
        self.folder = Path(images) if images else default if default.is_dir() else self.path.parent
        self.masks = Path(masks) if masks else None
        self.longest_side = longest_side
        self.images: list[dict[str, Any]] = content["images"]
        self.categories = sorted(category["id"] for category in content["categories"])
        self.num_classes = len(self.categories)
        by_image: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for annotation in content["annotations"]:
            by_image[annotation["image_id"]].append(annotation)
        self.annotations = [self._arrays(by_image[image["id"]]) for image in self.images]
        self.num_identities = self._number_identities(identities)

    def _arrays(self, annotations: list[dict[str, Any]]) -> dict[str, Array]:
        label_of = {category: label for label, category in enumerate(self.categories)}
        xywh = np.array([a["bbox"] for a in annotations], np.float32).reshape(-1, 4)
        boxes = np.concatenate((xywh[:, :2], xywh[:, :2] + xywh[:, 2:]), axis=1)
        crowd = np.array([bool(a.get("iscrowd", 0)) for a in annotations], bool)
        kept = ~crowd & (xywh[:, 2:] > MIN_SIDE).all(axis=1)
        tracks = np.array([a.get("track_id", -1) for a in annotations], np.int64)
        labels = np.array([label_of[a["category_id"]] for a in annotations], np.int64)
        mask_values = np.arange(1, len(annotations) + 1)
        return {
            "boxes": boxes[kept],
            "labels": labels[kept],
            "ids": tracks[kept],
            "ignore": boxes[crowd],
            "mask_values": mask_values[kept],
        }

    def _number_identities(self, identities: str) -> int:
        """Renumber identities densely from 0, and return how many there are."""
        if identities not in ("labels", "boxes", "none"):
            raise InputError(f"identities must be labels, boxes or none, got {identities!r}")
        seen: dict[int, int] = {}
        count = 0
        for arrays in self.annotations:
            if identities == "boxes":
                arrays["ids"] = np.arange(count, count + len(arrays["boxes"]))
                count += len(arrays["boxes"])
            elif identities == "labels":
                arrays["ids"] = np.array([seen.setdefault(i, len(seen)) if i >= 0 else -1 for i in arrays["ids"]], int)
            else:
                arrays["ids"] = np.full(len(arrays["boxes"]), -1)
        return count if identities == "boxes" else len(seen)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)

    def __getitem__(self, index: int) -> Sample:
        """Return one sample."""
        name = self.images[index]["file_name"]
        image, factor = shrink_to(read_rgb(self.folder / name), self.longest_side)
        arrays = self.annotations[index]
        masks = self._read_masks(name, arrays["mask_values"], image.shape[:2]) if self.masks else None
        return Sample(
            image,
            arrays["boxes"] * np.float32(factor),
            arrays["labels"].copy(),
            arrays["ids"].copy(),
            arrays["ignore"] * np.float32(factor),
            masks,
        )

    def _read_masks(self, name: str, values: Array, shape: tuple[int, ...]) -> Array | None:
        path = self.masks / f"{Path(name).stem}.png"  # type: ignore[operator]
        stored = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if stored is None:
            return None
        row_of = np.zeros(256, np.uint8)
        row_of[values] = np.arange(1, len(values) + 1)
        return cv2.resize(row_of[stored], (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read COCO annotations {path}: {error.strerror}") from error
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}: not valid JSON: {error.msg}") from error
    missing = [key for key in ("images", "annotations", "categories") if key not in content]
    if missing:
        raise InputError(f"{path}: a COCO file needs the keys images, annotations and categories; missing {missing}")
    return content

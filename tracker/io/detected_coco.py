"""Detections in COCO JSON: a list of results, or the images, annotations and categories of `centertrack detect`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from tracker.errors import InputError
from tracker.io.detected import DetectedSequence, warn_of_no_size
from tracker.io.frames import number_frames
from tracker.io.json_file import cached_json
from tracker.io.mot import MIN_SIDE
from tracker.io.reading import MAX_CLASS, MAX_FRAMES, read_box, read_number, read_whole

EXPECTED = "expected COCO results: a list of detections (image_id, category_id, bbox, score), or images and annotations"
Place = tuple[str, int]  # sequence and frame
Row = tuple[tuple[float, float, float, float], float, int]  # left, top, width, height; score; class


def read_coco_detections(path: Path) -> list[DetectedSequence]:
    """Read the detections of one sequence or several.

    Images are sequences by the folders of their names (of `a/img1/1.jpg` sequence `a`), and frames by
    `number_frames`; a list of results has frames as `image_id`.

    Raises:
        InputError: The file cannot be read, or an entry is broken; with its place.
    """
    content = cached_json(path)
    annotations = content.get("annotations") if isinstance(content, dict) else content
    images = content.get("images") if isinstance(content, dict) else None
    if not isinstance(annotations, list) or (isinstance(content, dict) and not isinstance(images, list)):
        raise InputError(f"{path}: {EXPECTED}")
    places = None if images is None else _places_of(path, images)
    rows: dict[str, dict[int, list[Row]]] = {name: {} for name, _ in (places or {}).values()}
    for number, annotation in enumerate(annotations):
        name, frame, row = _read_row(path, number, annotation, places)
        rows.setdefault(name, {}).setdefault(frame, []).append(row)
    lengths = {name: max(frames, default=0) for name, frames in rows.items()}
    for name, frame in (places or {}).values():
        lengths[name] = max(lengths[name], frame)
    categories = content.get("categories") if isinstance(content, dict) else None
    found = {row[2] for frames in rows.values() for frame in frames.values() for row in frame}
    categories = categories if isinstance(categories, list) else []
    has_classes = len(categories or found) > 1
    names = {one["id"]: str(one["name"]) for one in categories if _is_named(one)}
    return [_sequence_of(path, name, lengths[name], frames, has_classes, names) for name, frames in rows.items()]


def _is_named(category: Any) -> bool:
    return isinstance(category, dict) and isinstance(category.get("id"), int) and "name" in category


def _places_of(path: Path, images: list[Any]) -> dict[int, Place]:
    """Return image id -> sequence and frame."""
    folders: dict[PurePosixPath, dict[Path, int]] = {}
    known: set[int] = set()
    for number, image in enumerate(images):
        where = f"{path}: image {number}"
        if not isinstance(image, dict) or not isinstance(image.get("file_name"), str):
            raise InputError(f"{where}: expected an id and a file_name")
        name = PurePosixPath(image["file_name"].replace("\\", "/"))
        identity = read_whole(image.get("id"), where, "an id")
        folder = folders.setdefault(name.parent, {})
        if Path(name.name) in folder or identity in known:
            raise InputError(f"{where}: its file_name or id has occurred before")
        folder[Path(name.name)] = identity
        known.add(identity)
    places: dict[int, Place] = {}
    for parent, files in folders.items():
        own = parent.parent if parent.name == "img1" else parent
        sequence = own.name or path.stem
        places.update({files[file]: (sequence, frame) for frame, file in number_frames(files).items()})
    if len(set(places.values())) < len(places):
        raise InputError(f"{path}: images of two folders of the same name are the same frame; detect them one by one")
    return places


def _read_row(path: Path, number: int, annotation: Any, places: Mapping[int, Place] | None) -> tuple[str, int, Row]:
    where = f"{path}: annotation {number}"
    if not isinstance(annotation, dict):
        raise InputError(f"{where}: {EXPECTED}")
    if places is None:
        sequence, frame = path.stem, read_whole(annotation.get("image_id"), where, "image_id, a frame", 1, MAX_FRAMES)
    else:
        identity = read_whole(annotation.get("image_id"), where, "image_id")
        if identity not in places:
            raise InputError(f"{where}: there is no image {identity}")
        sequence, frame = places[identity]
    box = read_box(annotation.get("bbox"), where, "bbox [x, y, w, h]")
    score = read_number(annotation.get("score"), where, "a score")
    label = read_whole(annotation.get("category_id"), where, "category_id", 0, MAX_CLASS)
    return sequence, frame, (box, score, label)


def _sequence_of(
    path: Path,
    name: str,
    length: int,
    frames: Mapping[int, list[Row]],
    has_classes: bool,
    names: Mapping[int, str],
) -> DetectedSequence:
    rows = [(frame, row) for frame, found in frames.items() for row in found]
    boxes = np.array([row[0] for _, row in rows], np.float64).reshape(-1, 4)
    has_size = (boxes[:, 2:] >= MIN_SIDE).all(axis=1)
    warn_of_no_size(path, int((~has_size).sum()))
    boxes[:, 2:] += boxes[:, :2]
    return DetectedSequence.of(
        name,
        None,
        length,
        np.array([frame for frame, _ in rows], np.int64)[has_size],
        boxes[has_size],
        np.array([row[1] for _, row in rows], np.float32)[has_size],
        np.array([row[2] for _, row in rows], np.int64)[has_size] if has_classes else None,
        path,
        names,
    )

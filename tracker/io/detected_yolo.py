"""Detections in YOLO labels: a text file a frame, `class xc yc w h [score]` as fractions of the image."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tracker.errors import InputError
from tracker.io.class_names import read_class_names, to_class_names
from tracker.io.detected import DetectedSequence, warn_of_no_size
from tracker.io.frames import frame_files, sort_naturally
from tracker.io.mot import read_sequence_info
from tracker.io.reading import MAX_CLASS, MAX_FRAMES, read_lines, read_number, read_whole, read_yaml
from tracker.wording import counted

COLUMNS = "class, centre x, centre y, width, height as fractions of the image, and perhaps a score"


def find_label_files(folder: Path) -> list[Path]:
    """Return the label files of a folder in natural order, without lists of class names."""
    return [path for path in sort_naturally(folder.glob("*.txt")) if path.name != "classes.txt"]


def read_yolo_detections(folder: Path, image_size: tuple[int, int] | None = None) -> DetectedSequence:
    """Read a folder of label files; a frame without a file has no detections.

    The frame is the number that a file's name ends with, as in `street_12.txt`; without such numbers files are counted
    from 1.

    Args:
        folder: Of the files; with `seqinfo.ini` in it or beside it, or with images in it or in `images` beside it.
        image_size: Width and height of the images; None: of these images, or of seqinfo.ini.

    Raises:
        InputError: A row is broken, with file and line; or nothing tells the size of the images.
    """
    files = _number_files(find_label_files(folder))
    name = folder.resolve().name if folder.resolve().name != "labels" else folder.resolve().parent.name
    info = next((read_sequence_info(one) for one in (folder, folder.parent) if (one / "seqinfo.ini").is_file()), None)
    size = image_size or (info.size if info is not None and all(info.size) else None) or _size_of_images(folder)
    if size is None or min(size) < 1:
        raise InputError(
            f"{folder}: YOLO labels are fractions of the image, and nothing tells its size: expected --image-size WxH, "
            "seqinfo.ini, or the images beside the labels"
        )
    rows = [(frame, *_read_row(file, line, text)) for frame, file in files.items() for line, text in _lines(file)]
    values = np.array([row[1] for row in rows], np.float64).reshape(-1, 4) * np.array(size * 2)
    has_size = (values[:, 2:] > 0).all(axis=1)
    warn_of_no_size(folder, int((~has_size).sum()))
    boxes = np.concatenate([values[:, :2] - values[:, 2:] / 2, values[:, :2] + values[:, 2:] / 2], axis=1)
    classes = np.array([row[3] for row in rows], np.int64)
    last = max(files, default=0)
    if info is not None and last > info.length:
        raise InputError(f"{files[last]}: expected frames 1 to {info.length}, as seqinfo.ini says")
    return DetectedSequence.of(
        name,
        None if info is None else info.frame_rate,
        last if info is None else info.length,
        np.array([row[0] for row in rows], np.int64)[has_size],
        boxes[has_size],
        np.array([row[2] for row in rows], np.float32)[has_size],
        classes[has_size] if len(np.unique(classes)) > 1 else None,
        folder,
        _names_of(folder),
    )


def _names_of(folder: Path) -> dict[int, str]:
    """Return class number -> name, as a file in the folder or beside it says; nothing where there is none."""
    for file in (folder / "classes.txt", folder.parent / "classes.txt"):
        if file.is_file():
            return dict(enumerate(read_class_names(file), start=1))
    file = folder.parent / "data.yaml"
    content = read_yaml(file) if file.is_file() else None
    names = to_class_names(content.get("names")) if isinstance(content, dict) else None
    return dict(enumerate(names or (), start=1))


def _lines(file: Path) -> list[tuple[int, str]]:
    return [(line, text) for line, text in enumerate(read_lines(file), start=1) if text.strip()]


def _read_row(file: Path, line: int, text: str) -> tuple[list[float], float, int]:
    """Return the box, its score, and its class from 1."""
    where, fields = f"{file}:{line}", text.split()
    if len(fields) not in (5, 6):
        raise InputError(f"{where}: expected {COLUMNS}, got {counted(len(fields), 'column')}: {text.strip()[:120]}")
    box = [read_number(field, where, "fractions of the image", -1, 2) for field in fields[1:5]]
    score = read_number(fields[5], where, "a score", 0, 1) if len(fields) == 6 else 1.0
    return box, score, read_whole(fields[0], where, "a class", 0, MAX_CLASS) + 1


def _number_files(files: list[Path]) -> dict[int, Path]:
    """Return frame -> file."""
    ends = [re.search(r"(\d+)$", path.stem) for path in files]
    numbers = [int(end[1]) for end in ends if end is not None]
    if len(set(numbers)) == len(files) and all(1 <= number <= MAX_FRAMES for number in numbers):
        return dict(zip(numbers, files, strict=True))
    return dict(enumerate(files, start=1))


def _size_of_images(folder: Path) -> tuple[int, int] | None:
    from tracker.io.images import read_size  # needed only where nothing else tells; takes 0.1 s to import

    for place in (folder, folder.parent / "images", folder.parent / "img1"):
        images = frame_files(place)
        if images:
            return read_size(next(iter(images.values())))
    return None

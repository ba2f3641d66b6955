"""YOLO: one text file an image, `class xc yc w h` and optionally an identity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import yaml

from centertrack.data.images import find_images, read_size
from centertrack.data.labels import (
    Box,
    Classes,
    LabelledImages,
    Labels,
    Report,
    corners_of_centre,
    parse_numbers,
    read_class,
    stop_at,
)
from tracker.errors import InputError
from tracker.io.atomic import atomic_path
from tracker.io.class_names import read_class_names
from tracker.io.reading import read_lines
from tracker.wording import counted

COLUMNS = "class, centre x, centre y, width, height as fractions of the image, and optionally an id"


class YoloSet(LabelledImages):
    """Images with boxes from a YOLO folder.

    Labels lie in `labels` under the same path as their image in `images`; an image without a file has no objects.
    Rows may end with an identity (six columns), unique within the folder of the image. Class names come from
    `data.yaml` (`names`) or `classes.txt`.

    Args:
        path: Folder with `images` and `labels`.
        split: Folder in both of them, for example `train`. None: all.
        classes, identities, longest_side: As in `LabelledImages`.
        report: Is told of every broken row.

    Raises:
        InputError: A folder is missing, or a row is broken; with file and line.
    """

    def __init__(
        self,
        path: str | Path,
        split: str | None = None,
        classes: Classes | None = None,
        identities: str = "labels",
        longest_side: int | None = None,
        report: Report = stop_at,
    ) -> None:
        root = Path(path)
        if not (root / "labels").is_dir():
            raise InputError(f"expected a YOLO folder with images and labels, found no folder {root / 'labels'}")
        entries = []
        for image in find_images(root / "images" / (split or "")):
            name = image.relative_to(root / "images")
            file = root / "labels" / name.with_suffix(".txt")
            boxes = _read(file, report) if file.is_file() else []
            entry = Labels.of(image, name.as_posix(), file, boxes, sequence=name.parent.as_posix().removeprefix("."))
            entries.append(replace(entry, relative=True))
        count = max((int(entry.labels.max(initial=0)) + 1 for entry in entries), default=1)
        names = _class_names(root) or [f"class {i}" for i in range(count)]
        if count > len(names):
            raise InputError(
                f"{root}: class {count - 1} occurs, but only {counted(len(names), 'class is', 'classes are')} named"
            )
        super().__init__(entries, names, classes, identities, longest_side)


def _class_names(root: Path) -> list[str]:
    for file in (root / "data.yaml", root / "classes.txt"):
        if file.is_file():
            return read_class_names(file)
    return []


def _read(path: Path, report: Report) -> list[Box]:
    boxes = []
    for line, text in enumerate(read_lines(path), start=1):
        if not text.strip():
            continue
        try:
            label, xc, yc, width, height, *identity = parse_numbers(text, f"{path}:{line}", (5, 6), COLUMNS)
            box = corners_of_centre(xc, yc, width, height)
            boxes.append(Box(box, *read_class(label, identity, f"{path}:{line}", text), line))
        except InputError as error:
            report(error)
    return boxes


def write_yolo(data: LabelledImages, images: Sequence[Path], folder: Path) -> None:
    """Write `folder/labels` and `folder/data.yaml`; rows end with an identity where there are identities.

    Args:
        data: The labels; regions to ignore cannot be written and are left out.
        images: File of each entry, within `folder/images`.
        folder: Of the new data set.
    """
    for entry, image in zip(data.entries, images, strict=True):
        width, height = read_size(image)
        entry = entry.in_pixels((width, height))
        rows = zip(entry.labels.tolist(), entry.ids.tolist(), entry.boxes.tolist(), strict=True)
        name = image.relative_to(folder / "images").with_suffix(".txt")
        with atomic_path(folder / "labels" / name) as temporary:
            temporary.write_text(
                "".join(
                    f"{label} {(x1 + x2) / 2 / width:.6f} {(y1 + y2) / 2 / height:.6f} "
                    f"{(x2 - x1) / width:.6f} {(y2 - y1) / height:.6f}{f' {identity}' if identity >= 0 else ''}\n"
                    for label, identity, (x1, y1, x2, y2) in rows
                ),
                encoding="ascii",
            )
    with atomic_path(folder / "data.yaml") as temporary:
        content = {"path": ".", "train": "images", "val": "images", "names": dict(enumerate(data.class_names))}
        temporary.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")

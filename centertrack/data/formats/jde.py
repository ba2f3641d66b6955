"""JDE and FairMOT: a list of images, and beside `images` a folder `labels_with_ids` with one text file an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from centertrack.data.images import read_size
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
from tracker.io.reading import is_file, read_lines
from tracker.wording import counted

COLUMNS = "class, id, centre x, centre y, width, height as fractions of the image"


class JdeSet(LabelledImages):
    """Images of a JDE list.

    The label file of an image has the same path with the last folder called `images` replaced by `labels_with_ids`:
    a row `class id xc yc w h` a box, the last four divided by the image's sides; id -1 where unknown. Boxes may reach
    beyond the image.

    Args:
        path: The list, one image a line.
        images: Where the paths in it start; default the folder of the list.
        class_names: Of the class numbers; default person for 0, and class 1, class 2 and so on.
        step: Take every n-th image.
        classes, identities, longest_side: As in `LabelledImages`. Identities are those of the whole list.
        report: Is told of every broken row.

    Raises:
        InputError: A file is missing, or a row is broken; with file and line.
    """

    def __init__(
        self,
        path: str | Path,
        images: str | Path | None = None,
        class_names: Sequence[str] | None = None,
        step: int = 1,
        classes: Classes | None = None,
        identities: str = "labels",
        longest_side: int | None = None,
        report: Report = stop_at,
    ) -> None:
        listing = Path(path)
        root = Path(images) if images else listing.parent
        lines = [(i, line.strip()) for i, line in enumerate(read_lines(listing), start=1) if line.strip()]
        entries = []
        for number, name in lines[::step]:
            try:
                image = root / name
                file = label_path(image, f"{listing}:{number}")
                if not is_file(file):
                    raise InputError(f"{listing}:{number}: cannot read labels {file}: there is no such file")
                boxes = _read(file, report)
            except InputError as error:
                report(error)
                continue
            entries.append(replace(Labels.of(image, name, file, boxes), relative=True))
        count = max((int(entry.labels.max(initial=0)) + 1 for entry in entries), default=1)
        names = list(class_names or ["person", *(f"class {i}" for i in range(1, count))])
        if count > len(names):
            raise InputError(
                f"{listing}: class {count - 1} occurs, but only {counted(len(names), 'class is', 'classes are')} named"
            )
        super().__init__(entries, names, classes, identities, longest_side)


def label_path(image: Path, where: str) -> Path:
    """Return the label file of an image: only the last folder called `images` is replaced.

    >>> label_path(Path("/images/MOT17/images/train/01/000001.jpg"), "list:1").as_posix()
    '/images/MOT17/labels_with_ids/train/01/000001.txt'
    """
    parts = list(image.parts)
    if "images" not in parts[:-1]:
        raise InputError(f"{where}: expected an image below a folder called images, got {image}")
    place = len(parts) - 2 - parts[-2::-1].index("images")
    parts[place] = "labels_with_ids"
    return Path(*parts).with_suffix(".txt")


def _read(path: Path, report: Report) -> list[Box]:
    boxes = []
    for line, text in enumerate(read_lines(path), start=1):
        if not text.strip():
            continue
        try:
            label, identity, *box = parse_numbers(text, f"{path}:{line}", (6,), COLUMNS)
            boxes.append(Box(corners_of_centre(*box), *read_class(label, [identity], f"{path}:{line}", text), line))
        except InputError as error:
            report(error)
    return boxes


def write_jde(data: LabelledImages, images: Sequence[Path], folder: Path) -> None:
    """Write `folder/labels_with_ids` and the list `folder/train.txt`; identities count from 0 over the whole set.

    Args:
        data: The labels; regions to ignore cannot be written and are left out.
        images: File of each entry, within `folder/images`.
        folder: Of the new data set.
    """
    for entry, image, ids in zip(data.entries, images, data.identities, strict=True):
        width, height = read_size(image)
        entry = entry.in_pixels((width, height))
        rows = zip(entry.labels.tolist(), ids.tolist(), entry.boxes.tolist(), strict=True)
        with atomic_path(label_path(image, str(folder))) as temporary:
            temporary.write_text(
                "".join(
                    f"{label} {identity} {(x1 + x2) / 2 / width:.6f} {(y1 + y2) / 2 / height:.6f} "
                    f"{(x2 - x1) / width:.6f} {(y2 - y1) / height:.6f}\n"
                    for label, identity, (x1, y1, x2, y2) in rows
                ),
                encoding="ascii",
            )
    with atomic_path(folder / "train.txt") as temporary:
        names = "".join(f"{image.relative_to(folder).as_posix()}\n" for image in images)
        temporary.write_text(names, encoding="utf-8")

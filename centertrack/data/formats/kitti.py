"""KITTI tracking: one text file a sequence, several classes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from centertrack.data.images import find_images, read_size
from centertrack.data.labels import IGNORED, Box, Classes, LabelledImages, Labels, Report, stop_at
from tracker.errors import InputError
from tracker.io.atomic import atomic_path
from tracker.io.kitti import DONT_CARE, KITTI_CLASSES, read_kitti

FRAME_RATE = 10.0  # of all sequences


class KittiSet(LabelledImages):
    """Frames of KITTI tracking sequences.

    Frames and identities count from 0, pixels too. `DontCare` areas become regions to ignore.

    Args:
        path: Folder with `label_02/0000.txt` and `image_02/0000/000000.png`, for example `training`.
        sequences: Names such as `0000`. None: all.
        step: Take every n-th frame.
        classes, identities, longest_side: As in `LabelledImages`; names as in `KITTI_CLASSES`.
        report: Is told of every broken line.

    Raises:
        InputError: A folder or file is missing, or a line is broken; with file and line.
    """

    def __init__(
        self,
        path: str | Path,
        sequences: Sequence[str] | None = None,
        step: int = 1,
        classes: Classes | None = None,
        identities: str = "labels",
        longest_side: int | None = None,
        report: Report = stop_at,
    ) -> None:
        root = Path(path)
        files = sorted((root / "label_02").glob("*.txt"))
        if sequences is not None:
            files = [root / "label_02" / f"{name}.txt" for name in sequences]
        if not files:
            raise InputError(f"expected KITTI tracking labels label_02/*.txt in {root}, found none")
        entries: list[Labels] = []
        for file in files:
            rows = _read(file, report)
            images = find_images(root / "image_02" / file.stem)
            made = [
                Labels.of(image, f"{file.stem}/{image.name}", file, rows[_number(image)], file.stem, _number(image) + 1)
                for image in images[::step]
            ]
            entries += [replace(entry, frame_rate=FRAME_RATE / step) for entry in made]
        super().__init__(entries, KITTI_CLASSES, classes, identities, longest_side)


def _number(image: Path) -> int:
    if not image.stem.isdecimal():
        raise InputError(f"expected KITTI images named by frame, such as 000000.png, got {image}")
    return int(image.stem)


def _read(path: Path, report: Report) -> dict[int, list[Box]]:
    rows: dict[int, list[Box]] = defaultdict(list)
    for row in read_kitti(path, report):
        label = IGNORED if row.name == DONT_CARE else KITTI_CLASSES.index(row.name)
        rows[row.frame].append(Box(row.xyxy, label, row.identity, row.line))
    return rows


def write_kitti(data: LabelledImages, images: Sequence[Path], folder: Path) -> None:
    """Write `folder/label_02/SEQUENCE.txt` for images that lie in `folder/image_02/SEQUENCE`.

    Args:
        data: The labels; classes must have KITTI's names.
        images: File of each entry, within `folder`.
        folder: Of the new data set.

    Raises:
        InputError: A class is not KITTI's.
    """
    if unknown := [name for name in data.class_names if name not in KITTI_CLASSES]:
        raise InputError(f"KITTI has no class {unknown[0]!r}; it has {', '.join(KITTI_CLASSES)}")
    lines: dict[str, list[str]] = defaultdict(list)
    for entry, image in zip(data.entries, images, strict=True):
        entry = entry.in_pixels(read_size(image))
        rows = [
            (identity, data.class_names[label], box)
            for identity, label, box in zip(entry.ids, entry.labels, entry.boxes.tolist(), strict=True)
        ] + [(-1, "DontCare", box) for box in entry.ignore.tolist()]
        lines[image.parent.name] += [
            f"{_number(image)} {identity} {name} 0 0 -10 {' '.join(f'{value:.2f}' for value in box)}"
            " -1 -1 -1 -1000 -1000 -1000 -10"
            for identity, name, box in rows
        ]
    for sequence, rows_of_sequence in lines.items():
        with atomic_path(folder / "label_02" / f"{sequence}.txt") as temporary:
            temporary.write_text("".join(f"{row}\n" for row in rows_of_sequence), encoding="ascii")

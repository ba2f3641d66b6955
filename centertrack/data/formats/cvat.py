"""CVAT's MOT export: like MOTChallenge, but boxes count from 0 and classes are named in labels.txt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from centertrack.data.formats.mot import sequence_folders
from centertrack.data.images import read_size
from centertrack.data.labels import IGNORED, Box, Classes, LabelledImages, Labels, Report, stop_at
from tracker.errors import InputError
from tracker.io.atomic import atomic_path
from tracker.io.cvat_mot import read_class_names, read_cvat_mot
from tracker.io.frames import frame_files


class CvatSet(LabelledImages):
    """Frames of CVAT exports in MOT format, unpacked: `img1`, `gt/gt.txt` and `gt/labels.txt`.

    Frames count from 1 and mean images as `frame_files` says; pixels count from 0, unlike MOTChallenge's. The class of
    a row is its line in labels.txt, from 1. Ignored boxes become regions to ignore; shapes without a track have
    identity -1.

    Args:
        path: An unpacked export, or a folder of several.
        step: Take every n-th frame.
        classes, identities, longest_side: As in `LabelledImages`.
        report: Is told of every broken row.

    Raises:
        InputError: A file is missing, or a row is broken; with file and line.
    """

    def __init__(
        self,
        path: str | Path,
        step: int = 1,
        classes: Classes | None = None,
        identities: str = "labels",
        longest_side: int | None = None,
        report: Report = stop_at,
    ) -> None:
        root = Path(path)
        if root.suffix == ".zip":
            raise InputError(f"{root} is an archive; unpack it and give the folder")
        folders = sequence_folders(root)
        names = list(dict.fromkeys(name for folder in folders for name in read_class_names(folder / "gt")))
        entries: list[Labels] = []
        for folder in folders:
            images = frame_files(folder / "img1")
            if not images:
                raise InputError(f"expected images in {folder / 'img1'}, found none")
            rows = _read(folder / "gt" / "gt.txt", read_class_names(folder / "gt"), names, max(images), report)
            entries += [
                Labels.of(
                    image, f"{folder.name}/{image.name}", folder / "gt" / "gt.txt", rows[frame], folder.name, frame
                )
                for frame, image in list(images.items())[::step]
            ]
        super().__init__(entries, names, classes, identities, longest_side)


def _read(path: Path, own_names: list[str], names: list[str], length: int, report: Report) -> dict[int, list[Box]]:
    rows: dict[int, list[Box]] = defaultdict(list)
    for row in read_cvat_mot(path, own_names, length, report):
        left, top, width, height = row.xywh
        label = names.index(own_names[row.number - 1]) if row.counts else IGNORED
        rows[row.frame].append(Box((left, top, left + width, top + height), label, row.identity, row.line))
    return rows


def write_cvat(data: LabelledImages, images: Sequence[Path], folder: Path) -> None:
    """Write `gt/gt.txt` and `gt/labels.txt` of every sequence; its images lie in `folder/SEQUENCE/img1`.

    Args:
        data: The labels.
        images: File of each entry, within `folder`.
        folder: Of the new data set.
    """
    sequences: dict[Path, list[str]] = defaultdict(list)
    numbers: dict[Path, int] = defaultdict(int)
    for entry, image in zip(data.entries, images, strict=True):
        numbers[image.parents[1]] += 1
        sequences[image.parents[1]] += _rows(numbers[image.parents[1]], entry.in_pixels(read_size(image)))
    for sequence, rows in sequences.items():
        with atomic_path(sequence / "gt" / "gt.txt") as temporary:
            temporary.write_text("".join(rows), encoding="ascii")
        with atomic_path(sequence / "gt" / "labels.txt") as temporary:
            temporary.write_text("".join(f"{name}\n" for name in data.class_names), encoding="utf-8")


def _rows(frame: int, entry: Labels) -> Iterator[str]:
    objects = zip(entry.ids.tolist(), entry.boxes.tolist(), (entry.labels + 1).tolist(), strict=True)
    rows = [(identity, box, 1, number) for identity, box, number in objects]
    rows += [(-1, box, 0, 1) for box in entry.ignore.tolist()]
    for identity, (x1, y1, x2, y2), counts, number in rows:
        yield f"{frame},{identity},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},{counts},{number},1.0\n"

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
from tracker.io.frames import frame_files
from tracker.io.reading import MAX_NUMBER, read_lines, to_float

COLUMNS = "frame, track id, x, y, width, height, not ignored, class id, visibility"


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
        names = list(dict.fromkeys(name for folder in folders for name in _class_names(folder)))
        entries: list[Labels] = []
        for folder in folders:
            numbers = [names.index(name) for name in _class_names(folder)]
            images = frame_files(folder / "img1")
            if not images:
                raise InputError(f"expected images in {folder / 'img1'}, found none")
            rows = _read(folder / "gt" / "gt.txt", numbers, max(images), report)
            entries += [
                Labels.of(
                    image, f"{folder.name}/{image.name}", folder / "gt" / "gt.txt", rows[frame], folder.name, frame
                )
                for frame, image in list(images.items())[::step]
            ]
        super().__init__(entries, names, classes, identities, longest_side)


def _class_names(folder: Path) -> list[str]:
    return [line.strip() for line in read_lines(folder / "gt" / "labels.txt") if line.strip()]


def _read(path: Path, labels: Sequence[int], length: int, report: Report) -> dict[int, list[Box]]:
    rows: dict[int, list[Box]] = defaultdict(list)
    for line, text in enumerate(read_lines(path), start=1):
        if not text.strip():
            continue
        try:
            frame, box = _parse(text, f"{path}:{line}", line, labels, length)
            rows[frame].append(box)
        except InputError as error:
            report(error)
    return rows


def _parse(text: str, where: str, line: int, labels: Sequence[int], length: int) -> tuple[int, Box]:
    try:
        values = [to_float(value) for value in text.split(",")]
    except ValueError as error:
        raise InputError(f"{where}: expected numbers ({COLUMNS}), got: {text[:120]}") from error
    if len(values) < 8 or not all(abs(value) <= MAX_NUMBER for value in values[:8]):  # nan is not
        raise InputError(f"{where}: expected at least 8 finite numbers ({COLUMNS}), got: {text[:120]}")
    frame, identity, left, top, width, height, counts, number = values[:8]
    if not 1 <= frame <= length:
        raise InputError(f"{where}: expected a frame from 1 to {length}, the number of images, got {frame:g}")
    if not 1 <= number <= len(labels):
        raise InputError(f"{where}: expected a class from 1 to {len(labels)}, the lines of labels.txt, got {number:g}")
    label = labels[int(number) - 1] if counts else IGNORED
    return int(frame), Box((left, top, left + width, top + height), label, int(identity), line)


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

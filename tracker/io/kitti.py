"""KITTI tracking: one text file a sequence, several classes. Frames, ids and pixels count from 0."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tracker.errors import InputError
from tracker.io.reading import MAX_FRAMES, is_file, read_lines, read_number, read_whole
from tracker.io.sequence_table import SequenceTable, TableRow, text_files

KITTI_CLASSES = ["Car", "Van", "Truck", "Pedestrian", "Person_sitting", "Cyclist", "Tram", "Misc"]
DONT_CARE = "DontCare"
MIN_COLUMNS = 10
SCORE_COLUMN = 17
MAX_OCCLUSION, MAX_TRUNCATION = 2, 0  # beyond, the benchmark does not score a label
_NAMES = {name.lower(): name for name in (*KITTI_CLASSES, DONT_CARE)} | {"person": "Person_sitting"}


class KittiRow(NamedTuple):
    """One line.

    Attributes:
        line: From 1.
        frame: From 0.
        identity: From 0; -1 of areas that are `DontCare`.
        name: One of `KITTI_CLASSES`, or `DontCare`.
        is_hidden: Whether it is truncated, or occluded for the most part.
        xyxy: Corners in pixels from 0.
        score: Of a result; 1 in labels.
    """

    line: int
    frame: int
    identity: int
    name: str
    is_hidden: bool
    xyxy: tuple[float, float, float, float]
    score: float


def read_kitti(path: Path, report: Callable[[InputError], None]) -> Iterator[KittiRow]:
    """Read a label file or a result.

    Args:
        path: The file.
        report: Is told of every broken line, with file and line.
    """
    for line, text in enumerate(read_lines(path), start=1):
        if not text.strip():
            continue
        try:
            yield _parse(text.split(), f"{path}:{line}", line)
        except InputError as error:
            report(error)


def _parse(fields: list[str], where: str, line: int) -> KittiRow:
    if len(fields) < MIN_COLUMNS:
        raise InputError(
            f"{where}: expected at least {MIN_COLUMNS} columns (frame, id, type, truncated, occluded, alpha, left, top,"
            f" right, bottom), got {len(fields)}: {' '.join(fields)[:120]}"
        )
    name = _NAMES.get(fields[2].lower())
    if name is None:
        raise InputError(f"{where}: expected a type of {', '.join(KITTI_CLASSES)} or DontCare, got {fields[2]}")
    frame = read_whole(fields[0], where, "numbers: a frame", 0, MAX_FRAMES)
    identity = read_whole(fields[1], where, "numbers: an id")
    truncated, occluded = (read_number(field, where, "numbers: truncated and occluded") for field in fields[3:5])
    x1, y1, x2, y2 = (read_number(field, where, "numbers: corners") for field in fields[6:10])
    score = read_number(fields[SCORE_COLUMN], where, "numbers: a score") if len(fields) > SCORE_COLUMN else 1.0
    is_hidden = int(truncated) > MAX_TRUNCATION or int(occluded) > MAX_OCCLUSION
    return KittiRow(line, frame, identity, name, is_hidden, (x1, y1, x2, y2), score)


def is_kitti(path: Path) -> bool:
    """Tell whether the first row of a text file has a word in its third column."""
    if not is_file(path):
        return False
    first = next((text.split() for text in read_lines(path) if text.strip()), [])
    return len(first) >= MIN_COLUMNS and first[2].lower() in _NAMES


def kitti_sequences(path: Path) -> dict[str, Path]:
    """Return the label files by sequence: those of a folder with `label_02`, of a folder of text files, or one file."""
    return text_files(path, "label_02")


def kitti_table(path: Path, name: str = "") -> SequenceTable:
    """Read one sequence; truncated and mostly occluded labels do not count.

    Raises:
        InputError: A line is broken; with file and line.
    """
    del name  # a file is a sequence
    rows = (
        TableRow(
            row.line,
            row.frame + 1,
            row.identity,
            (row.xyxy[0], row.xyxy[1], row.xyxy[2] - row.xyxy[0], row.xyxy[3] - row.xyxy[1]),
            0 if row.name == DONT_CARE else KITTI_CLASSES.index(row.name) + 1,
            not row.is_hidden,
            row.score,
        )
        for row in read_kitti(path, _stop_at)
    )
    return SequenceTable.of(path, rows, dict(enumerate(KITTI_CLASSES, start=1)))


def _stop_at(error: InputError) -> None:
    raise error

"""CVAT's MOT export: like MOTChallenge's text, but boxes count from 0 and classes are named in labels.txt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tracker.errors import InputError
from tracker.io.reading import MAX_NUMBER, read_lines, to_float
from tracker.io.sequence_table import SequenceTable, TableRow

COLUMNS = "frame, track id, x, y, width, height, not ignored, class id, visibility"
LABELS_FILE = "labels.txt"  # beside gt.txt


class CvatRow(NamedTuple):
    """One row.

    Attributes:
        line: From 1.
        frame: From 1.
        identity: Of the track; -1 of a shape without one.
        xywh: Left, top, width, height in pixels from 0.
        number: Class, line of labels.txt from 1.
        counts: False of an ignored box.
    """

    line: int
    frame: int
    identity: int
    xywh: tuple[float, float, float, float]
    number: int
    counts: bool


def read_class_names(gt_folder: Path) -> list[str]:
    """Return the lines of labels.txt."""
    return [line.strip() for line in read_lines(gt_folder / LABELS_FILE) if line.strip()]


def read_cvat_mot(
    path: Path, names: Sequence[str], length: int | None, report: Callable[[InputError], None]
) -> Iterator[CvatRow]:
    """Read gt.txt.

    Args:
        path: The file.
        names: Of the classes.
        length: Of the sequence in frames; None where it is not known.
        report: Is told of every broken row, with file and line.
    """
    for line, text in enumerate(read_lines(path), start=1):
        if not text.strip():
            continue
        try:
            yield _parse(text, f"{path}:{line}", line, len(names), length)
        except InputError as error:
            report(error)


def _parse(text: str, where: str, line: int, classes: int, length: int | None) -> CvatRow:
    try:
        values = [to_float(value) for value in text.split(",")]
    except ValueError as error:
        raise InputError(f"{where}: expected numbers ({COLUMNS}), got: {text[:120]}") from error
    if len(values) < 8 or not all(abs(value) <= MAX_NUMBER for value in values[:8]):  # nan is not
        raise InputError(f"{where}: expected at least 8 finite numbers ({COLUMNS}), got: {text[:120]}")
    frame, identity, left, top, width, height, counts, number = values[:8]
    if frame < 1 or (length is not None and frame > length):
        last = "" if length is None else f" to {length}, the number of images"
        raise InputError(f"{where}: expected a frame from 1{last}, got {frame:g}")
    if not 1 <= number <= classes:
        raise InputError(f"{where}: expected a class from 1 to {classes}, the lines of labels.txt, got {number:g}")
    return CvatRow(line, int(frame), int(identity), (left, top, width, height), int(number), bool(counts))


def cvat_mot_table(path: Path, name: str = "") -> SequenceTable:
    """Read one sequence. Ignored boxes are regions to ignore; shapes without a track cannot be scored.

    Args:
        path: Its gt.txt.
        name: Is not needed; a file is a sequence.

    Raises:
        InputError: A row is broken, or a shape has no track; with file and line.
    """
    del name
    names = read_class_names(path.parent)
    rows = []
    for row in read_cvat_mot(path, names, None, _stop_at):
        if row.counts and row.identity < 0:
            raise InputError(f"{path}:{row.line}: expected a track id, got {row.identity}; a shape has no identity")
        rows.append(TableRow(row.line, row.frame, row.identity, row.xywh, row.number if row.counts else 0))
    return SequenceTable.of(path, rows, dict(enumerate(names, start=1)))


def _stop_at(error: InputError) -> None:
    raise error

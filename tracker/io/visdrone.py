"""VisDrone MOT: text like MOTChallenge's, but with a category in column 8, truncation and occlusion after it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tracker.io.number_table import read_number_table
from tracker.io.reading import MAX_FRAMES, read_whole
from tracker.io.sequence_table import SequenceTable, TableRow, text_files

VISDRONE_CLASSES = (
    "pedestrian",
    "people",
    "bicycle",
    "car",
    "van",
    "truck",
    "tricycle",
    "awning-tricycle",
    "bus",
    "motor",
    "others",
)
_COLUMNS = "frame, id, left, top, width, height, score, category, truncation, occlusion"
_REGION = 0  # the category of regions to ignore


def visdrone_sequences(path: Path) -> dict[str, Path]:
    """Return the annotation files by sequence: those of a folder with `annotations`, of a folder, or one file."""
    return text_files(path, "annotations")


def visdrone_table(path: Path, name: str = "") -> SequenceTable:
    """Read one sequence. Labels of score 0, and those of the category 0, are regions to ignore.

    Raises:
        InputError: A row is broken; with file and line.
    """
    del name  # a file is a sequence
    return _read(path, is_truth=True)


def visdrone_results(path: Path, name: str = "") -> SequenceTable:
    """Read a tracker's output, where the score is that of the detector.

    Raises:
        InputError: A row is broken; with file and line.
    """
    del name
    return _read(path, is_truth=False)


def _read(path: Path, is_truth: bool) -> SequenceTable:
    table = read_number_table(path)
    if len(table.values) and table.values.shape[1] < 8:
        raise table.row_error(0, f"expected 10 columns ({_COLUMNS}), got {table.values.shape[1]}")
    rows = []
    for row, values in enumerate(table.values.tolist()):
        where = f"{path}:{table.lines[row]}"
        if not np.isfinite(values[2:7]).all():
            raise table.row_error(row, "expected finite numbers")
        category = read_whole(values[7], where, "a category", _REGION, len(VISDRONE_CLASSES))
        frame = read_whole(values[0], where, "a frame", 1, MAX_FRAMES)
        identity = read_whole(values[1], where, "an id")
        number = 0 if category == _REGION or (is_truth and values[6] == 0) else category
        left, top, width, height = values[2:6]
        rows.append(
            TableRow(int(table.lines[row]), frame, identity, (left, top, width, height), number, True, values[6])
        )
    return SequenceTable.of(path, rows, dict(enumerate(VISDRONE_CLASSES, start=1)))

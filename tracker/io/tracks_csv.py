"""Tracks as a table in CSV: a header, then a line for every box of every frame; pixels count from 0."""

from __future__ import annotations

import csv
from pathlib import Path

from typing_extensions import override

from tracker.errors import InputError
from tracker.io.names import ODD_NAMES
from tracker.io.reading import MAX_FRAMES, read_lines, read_number, read_whole
from tracker.io.sequence_table import SequenceTable, TableRow
from tracker.io.track_writer import TrackedSource, TrackFile, TrackRow, read_class_number

COLUMNS = ("frame", "seconds", "id", "class", "class_number", "x1", "y1", "x2", "y2", "score", "speed", "seen")
_NEEDED = ("frame", "id", "x1", "y1", "x2", "y2")


class CsvTracks(TrackFile):
    """Writes a header and a line for each row of `TrackRow`, as they come; the arguments are those of `TrackFile`."""

    def __init__(self, path: str | Path, source: TrackedSource) -> None:
        super().__init__(path, source)
        self._file = self.temporary.open("w", encoding="utf-8", errors=ODD_NAMES, newline="")
        self._table = csv.writer(self._file, lineterminator="\n")  # quotes names with commas and quotes
        self._table.writerow(COLUMNS)

    @override
    def _take(self, frame_number: int, seconds: float | None, rows: list[TrackRow]) -> None:
        self._table.writerows([*row[:-1], int(row.seen)] for row in rows)  # None becomes an empty field

    @override
    def _write_rest(self) -> None:
        self._file.close()


def is_csv_tracks(path: Path) -> bool:
    """Tell whether a file starts with the header of such a table."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        first = file.readline(1000).decode("utf-8-sig", "replace")
    return set(_NEEDED) <= {name.strip() for name in first.split(",")}


def csv_tracks_table(path: Path, name: str = "") -> SequenceTable:
    """Read a table of tracks; the order of the columns is free, and those beside frame, id and corners may be missing.

    Args:
        path: The file.
        name: Is not needed; a file is a sequence.

    Raises:
        InputError: A column is missing or a row broken; with file and line.
    """
    del name
    reader = csv.reader(read_lines(path))
    header = [one.strip() for one in next(reader, [])]
    missing = [one for one in _NEEDED if one not in header]
    if missing:
        raise InputError(f"{path}:1: expected a header with the columns {', '.join(_NEEDED)}; missing {missing}")
    boxes, names, times = [], {}, {}
    try:
        for fields in reader:
            if not any(fields):
                continue
            where = f"{path}:{reader.line_num}"
            if len(fields) != len(header):
                raise InputError(f"{where}: expected {len(header)} columns as in the header, got {len(fields)}")
            row = dict(zip(header, fields, strict=True))
            box = _row_of(row, where, reader.line_num)
            boxes.append(box)
            if box.number > 0 and row.get("class"):
                names[box.number] = row["class"]
            if row.get("seconds"):
                times[box.frame] = read_number(row["seconds"], where, "seconds")
    except csv.Error as error:
        raise InputError(f"{path}:{reader.line_num}: not valid CSV: {error}") from error
    return SequenceTable.of(path, boxes, names, times=times)


def _row_of(row: dict[str, str], where: str, line: int) -> TableRow:
    x1, y1, x2, y2 = (read_number(row[name], where, name) for name in ("x1", "y1", "x2", "y2"))
    return TableRow(
        line,
        read_whole(row["frame"], where, "a frame", 1, MAX_FRAMES),
        read_whole(row["id"], where, "an id", 0),
        (x1, y1, x2 - x1, y2 - y1),
        read_class_number(row.get("class_number") or "-1", where),
        score=read_number(row.get("score") or "1", where, "score"),
        seen=bool(read_whole(row["seen"], where, "seen", 0, 1)) if row.get("seen") else None,
    )

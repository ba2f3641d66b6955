"""Tracks as a table in Parquet: the columns of `TrackRow`; needs pyarrow, the extra `[parquet]`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typing_extensions import override

from tracker.errors import InputError
from tracker.extras import require
from tracker.io.reading import MAX_FRAMES, read_number, read_whole
from tracker.io.sequence_table import SequenceTable, TableRow
from tracker.io.track_writer import TrackedSource, TrackFile, TrackRow, read_class_number
from tracker.io.tracks_csv import COLUMNS

_GROUP = 100_000  # rows that are kept in memory before they are written
_NEEDED = ("frame", "id", "x1", "y1", "x2", "y2")


class ParquetTracks(TrackFile):
    """Writes the columns of `TrackRow`; the arguments are those of `TrackFile`.

    The metadata of the file has name, frame rate, size and class names of the source, as JSON under `source`.

    Raises:
        MissingPackageError: pyarrow is not installed.
        InputError: The file cannot be written.
    """

    def __init__(self, path: str | Path, source: TrackedSource) -> None:
        require(f"{path}: Parquet", "pyarrow")
        super().__init__(path, source)
        import pyarrow
        from pyarrow import parquet

        kinds = {"frame": "int64", "id": "int64", "class": "string", "class_number": "int32", "seen": "bool_"}
        fields = [(name, getattr(pyarrow, kinds.get(name, "float64"))()) for name in COLUMNS]
        about = {"name": source.name, "frame_rate": source.frame_rate, "size": source.size,
                 "classes": list(source.class_names)}  # fmt: skip
        self._schema = pyarrow.schema(fields, metadata={"source": json.dumps(about)})
        self._make_table = pyarrow.Table.from_arrays
        self._make_column = pyarrow.array
        self._file = parquet.ParquetWriter(str(self.temporary), self._schema)
        self._rows: list[TrackRow] = []

    @override
    def _take(self, frame_number: int, seconds: float | None, rows: list[TrackRow]) -> None:
        self._rows += rows
        if len(self._rows) >= _GROUP:
            self._write_group()

    def _write_group(self) -> None:
        columns = zip(*self._rows, strict=True) if self._rows else [()] * len(COLUMNS)
        arrays = [self._make_column(column, kind) for column, kind in zip(columns, self._schema.types, strict=True)]
        self._rows = []
        self._file.write_table(self._make_table(arrays, schema=self._schema))

    @override
    def _write_rest(self) -> None:
        try:
            self._write_group()
        finally:
            self._file.close()


def parquet_tracks_table(path: Path, name: str = "") -> SequenceTable:
    """Read a table of tracks; columns beside frame, id and corners may be missing.

    Args:
        path: The file.
        name: Is not needed; a file is a sequence.

    Raises:
        MissingPackageError: pyarrow is not installed.
        InputError: It cannot be read, a column is missing or a row broken; with its number.
    """
    del name
    require(f"{path}: Parquet", "pyarrow")
    from pyarrow import ArrowException, parquet

    try:
        table = parquet.read_table(str(path))
    except (ArrowException, OSError) as error:
        raise InputError(f"cannot read {path}: {' '.join(str(error).split())[:200]}") from error
    missing = [one for one in _NEEDED if one not in table.column_names]
    if missing:
        raise InputError(f"{path}: expected the columns {', '.join(_NEEDED)}; missing {missing}")
    boxes, names, times = [], {}, {}
    for place, row in enumerate(table.select([one for one in COLUMNS if one in table.column_names]).to_pylist()):
        where = f"{path}: row {place}"
        box = _row_of(row, place, where)
        boxes.append(box)
        if box.number > 0 and isinstance(row.get("class"), str):
            names[box.number] = row["class"]
        if row.get("seconds") is not None:
            times[box.frame] = read_number(row["seconds"], where, "seconds")
    return SequenceTable.of(path, boxes, names, unit="rows", times=times)


def _row_of(row: dict[str, Any], place: int, where: str) -> TableRow:
    x1, y1, x2, y2 = (read_number(row[name], where, name) for name in ("x1", "y1", "x2", "y2"))
    return TableRow(
        place,
        read_whole(row["frame"], where, "a frame", 1, MAX_FRAMES),
        read_whole(row["id"], where, "an id", 0),
        (x1, y1, x2 - x1, y2 - y1),
        read_class_number(-1 if row.get("class_number") is None else row["class_number"], where),
        score=read_number(1.0 if row.get("score") is None else row["score"], where, "score"),
        seen=None if row.get("seen") is None else bool(row["seen"]),
    )

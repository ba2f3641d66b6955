"""The formats that tracks are written in, by the suffix of the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tracker.errors import InputError
from tracker.extras import require
from tracker.io.mot import MotWriter
from tracker.io.names import STANDARD_OUTPUT
from tracker.io.standard_output import StandardOutputTracks
from tracker.io.track_writer import TrackedSource, TrackWriter
from tracker.io.tracks_csv import CsvTracks
from tracker.io.tracks_json import JsonLinesTracks, JsonTracks
from tracker.io.tracks_parquet import ParquetTracks

WRITERS: Mapping[str, Callable[[Path, TrackedSource], TrackWriter]] = {
    ".txt": lambda path, source: MotWriter(path, source.has_classes),
    ".csv": CsvTracks,
    ".json": JsonTracks,
    ".jsonl": JsonLinesTracks,
    ".parquet": ParquetTracks,
}


def open_tracks(path: str | Path, source: TrackedSource) -> TrackWriter:
    """Open a file for tracks, in the format that its suffix says; `-` is standard output.

    Args:
        path: The file.
        source: What the formats say about it.

    Raises:
        InputError: There is no such format, or the file cannot be written.
    """
    if str(path) == STANDARD_OUTPUT:
        return StandardOutputTracks(source.has_classes)
    suffix = Path(path).suffix.lower()
    if suffix not in WRITERS:
        raise InputError(f"{path}: expected a file name ending in {', '.join(WRITERS)}")
    return WRITERS[suffix](Path(path), source)


def check_tracks_format(path: str | None) -> None:
    """Make sure that what a format needs is installed, before anything is done.

    Raises:
        MissingPackageError: It is not.
    """
    if path is not None and path.lower().endswith(".parquet"):
        require(f"{path}: Parquet", "pyarrow")

"""JSON files that hold several sequences: read once, however many of the sequences are asked for."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from tracker.errors import InputError
from tracker.io.reading import read_json


def cached_json(path: Path) -> Any:
    """Return the content of a JSON file; nobody may change it.

    Raises:
        InputError: As `read_json`.
    """
    return _read(path, file_version(path))


def file_version(path: Path) -> tuple[int, int]:
    """Return what changes when the file does: time and size.

    Raises:
        InputError: It cannot be read.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    return state.st_mtime_ns, state.st_size


@lru_cache(maxsize=8)
def _read(path: Path, version: tuple[int, int]) -> Any:
    return read_json(path)

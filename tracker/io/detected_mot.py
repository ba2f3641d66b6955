"""Detections in MOTChallenge text: `det/det.txt` of a sequence folder, or a file of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tracker.errors import InputError
from tracker.io.detected import MOST_EMPTY_FRAMES, DetectedSequence
from tracker.io.mot import DetectionRows, read_detections, read_sequence_info
from tracker.wording import counted


def read_sequence_detections(folder: Path) -> DetectedSequence:
    """Read det/det.txt of a sequence folder; boxes without a size are left out, with a warning.

    Raises:
        InputError: The file is missing, a row is broken, a frame lies behind the end of the sequence, or the sequence
            is far longer than its detections.
    """
    info = read_sequence_info(folder)
    rows = read_detections(folder / "det" / "det.txt")
    behind = np.flatnonzero(rows.frames > info.length)
    if len(behind):
        raise rows.row_error(int(behind[0]), f"expected frames 1 to {info.length}, as seqinfo.ini says")
    last = int(rows.frames.max(initial=0))
    if info.length - last > MOST_EMPTY_FRAMES:
        raise InputError(
            f"{folder}: seqinfo.ini says {counted(info.length, 'frame')}, and det/det.txt ends with "
            f"frame {last}; expected at "
            f"most {MOST_EMPTY_FRAMES} frames without detections at the end: correct seqLength"
        )
    return _sequence_of(rows, info.name, info.frame_rate, info.length)


def read_detection_file(path: Path) -> DetectedSequence:
    """Read a file in the format of det.txt, which ends with its last detection.

    Raises:
        InputError: It cannot be read, or a row is broken.
    """
    rows = read_detections(path)
    return _sequence_of(rows, path.stem, None, int(rows.frames.max(initial=0)))


def _sequence_of(rows: DetectionRows, name: str, frame_rate: float | None, length: int) -> DetectedSequence:
    before = np.flatnonzero(rows.frames < 1)
    if len(before):
        raise rows.row_error(int(before[0]), "expected a frame from 1")
    rows.warn_of_no_size("are left out")
    rows = rows.where(rows.have_size)
    classes = rows.classes if rows.have_classes else None
    return DetectedSequence.of(name, frame_rate, length, rows.frames, rows.boxes_xyxy, rows.scores, classes, rows.path)

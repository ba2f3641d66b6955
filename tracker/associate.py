"""Run a tracker over the detections of another program: MOTChallenge folders with det/det.txt, without frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from tracker.detections import Detections
from tracker.errors import InputError
from tracker.factory import make_tracker
from tracker.io.mot import DetectionRows, MotWriter, read_detections, read_sequence_info
from tracker.io.names import clean_name, refuse_labels
from tracker.postprocess import postprocess, record

MOST_EMPTY_FRAMES = 100_000  # at the end of a sequence: an hour at 28 frames a second


def associate(
    sequence_folders: Sequence[str | Path],
    tracker: str,
    results: str | Path,
    offline: Sequence[str] = (),
    **options: Any,
) -> dict[str, Path]:
    """Run a tracker over the public detections of sequences and write MOTChallenge rows.

    Every sequence starts with a fresh tracker at the sequence's own frame rate. All of its frames are visited, also
    those without detections.

    Args:
        sequence_folders: Folders with det/det.txt, and seqinfo.ini or images.
        tracker: A name of `tracker.TRACKERS`; it must not need embeddings or frames, of which there are none.
        results: Folder for one NAME.txt a sequence; made if missing.
        offline: Steps of `tracker.postprocess.STEPS` to better each sequence afterwards.
        options: Options of the tracker.

    Returns:
        Name of each sequence, as `clean_name` makes it -> the file written.

    Raises:
        InputError: A folder, file, row or option cannot be used.
    """
    if not sequence_folders:
        raise InputError("expected at least one MOTChallenge sequence folder, got none")
    make_tracker(tracker, **options)  # a typo shows before the first file is read
    postprocess(record(()), offline)
    written: dict[str, Path] = {}
    for folder in sequence_folders:
        info = read_sequence_info(folder)
        follower = make_tracker(tracker, **{"frame_rate": info.frame_rate, **options})
        rows = read_public_detections(folder, info.length)
        frames = enumerate(by_frame(rows, info.length), start=1)
        tracks = ((number, follower.update(detections)) for number, detections in frames)
        name = clean_name(info.name)
        if name in written:
            raise InputError(f"several folders hold sequence {name}, and their results would have the same name")
        written[name] = path = Path(results, f"{name}.txt")
        refuse_labels(path)
        if offline:
            postprocess(record(tracks), offline, info.frame_rate).write(path, rows.have_classes)
            continue
        with MotWriter(path, rows.have_classes) as writer:
            for number, found in tracks:
                writer.write(number, found)
    return written


def public_detections(sequence_folder: str | Path, length: int) -> Iterator[Detections]:
    """Give the detections of frames 1 to `length` of det/det.txt, one after the other.

    Raises:
        InputError: As `read_public_detections`.
    """
    return by_frame(read_public_detections(sequence_folder, length), length)


def read_public_detections(sequence_folder: str | Path, length: int) -> DetectionRows:
    """Return the rows of det/det.txt. Boxes without a size are left out, with a warning.

    Raises:
        InputError: The file is missing, a row is broken, a frame lies behind the end of the sequence, or the sequence
            is far longer than its detections.
    """
    rows = read_detections(Path(sequence_folder, "det", "det.txt"))
    behind = np.flatnonzero(rows.frames > length)
    if len(behind):
        raise rows.row_error(int(behind[0]), f"expected frames 1 to {length}, as seqinfo.ini says")
    last = int(rows.frames.max(initial=0))
    if length - last > MOST_EMPTY_FRAMES:
        raise InputError(
            f"{sequence_folder}: seqinfo.ini says {length} frames, and det/det.txt ends with frame {last}; expected at "
            f"most {MOST_EMPTY_FRAMES} frames without detections at the end: correct seqLength"
        )
    rows.warn_of_no_size("are left out")
    return rows.where(rows.have_size)


def by_frame(rows: DetectionRows, length: int) -> Iterator[Detections]:
    """Give the detections of frames 1 to `length`; the label of a box is its class less 1, or 0 without classes."""
    everything = Detections(rows.boxes_xyxy, rows.scores, rows.classes - 1 if rows.have_classes else None)
    starts = np.searchsorted(rows.frames, np.arange(1, length + 2))
    for start, end in pairwise(starts.tolist()):
        yield everything[start:end]

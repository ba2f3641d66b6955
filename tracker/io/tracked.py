"""Files of tracks by themselves: results of a tracker, or ground truth taken for such."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tracker.detections import Tracks
from tracker.errors import InputError
from tracker.io.mot import ResultRows, read_sequence_info
from tracker.io.reading import is_folder
from tracker.io.sequence_table import SequenceTable
from tracker.io.track_formats import CVAT, FORMATS, MOT, guess_track_format, read_found, read_truth


@dataclass(frozen=True, slots=True, eq=False)
class TrackedSequence:
    """The tracks of one sequence.

    Attributes:
        name: Of the sequence.
        rows: Its boxes with ids, all of them followed objects.
        class_name: Names a class number of the rows.
        frame_rate: Frames a second, None where nothing says.
        size: Width and height of the images in pixels, None where nothing says.
        times: Frame -> seconds, of the frames of which the file says it.
        length: Frames: as far as the file says, and as there are rows.
    """

    name: str
    rows: ResultRows
    class_name: Callable[[int], str]
    frame_rate: float | None
    size: tuple[int, int] | None
    times: Mapping[int, float]
    length: int

    def place(self, frame: int) -> str:
        """Return file and line of the first box of a frame."""
        return self.rows.place(int(np.flatnonzero(self.rows.frames == frame)[0]))

    def by_frame(self) -> dict[int, Tracks]:
        """Return the tracks of each frame that has any, as a tracker would have returned them.

        Their labels are the class numbers of the file; where it does not say which were seen, all count as such.
        """
        rows = self.rows
        numbers, starts = np.unique(rows.frames, return_index=True)
        found = {}
        for number, part in zip(numbers.tolist(), np.split(np.arange(len(rows)), starts[1:]), strict=False):
            boxes, scores = rows.boxes_xyxy[part], rows.scores[part].astype(np.float32)
            indices = np.arange(len(part))
            if rows.seen is not None:
                indices[~rows.seen[part]] = -1
            found[number] = Tracks(rows.ids[part], boxes, scores, rows.classes[part], indices)
        return found


def read_tracked(path: str | Path) -> Iterator[TrackedSequence]:
    """Read the sequences of a file or folder, in any format that `evaluate` reads.

    Args:
        path: A file of results, a folder of SEQUENCE.txt, a file or folder of another format; or a MOTChallenge
            sequence folder or its gt.txt, whose rows with flag 0 are left out.

    Raises:
        InputError: There is none, or a row is broken or has no id; with file and line.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder of tracks")
    for name, (file, format_name) in _files(path).items():
        if file.name == "gt.txt" and format_name in (MOT, CVAT):
            table = read_truth(format_name, file, name)
            kept = table.rows.flags != 0
            table = table.where(kept, np.zeros(len(table.regions), np.bool_))
        else:
            table = read_found(format_name, file, name, file)
        yield _sequence(name, file, table)


def _files(path: Path) -> dict[str, tuple[Path, str]]:
    """Return the file of each sequence and its format."""
    truth = path / "gt" / "gt.txt" if is_folder(path) else path
    if truth.name == "gt.txt" and truth.is_file():
        return {truth.resolve().parents[1].name: (truth, MOT)}
    format_name = guess_track_format(path)
    if format_name not in (MOT, CVAT):
        found = FORMATS[format_name].sequences(path)
    else:
        found = {file.stem: file for file in (sorted(path.glob("*.txt")) if is_folder(path) else [path])}
    if not found:
        raise InputError(f"{path}: expected a file of tracks, or a folder of them, found none")
    return {name: (file, format_name) for name, file in found.items()}


def _sequence(name: str, file: Path, table: SequenceTable) -> TrackedSequence:
    rows = table.results()
    without = np.flatnonzero(rows.ids < 0)
    if len(without):
        raise rows.row_error(int(without[0]), "expected tracks, this box has no id; `centertrack associate` gives ids")
    _, inverse, counts = np.unique(np.stack([rows.frames, rows.ids]), axis=1, return_inverse=True, return_counts=True)
    twice = np.flatnonzero(counts[inverse.ravel()] > 1)
    if len(twice):
        row = int(twice[1])
        raise rows.row_error(
            row, f"id {rows.ids[row]} occurs twice in frame {rows.frames[row]}; see centertrack validate"
        )
    rows = rows.where(rows.have_size & (rows.frames >= 1))
    folder = file.parent.parent
    info = (
        read_sequence_info(folder) if file.parent.name in ("gt", "det") and (folder / "seqinfo.ini").is_file() else None
    )
    names = dict(table.names)
    return TrackedSequence(
        name=name,
        rows=rows,
        class_name=lambda number: names.get(number, "object" if number < 1 else f"class {number}"),
        frame_rate=table.frame_rate if info is None else info.frame_rate,
        size=table.size if info is None or min(info.size) < 1 else info.size,
        times=table.times,
        length=max(int(rows.frames.max(initial=1)), table.length or 1, 1 if info is None else info.length),
    )

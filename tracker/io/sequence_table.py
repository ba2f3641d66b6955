"""One sequence of boxes with identities, whatever format it was read from: ground truth or a tracker's output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tracker.arrays import Floats, Integers, Mask
from tracker.detections import Tracks
from tracker.io.mot import GroundTruthRows, MotRows, ResultRows, read_ground_truth, read_results


class TableRow(NamedTuple):
    """One box.

    Attributes:
        place: Line in the file from 1, or place in its list from 0.
        frame: From 1.
        identity: Not negative; -1 for a region to ignore.
        xywh: Left, top, width, height in pixels from 0.
        number: Class, from 1; -1 where the file does not say; 0 for a region to ignore.
        counts: Whether it is to be scored.
        score: Of the detector; 1 where the file does not say.
        seen: Whether it was detected in this frame; None where the file does not say.
    """

    place: int
    frame: int
    identity: int
    xywh: tuple[float, float, float, float]
    number: int
    counts: bool = True
    score: float = 1.0
    seen: bool | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SequenceTable:
    """The boxes of one sequence.

    Attributes:
        rows: N objects.
        scores: (N,) float64, of the detector; 1 where the file does not say.
        regions: Where unlabelled objects may be.
        names: Class number -> name; empty where the file does not name them.
        labelled: (F,) int64 ascending, the frames that were labelled, where the format says so.
        length: Of the sequence in frames, where the file says so.
        times: Frame -> seconds since the first, where the file says so.
        frame_rate: Frames a second, where the file says so.
        size: Width and height of the images in pixels, where the file says so.
        seen: (N,) whether each was detected in its frame; None where the file does not say.
    """

    rows: GroundTruthRows
    scores: Floats
    regions: MotRows
    names: Mapping[int, str] = field(default_factory=dict)
    labelled: Integers | None = None
    length: int | None = None
    times: Mapping[int, float] = field(default_factory=dict)
    frame_rate: float | None = None
    size: tuple[int, int] | None = None
    seen: Mask | None = None

    @classmethod
    def of(
        cls,
        path: Path,
        boxes: Iterable[TableRow],
        names: Mapping[int, str],
        labelled: Iterable[int] | None = None,
        length: int | None = None,
        unit: str = "",
        times: Mapping[int, float] | None = None,
        frame_rate: float | None = None,
        size: tuple[int, int] | None = None,
    ) -> SequenceTable:
        """Sort boxes by frame, and into objects and regions to ignore.

        Args:
            path: The file.
            boxes: In the order of the file.
            names: Class number -> name.
            labelled: Frames that were labelled, in any order; None where the format does not say.
            length: Of the sequence in frames, if the file says so.
            unit: What the places of the boxes count, as in `MotRows`.
            times, frame_rate, size: As the attributes, as far as the file says so.
        """
        boxes = sorted(boxes, key=lambda box: box.frame)
        objects = [box for box in boxes if box.number != 0]
        columns = _columns(path, objects)
        rows = GroundTruthRows(
            *columns,
            flags=np.array([box.counts for box in objects], np.int64),
            classes=np.array([box.number for box in objects], np.int64),
            visibilities=np.ones(len(objects)),
            has_classes=True,
            unit=unit,
        )
        scores = np.array([box.score for box in objects], np.float64)
        regions = MotRows(*_columns(path, [box for box in boxes if box.number == 0]), unit=unit)
        frames = None if labelled is None else np.unique(np.array(list(labelled), np.int64))
        seen = np.array([box.seen is not False for box in objects], np.bool_)
        says_seen = any(box.seen is not None for box in objects)
        return cls(
            rows, scores, regions, names, frames, length, times or {}, frame_rate, size, seen if says_seen else None
        )

    def where(self, kept: Mask, regions_kept: Mask) -> SequenceTable:
        """Return the objects and regions that two masks select."""
        return replace(
            self,
            rows=self.rows.where(kept),
            scores=self.scores[kept],
            regions=self.regions.where(regions_kept),
            seen=None if self.seen is None else self.seen[kept],
        )

    def in_frames(self, frames: range | Integers) -> SequenceTable:
        """Return what lies in some frames, given as a stretch or as frame numbers (F,)."""
        kept, regions_kept = (
            (rows.frames >= frames.start) & (rows.frames < frames.stop)
            if isinstance(frames, range)
            else np.isin(rows.frames, frames)
            for rows in (self.rows, self.regions)
        )
        return self.where(kept, regions_kept)

    def as_labels(self) -> SequenceTable:
        """Return what a tracker wrote as ground truth: where no row has a class, all have the first."""
        if not len(self.rows) or (self.rows.classes != -1).any():
            return self
        return replace(self, rows=replace(self.rows, classes=np.ones_like(self.rows.classes), has_classes=False))

    def results(self) -> ResultRows:
        """Return the objects as a tracker's output."""
        rows = self.rows
        columns = rows.path, rows.lines, rows.frames, rows.ids, rows.boxes_xywh, self.scores, rows.classes
        return ResultRows(*columns, unit=rows.unit, seen=self.seen)


def mot_ground_truth(path: Path, names: Mapping[int, str]) -> SequenceTable:
    """Read gt.txt of MOTChallenge; see `read_ground_truth`."""
    rows = read_ground_truth(path)
    return SequenceTable(rows, np.ones(len(rows)), MotRows(*_columns(path, [])), names)


def mot_results(path: Path, names: Mapping[int, str]) -> SequenceTable:
    """Read a tracker's output in MOTChallenge's format; see `read_results`."""
    rows = read_results(path)
    ones = np.ones(len(rows), np.int64)
    objects = GroundTruthRows(
        rows.path, rows.lines, rows.frames, rows.ids, rows.boxes_xywh, ones, rows.classes, np.ones(len(rows)), True
    )
    return SequenceTable(objects, rows.scores, MotRows(*_columns(path, [])), names)


def tracked_table(path: Path, frames: Iterable[tuple[int, Tracks]], has_classes: bool) -> SequenceTable:
    """Return what a tracker gave, as `mot_results` would read it from the rows that `MotWriter` writes.

    Args:
        path: What the file would be called.
        frames: Frame number from 1, and its tracks.
        has_classes: Whether the labels say classes.
    """
    listed = [(number, tracks) for number, tracks in frames if len(tracks)]
    counts = [len(tracks) for _, tracks in listed]
    boxes = np.concatenate([np.zeros((0, 4)), *(tracks.boxes.astype(np.float64) for _, tracks in listed)])
    xywh = np.concatenate([boxes[:, :2] + 1, boxes[:, 2:] - boxes[:, :2]], axis=1).round(2)
    ids = np.concatenate([np.zeros(0, np.int64), *(tracks.ids for _, tracks in listed)])
    labels = np.concatenate([np.zeros(0, np.int64), *(tracks.labels for _, tracks in listed)])
    scores = np.concatenate([np.zeros(0), *(tracks.scores.astype(np.float64) for _, tracks in listed)])
    rows = GroundTruthRows(
        path=path,
        lines=np.arange(1, len(ids) + 1),
        frames=np.repeat(np.array([number for number, _ in listed], np.int64), counts),
        ids=ids,
        boxes_xywh=xywh,
        flags=np.ones(len(ids), np.int64),
        classes=labels + 1 if has_classes else np.full(len(ids), -1),
        visibilities=np.ones(len(ids)),
        has_classes=has_classes,
    )
    kept = (xywh[:, 2:] > 0).all(axis=1)
    return SequenceTable(rows.where(kept), scores[kept], MotRows(*_columns(path, [])))


def _columns(path: Path, boxes: list[TableRow]) -> tuple[Path, Integers, Integers, Integers, Floats]:
    numbers = np.array([(box.place, box.frame, box.identity) for box in boxes], np.int64).reshape(-1, 3)
    xywh = np.array([box.xywh for box in boxes], np.float64).reshape(-1, 4)
    xywh[:, :2] += 1
    lines, frames, ids = numbers.T.copy()
    return path, lines, frames, ids, xywh


def text_files(path: Path, usual_folder: str) -> dict[str, Path]:
    """Return the label files by sequence, of a format with one text file each.

    Args:
        path: One file, a folder of them, or a folder with `usual_folder`.
        usual_folder: Where a download of the format keeps them.
    """
    if path.is_file():
        return {path.stem: path}
    folder = path / usual_folder if (path / usual_folder).is_dir() else path
    return {file.stem: file for file in sorted(folder.glob("*.txt"))}

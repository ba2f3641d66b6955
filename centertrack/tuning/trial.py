"""One trial: a tracker with some options, over the detections of one sequence, and its scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from centertrack.tuning.detections import SequenceDetections, public_sequence, read_cached
from tracker.evaluation.evaluator import MeasuredSequence, Protocol, measure_loaded, prepare
from tracker.evaluation.sequences import SequenceFiles
from tracker.factory import make_tracker
from tracker.io.mot import read_sequence_info
from tracker.io.sequence_table import SequenceTable, tracked_table
from tracker.io.track_formats import MOT, read_truth


@dataclass(frozen=True, slots=True)
class TuningSequence:
    """A sequence folder with ground truth, and where its detections are.

    Attributes:
        name: Of the sequence.
        folder: With gt/gt.txt.
        cached: A file of `detect_once`; None for det/det.txt.
    """

    name: str
    folder: Path
    cached: Path | None = None

    def detections(self) -> SequenceDetections:
        """Return its detections, read once a process."""
        return _detections(self)


@cache
def _detections(sequence: TuningSequence) -> SequenceDetections:
    return public_sequence(sequence.folder) if sequence.cached is None else read_cached(sequence.cached)


@cache
def _truth(sequence: TuningSequence) -> tuple[SequenceTable, float, int]:
    info = read_sequence_info(sequence.folder)
    path = sequence.folder / "gt" / "gt.txt"
    return read_truth(MOT, path, sequence.name, sequence.folder), info.frame_rate, info.length


def measure_trial(
    sequence: TuningSequence,
    tracker: str,
    options: Mapping[str, Any],
    protocol: Protocol,
    in_windows: bool = False,
) -> MeasuredSequence:
    """Track one sequence and score it, as `associate` and `evaluate` would.

    Args:
        sequence: Which.
        tracker: A name of `tracker.TRACKERS`.
        options: Of the tracker.
        protocol: What is scored.
        in_windows: Ask for the sums of each frame too.
    """
    truth, frame_rate, length = _truth(sequence)
    found = sequence.detections()
    follower = make_tracker(tracker, **{"frame_rate": frame_rate, **options})
    tracks = ((number, follower.update(detections)) for number, detections in found.frames())
    gt = sequence.folder / "gt" / "gt.txt"
    files = SequenceFiles(sequence.name, gt, Path(f"{sequence.name}.txt"), length)
    table = tracked_table(files.results, tracks, found.has_classes)
    return measure_loaded(prepare(files, protocol, truth, table), in_windows)

"""A tracker's results on all sequences, loaded once for scores, events and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tracker.evaluation.evaluator import (
    MeasuredSequence,
    Protocol,
    assemble_checked,
    load_sequence,
    map_each,
    measure_loaded,
)
from tracker.evaluation.events import SequenceEvents, find_events
from tracker.evaluation.intervals import needs_windows
from tracker.evaluation.mot_challenge import SequenceData
from tracker.evaluation.result import EvaluationResult
from tracker.evaluation.sequences import SequenceFiles


@dataclass(frozen=True, slots=True, eq=False)
class TrackerRun:
    """One tracker's results on all sequences.

    Attributes:
        name: As the report shows it.
        result: Its scores.
        data: Its preprocessed sequences.
        events: What happened in each of them.
    """

    name: str
    result: EvaluationResult
    data: list[SequenceData]
    events: list[SequenceEvents]


def load_run(
    name: str,
    gt: str | Path,
    results: str | Path,
    files: Sequence[SequenceFiles],
    protocol: Protocol,
    workers: int = 1,
    intervals: bool = False,
) -> TrackerRun:
    """Evaluate a tracker and keep what the scores were made from.

    Args:
        name: Of the tracker.
        gt: Where the ground truth came from, for errors.
        results: Where the results came from, for errors.
        files: Of its sequences.
        protocol: What is scored.
        workers: As in `evaluate`.
        intervals: As in `evaluate`.

    Raises:
        InputError: As `evaluate`, or several classes are scored.
    """
    load = partial(_load_all, protocol=protocol, in_windows=intervals and needs_windows([one.name for one in files]))
    data, measured, events = zip(*map_each(load, files, workers), strict=True)
    return TrackerRun(name, assemble_checked(measured, gt, results, intervals), list(data), list(events))


def _load_all(
    files: SequenceFiles, protocol: Protocol, in_windows: bool
) -> tuple[SequenceData, MeasuredSequence, SequenceEvents]:
    loaded = load_sequence(files, protocol)
    data = loaded.only()
    return data, measure_loaded(loaded, in_windows), find_events(data)

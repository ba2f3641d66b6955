"""A tracker's results on all sequences, loaded once for scores, events and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tracker.evaluation.evaluator import load_sequence, map_each
from tracker.evaluation.events import SequenceEvents, find_events
from tracker.evaluation.mot_challenge import SequenceData
from tracker.evaluation.result import EvaluationResult
from tracker.evaluation.scores import Scores, combine, measure
from tracker.evaluation.sequences import SequenceFiles, find_sequences


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
    benchmark: str | None = None,
    sequences: Sequence[str] | None = None,
    frames: str | None = None,
    workers: int = 1,
) -> TrackerRun:
    """Evaluate a tracker and keep what the scores were made from; the arguments are those of `evaluate`."""
    files = find_sequences(gt, results, sequences)
    load = partial(_load_all, benchmark=benchmark, frames=frames)
    data, scores, events = zip(*map_each(load, files, workers), strict=True)
    result = EvaluationResult({one.name: score for one, score in zip(data, scores, strict=True)}, combine(list(scores)))
    return TrackerRun(name, result, list(data), list(events))


def _load_all(
    files: SequenceFiles, benchmark: str | None, frames: str | None
) -> tuple[SequenceData, Scores, SequenceEvents]:
    data = load_sequence(files, benchmark, frames)
    return data, measure(data), find_events(data)

"""A tracker's results on all sequences, loaded once for scores, events and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tracker.evaluation.evaluator import load_sequences
from tracker.evaluation.events import SequenceEvents, find_events
from tracker.evaluation.mot_challenge import SequenceData
from tracker.evaluation.result import EvaluationResult
from tracker.evaluation.scores import combine, measure


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
) -> TrackerRun:
    """Evaluate a tracker and keep what the scores were made from; the arguments are those of `evaluate`."""
    data = load_sequences(gt, results, benchmark, sequences, frames)
    scores = {one.name: measure(one) for one in data}
    result = EvaluationResult(scores, combine(list(scores.values())))
    return TrackerRun(name, result, data, [find_events(one) for one in data])

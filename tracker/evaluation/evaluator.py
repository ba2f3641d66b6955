"""From two folders to scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from tracker.errors import InputError
from tracker.evaluation.frame_range import count_from_start, parse_frames, take_frames
from tracker.evaluation.mot_challenge import BENCHMARKS, SequenceData, check_rows, preprocess
from tracker.evaluation.result import EvaluationResult
from tracker.evaluation.scores import Scores, combine, measure
from tracker.evaluation.sequences import SequenceFiles, find_sequences
from tracker.io.mot import GroundTruthRows, read_ground_truth, read_results

Item = TypeVar("Item")
Value = TypeVar("Value")


def evaluate(
    gt: str | Path,
    results: str | Path,
    benchmark: str | None = None,
    sequences: Sequence[str] | None = None,
    workers: int = 1,
    frames: str | None = None,
) -> EvaluationResult:
    """Score tracking results with HOTA, CLEAR and Identity, equal to the official MOTChallenge evaluator.

    Args:
        gt: A folder of sequence folders, one sequence folder, a folder of SEQUENCE.txt, or one gt file.
        results: A folder of SEQUENCE.txt, or one file.
        benchmark: Whose rules to apply: MOT15, MOT16, MOT17, MOT20, DanceTrack, or none (no classes, no distractors).
            Guessed by default, from the name of each sequence and the columns of its ground truth.
        sequences: Only these; by default all that have ground truth.
        workers: Processes to share the sequences out to.
        frames: Only these of each sequence: "A:B", "half-val" or "half-train" (see `parse_frames`). Results may count
            their frames as the whole sequence does, or from the first evaluated one.

    Raises:
        InputError: Something is missing, or breaks the benchmark's rules; with file and line.
    """
    files = find_sequences(gt, results, sequences)
    scores = map_each(partial(_measure_files, benchmark=benchmark, frames=frames), files, workers)
    return EvaluationResult({file.name: score for file, score in zip(files, scores, strict=True)}, combine(scores))


def load_sequences(
    gt: str | Path,
    results: str | Path,
    benchmark: str | None = None,
    sequences: Sequence[str] | None = None,
    frames: str | None = None,
    workers: int = 1,
) -> list[SequenceData]:
    """Read and preprocess what `evaluate` scores; the arguments are its own."""
    load = partial(load_sequence, benchmark=benchmark, frames=frames)
    return map_each(load, find_sequences(gt, results, sequences), workers)


def map_each(function: Callable[[Item], Value], items: Sequence[Item], workers: int) -> list[Value]:
    """Apply a function to sequences or their files, in as many processes as there are workers."""
    if workers > 1 and len(items) > 1:
        from concurrent.futures import ProcessPoolExecutor  # multiprocessing takes as long as a sequence to import

        with ProcessPoolExecutor(min(workers, len(items))) as pool:
            return list(pool.map(function, items))
    return [function(item) for item in items]


def load_sequence(files: SequenceFiles, benchmark: str | None = None, frames: str | None = None) -> SequenceData:
    """Read and preprocess one sequence; the arguments are those of `evaluate`.

    A sequence whose length nothing says ends with the last frame of its two files.
    """
    if benchmark is not None and benchmark not in BENCHMARKS:
        raise InputError(f"expected a benchmark of {', '.join(BENCHMARKS)}, got {benchmark}")
    ground_truth = read_ground_truth(files.ground_truth)
    results = read_results(files.results)
    length = files.length
    if length is None:
        length = int(max(ground_truth.frames.max(initial=0), results.frames.max(initial=0)))
    whole, part = range(1, length + 1), parse_frames(frames, length)
    if part != whole:
        check_rows(ground_truth, whole)
        check_rows(results, whole)
        ground_truth = take_frames(ground_truth, part)
        results = take_frames(count_from_start(results, part), part)
    ground_truth.warn_of_no_size("cannot be found")
    results.warn_of_no_size("match nothing")
    rules = benchmark or guess_benchmark(files.name, ground_truth)
    return preprocess(ground_truth, results, rules, part, files.name)


def guess_benchmark(name: str, ground_truth: GroundTruthRows) -> str:
    """Return the benchmark in a sequence's name; without one, MOT17 if the ground truth has classes, else none."""
    for benchmark in BENCHMARKS:
        if name.lower().startswith(benchmark.lower()):
            return benchmark
    return "MOT17" if ground_truth.has_classes else "none"


def _measure_files(files: SequenceFiles, benchmark: str | None, frames: str | None) -> Scores:
    return measure(load_sequence(files, benchmark, frames))

"""From two folders to scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from tracker.arrays import Floats, Integers
from tracker.errors import InputError
from tracker.evaluation.class_rules import CLASS_RULES, ClassRules, choose_classes, number_results, preprocess_classes
from tracker.evaluation.frame_range import count_from_start, parse_frames
from tracker.evaluation.intervals import frame_sums, needs_windows, video_units, window_units
from tracker.evaluation.labelled_frames import LabelledFrames
from tracker.evaluation.left_out import NOT_LABELLED, OTHER_FRAMES, LeftOut, count_if
from tracker.evaluation.mot_challenge import BENCHMARKS, SequenceData, check_rows, preprocess
from tracker.evaluation.result import EvaluationResult, assemble
from tracker.evaluation.scores import Scores, measure
from tracker.evaluation.sequences import SequenceFiles, find_sequences
from tracker.io.mot import GroundTruthRows
from tracker.io.sequence_table import SequenceTable
from tracker.io.track_formats import FORMATS, read_found, read_truth

Item = TypeVar("Item")
Value = TypeVar("Value")

ALL_BENCHMARKS = (*BENCHMARKS[:-1], *CLASS_RULES, BENCHMARKS[-1])
NO_CLASSES = ""  # the name under which a sequence stands whose classes do not matter


@dataclass(frozen=True, slots=True)
class Protocol:
    """What is scored, and how; the same for all sequences.

    Attributes:
        benchmark: Whose rules to apply, one of ALL_BENCHMARKS; guessed where it is None.
        frames: Which frames of each sequence, as in `parse_frames`; None for all.
        labelled_frames: Which of them were labelled, as in `LabelledFrames`.
        classes: Which classes, by number or name; None for those that the benchmark scores.
        flagged: Score labels with flag 0 too.
    """

    benchmark: str | None = None
    frames: str | None = None
    labelled_frames: str = "auto"
    classes: tuple[str, ...] | None = None
    flagged: bool = False

    @classmethod
    def of(
        cls,
        benchmark: str | None = None,
        frames: str | None = None,
        labelled_frames: str = "auto",
        classes: Sequence[str | int] | None = None,
        flagged: bool = False,
    ) -> Protocol:
        """Return a protocol from the arguments of `evaluate`."""
        return cls(benchmark, frames, labelled_frames, None if classes is None else tuple(map(str, classes)), flagged)


@dataclass(frozen=True, slots=True, eq=False)
class LoadedSequence:
    """One sequence, ready to be scored.

    Attributes:
        name: Of the sequence.
        classes: Name -> what is scored of a class; the one name `NO_CLASSES` where classes do not matter.
        left_out: What is not scored.
        notes: Sentences about what was taken for granted.
    """

    name: str
    classes: dict[str, SequenceData]
    left_out: LeftOut
    notes: tuple[str, ...]

    def only(self) -> SequenceData:
        """Return the data of the one class that is scored.

        Raises:
            InputError: There are several.
        """
        if len(self.classes) != 1:
            raise InputError(
                f"{self.name}: --report and --check show one class, and {len(self.classes)} are scored; choose with "
                f"--classes one of {', '.join(self.classes)}"
            )
        return next(iter(self.classes.values()))


def evaluate(
    gt: str | Path,
    results: str | Path,
    benchmark: str | None = None,
    sequences: Sequence[str] | None = None,
    workers: int = 1,
    frames: str | None = None,
    labelled_frames: str = "auto",
    classes: Sequence[str | int] | None = None,
    flagged: bool = False,
    gt_format: str | None = None,
    results_format: str | None = None,
    intervals: bool = False,
) -> EvaluationResult:
    """Score tracking results with HOTA, CLEAR and Identity, equal to the official MOTChallenge evaluator.

    Args:
        gt: A folder of sequence folders, one sequence folder, a folder of SEQUENCE.txt, or one gt file; or a file or
            folder of another format.
        results: A folder of SEQUENCE.txt, or one file; or a file or folder of another format.
        benchmark: Whose rules to apply: MOT15, MOT16, MOT17, MOT20, DanceTrack, KITTI, BDD100K, VisDrone, or none (no
            classes, no distractors). Guessed by default, from the format, the name of each sequence and the columns of
            its ground truth.
        sequences: Only these; by default all that have ground truth.
        workers: Processes to share the sequences out to.
        frames: Only these of each sequence: "A:B", "half-val" or "half-train" (see `parse_frames`). Results may count
            their frames as the whole sequence does, or from the first evaluated one.
        labelled_frames: Which frames were labelled: only these count. "auto", "all", "every N" or a file (see
            `LabelledFrames`).
        classes: Score these classes, each for itself and all together: numbers of column 8, or names where the labels
            name them. By default those that the benchmark scores, or all that the labels name.
        flagged: Score labels with flag 0 too.
        gt_format: One of `tracker.io.track_formats.FORMAT_NAMES`; told by the files by default.
        results_format: Likewise.
        intervals: Prepare bootstrap intervals: the result has `units` then.

    Raises:
        InputError: Something is missing or breaks the benchmark's rules (with file and line); or nothing is left.
    """
    protocol = Protocol.of(benchmark, frames, labelled_frames, classes, flagged)
    files = find_sequences(gt, results, sequences, gt_format, results_format)
    in_windows = intervals and needs_windows([one.name for one in files])
    measured = map_each(partial(measure_files, protocol=protocol, in_windows=in_windows), files, workers)
    return assemble_checked(measured, gt, results, intervals)


@dataclass(frozen=True, slots=True)
class MeasuredSequence:
    """The scores of one sequence by class, and what `LoadedSequence` says about it.

    Attributes:
        name: Of the sequence.
        scores: By class.
        left_out: What is not scored.
        notes: Sentences about what was taken for granted.
        frame_sums: What the scores of each frame are made of, all classes together; None where nobody asked.
    """

    name: str
    scores: dict[str, Scores]
    left_out: LeftOut
    notes: tuple[str, ...]
    frame_sums: Floats | None = None


def measure_files(files: SequenceFiles, protocol: Protocol, in_windows: bool = False) -> MeasuredSequence:
    """Load one sequence and score it; `in_windows` asks for the sums of each frame."""
    return measure_loaded(load_sequence(files, protocol), in_windows)


def measure_loaded(loaded: LoadedSequence, in_windows: bool = False) -> MeasuredSequence:
    """Score a sequence; the arguments are those of `measure_files`."""
    scores = {name: measure(data) for name, data in loaded.classes.items()}
    sums = np.sum([frame_sums(data) for data in loaded.classes.values()], axis=0) if in_windows else None
    return MeasuredSequence(loaded.name, scores, loaded.left_out, loaded.notes, sums)


def assemble_checked(
    measured: Sequence[MeasuredSequence], gt: str | Path, results: str | Path, intervals: bool = False
) -> EvaluationResult:
    """Put the sequences of an evaluation together.

    Args:
        measured: The sequences.
        gt: Where the ground truth came from.
        results: Where the results came from.
        intervals: Whether the result gets the units of intervals.

    Raises:
        InputError: No label, or of results that are there none, is left to score.
    """
    left_out = LeftOut.total(one.left_out for one in measured)
    _refuse_nothing(left_out, gt, results)
    result = assemble({one.name: one.scores for one in measured}, left_out, _grouped_notes(measured))
    if not intervals:
        return result
    sums = [one.frame_sums for one in measured if one.frame_sums is not None]
    return replace(result, units=window_units(sums) if sums else video_units(result.sequences))


def load_sequences(
    gt: str | Path,
    results: str | Path,
    benchmark: str | None = None,
    sequences: Sequence[str] | None = None,
    frames: str | None = None,
    workers: int = 1,
    labelled_frames: str = "auto",
    classes: Sequence[str | int] | None = None,
    flagged: bool = False,
    gt_format: str | None = None,
    results_format: str | None = None,
) -> list[SequenceData]:
    """Read and preprocess what `evaluate` scores of one class; the arguments are its own.

    Raises:
        InputError: As `evaluate`, or several classes are scored.
    """
    protocol = Protocol.of(benchmark, frames, labelled_frames, classes, flagged)
    files = find_sequences(gt, results, sequences, gt_format, results_format)
    return [loaded.only() for loaded in map_each(partial(load_sequence, protocol=protocol), files, workers)]


def map_each(function: Callable[[Item], Value], items: Sequence[Item], workers: int) -> list[Value]:
    """Apply a function to sequences or their files, in as many processes as there are workers."""
    if workers > 1 and len(items) > 1:
        from concurrent.futures import ProcessPoolExecutor  # multiprocessing takes as long as a sequence to import

        with ProcessPoolExecutor(min(workers, len(items))) as pool:
            return list(pool.map(function, items))
    return [function(item) for item in items]


def load_sequence(files: SequenceFiles, protocol: Protocol) -> LoadedSequence:
    """Read and preprocess one sequence.

    A sequence whose length nothing says ends with the last frame of its two files.

    Raises:
        InputError: As `evaluate`.
    """
    truth = read_truth(files.gt_format, files.ground_truth, files.name, files.top)
    found = read_found(files.results_format, files.results, files.results_name or files.name, files.ground_truth)
    truth.rows.warn_of_no_size("cannot be found")
    found.rows.warn_of_no_size("match nothing")
    return prepare(files, protocol, truth, found)


def prepare(files: SequenceFiles, protocol: Protocol, truth: SequenceTable, found: SequenceTable) -> LoadedSequence:
    """Preprocess one sequence that was read.

    Args:
        files: Name and length of the sequence, and its formats.
        protocol: What is scored.
        truth: The ground truth.
        found: The results.

    Raises:
        InputError: As `evaluate`.
    """
    if protocol.benchmark is not None and protocol.benchmark not in ALL_BENCHMARKS:
        raise InputError(f"expected a benchmark of {', '.join(ALL_BENCHMARKS)}, got {protocol.benchmark}")
    labelled_choice = LabelledFrames(protocol.labelled_frames)
    if protocol.flagged:
        truth = replace(truth, rows=replace(truth.rows, flags=np.ones_like(truth.rows.flags)))
    length = _length(files, truth, found)
    whole, part = range(1, length + 1), parse_frames(protocol.frames, length)
    check_rows(truth.rows, whole)
    check_rows(found.rows, whole)
    if part != whole:
        truth = truth.in_frames(part)
        found = replace(found, rows=count_from_start(found.rows, part)).in_frames(part)
    frames = truth.rows.frames  # ascending
    with_labels = frames[np.flatnonzero(np.diff(frames, prepend=-1))]
    if len(truth.regions):
        with_labels = np.union1d(with_labels, truth.regions.frames)
    labelled, note = labelled_choice.choose(files.name, with_labels, truth.labelled, part)
    notes = [note] if note else []
    elsewhere = LeftOut()
    if labelled is not None:
        truth, found, elsewhere = _keep_labelled(truth, found, labelled)
    return _load_classes(files, protocol, truth, found, (part, labelled, elsewhere, notes))


def _load_classes(
    files: SequenceFiles,
    protocol: Protocol,
    truth: SequenceTable,
    found: SequenceTable,
    place: tuple[range, Integers | None, LeftOut, list[str]],
) -> LoadedSequence:
    part, labelled, elsewhere, notes = place
    said = protocol.benchmark or _benchmark_of(files)
    rules = said or ("" if truth.names else guess_benchmark(files.name, truth.rows))
    if protocol.classes is not None or rules in CLASS_RULES or not rules:
        chosen = choose_classes(protocol.classes, truth.names, CLASS_RULES.get(rules, ClassRules()))
        results, sentence = number_results(found, truth, chosen)
        notes += [sentence] if sentence else []
        classes, left_out = preprocess_classes(truth, results, chosen, rules, part, files.name, labelled)
    else:
        data, left_out = preprocess(
            truth.rows, found.results(), rules, part, files.name, labelled, is_strict=bool(said)
        )
        classes = {NO_CLASSES: data}
    return LoadedSequence(files.name, classes, LeftOut.total([left_out, elsewhere]), tuple(notes))


def _length(files: SequenceFiles, truth: SequenceTable, found: SequenceTable) -> int:
    if files.length is not None:
        return files.length
    if truth.length is not None and truth.labelled is None:
        return truth.length
    return max(int(truth.rows.frames.max(initial=0)), int(found.rows.frames.max(initial=0)), truth.length or 0)


def _keep_labelled(
    truth: SequenceTable, found: SequenceTable, labelled: Integers
) -> tuple[SequenceTable, SequenceTable, LeftOut]:
    labels, results = truth.in_frames(labelled), found.in_frames(labelled)
    count, result_count = len(truth.rows) - len(labels.rows), len(found.rows) - len(results.rows)
    left_out = LeftOut(count, result_count, count_if(OTHER_FRAMES, count), count_if(NOT_LABELLED, result_count))
    return labels, results, left_out


def _benchmark_of(files: SequenceFiles) -> str:
    """Return whose rules the format of the ground truth or the name of the sequence brings, "" for none."""
    if files.gt_format in FORMATS:
        return FORMATS[files.gt_format].benchmark
    return next((one for one in BENCHMARKS if files.name.lower().startswith(one.lower())), "")


def guess_benchmark(name: str, ground_truth: GroundTruthRows) -> str:
    """Return the benchmark in a sequence's name; without one, MOT17 if the ground truth has classes, else none."""
    for benchmark in BENCHMARKS:
        if name.lower().startswith(benchmark.lower()):
            return benchmark
    return "MOT17" if ground_truth.has_classes else "none"


def _refuse_nothing(left_out: LeftOut, gt: str | Path, results: str | Path) -> None:
    if not left_out.label_count:
        raise InputError(f"{gt}: the ground truth has no boxes in the evaluated frames; nothing can be scored")
    if sum(left_out.labels.values()) == left_out.label_count:
        raise InputError(f"{gt}: nothing is left to score; {left_out.lines()[0]}; {left_out.hint()}")
    by_class = sum(n for reason, n in left_out.results.items() if reason.startswith(("of class", "without a class")))
    if left_out.result_count and by_class + left_out.results[NOT_LABELLED] == left_out.result_count:
        raise InputError(
            f"{results}: nothing is left to score; {left_out.lines()[-1]}; results need the classes and frames of the "
            "labels: --classes chooses classes, --benchmark none takes all as one, --labelled-frames all counts every "
            "frame"
        )


def _grouped_notes(measured: Sequence[MeasuredSequence]) -> list[str]:
    """Return each sentence once, after the sequences that it is about."""
    names: dict[str, list[str]] = {}
    for one in measured:
        for note in one.notes:
            names.setdefault(note, []).append(one.name)
    if len(names) > 8:  # say it in short where every sequence has its own
        return [f"{_listed(of)}: {note}" for note, of in list(names.items())[:7]] + [
            f"... and {len(names) - 7} more such lines"
        ]
    return [note if len(of) == len(measured) else f"{_listed(of)}: {note}" for note, of in names.items()]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")

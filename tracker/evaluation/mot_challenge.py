"""MOTChallenge's official preprocessing: which boxes count, before any metric sees them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tracker.arrays import Floats, Integers, Mask
from tracker.evaluation.frame_assignment import assign
from tracker.evaluation.left_out import FLAGGED, ON_DISTRACTORS, LeftOut, count_classes, count_if
from tracker.evaluation.overlaps import EPSILON, Overlaps, find_overlaps
from tracker.io.mot import GroundTruthRows, MotRows, ResultRows

PEDESTRIAN = 1
_CLASSES = range(1, 14)

# Person on vehicle, static person, distractor, reflection; in MOT20 also non-motorised vehicle: a tracker box on one of
# them is neither rewarded nor punished.
DISTRACTORS = {
    "MOT16": (2, 7, 8, 12),
    "MOT17": (2, 7, 8, 12),
    "MOT20": (2, 6, 7, 8, 12),
    "DanceTrack": (2, 7, 8, 12),
}
BENCHMARKS = ("MOT15", *DISTRACTORS, "none")


@dataclass(frozen=True, eq=False)
class SequenceData:
    """Everything the metrics need of one sequence: boxes that count, and how they overlap.

    Attributes:
        name: Of the sequence.
        frames: The evaluated ones; those without boxes count too.
        labelled: (F,) ascending, those of `frames` that were labelled: only these count. None: all.
        gt_frames: (N,) ascending, from 1.
        gt_ids: (N,) dense, 0 .. G-1.
        tracker_frames: (M,) ascending, from 1.
        tracker_ids: (M,) dense, 0 .. K-1.
        overlaps: Pairs of a ground-truth box (first) and a tracker box (second) of the same frame.
        gt_labels: (G,) the ids of the file.
        tracker_labels: (K,) the ids of the file.
        gt_xywh: (N, 4) as in the file.
        tracker_xywh: (M, 4) as in the file.
    """

    name: str
    frames: range
    gt_frames: Integers
    gt_ids: Integers
    tracker_frames: Integers
    tracker_ids: Integers
    overlaps: Overlaps
    gt_labels: Integers
    tracker_labels: Integers
    gt_xywh: Floats
    tracker_xywh: Floats
    labelled: Integers | None = None

    @property
    def frame_count(self) -> int:
        """How many frames count."""
        return len(self.frames if self.labelled is None else self.labelled)

    @cached_property
    def gt_sizes(self) -> Integers:
        """(G,) boxes of each ground-truth identity."""
        return np.bincount(self.gt_ids, minlength=len(self.gt_labels))

    @cached_property
    def tracker_sizes(self) -> Integers:
        """(K,) boxes of each track."""
        return np.bincount(self.tracker_ids, minlength=len(self.tracker_labels))

    @cached_property
    def identity_pairs(self) -> tuple[Integers, Integers, Integers]:
        """The pairs of identities that ever overlap.

        Returns:
            gt ids (Q,), tracker ids (Q,), and for each of the P overlaps the number of its pair.
        """
        key = self.gt_ids[self.overlaps.first] * len(self.tracker_labels) + self.tracker_ids[self.overlaps.second]
        keys, pair = np.unique(key, return_inverse=True)
        tracks = max(len(self.tracker_labels), 1)
        return keys // tracks, keys % tracks, pair


def preprocess(
    ground_truth: GroundTruthRows,
    results: ResultRows,
    benchmark: str,
    frames: range,
    name: str = "",
    labelled: Integers | None = None,
    is_strict: bool = True,
) -> tuple[SequenceData, LeftOut]:
    """Apply the official rules: forgive boxes on distractors, keep the pedestrians that count.

    Args:
        ground_truth: Of one sequence, checked by `check_rows`.
        results: Of the same sequence, likewise.
        benchmark: One of BENCHMARKS. MOT15 and none have no classes: only rows with flag 0 are left out.
        frames: The evaluated ones; both sides may only have these.
        name: Of the sequence.
        labelled: Those of `frames` that count, None for all; both sides may only have these.
        is_strict: Whether a result of another class is an error, as officially; if not, it is left out.

    Returns:
        What is scored, and what is left out.

    Raises:
        InputError: A row breaks a rule of the benchmark (a class that is unknown or, in results, not 1); with file and
            line.
    """
    is_other = results.classes > PEDESTRIAN
    if is_strict:
        _raise_where(is_other, results, "expected class 1 or -1 in column 8 of a result")
    left_out = LeftOut(len(ground_truth), len(results))
    if benchmark in DISTRACTORS and is_other.any():
        left_out.results.update(count_classes(results.classes[is_other]))
        results = results.where(~is_other)
    overlaps = find_overlaps(ground_truth.frames, ground_truth.boxes_xywh, results.frames, results.boxes_xywh)
    counts = ground_truth.flags != 0
    forgiven = np.zeros(len(results), bool)
    if benchmark in DISTRACTORS:
        unknown = ~np.isin(ground_truth.classes, _CLASSES)
        _raise_where(unknown, ground_truth, "expected a class from 1 to 13 in column 8 of the ground truth")
        forgiven = _find_forgiven(ground_truth, results, overlaps, DISTRACTORS[benchmark])
        is_pedestrian = ground_truth.classes == PEDESTRIAN
        left_out.labels.update(count_classes(ground_truth.classes[~is_pedestrian]))
        left_out.labels.update(count_if(FLAGGED, int((is_pedestrian & ~counts).sum())))
        left_out.results.update(count_if(ON_DISTRACTORS, int(forgiven.sum())))
        counts &= is_pedestrian
    else:
        left_out.labels.update(count_if(FLAGGED, int((~counts).sum())))
    return select(ground_truth, results, overlaps, counts, ~forgiven, frames, name, labelled), left_out


def select(
    ground_truth: GroundTruthRows,
    results: ResultRows,
    overlaps: Overlaps,
    counts: Mask,
    kept: Mask,
    frames: range,
    name: str,
    labelled: Integers | None,
) -> SequenceData:
    """Return what is scored of one sequence.

    Args:
        ground_truth: N boxes.
        results: M boxes.
        overlaps: Of all of them.
        counts: (N,) which are scored.
        kept: (M,) which are scored.
        frames: The evaluated ones.
        name: Of the sequence.
        labelled: Those of `frames` that count, None for all.
    """
    gt_labels, gt_ids = np.unique(ground_truth.ids[counts], return_inverse=True)
    tracker_labels, tracker_ids = np.unique(results.ids[kept], return_inverse=True)
    return SequenceData(
        name=name,
        frames=frames,
        gt_frames=ground_truth.frames[counts],
        gt_ids=gt_ids,
        tracker_frames=results.frames[kept],
        tracker_ids=tracker_ids,
        overlaps=overlaps.among(counts, kept),
        gt_labels=gt_labels,
        tracker_labels=tracker_labels,
        gt_xywh=ground_truth.boxes_xywh[counts],
        tracker_xywh=results.boxes_xywh[kept],
        labelled=labelled,
    )


def _find_forgiven(
    ground_truth: GroundTruthRows, results: ResultRows, overlaps: Overlaps, distractors: tuple[int, ...]
) -> Mask:
    """Return (M,) which tracker boxes match a distractor when all ground truth of the frame takes part."""
    close = overlaps.where(overlaps.iou >= 0.5 - EPSILON)
    matched = close.where(assign(ground_truth.frames, results.frames, close.first, close.second, close.iou))
    on_distractor = np.isin(ground_truth.classes[matched.first], distractors)
    forgiven = np.zeros(len(results), bool)
    forgiven[matched.second[on_distractor]] = True
    return forgiven


def check_rows(rows: MotRows, frames: range) -> None:
    """Raise InputError for the first frame outside `frames`, negative id, or id that occurs twice in a frame."""
    out_of_range = (rows.frames < frames.start) | (rows.frames >= frames.stop)
    _raise_where(
        out_of_range, rows, f"expected a frame from {frames.start} to {frames.stop - 1}, as long as the sequence"
    )
    _raise_where(rows.ids < 0, rows, "expected a positive id (is this a detection file?)")
    key = rows.frames * (rows.ids.max(initial=0) + 1) + rows.ids
    order = np.argsort(key, kind="stable")
    repeated = np.flatnonzero(key[order][1:] == key[order][:-1])
    if len(repeated):
        first, second = order[repeated[0]], order[repeated[0] + 1]
        raise rows.row_error(
            second,
            f"id {rows.ids[second]} occurs twice in frame {rows.frames[second]} (first in line {rows.lines[first]}); "
            "an identity has one box a frame",
        )


def _raise_where(is_wrong: Mask, rows: MotRows, expected: str) -> None:
    if is_wrong.any():
        row = int(is_wrong.argmax())
        row_class = f", class {rows.classes[row]}" if isinstance(rows, GroundTruthRows | ResultRows) else ""
        raise rows.row_error(row, f"{expected}, got frame {rows.frames[row]}, id {rows.ids[row]}{row_class}")

"""CLEAR MOT (Bernardin and Stiefelhagen 2008): MOTA and the counts behind it, at IoU 0.5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tracker.arrays import Integers, Mask
from tracker.evaluation.frame_assignment import FrameSolver
from tracker.evaluation.mot_challenge import SequenceData
from tracker.evaluation.overlaps import EPSILON, Overlaps

THRESHOLD = 0.5
_CONTINUITY_BONUS = 1000.0  # keeping a match outweighs any IoU
_MOSTLY_TRACKED, _PARTLY_TRACKED = 0.8, 0.2  # share of an identity's frames


@dataclass(frozen=True, slots=True)
class Clear:
    """Counts of one sequence or several.

    Attributes:
        tp: Matched boxes.
        fn: Ground-truth boxes missed.
        fp: Tracker boxes too many.
        id_switches: Matches whose identity was last matched by another track.
        mostly_tracked: Identities matched in more than 80 % of their frames.
        partly_tracked: In 20 % to 80 %.
        mostly_lost: In less.
        fragmentations: Interruptions of an identity's matches.
        iou_sum: Over the matches.
        has_ground_truth: False for a single sequence without any, whose MOTA officially stays 0.
    """

    tp: int
    fn: int
    fp: int
    id_switches: int
    mostly_tracked: int
    partly_tracked: int
    mostly_lost: int
    fragmentations: int
    iou_sum: float
    has_ground_truth: bool = True

    @property
    def mota(self) -> float:
        """Accuracy: 1 minus all errors per ground-truth box; can be negative."""
        if not self.has_ground_truth:
            return 0.0
        return (self.tp - self.fp - self.id_switches) / max(1, self.tp + self.fn)

    @property
    def motp(self) -> float:
        """Precision: mean IoU of the matches; higher is better."""
        return self.iou_sum / max(1, self.tp)


@dataclass(frozen=True, slots=True, eq=False)
class ClearMatches:
    """Who was matched by whom.

    Attributes:
        pairs: The matched boxes, by frame, then in the order of the file.
        is_switch: (P,) another track than at the identity's last match, however long ago.
        is_restart: (P,) first match of the identity, or first after an interruption.
    """

    pairs: Overlaps
    is_switch: Mask
    is_restart: Mask


def measure_clear(data: SequenceData) -> Clear:
    """Count matches, misses, false positives, switches and interruptions."""
    matches = match_clear(data)
    tp = len(matches.pairs)
    matched_ids = data.gt_ids[matches.pairs.first]
    tracked = np.bincount(matched_ids, minlength=len(data.gt_labels)) / data.gt_sizes
    mostly = int((tracked > _MOSTLY_TRACKED).sum())
    at_least_partly = int((tracked >= _PARTLY_TRACKED).sum())
    return Clear(
        tp=tp,
        fn=len(data.gt_ids) - tp,
        fp=len(data.tracker_ids) - tp,
        id_switches=int(matches.is_switch.sum()),
        mostly_tracked=mostly,
        partly_tracked=at_least_partly - mostly,
        mostly_lost=len(tracked) - at_least_partly,
        fragmentations=int(matches.is_restart.sum()) - len(np.unique(matched_ids)),
        iou_sum=float(matches.pairs.iou.sum()),
        has_ground_truth=len(data.gt_ids) > 0,
    )


def combine_clear(parts: Sequence[Clear]) -> Clear:
    """Combine sequences: everything adds up, the ratios follow."""
    counts = [name for name in Clear.__slots__ if name != "has_ground_truth"]
    return Clear(**{name: sum(getattr(part, name) for part in parts) for name in counts})


def match_clear(data: SequenceData) -> ClearMatches:
    """Match frame by frame at IoU >= 0.5, where a pair matched in the previous frame stays matched.

    "Previous" skips frames in which tracker or ground truth has no box at all: such a gap neither interrupts an
    identity nor ends the preference for its track, as in the official evaluator.
    """
    close = data.overlaps.where(data.overlaps.iou >= THRESHOLD - EPSILON)
    rows, columns = close.first, close.second
    moment, previous_row = _link_boxes(data)
    is_alone = (np.bincount(rows, minlength=1)[rows] == 1) & (np.bincount(columns, minlength=1)[columns] == 1)
    chosen = is_alone.copy()
    track_of_row = np.full(len(data.gt_ids) + 1, -1)  # the last entry stands for "no previous box"
    track_of_row[rows[is_alone]] = data.tracker_ids[columns[is_alone]]
    contested = np.flatnonzero(~is_alone)
    solver = FrameSolver(data.gt_frames, data.tracker_frames)
    frames = data.gt_frames[rows]
    for frame in np.unique(frames[contested]).tolist():
        start, stop = np.searchsorted(frames, [frame, frame + 1])
        row, column = rows[start:stop], columns[start:stop]
        keeps_track = track_of_row[previous_row[row]] == data.tracker_ids[column]
        weights = close.iou[start:stop] + _CONTINUITY_BONUS * keeps_track
        found = start + solver.solve(row, column, weights, np.flatnonzero(~is_alone[start:stop]))
        chosen[found] = True
        track_of_row[rows[found]] = data.tracker_ids[columns[found]]
    return _find_changes(data, close.where(chosen), moment)


def _link_boxes(data: SequenceData) -> tuple[Integers, Integers]:
    """Return the moment of every ground-truth box, and the row of the same identity one moment earlier.

    Moments number the frames in which both sides have boxes. A row without predecessor gets len(gt_ids).
    """
    shared = np.intersect1d(data.gt_frames, data.tracker_frames)
    moment = np.searchsorted(shared, data.gt_frames)
    none = len(data.gt_ids)
    previous = np.full(none, none)
    usable = np.flatnonzero(np.isin(data.gt_frames, shared))
    order = usable[np.argsort(data.gt_ids[usable], kind="stable")]
    before, after = order[:-1], order[1:]
    follows = (data.gt_ids[before] == data.gt_ids[after]) & (moment[before] + 1 == moment[after])
    previous[after[follows]] = before[follows]
    return moment, previous


def _find_changes(data: SequenceData, pairs: Overlaps, moment: Integers) -> ClearMatches:
    order = np.argsort(data.gt_ids[pairs.first], kind="stable")
    identity = data.gt_ids[pairs.first][order]
    track = data.tracker_ids[pairs.second][order]
    time = moment[pairs.first][order]
    goes_on = identity[1:] == identity[:-1]
    is_switch, is_restart = np.zeros(len(pairs), bool), np.ones(len(pairs), bool)
    is_switch[order[1:]] = goes_on & (track[1:] != track[:-1])
    is_restart[order[1:]] = ~(goes_on & (time[1:] == time[:-1] + 1))
    return ClearMatches(pairs, is_switch, is_restart)

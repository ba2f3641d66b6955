"""The figures of py-motmetrics beside ours, and why they differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tracker.evaluation.evaluator import map_each
from tracker.evaluation.mot_challenge import SequenceData
from tracker.evaluation.overlaps import EPSILON
from tracker.evaluation.scores import combine, measure

_THEIRS = {
    "MOTA": "mota",
    "IDF1": "idf1",
    "FP": "num_false_positives",
    "FN": "num_misses",
    "IDSW": "num_switches",
}
DIFFERENCES = (
    "Both see the same boxes: distractors and ignored pedestrians are taken out first, which motmetrics does not do.",
    "IDF1 solves the same problem in both and agrees.",
    "FP, FN: motmetrics keeps the pair of an identity's last match however long ago it was; here (as officially) only "
    "one of the previous frame with boxes is preferred, so that a few boxes are matched otherwise.",
    "IDSW: as those pairs are kept, motmetrics counts fewer switches after gaps; MOTA differs by the sum of the three.",
)


def second_opinion(sequences: Sequence[SequenceData], workers: int = 1) -> list[list[str]]:
    """Evaluate with py-motmetrics and set its figures beside ours, over all sequences together.

    Its own distances fail on numpy 2, so it is given ours: 1 - IoU where IoU >= 0.5.

    Args:
        sequences: Preprocessed, from `load_sequences`.
        workers: Processes to share the sequences out to.

    Returns:
        Table cells: a header and a row for each of MOTA, IDF1, FP, FN, IDSW; DIFFERENCES explains them.
    """
    from motmetrics import metrics  # imports pandas, a second

    accumulators = map_each(_accumulate, sequences, workers)
    names = [data.name for data in sequences]
    host = metrics.create()
    table = host.compute_many(accumulators, metrics=list(_THEIRS.values()), names=names, generate_overall=True)
    theirs = table.loc["OVERALL"]
    ours = combine([measure(data) for data in sequences]).metrics()
    rows = [["", "here", "motmetrics", "difference"]]
    for name, their_name in _THEIRS.items():
        decimals = 4 if name in ("MOTA", "IDF1") else 0
        mine, other = ours[name], float(theirs[their_name])
        rows.append([name, f"{mine:.{decimals}f}", f"{other:.{decimals}f}", f"{other - mine:+.{decimals}f}"])
    return rows


def _accumulate(data: SequenceData) -> Any:
    from motmetrics import MOTAccumulator

    accumulator = MOTAccumulator()
    close = data.overlaps.where(data.overlaps.iou >= 0.5 - EPSILON)
    counted = np.array(data.frames) if data.labelled is None else data.labelled
    numbers = np.append(counted, data.frames.stop)
    gt_starts = np.searchsorted(data.gt_frames, numbers)
    tracker_starts = np.searchsorted(data.tracker_frames, numbers)
    pair_starts = np.searchsorted(data.gt_frames[close.first], numbers)
    for i, number in enumerate(counted.tolist()):
        gt = slice(gt_starts[i], gt_starts[i + 1])
        tracks = slice(tracker_starts[i], tracker_starts[i + 1])
        pairs = slice(pair_starts[i], pair_starts[i + 1])
        distance = np.full((gt.stop - gt.start, tracks.stop - tracks.start), np.nan)
        distance[close.first[pairs] - gt.start, close.second[pairs] - tracks.start] = 1 - close.iou[pairs]
        accumulator.update(data.gt_ids[gt], data.tracker_ids[tracks], distance, frameid=number)
    return accumulator

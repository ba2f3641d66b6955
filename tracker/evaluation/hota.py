"""HOTA, higher order tracking accuracy (Luiten et al. 2021, arXiv 2009.07736): detection and association, balanced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tracker.arrays import Floats, Integers, Mask
from tracker.evaluation.frame_assignment import assign
from tracker.evaluation.mot_challenge import SequenceData
from tracker.evaluation.overlaps import EPSILON

ALPHAS = np.arange(0.05, 0.99, 0.05)  # 19 localisation thresholds


@dataclass(frozen=True, slots=True, eq=False)
class Hota:
    """Counts and scores of one sequence or several, each an array over the 19 alphas.

    Attributes:
        tp: (19,) matches with IoU >= alpha.
        fn: (19,) ground-truth boxes without a match.
        fp: (19,) tracker boxes without a match.
        ass_a: (19,) association accuracy, mean over the matches.
        ass_re: (19,) association recall.
        ass_pr: (19,) association precision.
        loc_a: (19,) mean IoU of the matches, 1 if there are none.
    """

    tp: Floats
    fn: Floats
    fp: Floats
    ass_a: Floats
    ass_re: Floats
    ass_pr: Floats
    loc_a: Floats

    @property
    def det_a(self) -> Floats:
        """(19,) detection accuracy."""
        return self.tp / np.maximum(1, self.tp + self.fn + self.fp)

    @property
    def det_re(self) -> Floats:
        """(19,) detection recall."""
        return self.tp / np.maximum(1, self.tp + self.fn)

    @property
    def det_pr(self) -> Floats:
        """(19,) detection precision."""
        return self.tp / np.maximum(1, self.tp + self.fp)

    @property
    def hota(self) -> Floats:
        """(19,) geometric mean of detection and association accuracy."""
        return np.sqrt(self.det_a * self.ass_a)


def measure_hota(data: SequenceData) -> Hota:
    """Match the boxes of every frame with regard to the whole sequence, and score the matches at every alpha.

    One assignment a frame serves all alphas: it maximises IoU times the alignment of the two identities, which is the
    Jaccard index of their soft co-occurrence over the sequence.
    """
    overlaps = data.overlaps
    gt_of_pair, track_of_pair, pair = data.identity_pairs
    chosen = _match(data)
    matches = _count_at_alphas(pair[chosen], overlaps.iou[chosen], len(gt_of_pair))
    tp = matches.sum(axis=0)
    n_gt = data.gt_sizes[gt_of_pair][:, None]
    n_track = data.tracker_sizes[track_of_pair][:, None]
    per_match = np.maximum(1, tp)
    iou_sum = _count_at_alphas(np.zeros(chosen.sum(), np.int64), overlaps.iou[chosen], 1, overlaps.iou[chosen])[0]
    return Hota(
        tp=tp,
        fn=len(data.gt_ids) - tp,
        fp=len(data.tracker_ids) - tp,
        ass_a=(matches * matches / np.maximum(1, n_gt + n_track - matches)).sum(axis=0) / per_match,
        ass_re=(matches * matches / np.maximum(1, n_gt)).sum(axis=0) / per_match,
        ass_pr=(matches * matches / np.maximum(1, n_track)).sum(axis=0) / per_match,
        loc_a=_mean_iou(iou_sum, tp),
    )


@dataclass(frozen=True, slots=True, eq=False)
class HotaMatches:
    """The matches one by one.

    Attributes:
        first: (P,) the matched boxes of the ground truth.
        iou: (P,) of each match, which counts at the alphas up to it.
        thresholds: (19,) the alphas, with the official tolerance.
        association: (P, 19) the Jaccard index A(c) of each match's two identities, at every alpha.
    """

    first: Integers
    iou: Floats
    thresholds: Floats
    association: Floats


def match_hota(data: SequenceData) -> HotaMatches:
    """Return the matches that `measure_hota` counts."""
    overlaps = data.overlaps
    gt_of_pair, track_of_pair, pair = data.identity_pairs
    chosen = _match(data)
    matches = _count_at_alphas(pair[chosen], overlaps.iou[chosen], len(gt_of_pair))
    union = data.gt_sizes[gt_of_pair][:, None] + data.tracker_sizes[track_of_pair][:, None] - matches
    jaccard = matches / np.maximum(1, union)
    return HotaMatches(overlaps.first[chosen], overlaps.iou[chosen], ALPHAS - EPSILON, jaccard[pair[chosen]])


def combine_hota(parts: Sequence[Hota]) -> Hota:
    """Combine sequences: counts add up, association and localisation are means over all matches."""
    tp = np.sum([part.tp for part in parts], axis=0)
    per_match = np.maximum(1, tp)
    return Hota(
        tp=tp,
        fn=np.sum([part.fn for part in parts], axis=0),
        fp=np.sum([part.fp for part in parts], axis=0),
        ass_a=np.sum([part.ass_a * part.tp for part in parts], axis=0) / per_match,
        ass_re=np.sum([part.ass_re * part.tp for part in parts], axis=0) / per_match,
        ass_pr=np.sum([part.ass_pr * part.tp for part in parts], axis=0) / per_match,
        loc_a=_mean_iou(np.sum([part.loc_a * part.tp for part in parts], axis=0), tp),
    )


def _match(data: SequenceData) -> Mask:
    """Return (P,) which of the overlaps are matches."""
    overlaps = data.overlaps
    gt_of_pair, track_of_pair, pair = data.identity_pairs
    together = _soft_co_occurrence(data)
    sizes = data.gt_sizes[gt_of_pair] + data.tracker_sizes[track_of_pair]
    alignment = together / (sizes - together)
    return assign(data.gt_frames, data.tracker_frames, overlaps.first, overlaps.second, alignment[pair] * overlaps.iou)


def _soft_co_occurrence(data: SequenceData) -> Floats:
    """(Q,) for each pair of identities: how many boxes they share, where a box in doubt is shared out by IoU."""
    overlaps = data.overlaps
    gt_sum = np.bincount(overlaps.first, overlaps.iou, len(data.gt_ids))
    tracker_sum = np.bincount(overlaps.second, overlaps.iou, len(data.tracker_ids))
    share = overlaps.iou / (tracker_sum[overlaps.second] + gt_sum[overlaps.first] - overlaps.iou)
    gt_of_pair, _, pair = data.identity_pairs
    return np.bincount(pair, share, len(gt_of_pair)).astype(np.float64)


def _count_at_alphas(groups: Integers, iou: Floats, group_count: int, weights: Floats | None = None) -> Floats:
    """(G, 19): matches of each group, or the sum of their weights, with IoU >= alpha."""
    level = np.searchsorted(ALPHAS - EPSILON, iou, side="right")  # how many alphas the match passes
    table = np.bincount(groups * (len(ALPHAS) + 1) + level, weights, group_count * (len(ALPHAS) + 1))
    passed = table.reshape(group_count, len(ALPHAS) + 1)[:, ::-1].cumsum(axis=1)[:, ::-1]
    return passed[:, 1:].astype(np.float64)


def _mean_iou(iou_sum: Floats, tp: Floats) -> Floats:
    return np.maximum(1e-10, iou_sum) / np.maximum(1e-10, tp)

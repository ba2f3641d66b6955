"""Identity scores (Ristani et al. 2016, arXiv 1609.01775): one track for each identity over the whole sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tracker.arrays import Integers
from tracker.evaluation.frame_assignment import find_forced, solve_open
from tracker.evaluation.mot_challenge import SequenceData

THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Identity:
    """Counts of one sequence or several.

    Attributes:
        idtp: Boxes matched under the best one-to-one assignment of identities to tracks.
        idfn: Ground-truth boxes left.
        idfp: Tracker boxes left.
    """

    idtp: int
    idfn: int
    idfp: int

    @property
    def idf1(self) -> float:
        """Harmonic mean of recall and precision."""
        return self.idtp / max(1.0, self.idtp + 0.5 * self.idfp + 0.5 * self.idfn)

    @property
    def idr(self) -> float:
        """Share of the ground-truth boxes under their right identity."""
        return self.idtp / max(1, self.idtp + self.idfn)

    @property
    def idp(self) -> float:
        """Share of the tracker boxes under their right identity."""
        return self.idtp / max(1, self.idtp + self.idfp)


def measure_identity(data: SequenceData) -> Identity:
    """Assign identities to tracks so that the most boxes agree (IoU >= 0.5).

    The official problem minimises IDFN + IDFP with a private dummy for everybody; as IDFN = boxes - IDTP on both sides,
    that is the assignment of most common boxes.
    """
    idtp = len(match_identity(data))
    return Identity(idtp, len(data.gt_ids) - idtp, len(data.tracker_ids) - idtp)


def match_identity(data: SequenceData) -> Integers:
    """Return the ground-truth boxes (IDTP,) that their identity's track matches."""
    gt_of_pair, track_of_pair, pair = data.identity_pairs
    close = data.overlaps.iou >= THRESHOLD
    common = np.bincount(pair[close], minlength=len(gt_of_pair)).astype(np.float64)
    chosen, is_open = find_forced(gt_of_pair, track_of_pair, common)
    together = np.zeros(len(gt_of_pair), bool)
    together[chosen] = True
    if is_open.any():
        solution, _ = solve_open(gt_of_pair[is_open], track_of_pair[is_open], common[is_open])
        together[np.flatnonzero(is_open)[solution]] = True
    return data.overlaps.first[close & together[pair]]


def combine_identity(parts: Sequence[Identity]) -> Identity:
    """Combine sequences: everything adds up, the ratios follow."""
    return Identity(*(sum(getattr(part, name) for part in parts) for name in Identity.__slots__))

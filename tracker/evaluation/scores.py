"""The scores of one sequence, their combination over several, and their names in tables and files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tracker.evaluation.clear import Clear, combine_clear, measure_clear
from tracker.evaluation.hota import ALPHAS, Hota, combine_hota, measure_hota
from tracker.evaluation.identity import Identity, combine_identity, measure_identity
from tracker.evaluation.mot_challenge import SequenceData

CURVES = ("HOTA", "DetA", "AssA", "DetRe", "DetPr", "AssRe", "AssPr", "LocA")
PERCENTAGES = (*CURVES, "MOTA", "MOTP", "IDF1", "IDP", "IDR")


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there was to score, after preprocessing.

    Attributes:
        dets: Tracker boxes.
        gt_dets: Ground-truth boxes.
        ids: Tracks.
        gt_ids: Ground-truth identities.
        frames: Frames that count.
    """

    dets: int
    gt_dets: int
    ids: int
    gt_ids: int
    frames: int


@dataclass(frozen=True, slots=True)
class Scores:
    """HOTA, CLEAR and Identity of one sequence, or of several combined.

    Attributes:
        hota: HOTA and what it is made of.
        clear: CLEAR MOT.
        identity: IDF1 and what it is made of.
        counts: Boxes and identities of ground truth and results.
    """

    hota: Hota
    clear: Clear
    identity: Identity
    counts: Counts

    def curves(self) -> dict[str, np.ndarray]:
        """Return the HOTA family by name, each (19,) over the alphas, as fractions."""
        hota = self.hota
        values = (hota.hota, hota.det_a, hota.ass_a, hota.det_re, hota.det_pr, hota.ass_re, hota.ass_pr, hota.loc_a)
        return dict(zip(CURVES, values, strict=True))

    def metrics(self) -> dict[str, float]:
        """Return every figure under its usual name: ratios as fractions, the HOTA family as means over the alphas."""
        clear, identity, counts = self.clear, self.identity, self.counts
        return {
            **{name: float(values.mean()) for name, values in self.curves().items()},
            "MOTA": clear.mota,
            "MOTP": clear.motp,
            "TP": clear.tp,
            "FN": clear.fn,
            "FP": clear.fp,
            "IDSW": clear.id_switches,
            "MT": clear.mostly_tracked,
            "PT": clear.partly_tracked,
            "ML": clear.mostly_lost,
            "Frag": clear.fragmentations,
            "IDF1": identity.idf1,
            "IDP": identity.idp,
            "IDR": identity.idr,
            "IDTP": identity.idtp,
            "IDFN": identity.idfn,
            "IDFP": identity.idfp,
            "Dets": counts.dets,
            "GT_Dets": counts.gt_dets,
            "IDs": counts.ids,
            "GT_IDs": counts.gt_ids,
            "Frames": counts.frames,
        }

    def to_dict(self) -> dict[str, object]:
        """Return `metrics`, with the values over the alphas under "curves", ready for JSON."""
        curves = {name: values.tolist() for name, values in self.curves().items()}
        return {**self.metrics(), "curves": {"alpha": ALPHAS.round(2).tolist(), **curves}}


def measure(data: SequenceData) -> Scores:
    """Score one preprocessed sequence."""
    counts = Counts(
        dets=len(data.tracker_ids),
        gt_dets=len(data.gt_ids),
        ids=len(data.tracker_labels),
        gt_ids=len(data.gt_labels),
        frames=data.frame_count,
    )
    return Scores(measure_hota(data), measure_clear(data), measure_identity(data), counts)


def combine(parts: Sequence[Scores]) -> Scores:
    """Combine sequences as the official COMBINED row does: from summed counts, which is not the mean of the rows."""
    return Scores(
        combine_hota([part.hota for part in parts]),
        combine_clear([part.clear for part in parts]),
        combine_identity([part.identity for part in parts]),
        Counts(*(sum(getattr(part.counts, name) for part in parts) for name in Counts.__slots__)),
    )

"""How sure a score is: bootstrap intervals over videos, or over windows of frames where there are few videos.

All that HOTA, CLEAR and Identity are made of is a sum over matches, and belongs to the frame of its match: a match
counts as a true positive there, and brings the association score of its pair of identities, which is that of the whole
sequence. So the sums of a sequence can be parted into windows, and put together again with other weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tracker.arrays import Floats, Integers
from tracker.evaluation.benchmarks import video_name
from tracker.evaluation.clear import match_clear
from tracker.evaluation.hota import ALPHAS, match_hota
from tracker.evaluation.identity import match_identity
from tracker.evaluation.mot_challenge import SequenceData
from tracker.evaluation.scores import Scores
from tracker.wording import counted

FIGURES = ("HOTA", "DetA", "AssA", "MOTA", "IDF1")
MIN_VIDEOS = 5  # fewer say nothing about the next one
MIN_WINDOWS = 5
_WINDOWS = 20  # over all sequences
_SAMPLES = 10_000
_LEVEL = 0.95
_A = len(ALPHAS)
_COLUMNS = 4 * _A + 7  # HOTA: TP, FN, FP, association, each at every alpha; CLEAR: TP, FN, FP, IDSW; IDTP, IDFN, IDFP


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """What is drawn again and again: videos, or windows of frames.

    Attributes:
        sums: (U, 83) what the scores of each unit are made of.
        kind: What the units are, such as "7 videos".
    """

    sums: Floats
    kind: str


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its interval, as fractions.

    Attributes:
        value: Of all units.
        low: 2.5th percentile.
        high: 97.5th percentile.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{100 * self.value:.1f}, {100 * self.low:.1f} to {100 * self.high:.1f}"

    @property
    def is_clear(self) -> bool:
        """Whether the interval of a difference leaves 0 out."""
        return self.low > 0 or self.high < 0


def needs_windows(names: Sequence[str]) -> bool:
    """Tell whether there are too few videos; sequences of one video with other detections are one."""
    return len({video_name(name) for name in names}) < MIN_VIDEOS


def video_units(scores: Mapping[str, Scores]) -> Units:
    """Return one unit for each video.

    Args:
        scores: By sequence; those of one video with other detections stay together.
    """
    names = [video_name(name) for name in scores]
    videos = list(dict.fromkeys(names))
    sums = np.zeros((len(videos), _COLUMNS))
    for name, one in zip(names, scores.values(), strict=True):
        sums[videos.index(name)] += _sums_of(one)
    return Units(sums, counted(len(videos), "video"))


def window_units(sequences: Sequence[Floats]) -> Units | None:
    """Return one unit for each window of frames, about twenty over all sequences; None if that gives fewer than five.

    Args:
        sequences: The sums of each frame of a sequence (F, 83), as `frame_sums` gives them.
    """
    length = max(1, -(-sum(map(len, sequences)) // _WINDOWS))
    windows = [
        part.sum(axis=0)
        for frames in sequences
        for part in np.array_split(frames, max(1, round(len(frames) / length)))
        if len(part)
    ]
    return (
        Units(np.array(windows), f"{counted(len(windows), 'window')} of {counted(length, 'frame')}")
        if len(windows) >= MIN_WINDOWS
        else None
    )


def frame_sums(data: SequenceData) -> Floats:
    """Return (F, 83) what the scores of a sequence are made of, for each frame that counts."""
    frames = np.array(data.frames) if data.labelled is None else data.labelled
    gt, tracks = np.searchsorted(frames, data.gt_frames), np.searchsorted(frames, data.tracker_frames)
    sums = np.zeros((len(frames), _COLUMNS))
    hota = match_hota(data)
    passes = hota.iou[:, None] >= hota.thresholds  # (P, 19)
    at = gt[hota.first]
    sums[:, :_A] = _by_frame(at, passes.astype(np.float64), len(frames))
    sums[:, _A : 2 * _A] = np.bincount(gt, minlength=len(frames))[:, None] - sums[:, :_A]
    sums[:, 2 * _A : 3 * _A] = np.bincount(tracks, minlength=len(frames))[:, None] - sums[:, :_A]
    sums[:, 3 * _A : 4 * _A] = _by_frame(at, passes * hota.association, len(frames))
    clear = match_clear(data)
    matched = gt[clear.pairs.first]
    idtp = gt[match_identity(data)]
    rest = (
        np.bincount(matched, minlength=len(frames)),
        np.bincount(matched[clear.is_switch], minlength=len(frames)),
        np.bincount(idtp, minlength=len(frames)),
    )
    boxes, found = np.bincount(gt, minlength=len(frames)), np.bincount(tracks, minlength=len(frames))
    tp, switches, same = rest
    sums[:, 4 * _A :] = np.stack([tp, boxes - tp, found - tp, switches, same, boxes - same, found - same], axis=1)
    return sums


def figures(sums: Floats) -> dict[str, Floats]:
    """Return each of FIGURES (B,), as fractions, of sums (B, 83)."""
    tp, fn, fp, association = (sums[:, i * _A : (i + 1) * _A] for i in range(4))
    matched, missed, false, switches, idtp, idfn, idfp = sums[:, 4 * _A :].T
    det_a = tp / np.maximum(1, tp + fn + fp)
    ass_a = association / np.maximum(1, tp)
    return {
        "HOTA": np.sqrt(det_a * ass_a).mean(axis=1),
        "DetA": det_a.mean(axis=1),
        "AssA": ass_a.mean(axis=1),
        "MOTA": (matched - false - switches) / np.maximum(1, matched + missed),
        "IDF1": idtp / np.maximum(1, idtp + 0.5 * idfp + 0.5 * idfn),
    }


def intervals(units: Units, samples: int = _SAMPLES) -> dict[str, Interval]:
    """Return each figure with its 95 % interval: the percentiles over units drawn with replacement.

    Args:
        units: Videos, or windows of frames.
        samples: How often they are drawn.
    """
    drawn = figures(_weights(len(units.sums), samples) @ units.sums)
    values = figures(units.sums.sum(axis=0, keepdims=True))
    return {name: _interval(values[name][0], drawn[name]) for name in FIGURES}


def paired_intervals(units: Units, others: Units, samples: int = _SAMPLES) -> dict[str, Interval]:
    """Return the difference of each figure, the first less the second, with its 95 % interval.

    Args:
        units: Of one tracker.
        others: Of another one, on the same videos or frames; both are drawn together.
        samples: How often.
    """
    weights = _weights(len(units.sums), samples)
    drawn, other = figures(weights @ units.sums), figures(weights @ others.sums)
    value, other_value = (figures(one.sums.sum(axis=0, keepdims=True)) for one in (units, others))
    return {name: _interval(value[name][0] - other_value[name][0], drawn[name] - other[name]) for name in FIGURES}


def compared(name: str, other: str, figure: str, difference: Interval, kind: str) -> str:
    """Return the sentence about a difference.

    Args:
        name: One tracker.
        other: The other one.
        figure: One of `FIGURES`.
        difference: The first less the second, as a fraction.
        kind: What was drawn, as text.

    >>> compared("scene", "bytetrack", "HOTA", Interval(0.043, 0.021, 0.06), "7 videos")
    'scene beats bytetrack by 4.3 HOTA, 2.1 to 6.0 (95 %, 7 videos)'
    >>> compared("scene", "sort", "HOTA", Interval(0.004, -0.003, 0.012), "7 videos")
    'scene and sort: 0.4 HOTA apart, -0.3 to 1.2 (95 %, 7 videos): which is better is not clear'
    """
    if not difference.is_clear:
        return f"{name} and {other}: {_apart(difference, figure)} (95 %, {kind}): which is better is not clear"
    if difference.value < 0:
        name, other = other, name
        difference = Interval(-difference.value, -difference.high, -difference.low)
    ends = f"{100 * difference.low:.1f} to {100 * difference.high:.1f}"
    return f"{name} beats {other} by {100 * difference.value:.1f} {figure}, {ends} (95 %, {kind})"


def _apart(difference: Interval, figure: str) -> str:
    ends = f"{100 * difference.low:.1f} to {100 * difference.high:.1f}"
    return f"{100 * difference.value:.1f} {figure} apart, {ends}"


def _interval(value: float, drawn: Floats) -> Interval:
    low, high = np.quantile(drawn, ((1 - _LEVEL) / 2, (1 + _LEVEL) / 2))
    return Interval(float(value), float(low), float(high))


def _weights(units: int, samples: int) -> Floats:
    """Return (B, U) how often each unit is drawn; the same for every tracker."""
    random = np.random.default_rng(0)
    return random.multinomial(units, np.full(units, 1 / units), samples).astype(np.float64)


def _by_frame(frames: Integers, values: Floats, count: int) -> Floats:
    """Sum values (P, C) by frame (P,): (count, C)."""
    columns = [np.bincount(frames, column, count) for column in values.T]
    return np.stack(columns, axis=1) if columns else np.zeros((count, 0))


def _sums_of(scores: Scores) -> Floats:
    hota, clear, identity = scores.hota, scores.clear, scores.identity
    counts = (clear.tp, clear.fn, clear.fp, clear.id_switches, identity.idtp, identity.idfn, identity.idfp)
    return np.concatenate([hota.tp, hota.fn, hota.fp, hota.ass_a * hota.tp, np.array(counts, np.float64)])

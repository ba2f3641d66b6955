"""What happened to every ground-truth identity: who tracked it when, where it was lost, where its id switched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tracker.arrays import Integers
from tracker.evaluation.clear import ClearMatches, match_clear
from tracker.evaluation.mot_challenge import SequenceData


class Span(NamedTuple):
    """Frames without interruption, first and last included.

    Attributes:
        identity: Id in the ground truth.
        track: Id of the track that matched it; 0 where the span only says that it is there.
        first: Frame.
        last: Frame.
    """

    identity: int
    track: int
    first: int
    last: int


class Switch(NamedTuple):
    """An identity goes on under another track.

    Attributes:
        identity: Id in the ground truth.
        frame: First frame of the new track.
        track: The new track.
        previous_frame: Last frame of the old one.
        previous_track: The old track.
    """

    identity: int
    frame: int
    track: int
    previous_frame: int
    previous_track: int


class Gap(NamedTuple):
    """An identity is lost and found again (a fragmentation).

    Attributes:
        identity: Id in the ground truth.
        first: First frame without match.
        last: Last frame without match.
    """

    identity: int
    first: int
    last: int


@dataclass(frozen=True, slots=True, eq=False)
class SequenceEvents:
    """The matches at IoU >= 0.5 (CLEAR) of one sequence as a story.

    Attributes:
        name: Of the sequence.
        frames: The evaluated ones.
        present: When each identity is there, by identity and frame.
        matched: When it is matched by which track, by identity and frame.
        switches: By frame.
        gaps: By identity and frame.
        misses: (F,) missed ground-truth boxes of each evaluated frame.
        false_positives: (F,) unmatched tracker boxes of each evaluated frame.
        false_positive_tracks: Tracks with false positives and the number of these, most first.
    """

    name: str
    frames: range
    present: list[Span]
    matched: list[Span]
    switches: list[Switch]
    gaps: list[Gap]
    misses: Integers
    false_positives: Integers
    false_positive_tracks: list[tuple[int, int]]

    def matched_share(self) -> dict[int, float]:
        """Return for each identity the share of its boxes that were matched."""
        present = _length_by_identity(self.present)
        matched = _length_by_identity(self.matched)
        return {identity: matched.get(identity, 0) / length for identity, length in present.items()}


def _length_by_identity(spans: list[Span]) -> dict[int, int]:
    lengths: dict[int, int] = {}
    for span in spans:
        lengths[span.identity] = lengths.get(span.identity, 0) + span.last - span.first + 1
    return lengths


def find_events(data: SequenceData) -> SequenceEvents:
    """Match a sequence as CLEAR does and tell what happened."""
    matches = match_clear(data)
    first, second = matches.pairs.first, matches.pairs.second
    identity = data.gt_labels[data.gt_ids]
    track = data.tracker_labels[data.tracker_ids]
    is_missed, is_false = np.ones(len(identity), bool), np.ones(len(track), bool)
    is_missed[first], is_false[second] = False, False
    false_tracks, boxes = np.unique(track[is_false], return_counts=True)
    most_first = np.argsort(-boxes, kind="stable")
    return SequenceEvents(
        name=data.name,
        frames=data.frames,
        present=_spans(identity, np.zeros(len(identity), np.int64), data.gt_frames),
        matched=_spans(identity[first], track[second], data.gt_frames[first]),
        switches=_switches(data, matches),
        gaps=_gaps(data, matches),
        misses=_count_by_frame(data.gt_frames[is_missed], data.frames),
        false_positives=_count_by_frame(data.tracker_frames[is_false], data.frames),
        false_positive_tracks=list(zip(false_tracks[most_first].tolist(), boxes[most_first].tolist(), strict=True)),
    )


def _count_by_frame(frames: Integers, evaluated: range) -> Integers:
    return np.bincount(frames - evaluated.start, minlength=len(evaluated))


def _spans(identity: Integers, track: Integers, frame: Integers) -> list[Span]:
    order = np.lexsort((frame, identity))
    identity, track, frame = identity[order], track[order], frame[order]
    goes_on = (identity[1:] == identity[:-1]) & (track[1:] == track[:-1]) & (frame[1:] == frame[:-1] + 1)
    starts = np.flatnonzero(np.concatenate([[True], ~goes_on])[: len(frame)])
    stops = np.concatenate([starts[1:], [len(frame)]])[: len(starts)] - 1
    columns = (identity[starts], track[starts], frame[starts], frame[stops])
    return [Span(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _previous_match(identity: Integers) -> Integers:
    """Return for each match (by frame) the number of the identity's match before it, -1 if it is the first."""
    order = np.argsort(identity, kind="stable")
    previous = np.full(len(identity), -1)
    same = identity[order][1:] == identity[order][:-1]
    previous[order[1:][same]] = order[:-1][same]
    return previous


def _switches(data: SequenceData, matches: ClearMatches) -> list[Switch]:
    first, second = matches.pairs.first, matches.pairs.second
    identity = data.gt_labels[data.gt_ids[first]]
    track = data.tracker_labels[data.tracker_ids[second]]
    frame = data.gt_frames[first]
    now = np.flatnonzero(matches.is_switch)
    before = _previous_match(identity)[now]
    columns = (identity[now], frame[now], track[now], frame[before], track[before])
    return [Switch(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _gaps(data: SequenceData, matches: ClearMatches) -> list[Gap]:
    identity = data.gt_labels[data.gt_ids[matches.pairs.first]]
    frame = data.gt_frames[matches.pairs.first]
    previous = _previous_match(identity)
    found = np.flatnonzero(matches.is_restart & (previous >= 0))
    columns = (identity[found], frame[previous[found]] + 1, frame[found] - 1)
    return sorted(Gap(*row) for row in zip(*(column.tolist() for column in columns), strict=True))

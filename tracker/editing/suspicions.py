"""Places where a tracker may have taken one object for another, from its boxes alone, the most suspicious first.

Five kinds. A *gap*: a track ends where another begins a little later. A *jump*: a track goes on where its object cannot
have got to. A *takeover*: a track begins where the object of another one should be, which goes on elsewhere. A
*crossing*: two tracks overlap, and which of them goes on as which is not clear from how they moved, or speaks against
what the tracker took. A *duplicate*: one track lies on another for most of its life. Each comes with its alternatives,
as edits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tracker.arrays import Floats, Integers, Mask
from tracker.boxes import overlapping_pairs
from tracker.editing.edits import Delete, Edit, Merge, Split, Swap
from tracker.io.mot import ResultRows

MAX_GAP_SECONDS = 2.0
VELOCITY_SECONDS = 0.4  # of a track that its velocity is measured over
MAX_PREDICTION_SECONDS = 0.7  # an object goes on as it was for so long; then it is expected to stay
POSITION_SIGMA = 0.3  # of a box height, how far an object is from where it was expected
SPEED_SIGMA = 0.7  # box heights a second more, for the time it was not seen
MIN_OVERLAP = 0.25  # IoU from which two tracks may take each other's object
DUPLICATE_OVERLAP, DUPLICATE_SHARE, DUPLICATE_FRAMES = 0.6, 0.6, 5
MIN_SCORES = {"gap": 0.25, "jump": 0.75, "takeover": 0.35, "crossing": 0.4, "duplicate": 0.0}
MAX_COUNT = 1000


@dataclass(frozen=True, slots=True)
class Alternative:
    """What a place may be: a name for it, and the edits that make it so; none where the tracker was right."""

    name: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A place to look at.

    Attributes:
        kind: gap, jump, takeover, crossing or duplicate.
        score: In [0, 1]; 1 is most likely a mistake.
        frame: Where to look.
        ids: The tracks in question.
        alternatives: The first leaves all as it is.
    """

    kind: str
    score: float
    frame: int
    ids: tuple[int, ...]
    alternatives: tuple[Alternative, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON objects, for a page."""
        return {
            "kind": self.kind,
            "score": round(self.score, 3),
            "frame": self.frame,
            "ids": list(self.ids),
            "alternatives": [
                {"name": one.name, "edits": [edit.as_json() for edit in one.edits]} for one in self.alternatives
            ],
        }


def find_suspicions(rows: ResultRows, frame_rate: float) -> list[Suspicion]:
    """Return the suspicious places of a tracker's output, at most `MAX_COUNT`, by falling score.

    Args:
        rows: At most one box a track and frame.
        frame_rate: Frames a second.
    """
    if not len(rows):
        return []
    paths = _Paths(rows, frame_rate)
    found = [*_gaps(paths), *_jumps(paths), *_takeovers(paths), *_overlaps(paths)]
    kept = [one for one in found if one.score >= MIN_SCORES[one.kind]]
    return sorted(kept, key=lambda one: (-one.score, one.frame, one.ids))[:MAX_COUNT]


class _Paths:
    """All tracks as columns sorted by id, then frame.

    Attributes:
        rate: Frames a second.
        span: Frames that a velocity is measured over.
        frames: (N,) int64.
        ids: (N,) int64.
        boxes: (N, 4) float64 xyxy.
        centres: (N, 2) float64.
        heights: (N,) float64.
        firsts: (T,) int64, row at which each track begins.
        lasts: (T,) int64, row at which it ends.
        tracks: (N,) int64, number of the track of each row, from 0.
    """

    def __init__(self, rows: ResultRows, frame_rate: float) -> None:
        order = np.lexsort((rows.frames, rows.ids))
        self.rate, self.span = frame_rate, max(round(VELOCITY_SECONDS * frame_rate), 1)
        self.frames, self.ids = rows.frames[order], rows.ids[order]
        xywh = rows.boxes_xywh[order]
        self.boxes = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
        self.centres = xywh[:, :2] + xywh[:, 2:] / 2
        self.heights = np.maximum(xywh[:, 3], 1.0)
        changes = np.flatnonzero(np.diff(self.ids)) + 1
        self.firsts = np.concatenate([[0], changes])
        self.lasts = np.concatenate([changes, [len(self.ids)]]) - 1
        self.tracks = np.repeat(np.arange(len(self.firsts)), self.lasts - self.firsts + 1)

    def velocities(self, at: Integers, backwards: bool = False) -> Floats:
        """Return (K, 2) pixels a frame of the tracks at rows (K,), over the time before them, or after them."""
        other = np.clip(
            at + self.span if backwards else at - self.span, self.firsts[self.tracks[at]], self.lasts[self.tracks[at]]
        )
        steps = (self.frames[at] - self.frames[other]).astype(np.float64)
        moved = self.centres[at] - self.centres[other]
        return np.divide(moved, steps[:, None], out=np.zeros_like(moved), where=steps[:, None] != 0)

    def predicted(self, at: Integers, frames: Integers, backwards: bool = False) -> Floats:
        """Return (K, 2) where the objects of rows (K,) are expected in other frames (K,)."""
        limit = MAX_PREDICTION_SECONDS * self.rate
        steps = np.clip(frames - self.frames[at], -limit, limit)
        return self.centres[at] + self.velocities(at, backwards) * steps[:, None]

    def misfit(self, before: Integers, after: Integers) -> Floats:
        """Return (K,) how badly the object of one row fits that of a later one, in standard deviations."""
        height = np.minimum(self.heights[before], self.heights[after])
        forwards = np.linalg.norm(self.predicted(before, self.frames[after]) - self.centres[after], axis=1)
        back = np.linalg.norm(self.predicted(after, self.frames[before], True) - self.centres[before], axis=1)
        seconds = np.abs(self.frames[after] - self.frames[before]) / self.rate
        return np.asarray((forwards + back) / 2 / height / (POSITION_SIGMA + SPEED_SIGMA * seconds))

    def last_within(self, track: int, first: int, last: int) -> int | None:
        """Return the last row of a track in the frames from first to last, both included; None where it has none."""
        start, end = self.firsts[track], self.lasts[track] + 1
        place = start + int(np.searchsorted(self.frames[start:end], last, side="right")) - 1
        return place if place >= start and self.frames[place] >= first else None


def _gaps(paths: _Paths) -> list[Suspicion]:
    ends, starts = paths.lasts, paths.firsts
    order = np.argsort(paths.frames[starts], kind="stable")
    begins = paths.frames[starts[order]]
    low = np.searchsorted(begins, paths.frames[ends], side="right")
    high = np.searchsorted(begins, paths.frames[ends] + MAX_GAP_SECONDS * paths.rate, side="right")
    counts = np.maximum(high - low, 0)
    one = np.repeat(np.arange(len(ends)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    two = order[np.repeat(low, counts) + within]
    before, after = ends[one], starts[two]
    ratio = np.minimum(paths.heights[before], paths.heights[after]) / np.maximum(
        paths.heights[before], paths.heights[after]
    )
    seconds = (paths.frames[after] - paths.frames[before]) / paths.rate
    scores = np.exp(-(paths.misfit(before, after) ** 2) / 2) * ratio**2 * np.exp(-seconds / MAX_GAP_SECONDS)
    best = _mutually_best(one, two, scores, len(ends))
    return [
        Suspicion(
            "gap",
            float(scores[k]),
            int(paths.frames[after[k]]),
            (int(paths.ids[before[k]]), int(paths.ids[after[k]])),
            (
                Alternative("two objects", ()),
                Alternative("one object", (Merge(int(paths.ids[before[k]]), int(paths.ids[after[k]])),)),
            ),
        )
        for k in np.flatnonzero(best).tolist()
    ]


def _mutually_best(one: Integers, two: Integers, scores: Floats, count: int) -> Mask:
    """Return the pairs (K,) of which each side has no better one."""
    best_of_one, best_of_two = np.zeros(count), np.zeros(count)
    np.maximum.at(best_of_one, one, scores)
    np.maximum.at(best_of_two, two, scores)
    return np.asarray((scores > 0) & (scores == best_of_one[one]) & (scores == best_of_two[two]))


def _jumps(paths: _Paths) -> list[Suspicion]:
    before = np.flatnonzero(paths.ids[1:] == paths.ids[:-1])
    after = before + 1
    scores = 1 - np.exp(-(paths.misfit(before, after) ** 2) / 4)
    new_id = int(paths.ids.max()) + 1
    found = []
    for k in np.flatnonzero(scores >= MIN_SCORES["jump"]).tolist():
        identity, frame = int(paths.ids[after[k]]), int(paths.frames[after[k]])
        found.append(
            Suspicion(
                "jump",
                float(scores[k]),
                frame,
                (identity,),
                (
                    Alternative("one object", ()),
                    Alternative("two objects", (Split(identity, frame, new_id),)),
                ),
            )
        )
    return found


def _takeovers(paths: _Paths) -> list[Suspicion]:
    """Return where a track begins at the place of one that lives on, and may have gone over to another object."""
    found = []
    new_id = int(paths.ids.max()) + 1
    opening = paths.frames[paths.firsts].min()
    lives = paths.frames[paths.firsts], paths.frames[paths.lasts]
    for begun in paths.firsts[paths.frames[paths.firsts] > opening].tolist():
        frame = int(paths.frames[begun])
        others = np.flatnonzero((lives[0] < frame - paths.span) & (lives[1] > frame))
        before = [paths.last_within(int(track), frame - 2 * paths.span, frame - paths.span) for track in others]
        after = [paths.last_within(int(track), frame, frame + paths.span) for track in others]
        rows = np.array([(a, b) for a, b in zip(before, after, strict=True) if a is not None and b is not None])
        if not len(rows):
            continue
        misfit = paths.misfit(rows[:, 0], np.full(len(rows), begun))
        own = paths.misfit(rows[:, 0], rows[:, 1])
        scores = np.exp(-(misfit**2) / 2) / (1 + np.exp(np.clip((misfit**2 - own**2) / 2, -50, 50)))
        best = int(scores.argmax())
        if scores[best] >= MIN_SCORES["takeover"]:
            old, new = int(paths.ids[rows[best, 0]]), int(paths.ids[begun])
            edits = (Split(old, frame, new_id), Merge(old, new))
            found.append(
                Suspicion(
                    "takeover",
                    float(scores[best]),
                    frame,
                    (old, new),
                    (Alternative("two objects", ()), Alternative(f"{old} is {new} from here on", edits)),
                )
            )
    return found


def _overlaps(paths: _Paths) -> list[Suspicion]:
    """Return crossings and duplicates: what there is to say of two tracks that overlap."""
    order = np.argsort(paths.frames, kind="stable")
    bounds = np.flatnonzero(np.diff(paths.frames[order])) + 1
    rows_one, rows_two, ious = [], [], []
    for rows in np.split(order, bounds):
        if len(rows) < 2:
            continue
        boxes = paths.boxes[rows]
        one, two, iou = overlapping_pairs(boxes, boxes, MIN_OVERLAP)
        kept = (one < two) & (iou >= MIN_OVERLAP)
        rows_one.append(rows[one[kept]])
        rows_two.append(rows[two[kept]])
        ious.append(iou[kept])
    if not rows_one:
        return []
    one, two, iou = np.concatenate(rows_one), np.concatenate(rows_two), np.concatenate(ious)
    if not len(one):
        return []
    swapped = paths.ids[one] > paths.ids[two]
    one, two = np.where(swapped, two, one), np.where(swapped, one, two)
    tracks_one, tracks_two = paths.tracks[one], paths.tracks[two]
    order = np.lexsort((paths.frames[one], tracks_two, tracks_one))
    one, two, iou, tracks_one, tracks_two = one[order], two[order], iou[order], tracks_one[order], tracks_two[order]
    new_pair = (np.diff(tracks_one) != 0) | (np.diff(tracks_two) != 0)
    later = np.diff(paths.frames[one]) > VELOCITY_SECONDS * paths.rate
    found = []
    for pair in np.split(np.arange(len(one)), np.flatnonzero(new_pair) + 1):
        duplicate = _duplicate(paths, one[pair], two[pair], iou[pair])
        if duplicate is not None:
            found.append(duplicate)
            continue
        parts = np.split(pair, np.flatnonzero(later[pair[:-1]]) + 1)
        found += filter(None, (_crossing(paths, one[part], two[part]) for part in parts))
    return found


def _duplicate(paths: _Paths, one: Integers, two: Integers, iou: Floats) -> Suspicion | None:
    sizes = [
        int(paths.lasts[track] - paths.firsts[track]) + 1 for track in (paths.tracks[one[0]], paths.tracks[two[0]])
    ]
    together = int((iou >= DUPLICATE_OVERLAP).sum())
    if together < DUPLICATE_FRAMES or together < DUPLICATE_SHARE * min(sizes):
        return None
    ids = (int(paths.ids[one[0]]), int(paths.ids[two[0]]))
    shorter, longer = ids if sizes[0] < sizes[1] else ids[::-1]
    frame = int(paths.frames[one[iou >= DUPLICATE_OVERLAP][0]])
    gone = Alternative(f"one object, {longer}", (Delete(shorter),))
    return Suspicion("duplicate", together / min(sizes), frame, ids, (Alternative("two objects", ()), gone))


def _crossing(paths: _Paths, one: Integers, two: Integers) -> Suspicion | None:
    first, last = int(paths.frames[one[0]]), int(paths.frames[one[-1]])
    tracks = int(paths.tracks[one[0]]), int(paths.tracks[two[0]])
    found = [
        paths.last_within(track, *frames)
        for frames in ((0, first - 1), (last + 1, last + paths.span))
        for track in tracks
    ]
    if None in found:
        return None
    one_before, two_before, one_after, two_after = (np.array([row]) for row in found)
    straight = (paths.misfit(one_before, one_after) ** 2 + paths.misfit(two_before, two_after) ** 2)[0]
    exchanged = (paths.misfit(one_before, two_after) ** 2 + paths.misfit(two_before, one_after) ** 2)[0]
    score = float(1 / (1 + np.exp(np.clip((exchanged - straight) / 2, -50, 50))))
    ids = (int(paths.ids[one[0]]), int(paths.ids[two[0]]))
    frame = (first + last + 1) // 2
    return Suspicion(
        "crossing",
        score,
        frame,
        ids,
        (
            Alternative("each went on", ()),
            Alternative("ids exchanged", (Swap(ids[0], ids[1], frame),)),
        ),
    )

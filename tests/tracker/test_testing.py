"""The contract holds for our trackers, and is broken by what breaks it."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from tracker import TRACKERS, Detections, SortTracker, Tracks, make_tracker
from tracker.testing import CONTRACT, BrokenContractError, check_tracker


@pytest.mark.parametrize("name", TRACKERS)
def test_our_trackers_keep_the_contract(name):
    check_tracker(functools.partial(make_tracker, name))


class Nearest:
    """A tracker of one's own that knows nothing of ours: it joins boxes whose left edges are near."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.known, self.next = {}, 1

    def update(self, detections):
        ids = []
        for box, label in zip(detections.boxes.tolist(), detections.labels.tolist(), strict=True):
            near = [i for i, (left, kind) in self.known.items() if abs(left - box[0]) < 12 and kind == label]
            ids.append(near[0] if near else self.next)
            self.next += not near
            self.known[ids[-1]] = (box[0], label)
        order = np.arange(len(detections))
        return Tracks(np.array(ids, np.int64), detections.boxes.copy(), detections.scores, detections.labels, order)


def test_a_tracker_of_ones_own_may_have_two_methods_only():
    check_tracker(Nearest)


def broken(update=None, **methods):
    """Return a SORT of which one method is other."""
    return type("Broken", (SortTracker,), {"update": update or SortTracker.update, **methods})


def changed(**values):
    def update(self, detections, frame=None, time=None):
        tracks = SortTracker.update(self, detections, frame, time)
        new = {name: make(tracks) for name, make in values.items()}
        return Tracks(
            *(new.get(name, getattr(tracks, name)) for name in ("ids", "boxes", "scores", "labels", "indices"))
        )

    return update


def in_place(self, detections, frame=None, time=None):
    detections.boxes[:] += 0.5
    return SortTracker.update(self, detections, frame, time)


def by_row(self, detections, frame=None, time=None):
    rows = np.arange(len(detections))
    return Tracks(rows + 1, detections.boxes.copy(), detections.scores, detections.labels, rows)


def endless(self, detections, frame=None, time=None):
    last = vars(self).setdefault("last", Tracks.empty())
    tracks = SortTracker.update(self, detections, frame, time)
    self.last = tracks if len(tracks) else last
    return self.last


def ignoring_time(self, detections, frame=None, time=None):
    return SortTracker.update(self, detections, frame)


BROKEN = {
    "frames without detections": broken(endless),
    "input unchanged": broken(in_place),
    "order does not matter": broken(by_row),
    "gap in time": broken(ignoring_time),
    "reset": broken(reset=lambda self: SortTracker.reset(self) if not hasattr(self, "_updates") else None),
    "deepcopy": broken(__deepcopy__=lambda self, memo: type(self)()),
    "pickle": broken(__reduce__=lambda self: (SortTracker, ())),
    "state_dict": broken(load_state_dict=lambda self, state: None),
    "ids": broken(changed(ids=lambda tracks: tracks.ids - 1)),
    "indices": broken(changed(indices=lambda tracks: tracks.indices + 1)),
    "class kept": broken(changed(labels=lambda tracks: tracks.labels * 0)),
    "boxes of no size": broken(changed(boxes=lambda tracks: tracks.boxes[:, [2, 3, 0, 1]])),
}


@pytest.mark.parametrize("point", BROKEN)
def test_what_breaks_a_point_is_found(point):
    with pytest.raises(BrokenContractError, match=rf"breaks \d+ of {len(CONTRACT)} points(.|\n)*- {point}: "):
        check_tracker(BROKEN[point])


def test_a_tracker_that_fails_without_scores_or_at_all():
    def picky(self, detections, frame=None, time=None):
        if (detections.scores == 1).all() and len(detections):
            raise RuntimeError("no scores")
        return SortTracker.update(self, detections, frame, time)

    with pytest.raises(BrokenContractError, match="- missing scores: it raised RuntimeError: no scores"):
        check_tracker(broken(picky))


def test_a_point_that_need_not_hold_is_skipped():
    check_tracker(BROKEN["gap in time"], skip=["gap in time", "pickle"])  # a class of a test cannot be pickled
    with pytest.raises(ValueError, match="there is no point 'gaps'"):
        check_tracker(SortTracker, skip=["gaps"])


def test_nan_never_becomes_a_detection():
    with pytest.raises(Exception, match="finite"):
        Detections([[0, 0, np.nan, 5]], [0.5])

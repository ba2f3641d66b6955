"""A contract that every tracker keeps, ours and a user's own: `check_tracker(MyTracker)` in a test.

    from tracker.testing import check_tracker

    def test_my_tracker():
        check_tracker(MyTracker)

Every point that fails is named with a sentence.
"""

from __future__ import annotations

import copy
import functools
import inspect
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from tracker.arrays import Array, Image
from tracker.detections import Detections, Tracks
from tracker.errors import InputError
from tracker.wording import counted

_EMBEDDING_DIM = 16
_SIZE = (480, 640)  # height, width of the frames
_FRAMES = 24


class TrackerLike(Protocol):
    """What `check_tracker` takes for a tracker: anything with these two methods.

    `update` may also take `frame` and `time`; `state_dict` and `load_state_dict` are checked where they exist.
    """

    def update(self, detections: Detections) -> Tracks:
        """Take the detections of the next frame and return the objects that are followed in it."""

    def reset(self) -> None:
        """Forget everything."""


class BrokenContractError(AssertionError):
    """A tracker breaks the contract; the message lists every point that fails."""


def check_tracker(factory: Callable[[], TrackerLike], *, skip: Sequence[str] = ()) -> None:
    """Run a tracker over small scenes and check what everybody may expect of one.

    The points of the contract, by name:

    - `frames without detections`: they are taken, at the start and in between, and time goes on.
    - `boxes of no size`: they neither raise anything but InputError nor give boxes that end before they start.
    - `missing scores`: detections without scores, which are 1, are tracked.
    - `nan refused`: boxes or scores that are NaN or infinite never come out of a tracker.
    - `input unchanged`: the arrays of the detections are as before.
    - `order does not matter`: the same detections in another order give the same boxes and ids.
    - `gap in time`: where `update` takes `time`, a gap of ten seconds is taken, and time that runs back an InputError.
    - `reset`: afterwards the tracker does what a new one does.
    - `deepcopy` and `pickle`: a copy made in the middle goes on as the tracker does.
    - `state_dict`: likewise a new tracker that loads the state, which holds plain numbers, text and arrays.
    - `ids`: whole numbers from 1, each once a frame; somebody who is plainly seen keeps the id.
    - `indices`: each points at a detection of this frame or is -1, no two at the same one.
    - `class kept`: a track has the class of its detections.

    Args:
        factory: Makes a new tracker; the class itself, or a function without arguments.
        skip: Names of points that do not hold for this tracker, and need not.

    Raises:
        BrokenContractError: Points that do not hold, each in a sentence.
        ValueError: `skip` has a name that is no point.
    """
    if unknown := [name for name in skip if name not in CONTRACT]:
        raise ValueError(f"there is no point {unknown[0]!r} in the contract; there are {', '.join(CONTRACT)}")
    broken = []
    for name, check in CONTRACT.items():
        if name in skip:
            continue
        try:
            check(lambda: Follower(factory()))
        except AssertionError as error:
            broken.append(f"{name}: {error}")
        except Exception as error:
            broken.append(f"{name}: it raised {type(error).__name__}: {error}")
    if broken:
        raise BrokenContractError(
            f"the tracker breaks {len(broken)} of {len(CONTRACT)} points of the contract:\n"
            + "\n".join(f"- {one}" for one in broken)
        )


class Follower:
    """A tracker that is given what it needs: the frame where it takes one, and time only where asked.

    Args:
        tracker: As of `TrackerLike`.
    """

    def __init__(self, tracker: Any) -> None:
        self.tracker = tracker
        self._takes = inspect.signature(tracker.update).parameters

    @property
    def takes_time(self) -> bool:
        """Whether `update` takes the time of a frame."""
        return "time" in self._takes

    def update(self, detections: Detections, time: float | None = None) -> Tracks:
        """Give the tracker a frame.

        Args:
            detections: What was found in it.
            time: Seconds; None leaves the tracker to its frame rate.
        """
        more: dict[str, Any] = {"frame": _frame()} if "frame" in self._takes else {}
        if time is not None:
            more["time"] = time
        tracks: Tracks = self.tracker.update(detections, **more)
        return tracks

    def run(self, frames: Iterable[Detections]) -> list[Tracks]:
        """Give the tracker frames, one after the other."""
        return [self.update(detections) for detections in frames]


Make = Callable[[], Follower]


@functools.cache
def _frame() -> Image:
    rows, columns = np.indices(_SIZE)
    texture = (rows // 16 * 37 + columns // 16 * 91) % 256  # something that a camera's motion can be measured in
    frame = np.repeat(texture[..., None], 3, axis=2).astype(np.uint8)
    frame.flags.writeable = False
    return frame


def _embeddings(who: Sequence[int]) -> Array:
    return np.eye(_EMBEDDING_DIM, dtype=np.float32)[list(who)]


def _people(frames: int = _FRAMES, labels: Sequence[int] = (0, 0, 0)) -> Iterator[Detections]:
    """Three people walk beside each other, far enough to be told apart; the second hides for two frames."""
    for number in range(frames):
        who = [0, 1, 2] if number not in (10, 11) else [0, 2]
        left = np.array([40.0 + 3 * number, 240.0 - 2 * number, 440.0 + number])[who]
        top = np.array([60.0, 90.0, 120.0])[who]
        boxes = np.stack([left, top, left + 40, top + 100], axis=1)
        yield Detections(boxes, [0.9, 0.85, 0.95][: len(who)], np.array(labels)[who], _embeddings(who))


def _same(found: Tracks, expected: Tracks, what: str) -> None:
    by_id, as_expected = np.argsort(found.ids), np.argsort(expected.ids)
    assert found.ids[by_id].tolist() == expected.ids[as_expected].tolist(), (
        f"{what} gave the ids {sorted(found.ids.tolist())}, expected {sorted(expected.ids.tolist())}"
    )
    np.testing.assert_allclose(
        found.boxes[by_id], expected.boxes[as_expected], atol=1e-3, err_msg=f"{what} gave other boxes"
    )


def _check_boxes(tracks: Tracks) -> None:
    assert np.isfinite(tracks.boxes).all(), "a box is not finite"
    assert (tracks.boxes[:, 2:] >= tracks.boxes[:, :2]).all(), "a box ends before it starts"


def _frames_without_detections(make: Make) -> None:
    follower = make()
    for detections in (Detections.empty(), Detections.empty(_EMBEDDING_DIM)):
        assert len(follower.update(detections)) == 0, "there are tracks before the first detection"
    seen = follower.run(_people(8))
    assert len(seen[-1]) == 3, f"three people seen in 8 frames give {counted(len(seen[-1]), 'track')}"
    for _ in range(200):
        left = follower.update(Detections.empty())
    assert len(left) == 0, (
        f"{counted(len(left), 'track is', 'tracks are')} still shown 200 frames after the last detection"
    )


def _boxes_of_no_size(make: Make) -> None:
    follower = make()
    for people in _people(8):
        point = [[5.0, 5.0, 5.0, 5.0], [600.0, 10.0, 600.0, 60.0]]
        detections = Detections(
            np.concatenate([people.boxes, point]),
            [*people.scores, 0.9, 0.9],
            [*people.labels, 0, 0],
            np.concatenate([people.embeddings, _embeddings([5, 6])]),
        )
        try:
            tracks = follower.update(detections)
        except InputError:
            return  # it says that it does not take them
        _check_boxes(tracks)


def _missing_scores(make: Make) -> None:
    follower = make()
    for people in _people(6):
        tracks = follower.update(Detections.from_xyxy(people.boxes, embeddings=people.embeddings))
    assert len(tracks) == 3, f"three people without scores give {counted(len(tracks), 'track')}"


def _nan_refused(make: Make) -> None:
    follower = make()
    people = list(_people(4))
    for part in ("boxes", "scores"):
        for value in (np.nan, np.inf):
            values = {name: getattr(people[0], name).copy() for name in ("boxes", "scores", "labels", "embeddings")}
            values[part].flat[0] = value
            try:
                broken = Detections(**values)
            except InputError:
                continue
            raise AssertionError(f"Detections took {part} of {value}: {broken.boxes.tolist()}")
    for detections in people:
        _check_boxes(follower.update(detections))


def _input_unchanged(make: Make) -> None:
    follower = make()
    for people in _people(8):
        arrays = {name: getattr(people, name) for name in ("boxes", "scores", "labels", "embeddings")}
        before = copy.deepcopy(arrays)
        tracks = follower.update(people)
        tracks.boxes[:] += 1.0  # what comes out is the caller's
        for name, old in before.items():
            assert np.array_equal(arrays[name], old), f"{name} of the detections have changed"


def _order_does_not_matter(make: Make) -> None:
    follower, other = make(), make()
    ids: dict[int, int] = {}
    for people in _people():
        tracks, reordered = follower.update(people), other.update(people[np.arange(len(people))[::-1]])
        assert len(tracks) == len(reordered), (
            f"{counted(len(tracks), 'track')} became {len(reordered)} in another order"
        )
        by_left, other_by_left = np.argsort(tracks.boxes[:, 0]), np.argsort(reordered.boxes[:, 0])
        np.testing.assert_allclose(
            tracks.boxes[by_left], reordered.boxes[other_by_left], atol=1e-2, err_msg="another order gave other boxes"
        )
        pairs = zip(tracks.ids[by_left].tolist(), reordered.ids[other_by_left].tolist(), strict=True)
        assert all(ids.setdefault(one, two) == two for one, two in pairs), "another order made other trajectories"


def _gap_in_time(make: Make) -> None:
    follower = make()
    if not follower.takes_time:
        return
    for number, people in enumerate(_people(8)):
        follower.update(people, time=number / 30)
    tracks = follower.update(next(_people(1)), time=10.0)
    _check_boxes(tracks)
    try:
        follower.update(next(_people(1)), time=5.0)
    except InputError:
        follower.update(next(_people(1)), time=10.1)  # and nothing has changed
        return
    raise AssertionError("time that runs backwards is taken; expected an InputError")


def _reset(make: Make) -> None:
    follower = make()
    first = follower.run(_people())
    follower.tracker.reset()
    for number, (again, expected) in enumerate(zip(follower.run(_people()), first, strict=True)):
        _same(again, expected, f"frame {number + 1} after reset()")


def _goes_on(make: Make, duplicate: Callable[[Follower], Follower], what: str) -> None:
    follower, frames = make(), list(_people())
    follower.run(frames[:12])
    other = duplicate(follower)
    for number, people in enumerate(frames[12:], start=13):
        _same(other.update(people), follower.update(people), f"frame {number} of {what}")


def _deepcopy(make: Make) -> None:
    _goes_on(make, lambda follower: Follower(copy.deepcopy(follower.tracker)), "a deep copy")


def _pickle(make: Make) -> None:
    _goes_on(make, lambda follower: Follower(pickle.loads(pickle.dumps(follower.tracker))), "a pickled copy")


def _state_dict(make: Make) -> None:
    if not hasattr(make().tracker, "state_dict"):
        return

    def resumed(follower: Follower) -> Follower:
        state = copy.deepcopy(follower.tracker.state_dict())
        _check_plain(state, "the state")
        other = make()
        other.tracker.load_state_dict(state)
        return other

    _goes_on(make, resumed, "a resumed state")


def _check_plain(value: Any, where: str) -> None:
    if isinstance(value, dict):
        for name, part in value.items():
            _check_plain(part, f"{where}[{name!r}]")
    elif isinstance(value, list | tuple):
        for part in value:
            _check_plain(part, where)
    else:
        plain = value is None or isinstance(value, str | bool | int | float | np.generic | np.ndarray)
        assert plain, f"{where} is a {type(value).__name__}; expected numbers, text and arrays"


def _ids(make: Make) -> None:
    follower = make()
    following: dict[int, set[int]] = {0: set(), 1: set(), 2: set()}
    for people in _people():
        tracks = follower.update(people)
        ids = tracks.ids.tolist()
        assert np.issubdtype(tracks.ids.dtype, np.integer), f"ids are {tracks.ids.dtype}, expected whole numbers"
        assert all(identity > 0 for identity in ids), f"the ids {ids} are not all positive"
        assert len(set(ids)) == len(ids), f"the ids {ids} are not unique"
        _check_boxes(tracks)
        for identity, index in zip(ids, tracks.indices.tolist(), strict=True):
            if index >= 0:
                following[int(people.embeddings[index].argmax())].add(identity)  # type: ignore[index]
    assert all(len(ids) == 1 for ids in following.values()), (
        f"three people who are plainly seen have the ids {[sorted(ids) for ids in following.values()]}"
    )


def _indices(make: Make) -> None:
    follower = make()
    for people in _people():
        indices = follower.update(people).indices
        matched = indices[indices >= 0].tolist()
        assert (indices >= -1).all(), f"the indices {indices.tolist()} go below -1"
        assert all(index < len(people) for index in matched), (
            f"the indices {matched} point beyond {counted(len(people), 'box', 'boxes')}"
        )
        assert len(set(matched)) == len(matched), f"two tracks have the same detection: {matched}"


def _class_kept(make: Make) -> None:
    follower = make()
    label_of: dict[int, int] = {}
    for people in _people(labels=(2, 0, 5)):
        tracks = follower.update(people)
        for identity, label, index in zip(
            *(a.tolist() for a in (tracks.ids, tracks.labels, tracks.indices)), strict=True
        ):
            assert label_of.setdefault(identity, label) == label, f"track {identity} changes its class"
            assert index < 0 or label == people.labels[index], f"track {identity} has another class than its detection"
    assert set(label_of.values()) == {0, 2, 5}, f"classes 0, 2 and 5 became {sorted(set(label_of.values()))}"


CONTRACT: dict[str, Callable[[Make], None]] = {
    "frames without detections": _frames_without_detections,
    "boxes of no size": _boxes_of_no_size,
    "missing scores": _missing_scores,
    "nan refused": _nan_refused,
    "input unchanged": _input_unchanged,
    "order does not matter": _order_does_not_matter,
    "gap in time": _gap_in_time,
    "reset": _reset,
    "deepcopy": _deepcopy,
    "pickle": _pickle,
    "state_dict": _state_dict,
    "ids": _ids,
    "indices": _indices,
    "class kept": _class_kept,
}
"""Name -> check of each point."""

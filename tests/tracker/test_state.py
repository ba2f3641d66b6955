"""Streams that are copied, pickled, paused and resumed; calls and states that are refused."""

import copy
import json
import pickle

import cv2
import numpy as np
import pytest

from tests.tracker.scenes import run, seen
from tracker import TRACKERS, Detections, InputError, make_tracker

WALL = cv2.resize(
    np.random.default_rng(0).uniform(0, 255, (60, 120, 3)).astype(np.uint8), (900, 400), interpolation=cv2.INTER_CUBIC
)


def frames(count):
    """Give detections of people who come, cross and are missed, and the image of a camera that moves."""
    for step in range(count):
        people = [(100 + 5 * step, 0), (400 - 5 * step, 1), (600, 2)]
        missed = [person for place, person in enumerate(people) if (step + place) % 7]
        yield seen(*missed), np.ascontiguousarray(WALL[:300, 3 * step : 3 * step + 700])


def every_kind():
    """Give every tracker by name, and those that can measure the camera's motion with and without doing so."""
    for name in TRACKERS:
        if name.startswith(("botsort", "scene")):
            for camera in ("none", "sparse_flow"):
                yield pytest.param(name, {"camera_motion": camera}, id=f"{name}-{camera}")
        else:
            yield pytest.param(name, {}, id=name)


def flat(state, where=""):
    """Return a nested state as a flat dictionary of comparable values."""
    if isinstance(state, dict):
        return {key: value for name, part in state.items() for key, value in flat(part, f"{where}/{name}").items()}
    return {where: (state.shape, str(state.dtype), state.tobytes()) if isinstance(state, np.ndarray) else state}


def by_copy(tracker):
    return copy.deepcopy(tracker)


def by_pickle(tracker):
    return pickle.loads(pickle.dumps(tracker))


def by_state(tracker):
    resumed = type(tracker)()
    resumed.load_state_dict(tracker.state_dict())
    return resumed


@pytest.mark.parametrize("duplicate", [by_copy, by_pickle, by_state])
@pytest.mark.parametrize(("name", "options"), list(every_kind()))
def test_a_copy_goes_on_like_the_original_and_shares_nothing_with_it(name, options, duplicate):
    tracker = make_tracker(name, **options)
    video = list(frames(16))
    for detections, image in video[:8]:
        tracker.update(detections, image)
    twin = duplicate(tracker)
    before = flat(twin.state_dict())
    expected = [tracker.update(*frame) for frame in video[8:]]
    assert flat(twin.state_dict()) == before
    for frame, tracks in zip(video[8:], expected, strict=True):
        got = twin.update(*frame)
        for column in ("ids", "boxes", "scores", "labels", "indices"):
            np.testing.assert_array_equal(getattr(got, column), getattr(tracks, column))


@pytest.mark.parametrize("name", TRACKERS)
def test_a_state_can_be_stored_as_text(name):
    options = {"camera_motion": "none"} if name.startswith(("botsort", "scene")) else {}
    tracker, resumed = make_tracker(name, **options), make_tracker(name, **options)
    for count in (0, 6):
        run(tracker, [detections for detections, _ in frames(count)])
        resumed.load_state_dict(json.loads(json.dumps(tracker.state_dict(), default=np.ndarray.tolist)))
        assert flat(resumed.state_dict()) == flat(tracker.state_dict())


IMAGE = np.zeros((300, 700, 3), np.uint8)
REFUSED = {
    "a frame of decimals": ((seen((100, 0)), IMAGE / 255), r"frame must be .* got \(300, 700, 3\) float64"),
    "a frame with transparency": ((seen((100, 0)), np.zeros((300, 700, 4), np.uint8)), "frame must be"),
    "an empty frame": ((seen((100, 0)), IMAGE[:0]), "frame must be"),
    "a path as frame": ((seen((100, 0)), "frame.jpg"), "frame must be .* got str"),
    "time that runs backwards": ((seen((100, 0)), IMAGE, 0.1), "must not run backwards"),
    "time that is no number": ((seen((100, 0)), IMAGE, float("nan")), "finite number of seconds, got nan"),
    "time as text": ((seen((100, 0)), IMAGE, "1"), "finite number of seconds, got 1"),
    "bare boxes": (([[100, 100, 140, 200]], IMAGE), "update takes tracker.Detections, an array .*, got list"),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize(("name", "options"), list(every_kind()))
def test_a_refused_call_changes_nothing(name, options, arguments, message):
    tracker = make_tracker(name, **options)
    for number, (detections, image) in enumerate(frames(6)):
        tracker.update(detections, image, 1 + number / 30)
    before = pickle.dumps(tracker)
    with pytest.raises(InputError, match=message):
        tracker.update(*arguments)
    assert pickle.dumps(tracker) == before


@pytest.mark.parametrize("name", ["botsort", "botsort-reid"])
def test_a_missing_frame_changes_nothing(name):
    tracker = make_tracker(name)
    for detections, image in frames(6):
        tracker.update(detections, image)
    before = pickle.dumps(tracker)
    with pytest.raises(InputError, match="camera_motion='none'"):
        tracker.update(seen((100, 0)))
    assert pickle.dumps(tracker) == before


@pytest.mark.parametrize("name", ["fairmot", "deepsort", "scene-reid"])
def test_embeddings_of_a_refused_first_frame_do_not_count(name):
    tracker = make_tracker(name)
    with pytest.raises(InputError, match="finite number"):
        tracker.update(Detections([[0, 0, 9, 9]], [0.9], embeddings=[[1, 0]]), time=float("inf"))
    assert len(tracker.update(seen((100, 0)))) == (0 if name == "deepsort" else 1)


def broken(change):
    state = make_tracker("bytetrack").state_dict()
    change(state)
    return state


FOREIGN = {
    "another tracker": (
        make_tracker("fairmot").state_dict(),
        "expected the state of a ByteTracker, got one of Fair",
    ),
    "a list": ([1, 2], "expected the state of a ByteTracker, got list"),
    "a model's weights": ({"backbone.weight": np.zeros(3)}, "expected the state of a ByteTracker, got one of None"),
    "no options": (broken(lambda state: state.pop("options")), "must have the entry options"),
    "an unknown option": (broken(lambda state: state["options"].update(min_scor=1)), "did you mean min_score"),
    "an option out of range": (broken(lambda state: state["options"].update(frame_rate=0)), "must be positive"),
    "a missing part": (broken(lambda state: state.pop("tracks")), "must have the entries .*tracks"),
    "a missing column": (broken(lambda state: state["tracks"].pop("ids")), "state of a ByteTracker, tracks must have"),
    "another filter": (
        broken(lambda state: state["tracks"].update(motion=np.zeros((2, 9, 8)))),
        r"tracks, motion must have the shape \(any, 5, 4\), got \(2, 9, 8\)",
    ),
    "rows of another number": (
        broken(lambda state: state["tracks"].update(ids=np.ones(2))),
        "the arrays of .* tracks must have one length, got 0, 2",
    ),
    "words for numbers": (
        broken(lambda state: state["tracks"].update(ids=["a"])),
        "tracks, ids must be numbers in an array, got list",
    ),
    "no time": (broken(lambda state: state.update(now=None)), "now must be a number, got NoneType"),
}


@pytest.mark.parametrize(("state", "message"), FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_state_is_refused_in_one_sentence_and_changes_nothing(state, message):
    tracker = make_tracker("bytetrack")
    run(tracker, [detections for detections, _ in frames(4)])
    before = pickle.dumps(tracker)
    with pytest.raises(InputError, match=message) as refusal:
        tracker.load_state_dict(state)
    assert "\n" not in str(refusal.value)
    assert pickle.dumps(tracker) == before


def test_options_of_another_tracker_are_refused():
    from tracker import ByteTracker, FairMOTOptions

    with pytest.raises(InputError, match="ByteTracker needs options of type ByteTrackOptions, got FairMOTOptions"):
        ByteTracker(FairMOTOptions())

"""What must hold for every tracker, whatever it is given."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tracker.scenes import EMBEDDINGS
from tracker import TRACKERS, Detections, make_tracker


def make(name, **options):
    extra = {"camera_motion": "none"} if name.startswith(("botsort", "scene")) else {}
    return make_tracker(name, **extra, **options)


coordinate = st.floats(-50, 2000, width=32)
one_box = st.tuples(coordinate, coordinate, st.floats(0, 400, width=32), st.floats(0, 400, width=32))
one_detection = st.tuples(one_box, st.floats(0, 1, width=32), st.integers(0, 2), st.integers(0, 7))


@st.composite
def videos(draw):
    """A few boxes that come, go, jitter and repeat over up to 12 frames."""
    cast = draw(st.lists(one_detection, min_size=1, max_size=6))
    frames = draw(st.lists(st.lists(st.integers(0, len(cast) - 1), max_size=8), min_size=1, max_size=12))
    jitter = draw(st.integers(0, 2**16))
    return cast, frames, jitter


def detections_of(video):
    cast, frames, jitter = video
    rng = np.random.default_rng(jitter)
    for chosen in frames:
        if not chosen:
            yield Detections.empty()
            continue
        boxes = np.array([[*box[:2], box[0] + box[2], box[1] + box[3]] for box, _, _, _ in (cast[c] for c in chosen)])
        boxes = boxes + np.tile(rng.normal(0, 3, (len(chosen), 2)), 2)
        scores, labels = [cast[c][1] for c in chosen], [cast[c][2] for c in chosen]
        yield Detections(boxes, scores, labels, EMBEDDINGS[[cast[c][3] for c in chosen]])


@pytest.mark.parametrize("name", TRACKERS)
@settings(max_examples=40, deadline=None)
@given(video=videos(), class_agnostic=st.booleans())
def test_ids_are_unique_positive_and_never_return_and_boxes_are_boxes(name, video, class_agnostic):
    tracker = make(name, class_agnostic=class_agnostic, max_lost_seconds=0.1)
    ever, alive = set(), set()
    for detections in detections_of(video):
        tracks = tracker.update(detections)
        ids = tracks.ids.tolist()
        assert len(set(ids)) == len(ids)
        assert all(identity > 0 for identity in ids)
        assert np.isfinite(tracks.boxes).all()
        assert (tracks.boxes[:, 2:] >= tracks.boxes[:, :2]).all()
        matched = tracks.indices[tracks.indices >= 0]
        assert len(set(matched.tolist())) == len(matched)
        assert (matched < len(detections)).all()
        live = set(tracker._tracks.ids.tolist()) - {0}
        assert not (live - alive) & ever, "a removed id came back"
        assert set(ids) <= live
        ever |= live
        alive = live
    assert ever == set(range(1, len(ever) + 1)), "ids have gaps"


@pytest.mark.parametrize("name", TRACKERS)
@settings(max_examples=15, deadline=None)
@given(video=videos())
def test_the_same_input_gives_the_same_output_after_a_reset_and_after_resuming(name, video):
    first, second = make(name), make(name)
    frames = list(detections_of(video))
    expected = [first.update(frame) for frame in frames]
    first.reset()
    for number, (frame, tracks) in enumerate(zip(frames, expected, strict=True)):
        again = first.update(frame)
        if number == len(frames) // 2:
            state = second.state_dict()
            second = make(name)
            second.load_state_dict(state)
        resumed = second.update(frame)
        for got in (again, resumed):
            np.testing.assert_array_equal(got.ids, tracks.ids)
            np.testing.assert_array_equal(got.boxes, tracks.boxes)


@pytest.mark.parametrize("name", TRACKERS)
@settings(max_examples=15, deadline=None)
@given(video=videos())
def test_classes_do_not_mix(name, video):
    tracker = make(name)
    label_of = {}
    for detections in detections_of(video):
        tracks = tracker.update(detections)
        for identity, label in zip(tracks.ids.tolist(), tracks.labels.tolist(), strict=True):
            assert label_of.setdefault(identity, label) == label
        seen = tracks.indices >= 0
        np.testing.assert_array_equal(tracks.labels[seen], detections.labels[tracks.indices[seen]])


def crowd(frames, people=60, seed=0):
    """Give frames of people who walk through, are missed now and then, and are replaced when they leave."""
    rng = np.random.default_rng(seed)
    position, speed = rng.uniform(0, 1000, (people, 2)), rng.normal(0, 4, (people, 2))
    embeddings = rng.normal(size=(people, 16)).astype(np.float32)
    for _ in range(frames):
        position += speed
        gone = ((position < 0) | (position > 1000)).any(axis=1)
        position[gone] = rng.uniform(0, 1000, (int(gone.sum()), 2))
        embeddings[gone] = rng.normal(size=(int(gone.sum()), 16))
        seen = rng.uniform(size=people) > 0.1
        boxes = np.concatenate([position, position + np.array([30, 80])], axis=1)[seen]
        yield Detections(boxes, rng.uniform(0.3, 1, len(boxes)), None, embeddings[seen])


CHECKSUM = """
import sys, zlib
from tests.tracker.test_properties import crowd, make
tracker = make(sys.argv[1])
checksum = 0
for detections in crowd(40):
    tracks = tracker.update(detections)
    checksum = zlib.crc32(tracks.ids.tobytes() + tracks.boxes.tobytes(), checksum)
print(checksum)
"""


@pytest.mark.parametrize("name", ["fairmot", "deepsort", "scene-reid"])
def test_the_number_of_threads_changes_nothing(name):
    checksums = set()
    for threads in ("1", "4"):
        settings_ = {**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        command = [sys.executable, "-c", CHECKSUM, name]
        checksums.add(subprocess.run(command, env=settings_, capture_output=True, text=True, check=True).stdout)
    assert len(checksums) == 1


def resident_megabytes():
    """Memory of this process as the operating system counts it."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory of the process from /proc")
@pytest.mark.parametrize("name", ["fairmot", "bytetrack", "ocsort", "deepsort", "scene-reid"])
def test_memory_stays_flat_over_a_hundred_thousand_frames(name):
    """Births and deaths all the time; a hundred bytes kept of each frame would be 10 MB."""
    tracker = make(name, **({"memory_seconds": 30.0} if name == "fairmot" else {}))
    held = {}
    for number, detections in enumerate(crowd(100_000, people=6), start=1):
        tracker.update(detections)
        if number in (5_000, 100_000):
            gc.collect()
            held[number] = resident_megabytes()
    assert tracker._next_id > 1000
    assert held[100_000] - held[5_000] < 5.0

from types import SimpleNamespace

import numpy as np

from centertrack.bench import peers
from centertrack.bench.trackers import CrowdScene, TrackerTiming, bench_trackers, median_ms, timing_table
from tracker import make_tracker


def test_the_scene_is_what_it_says():
    frames = list(CrowdScene(people=200, frames=20))
    counts = [len(detections) for detections in frames]
    assert abs(np.mean(counts) - (0.9 * 200 + 0.05 * 200)) < 6
    boxes = np.concatenate([detections.boxes for detections in frames])
    heights = boxes[:, 3] - boxes[:, 1]
    assert 45 < heights.min() < heights.max() < 165
    np.testing.assert_allclose(np.linalg.norm(frames[0].embeddings, axis=1), 1, atol=1e-5)


def test_the_scene_is_the_same_each_time():
    first, second = (np.concatenate([d.boxes for d in CrowdScene(people=30, frames=5)]) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_people_can_be_followed_through_the_scene():
    """Ids stay: after 60 frames of 50 people, hardly more ids were given than people came by."""
    tracker = make_tracker("fairmot")
    for detections in CrowdScene(people=50, frames=60):
        tracks = tracker.update(detections)
    assert len(tracks) > 40
    assert tracks.ids.max() < 120


def test_every_tracker_is_timed_at_every_size():
    timings = list(bench_trackers(["bytetrack", "fairmot"], crowds=[5, 8]))
    assert [(row.tracker, row.embeddings) for row in timings] == [("bytetrack", False), ("fairmot", True)]
    assert all(list(row.milliseconds) == [5, 8] and min(row.milliseconds.values()) > 0 for row in timings)


def test_the_table_lines_up():
    rows = [
        TrackerTiming("ours", "bytetrack", False, {20: 0.2034, 100: 0.4}),
        TrackerTiming("other 1.0", "X", True, {20: 12.345, 100: 1234.0}),
    ]
    table = timing_table(rows).splitlines()
    assert len({len(line) for line in table}) == 1
    assert table[2].split() == ["ours", "bytetrack", "boxes", "0.203", "0.400"]
    assert table[3].split() == ["other", "1.0", "X", "appearance", "12.3", "1234"]


def test_the_warm_up_is_left_out():
    calls = []
    assert median_ms(calls.append, range(40), warm_up=30) >= 0
    assert calls == list(range(40))


def test_only_installed_peers_are_asked(monkeypatch):
    def import_module(name):
        if name == "motpy":
            return SimpleNamespace(
                Detection=lambda box, score: (box.tolist(), float(score)),
                MultiObjectTracker=lambda dt: SimpleNamespace(step=list),
            )
        raise ImportError(name)

    monkeypatch.setattr(peers.importlib, "import_module", import_module)
    monkeypatch.setattr(peers, "version", lambda package: "9.9")
    (peer,) = peers.installed_peers()
    assert (peer.library, peer.tracker, peer.embeddings) == ("motpy 9.9", "MultiObjectTracker", False)
    detections = next(iter(CrowdScene(people=3, frames=1)))
    assert len(peer.start()(peer.prepare(detections))) == len(detections)

import pytest

from tests.tracker.scenes import run, seen
from tracker import InputError, make_tracker

REMEMBERING = ["fairmot", "jde", "deepsort", "botsort-reid", "scene-reid"]


def remembering(name, **options):
    extra = {"camera_motion": "none"} if name.startswith(("botsort", "scene")) else {}
    return make_tracker(name, **extra, **{"memory_seconds": 60.0, **options})


@pytest.mark.parametrize("name", REMEMBERING)
def test_who_comes_back_after_half_a_minute_elsewhere_keeps_the_id(name):
    tracker = remembering(name)
    run(tracker, [seen((100, 0), (300, 1))] * 5 + [seen((300, 1))] * 900)
    tracks = run(tracker, [seen((300, 1), (900, 0))] * 4)[-1]
    assert sorted(tracks.ids.tolist()) == [1, 2]


@pytest.mark.parametrize("options", [{"memory_seconds": 0.0}, {"memory_seconds": 20.0}])
def test_without_memory_or_after_it_faded_the_id_is_new(options):
    tracker = remembering("fairmot", **options)
    run(tracker, [seen((100, 0), (300, 1))] * 5 + [seen((300, 1))] * 900)
    tracks = run(tracker, [seen((300, 1), (900, 0))] * 4)[-1]
    assert sorted(tracks.ids.tolist()) == [2, 3]


def test_a_stranger_is_not_taken_for_somebody_remembered():
    tracker = remembering("fairmot")
    run(tracker, [seen((100, 0))] * 5 + [seen()] * 100)
    assert run(tracker, [seen((900, 5))] * 2)[-1].ids.tolist() == [2]


def test_one_memory_serves_one_person():
    tracker = remembering("fairmot")
    run(tracker, [seen((100, 0))] * 5 + [seen()] * 100)
    assert sorted(run(tracker, [seen((100, 0), (900, 0))] * 2)[-1].ids.tolist()) == [1, 2]


def test_classes_are_remembered_apart():
    tracker = remembering("fairmot")
    run(tracker, [seen((100, 0), labels=[1])] * 5 + [seen()] * 100)
    assert run(tracker, [seen((100, 0), labels=[2])] * 2)[-1].ids.tolist() == [2]


def test_memory_survives_a_pause_of_the_program():
    tracker = remembering("fairmot")
    run(tracker, [seen((100, 0))] * 5 + [seen()] * 100)
    resumed = remembering("fairmot")
    resumed.load_state_dict(tracker.state_dict())
    assert run(resumed, [seen((900, 0))] * 2)[-1].ids.tolist() == [1]


def test_memory_without_embeddings_is_an_error():
    with pytest.raises(InputError, match="scene-reid"):
        make_tracker("bytetrack", memory_seconds=10)

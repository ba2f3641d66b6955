import subprocess
import sys

import pytest

import tracker
from tracker import TRACKERS, InputError, make_tracker, tracker_options
from tracker.arguments import check_arguments


@pytest.mark.parametrize("name", TRACKERS)
def test_every_tracker_is_made_by_name_and_says_its_options(name):
    made = make_tracker(name, frame_rate=25)
    assert made.options.frame_rate == 25
    assert type(tracker_options(name)) is type(made.options)
    assert all(
        f"{option}:" in "".join(c.__doc__ or "" for c in type(made.options).__mro__) for option in vars(made.options)
    )


def test_spelling_of_names_is_forgiven():
    assert type(make_tracker("Byte-Track")) is type(make_tracker("bytetrack"))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make_tracker("bytetrak"), "did you mean bytetrack"),
        (lambda: make_tracker("zzz"), "there are: scene"),
        (lambda: make_tracker("fairmot", embeding_limit=1), "did you mean embedding_limit"),
        (lambda: make_tracker("fairmot", zzz=1), "there are: frame_rate"),
        (lambda: make_tracker("fairmot", frame_rate=0), "frame_rate must be positive"),
        (lambda: make_tracker("fairmot", min_score=-1), "min_score must be a number, not negative or NaN, got -1"),
        (lambda: make_tracker("fairmot", min_score=float("nan")), "not negative or NaN, got nan"),
        (lambda: make_tracker("fairmot", min_score="0.5"), "min_score must be a number.*'0.5'"),
        (lambda: make_tracker("fairmot", min_score=True), "min_score must be a number, got True"),
        (lambda: make_tracker("fairmot", class_agnostic=1), "class_agnostic must be true or false, got 1"),
        (lambda: make_tracker("fairmot", frame_rate=float("inf")), "frame_rate must be positive and finite"),
        (
            lambda: make_tracker("fairmot", embedding_momentum=1.1),
            "embedding_momentum must be between 0 and 1",
        ),
        (lambda: make_tracker("fairmot", min_hits=2.5), "min_hits must be a whole number, got 2.5"),
        (lambda: make_tracker("deepsort", gallery_size=2.5), "gallery_size must be a whole number, got 2.5"),
        (lambda: make_tracker("deepsort", gallery_size=0), "gallery_size must be at least 1, got 0"),
        (lambda: make_tracker("ocsort", direction_updates=1.5), "direction_updates must be a whole number, got 1.5"),
        (lambda: make_tracker("ocsort", direction_updates=0), "direction_updates must be at least 1, got 0"),
        (lambda: make_tracker("fairmot", embedding_distance="l2"), "one of cosine, euclidean, got 'l2'"),
    ],
)
def test_typos_are_errors_that_help(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_public_names_exist():
    for name in tracker.__all__:
        assert getattr(tracker, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        _ = tracker.nonsense


def test_import_is_light():
    heavy = ["numpy", "torch", "cv2", "scipy", "lap", "av", "centertrack"]
    code = f"import sys, tracker; print([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_arguments_are_compared_with_the_signature_before_a_call():
    def build(channels, name, /, width, *, depth=2):
        raise AssertionError("it must not be called")

    def anything(**options):
        raise AssertionError("it must not be called")

    check_arguments(build, {"width": 3}, "a head", leading=2)
    check_arguments(anything, {"zoom": 3}, "a head")
    for arguments, message in (
        ({"widht": 3}, "a head has no option 'widht'; did you mean width"),
        ({"width": 3, "zoom": 1}, "a head has no option 'zoom'; there are: width, depth"),
        ({"width": 3, "channels": 1}, "a head has no option 'channels'"),
        ({"depth": 3}, "a head needs the option width"),
        ({1: 3}, "a head has no option 1"),
    ):
        with pytest.raises(InputError, match=message):
            check_arguments(build, arguments, "a head", leading=2)

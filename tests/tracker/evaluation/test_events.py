from __future__ import annotations

from tests.tracker.evaluation.test_evaluate import GAP_BESIDE_ANOTHER, SILENT_GAP, SWITCH, standing
from tracker.evaluation.evaluator import load_sequences
from tracker.evaluation.events import Gap, Span, Switch, find_events


def events_of(folders, **options):
    (data,) = load_sequences(*folders, **options)
    return find_events(data)


def test_the_story_of_a_switch(benchmark_folder):
    events = events_of(benchmark_folder({"a": SWITCH}))
    assert events.present == [Span(1, 0, 1, 6), Span(2, 0, 1, 6)]
    assert events.matched == [Span(1, 7, 1, 3), Span(1, 9, 5, 6), Span(2, 8, 1, 6)]
    assert events.switches == [Switch(identity=1, frame=5, track=9, previous_frame=3, previous_track=7)]
    assert events.gaps == [Gap(1, 4, 4)]
    assert events.misses.tolist() == [0, 0, 0, 1, 0, 0]
    assert events.false_positives.tolist() == [0, 0, 1, 0, 0, 0]
    assert events.false_positive_tracks == [(11, 1)]
    assert events.matched_share() == {1: 5 / 6, 2: 1}


def test_gaps_are_the_fragmentations_of_clear(benchmark_folder):
    assert events_of(benchmark_folder({"a": SILENT_GAP})).gaps == []
    assert events_of(benchmark_folder({"a": GAP_BESIDE_ANOTHER})).gaps == [Gap(1, 3, 4)]


def test_an_identity_that_leaves_and_returns_has_two_spans(benchmark_folder):
    boxes = standing(1, (1, 2, 5, 6))
    events = events_of(benchmark_folder({"a": (6, boxes, boxes)}))
    assert events.present == [Span(1, 0, 1, 2), Span(1, 0, 5, 6)]
    assert events.matched == [Span(1, 1, 1, 2), Span(1, 1, 5, 6)]


def test_frames_of_a_half_keep_their_numbers(benchmark_folder):
    events = events_of(benchmark_folder({"a": SWITCH}), frames="5:6")
    assert events.matched == [Span(1, 9, 5, 6), Span(2, 8, 5, 6)]
    assert len(events.misses) == 2


def test_nothing_at_all(benchmark_folder):
    events = events_of(benchmark_folder({"MOT17-1": (3, [], [])}))
    assert (events.present, events.matched, events.switches, events.gaps, events.false_positive_tracks) == (
        [],
        [],
        [],
        [],
        [],
    )
    assert events.misses.tolist() == [0, 0, 0]

"""Suspicious places, on paths drawn by hand and on the drawn errors of true tracks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tracker.editing.edits import Delete, Merge, Split, Swap
from tracker.editing.suspicions import find_suspicions
from tracker.io.mot import ResultRows

RATE = 25.0


def rows_of(paths: dict[int, list[tuple[int, float, float]]], size: tuple[float, float] = (20, 50)) -> ResultRows:
    """Rows of ids whose boxes have their centres at (frame, x, y)."""
    flat = sorted((frame, one, x, y) for one, path in paths.items() for frame, x, y in path)
    count = len(flat)
    boxes = np.array([(x - size[0] / 2, y - size[1] / 2, *size) for _, _, x, y in flat], np.float64).reshape(-1, 4)
    frames, ids = (np.array([row[column] for row in flat], np.int64) for column in (0, 1))
    return ResultRows(
        Path("drawn.txt"), np.arange(1, count + 1), frames, ids, boxes, np.ones(count), np.full(count, -1)
    )


def line(first: int, last: int, x: float, step: float, y: float = 100) -> list[tuple[int, float, float]]:
    return [(frame, x + step * (frame - first), y) for frame in range(first, last + 1)]


def test_quiet_tracks_are_not_suspicious() -> None:
    rows = rows_of({1: line(1, 100, 50, 2), 2: line(1, 100, 600, -2, y=300)})
    assert find_suspicions(rows, RATE) == []
    assert find_suspicions(rows.where(rows.ids == 9), RATE) == []


def test_a_track_that_goes_on_under_another_id_is_a_gap() -> None:
    rows = rows_of({1: line(1, 50, 50, 2), 4: line(60, 100, 168, 2), 7: line(60, 100, 800, 2)})
    (found,) = find_suspicions(rows, RATE)
    assert (found.kind, found.ids, found.frame) == ("gap", (1, 4), 60)
    assert found.score > 0.7
    assert [one.edits for one in found.alternatives] == [(), (Merge(1, 4),)]


def test_a_track_that_leaps_is_a_jump() -> None:
    rows = rows_of({1: line(1, 50, 50, 2) + line(51, 100, 300, 2)})
    (found,) = find_suspicions(rows, RATE)
    assert (found.kind, found.ids, found.frame) == ("jump", (1,), 51)
    assert found.alternatives[1].edits == (Split(1, 51, 2),)


def test_tracks_that_turn_round_where_they_meet_have_exchanged_their_objects() -> None:
    there, back = line(1, 50, 50, 2), line(1, 50, 250, -2)
    after_there, after_back = line(51, 100, 150, 2), line(51, 100, 150, -2)
    (found,) = find_suspicions(rows_of({3: there + after_back, 5: back + after_there}), RATE)
    assert (found.kind, found.ids) == ("crossing", (3, 5))
    assert 45 <= found.frame <= 55
    assert found.alternatives[1].edits == (Swap(3, 5, found.frame),)
    assert found.score > 0.6
    straight = find_suspicions(rows_of({3: there + after_there, 5: back + after_back}), RATE)
    assert straight == []


def test_a_track_that_begins_where_another_should_be_has_taken_its_object() -> None:
    """Track 1 goes over to somebody who stands still, and its object walks on as track 6."""
    rows = rows_of({1: line(1, 50, 50, 4) + line(51, 90, 250, 0), 6: line(56, 90, 270, 4)})
    found = [one for one in find_suspicions(rows, RATE) if one.kind == "takeover"]
    assert [(one.ids, one.frame) for one in found] == [((1, 6), 56)]
    assert found[0].alternatives[1].edits == (Split(1, 56, 7), Merge(1, 6))


def test_one_track_on_another_is_a_duplicate_and_the_shorter_one_goes() -> None:
    rows = rows_of({1: line(1, 100, 50, 2), 2: line(30, 60, 110, 2)})
    found = [one for one in find_suspicions(rows, RATE) if one.kind == "duplicate"]
    assert [one.ids for one in found] == [(1, 2)]
    assert found[0].alternatives[1].edits == (Delete(2),)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_found_fits_the_rows_it_was_found_in(seed: int) -> None:
    random = np.random.default_rng(seed)
    paths = {}
    for one in range(1, 40):
        first, length = int(random.integers(1, 150)), int(random.integers(5, 120))
        paths[one] = line(first, first + length, *random.uniform((0, -4), (600, 4)), y=random.uniform(50, 400))
    rows = rows_of(paths)
    found = find_suspicions(rows, RATE)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    for one in found:
        for alternative in one.alternatives:
            changed = rows
            for edit in alternative.edits:
                changed = edit.apply(changed)
            assert len(np.unique(np.stack([changed.frames, changed.ids]), axis=1).T) == len(changed)

"""Edits of tracks, by hand-worked rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tracker.editing.edits import (
    Delete,
    DrawBoxes,
    Edit,
    Merge,
    Rename,
    SetClass,
    Split,
    Swap,
    apply_edits,
    edit_from_json,
)
from tracker.errors import InputError
from tracker.io.mot import ResultRows, read_results

ROWS = """\
1,1,10,10,20,40,0.9,-1,-1,-1
1,2,60,10,20,40,0.8,-1,-1,-1
2,1,12,10,20,40,0.9,-1,-1,-1
2,2,58,10,20,40,0.8,-1,-1,-1
3,2,56,10,20,40,0.8,-1,-1,-1
4,3,18,10,20,40,0.7,-1,-1,-1
5,3,20,10,20,40,0.7,-1,-1,-1
"""


@pytest.fixture
def rows(tmp_path: Path) -> ResultRows:
    path = tmp_path / "street.txt"
    path.write_text(ROWS)
    return read_results(path)


def frames_by_id(rows: ResultRows) -> dict[int, list[int]]:
    return {int(one): rows.frames[rows.ids == one].tolist() for one in np.unique(rows.ids)}


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (Merge(1, 3), {1: [1, 2, 4, 5], 2: [1, 2, 3]}),
        (Split(2, 3, 9), {1: [1, 2], 2: [1, 2], 9: [3], 3: [4, 5]}),
        (Swap(1, 2, 2), {1: [1, 2, 3], 2: [1, 2], 3: [4, 5]}),
        (Delete(2), {1: [1, 2], 3: [4, 5]}),
        (Delete(2, first=3), {1: [1, 2], 2: [1, 2], 3: [4, 5]}),
        (Delete(2, last=1), {1: [1, 2], 2: [2, 3], 3: [4, 5]}),
        (Rename(3, 8), {1: [1, 2], 2: [1, 2, 3], 8: [4, 5]}),
        (SetClass(3, 2), {1: [1, 2], 2: [1, 2, 3], 3: [4, 5]}),
        (DrawBoxes(4, ((2, 0, 0, 5, 5), (4, 4, 0, 5, 9))), {1: [1, 2], 2: [1, 2, 3], 3: [4, 5], 4: [2, 3, 4]}),
    ],
)
def test_an_edit_changes_these_tracks_and_no_others(
    edit: Edit, expected: dict[int, list[int]], rows: ResultRows
) -> None:
    before = frames_by_id(rows)
    after = edit.apply(rows)
    assert frames_by_id(after) == expected
    assert frames_by_id(rows) == before
    assert (np.diff(after.frames) >= 0).all()
    untouched = ~np.isin(after.ids, list(edit.touches()))
    same = ~np.isin(rows.ids, list(edit.touches()))
    assert np.array_equal(after.boxes_xywh[untouched], rows.boxes_xywh[same])
    assert np.array_equal(after.classes[untouched], rows.classes[same])


def test_a_swap_exchanges_ids_from_the_frame_on(rows: ResultRows) -> None:
    after = Swap(1, 2, 2).apply(rows)
    assert after.boxes_xywh[after.ids == 1, 0].tolist() == [10, 58, 56]
    assert after.boxes_xywh[after.ids == 2, 0].tolist() == [60, 12]


def test_boxes_move_evenly_between_keys_and_replace_what_was_there(rows: ResultRows) -> None:
    after = DrawBoxes(3, ((3, 16, 10, 20, 40), (5, 26, 10, 22, 44))).apply(rows)
    mine = after.ids == 3
    assert after.frames[mine].tolist() == [3, 4, 5]
    assert after.boxes_xywh[mine].tolist() == [[16, 10, 20, 40], [21, 10, 21, 42], [26, 10, 22, 44]]
    assert after.scores[mine].tolist() == [1, 1, 1]


def test_a_drawn_box_keeps_the_class_of_its_track_and_a_new_one_takes_the_class_given(rows: ResultRows) -> None:
    classed = SetClass(3, 2).apply(rows)
    keyed = DrawBoxes(3, ((6, 1, 1, 5, 5),), number=7).apply(classed)
    assert keyed.classes[keyed.ids == 3].tolist() == [2, 2, 2]
    new = DrawBoxes(4, ((6, 1, 1, 5, 5),), number=7).apply(classed)
    assert new.classes[new.ids == 4].tolist() == [7]


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (Merge(1, 2), "ids 1 and 2 are both in frame 1 and 1 more"),
        (Merge(1, 7), "there is no id 7"),
        (Merge(1, 1), "cannot be merged with itself"),
        (Split(1, 1, 9), "lives from frame 1 to 2 and cannot be split at frame 1"),
        (Split(1, 2, 3), "id 3 is taken; merge the two, or choose another: 4 is free"),
        (Swap(1, 1, 2), "cannot be swapped with itself"),
        (Swap(1, 5, 2), "there is no id 5"),
        (Delete(5), "there is no id 5"),
        (Delete(1, first=4), "id 1 has no box from frame 4"),
        (Rename(1, 2), "id 2 is taken"),
        (SetClass(5, 1), "there is no id 5"),
    ],
)
def test_an_edit_that_does_not_fit_says_why(edit: Edit, words: str, rows: ResultRows) -> None:
    with pytest.raises(InputError, match=words):
        edit.apply(rows)


@pytest.mark.parametrize(
    "edit",
    [
        Merge(1, 3),
        Split(2, 3, 9),
        Swap(1, 2, 2),
        Delete(2),
        Delete(2, 1, 4),
        Rename(3, 8),
        SetClass(3, 2),
        DrawBoxes(4, ((2, 0.0, 0.5, 5.0, 5.0), (4, 4.0, 0.0, 5.0, 9.0)), 3),
    ],
)
def test_json_there_and_back(edit: Edit) -> None:
    content = edit.as_json()
    if "keys" in content:
        content["keys"] = [list(key) for key in content["keys"]]
    assert edit_from_json(content, "here") == edit


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([1], "expected an edit as a JSON object"),
        ({"edit": "melt", "id": 1}, "expected one of merge, split"),
        ({"edit": "merge", "id": 1}, "expected merge with id, other, got id"),
        ({"edit": "merge", "id": 1, "other": 2, "frame": 3}, "expected merge with id, other"),
        ({"edit": "merge", "id": 1, "other": 2.5}, "expected other from 0"),
        ({"edit": "merge", "id": True, "other": 2}, "expected id from 0"),
        ({"edit": "split", "id": 1, "frame": 0, "new_id": 4}, "expected frame from 1"),
        ({"edit": "class", "id": 1, "number": 0}, "expected a class from 1"),
        ({"edit": "class", "id": 1, "number": 10**9}, "expected number from -1 to 9999"),
        ({"edit": "boxes", "id": 1, "keys": []}, "expected keys as a list"),
        ({"edit": "boxes", "id": 1, "keys": [[1, 2, 3, 4]]}, "expected keys as a list"),
        ({"edit": "boxes", "id": 1, "keys": [[1, 2, 3, 4, float("nan")]]}, "expected keys as a list"),
        ({"edit": "boxes", "id": 1, "keys": [[1, 2, 3, 4, 0]]}, "expected a box of at least"),
        ({"edit": "boxes", "id": 1, "keys": [[2, 2, 3, 4, 5], [2, 2, 3, 4, 5]]}, "got frame 2 after 2"),
    ],
)
def test_what_is_no_edit_is_refused_with_its_place(content: object, words: str) -> None:
    with pytest.raises(InputError, match=r"^list:7: ") as caught:
        edit_from_json(content, "list:7")
    assert words in str(caught.value)


def test_edits_apply_in_their_order_and_an_error_says_which(rows: ResultRows) -> None:
    assert frames_by_id(apply_edits(rows, [Rename(3, 8), Merge(1, 8)])) == {1: [1, 2, 4, 5], 2: [1, 2, 3]}
    with pytest.raises(InputError, match=r"^edit 2: there is no id 3"):
        apply_edits(rows, [Rename(3, 8), Merge(1, 3)])

"""The edit list as a file: appended to, bound to its results, undone without losing a line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tracker.editing.test_edits import ROWS, frames_by_id
from tracker.editing.edit_list import EditList, edits_beside
from tracker.editing.edits import Delete, DrawBoxes, Merge
from tracker.errors import InputError
from tracker.io.mot import read_results


@pytest.fixture
def results(tmp_path: Path) -> Path:
    path = tmp_path / "street.txt"
    path.write_text(ROWS)
    return path


def test_a_list_is_read_as_it_was_written(results: Path) -> None:
    path = edits_beside(results)
    edits = EditList(path, results)
    edits.append(Merge(1, 3))
    edits.append(Delete(2, first=2))
    edits.append(DrawBoxes(4, ((2, 0.0, 0.5, 5.0, 5.0),)))
    again = EditList(path, results)
    assert again.edits == edits.edits == [Merge(1, 3), Delete(2, first=2), DrawBoxes(4, ((2, 0.0, 0.5, 5.0, 5.0),))]
    assert frames_by_id(again.apply(read_results(results))) == {1: [1, 2, 4, 5], 2: [1], 4: [2]}
    assert len(path.read_text().splitlines()) == 4


def test_undo_is_a_line_more_and_takes_back_the_last_edit_in_force(results: Path) -> None:
    path = edits_beside(results)
    edits = EditList(path, results)
    for edit in (Merge(1, 3), Delete(2), None, None):
        edits.append(edit)
    assert edits.edits == EditList(path, results).edits == []
    assert len(path.read_text().splitlines()) == 5
    with pytest.raises(InputError, match="there is nothing to undo"):
        edits.append(None)
    assert len(path.read_text().splitlines()) == 5


def test_results_that_changed_are_refused(results: Path) -> None:
    EditList(edits_beside(results), results).append(Merge(1, 3))
    results.write_text(ROWS + "6,3,20,10,20,40,0.7,-1,-1,-1\n")
    with pytest.raises(InputError, match=r"these are edits of another street\.txt"):
        EditList(edits_beside(results), results)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["{}"], "edits.jsonl:1: expected the edit list of a file of results"),
        (["1,1,10"], "edits.jsonl:1: not valid JSON"),
        (["HEAD", '{"edit": "undo"}'], "edits.jsonl:2: there is nothing to undo"),
        (["HEAD", '{"edit": "merge", "id": 1, "other": 3}', '{"edit": "mer'], "edits.jsonl:3: not valid JSON"),
        (["HEAD", "[" * 500], "edits.jsonl:2: "),
    ],
)
def test_a_broken_line_is_named(lines: list[str], words: str, results: Path) -> None:
    path = edits_beside(results)
    EditList(path, results).append(Delete(1))
    head = path.read_text().splitlines()[0]
    path.write_text("\n".join(lines).replace("HEAD", head))
    with pytest.raises(InputError) as caught:
        EditList(path, results)
    assert words in str(caught.value)


def test_a_last_line_without_end_does_not_swallow_the_next(results: Path) -> None:
    path = edits_beside(results)
    EditList(path, results).append(Merge(1, 3))
    path.write_text(path.read_text().rstrip("\n"))
    EditList(path, results).append(Delete(2))
    assert EditList(path, results).edits == [Merge(1, 3), Delete(2)]


def test_an_edit_that_does_not_fit_is_named_with_its_line(results: Path) -> None:
    path = edits_beside(results)
    EditList(path, results).append(Merge(1, 3))
    with path.open("a") as file:
        file.write(json.dumps({"edit": "delete", "id": 3}) + "\n")
    with pytest.raises(InputError, match=r"edits\.jsonl:3: there is no id 3"):
        EditList(path, results).apply(read_results(results))

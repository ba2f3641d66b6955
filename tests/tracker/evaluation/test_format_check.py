from __future__ import annotations

import pytest

from tracker.errors import InputError
from tracker.evaluation.format_check import validate
from tracker.io.mot import read_results

GOOD = "1,1,10,20,30,40,0.9,-1,-1,-1"


@pytest.fixture
def write(tmp_path):
    def write_lines(name, *lines):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    return write_lines


def problems(report):
    return [(violation.line, violation.problem) for violation in report.violations]


def test_good_results_have_no_violation(write):
    report = validate(write("a.txt", GOOD, "2,1,10,20,30,40,0.9,-1,-1,-1"))
    assert report.is_valid
    assert report.summary() == "2 rows in 1 file: no violation"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("1,1,1,1,5,5,1,-1,-1,-1", "id 1 occurs twice in frame 1 (first in line 1)"),
        ("0,2,1,1,5,5,1,-1,-1,-1", "frame out of range, expected 1 to 10000000"),
        ("2.5,2,1,1,5,5,1,-1,-1,-1", "the frame is no whole number"),
        ("1,-3,1,1,5,5,1,-1,-1,-1", "expected a positive whole number as id"),
        ("1,2.5,1,1,5,5,1,-1,-1,-1", "expected a positive whole number as id"),
        ("1,2,1,1,5,5", "expected 10 columns in results, got 6"),
        ("1,2,1,1,5,5,1,-1,-1,-1,-1", "expected 10 columns in results, got 11"),
        ("1,2,nan,1,5,5,1,-1,-1,-1", "expected a finite number in column 3"),
        ("1,2,x,1,5,,1,-1,-1,-1", "expected a finite number in column 3, 6"),
        ("1,2,1,1,0,5,1,-1,-1,-1", "the box has no size"),
        ("1,2,1,1,5,-5,1,-1,-1,-1", "the box has no size"),
        ("1,2,1,1,5,5,1,3,-1,-1", "expected class 1 or -1 in column 8 of a result"),
    ],
)
def test_every_rule(write, row, problem):
    path = write("MOT17-02.txt", GOOD, row)
    report = validate(path, kind="results", length=10000000)
    assert problems(report) == [(2, problem)]
    assert str(report.violations[0]) == f"{path}:2: {problem}: {row}"


def test_all_violations_are_listed(write):
    report = validate(write("a.txt", "0,0,1,1,0,5,1,-1,-1,-1", GOOD, "text"), kind="results")
    assert [line for line, _ in problems(report)] == [1, 1, 1, 3, 3]
    assert report.summary() == "3 rows in 1 file: 5 violations in 1 of the files"


def test_a_folder_of_sequences_knows_lengths_and_kinds(write, tmp_path):
    write("MOT17-99/seqinfo.ini", "[Sequence]", "seqLength=3")
    write("MOT17-99/gt/gt.txt", "4,1,1,1,5,5,1,1,1", "1,1,1,1,5,5,1,14,1")
    write("MOT17-99/det/det.txt", "1,-1,1,1,5,5,-0.3", "1,-1,1,1,5,5,-0.3", "9,-1,1,1,5,5,-0.3")
    write("results/MOT17-02-SDP.txt", "601,1,1,1,5,5,1,-1,-1,-1")
    write("MOT17-99/img1/notes.txt", "not a label")
    report = validate(tmp_path)
    assert report.files == 3
    assert {violation.path.name: violation.problem for violation in report.violations} == {
        "gt.txt": "expected a class from 1 to 13 in column 8",
        "det.txt": "frame out of range, expected 1 to 3",
        "MOT17-02-SDP.txt": "frame out of range, expected 1 to 600",
    }
    assert len(report.violations) == 4


def test_real_labels_are_valid(shared_data):
    report = validate(shared_data / "MOT17-labels" / "train" / "MOT17-09-SDP")
    assert report.files == 2
    assert report.violations == []


def test_a_fixed_file_is_valid_and_keeps_what_was_good(write, tmp_path):
    path = write(
        "a.txt", GOOD, "1,1,9,9,9,9,1,-1,-1,-1", "2,-1,1,1,5,5,1,-1,-1,-1", "2,3,1,2,5,6", "3,4,1,1,0,1,1,-1,-1,-1"
    )
    report = validate(path, fix=True)
    assert report.fixed == tmp_path / "a_fixed.txt"
    assert report.fixed.read_text().splitlines() == [GOOD, "2,3,1,2,5,6,1,-1,-1,-1"]
    assert validate(report.fixed).is_valid
    assert len(path.read_text().splitlines()) == 5


def test_fixing_lets_frames_and_ids_count_from_one(write):
    fixed = validate(write("a.txt", "0,0,1,1,5,5,1", "1,0,1,1,5,5,1", "1,1,1,1,5,5,1"), length=2, fix=True).fixed
    rows = read_results(fixed)
    assert rows.frames.tolist() == [1, 2, 2]
    assert rows.ids.tolist() == [1, 1, 2]


def test_frame_zero_of_a_full_sequence_is_left_out(write):
    fixed = validate(write("a.txt", "0,1,1,1,5,5,1", "2,1,1,1,5,5,1"), length=2, fix=True).fixed
    assert read_results(fixed).frames.tolist() == [2]


def test_a_fixed_folder_lies_beside_it(write, tmp_path):
    write("results/deep/a.txt", GOOD, GOOD)
    report = validate(tmp_path / "results", fix=True)
    assert (tmp_path / "results_fixed" / "deep" / "a.txt").read_text() == GOOD + "\n"
    assert report.summary().endswith(f"1 violation in 1 of the files; cleaned copy: {tmp_path / 'results_fixed'}")


def test_nothing_to_validate_is_an_error(tmp_path):
    with pytest.raises(InputError, match="found none"):
        validate(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        validate(tmp_path / "a")

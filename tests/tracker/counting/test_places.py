from __future__ import annotations

from pathlib import Path

import pytest

from tracker.counting import Line, Zone
from tracker.counting.places import parse_place, read_places
from tracker.errors import InputError

SIZE = (200, 100)


def test_pixels_and_shares_are_told_apart_by_the_percent_sign():
    assert parse_place("line", "door=10, 20,50%,100%").in_image(SIZE) == Line("door", (10, 20), (100, 100))
    zone = parse_place("zone", "a=b=0,0,10%,0,10%,10%").in_image(SIZE)
    assert zone == Zone("a=b", ((0, 0), (20, 0), (20, 10)))


def test_pixels_need_no_size():
    assert parse_place("line", "door=10,20,30,40").in_image(None) == Line("door", (10, 20), (30, 40))


def test_a_file_may_write_coordinates_in_any_of_three_ways(tmp_path):
    (tmp_path / "places.yaml").write_text(
        "lines:\n  a: 10,20,50%,40\n  b: [10, 20, 50%, 40]\n  c: [[10, 20], [50%, 40]]\nzones:\n  d: [0,0, 9,0, 9,9]\n"
    )
    places = [place.in_image(SIZE) for place in read_places(tmp_path / "places.yaml")]
    assert places[:3] == [Line(name, (10, 20), (100, 40)) for name in "abc"]
    assert places[3] == Zone("d", ((0, 0), (9, 0), (9, 9)))


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        ("line", "10,20,30,40", r"--line 10,20,30,40: expected NAME=x1,y1,x2,y2"),
        ("line", "=10,20,30,40", "expected NAME="),
        ("line", "door=10,20,30", r"--line door: expected x1,y1,x2,y2, got 3 numbers"),
        ("line", "door=1,2,3,4,5,6", "got 6 numbers"),
        ("zone", "yard=1,2,3,4", r"--zone yard: expected x1,y1,x2,y2,x3,y3,\.\.\., got 4 numbers"),
        ("line", "door=1,2,3,x", r"got 'x' among them"),
        ("line", "door=1,2,3,nan", "got 'nan' among them"),
        ("line", "door=0.1,0.5,0.9,0.5", "all of it lies within one pixel; .* as in 50%"),
        ("line", "door=300,0,300,50", "--line door: the line lies outside of the image of 200 x 100 pixels"),
        ("zone", "yard=0,-9,50,-9,50,-5", "the zone lies outside of the image"),
        ("line", "door=5,5,5,5", "--line door: line door: its two points are the same"),
    ],
)
def test_mistakes_of_options(kind, text, says):
    with pytest.raises(InputError, match=says):
        parse_place(kind, text).in_image(SIZE)


def test_a_share_needs_the_size():
    with pytest.raises(InputError, match=r"--line door: a share of the image \(%\) needs the size of the image"):
        parse_place("line", "door=10%,0,10%,90%").in_image(None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r"places.yaml: expected lines: and zones:"),
        ("line: {a: 1}", "expected lines: and zones:"),
        ("lines: [1, 2]", "expected lines: as a mapping"),
        ("lines: {a: {b: 1}}", "line a: expected"),
        ("lines: {a: [1, 2, 3]}", r"places.yaml: line a: expected x1,y1,x2,y2, got 3 numbers"),
    ],
)
def test_mistakes_of_a_file(tmp_path: Path, text, says):
    (tmp_path / "places.yaml").write_text(text)
    with pytest.raises(InputError, match=says):
        read_places(tmp_path / "places.yaml")

from __future__ import annotations

import numpy as np
import pytest

from centertrack.web.sketch import Sketch
from tracker.errors import InputError

BLACK = np.zeros((480, 640, 3), np.uint8)


def test_two_clicks_are_a_line_and_more_a_zone() -> None:
    sketch = Sketch(BLACK)
    assert sketch.click(10, 20, "line", "") == "Click the other end of the line."
    assert sketch.click(600, 20, "line", "") == "The line line 1 is drawn: 10, 20, 600, 20."
    asked = [sketch.click(x, y, "zone", "") for x, y in ((10, 10), (90, 10), (90, 90), (10, 90))]
    assert asked[1:3] == ["Click at least 1 more corners of the zone.", "Click more corners of the zone, or close it."]
    sketch.finish("zone", " queue ")
    assert [(place.kind, place.name) for place in sketch.places] == [("line", "line 1"), ("zone", "queue")]
    assert sketch.places[1].numbers == (10, 10, 90, 10, 90, 90, 10, 90)
    assert sketch.points == []


def test_what_is_drawn_is_seen_and_the_image_stays_as_it_is() -> None:
    sketch = Sketch(BLACK)
    sketch.click(100, 100, "line", "")
    assert sketch.picture()[100, 100].any()
    sketch.click(300, 100, "line", "")
    assert sketch.picture()[100, 250].any()
    assert not BLACK.any()


def test_a_small_image_is_shown_large_and_clicked_where_it_is() -> None:
    sketch = Sketch(np.zeros((96, 160, 3), np.uint8))
    assert sketch.picture().shape == (384, 640, 3)
    sketch.click(323, 200, "line", "")
    assert sketch.points == [(80, 50)]


@pytest.mark.parametrize(
    ("kind", "name", "points", "words"),
    [
        ("line", "", [(30, 30), (30, 30)], "--line line 2: "),
        ("zone", "", [(5, 5), (90, 90)], "a zone needs 3 points, got 2"),
        ("line", "line 1", [(5, 5), (90, 90)], "two lines or zones are called line 1"),
    ],
)
def test_what_is_no_place_is_refused(kind: str, name: str, points: list[tuple[int, int]], words: str) -> None:
    sketch = Sketch(BLACK)
    sketch.click(10, 10, "line", "")
    sketch.click(50, 10, "line", "")
    with pytest.raises(InputError, match=words):
        for x, y in points:
            sketch.click(x, y, kind, name)
        sketch.finish(kind, name)
    assert len(sketch.places) == 1
    assert sketch.points == []


def test_undo_takes_the_last_point_first() -> None:
    sketch = Sketch(BLACK)
    for x in (10, 50, 90):
        sketch.click(x, 10, "line", "")
    sketch.undo()
    assert (sketch.points, len(sketch.places)) == ([], 1)
    sketch.undo()
    sketch.undo()
    assert sketch.places == []

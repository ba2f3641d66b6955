from __future__ import annotations

import json
import re

import numpy as np

from tracker.detections import Tracks
from tracker.report.tracks_page import Lifetimes, render_tracks_page


def tracks(*ids: int) -> Tracks:
    count = len(ids)
    none = np.zeros(count, np.int64)
    return Tracks(np.array(ids, np.int64), np.zeros((count, 4), np.float32), np.ones(count, np.float32), none, none)


def test_a_gap_ends_a_span_and_frames_that_are_left_out_do_not() -> None:
    lifetimes = Lifetimes()
    for number, ids in ((11, (1, 2)), (14, (1,)), (17, (1, 2)), (20, (2,))):
        lifetimes.add(number, tracks(*ids))
    assert lifetimes.spans == {1: [[11, 17]], 2: [[11, 11], [17, 20]]}
    assert (lifetimes.first, lifetimes.last, lifetimes.frames) == (11, 20, 4)


def test_the_page_holds_everything_and_names_are_text() -> None:
    lifetimes = Lifetimes()
    lifetimes.add(5, tracks(3))
    page = render_tracks_page("</script><b>", {"frames": "1"}, lifetimes, {3: "</script>"}, {})
    (data,) = re.findall(r'id="tracks">(.*?)</script>', page)
    found = json.loads(data)
    assert (found["first"], found["length"], found["ids"]) == (5, 1, [[3, "</script>", [[5, 5]]]])
    assert "<b>&lt;" not in page
    assert "<title>&lt;/script&gt;&lt;b&gt;: tracks</title>" in page
    assert re.findall(r"(?:src|href)=", page) == []


def test_nobody_is_a_sentence() -> None:
    assert "Nobody was followed." in render_tracks_page("street", {}, Lifetimes(), {}, {"lines": {}, "zones": {}})

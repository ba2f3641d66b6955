from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.tracker.evaluation.conftest import write_results
from tests.tracker.evaluation.test_evaluate import PERFECT, SWITCH
from tracker.errors import InputError
from tracker.evaluation import evaluate
from tracker.evaluation.evaluator import Protocol
from tracker.evaluation.sequences import find_sequences
from tracker.report import write_report
from tracker.report.comparison import compare_identities
from tracker.report.runs import load_run


@pytest.fixture
def folders(benchmark_folder):
    return benchmark_folder({"MOT17-01": SWITCH, "MOT17-02": PERFECT})


@pytest.fixture
def two_trackers(folders, tmp_path):
    """The second one keeps one id where the first switches, but loses the other identity after one frame."""
    gt, results = folders
    steady = [(f, 7, 102 + 10 * f, 50, 40, 100) for f in range(1, 7)] + [(1, 8, 290, 64, 40, 100)]
    write_results(tmp_path / "other" / "MOT17-01.txt", steady)
    write_results(tmp_path / "other" / "MOT17-02.txt", PERFECT[2])
    return gt, {"first": results, "<second>": tmp_path / "other"}


class BalancedTags(HTMLParser):
    """Fails on a tag that closes another one than the last opened."""

    VOID = ("meta", "img", "br", "path")

    def __init__(self):
        super().__init__()
        self.open_tags = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open_tags.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open_tags.pop() == tag


def check_page(page):
    parser = BalancedTags()
    parser.feed(page)
    assert parser.open_tags == []
    assert not re.search(r"""(src|href)=["'](?!data:)""", page), "the page must not need other files"
    data = re.search(r'<script type="application/json" id="timelines">(.*?)</script>', page)
    return json.loads(data[1])


def test_the_page_holds_scores_timelines_and_events(folders, tmp_path):
    gt, results = folders
    found = write_report(tmp_path / "report.html", gt, {"mine": results})
    assert found["mine"].to_dict() == evaluate(gt, results).to_dict()
    page = (tmp_path / "report.html").read_text()
    timelines = check_page(page)
    assert timelines[0]["rows"] == [
        [1, [[7, 1, 3, 9, 5, 6]], [[1, 6]], [[5]]],
        [2, [[8, 1, 6]], [[1, 6]], [[]]],
    ]
    assert "82.13" in page
    assert "<tr><td>5</td><td>1</td><td>7</td><td>9</td><td>3</td></tr>" in page  # the switch
    assert "<p><b>1</b>: 4</p>" in page  # the interruption
    assert "<tr><td>MOT17-01</td><td>11</td><td>1</td></tr>" in page  # the track on nobody


def test_several_trackers_lie_side_by_side(two_trackers, tmp_path):
    gt, results = two_trackers
    write_report(tmp_path / "report.html", gt, results)
    page = (tmp_path / "report.html").read_text()
    timelines = check_page(page)
    assert timelines[0]["trackers"] == ["first", "<second>"]
    assert timelines[0]["rows"][0] == [1, [[7, 1, 3, 9, 5, 6], [7, 1, 6]], [[1, 6], [1, 6]], [[5], []]]
    assert "Where they differ most" in page
    assert "<second>" not in page.split('id="timelines"')[0]


def test_the_identity_they_differ_on_most_comes_first(two_trackers):
    gt, results = two_trackers
    runs = [load_run(name, gt, folder, find_sequences(gt, folder), Protocol()) for name, folder in results.items()]
    differences = compare_identities([run.events for run in runs], count=5)
    assert [(one.identity, one.frames, one.tracks) for one in differences] == [(2, 5, (1, 1)), (1, 1, (2, 1))]
    assert differences[0].shares == (1, pytest.approx(1 / 6))


def test_switches_are_shown_in_pictures(folders, tmp_path):
    cv2 = pytest.importorskip("cv2")
    gt, results = folders
    images = gt / "MOT17-01" / "img1"
    images.mkdir()
    for frame in range(1, 7):
        cv2.imwrite(str(images / f"{frame:06d}.jpg"), np.full((200, 400, 3), 20 * frame, np.uint8))
    write_report(tmp_path / "report.html", gt, {"mine": results}, images=gt)
    page = (tmp_path / "report.html").read_text()
    check_page(page)
    assert page.count("data:image/jpeg;base64,") == 2
    assert "frame 3<br>track 7" in page
    assert "frame 5<br>track 9" in page


def test_frames_that_are_not_there_give_no_pictures(folders, tmp_path):
    gt, results = folders
    write_report(tmp_path / "report.html", gt, {"mine": results}, images=tmp_path)
    assert "data:image" not in (tmp_path / "report.html").read_text()


def test_nothing_tracked_at_all(benchmark_folder, tmp_path):
    gt, results = benchmark_folder({"a": (3, [(1, 1, 5, 5, 20, 40)], [])})
    write_report(tmp_path / "report.html", gt, {"mine": results})
    assert len(check_page((tmp_path / "report.html").read_text())[0]["rows"]) == 1


def test_half_a_sequence(folders, tmp_path):
    gt, results = folders
    write_report(tmp_path / "report.html", gt, {"mine": results}, frames="half-val")
    timeline = check_page((tmp_path / "report.html").read_text())[0]
    assert (timeline["first"], timeline["length"]) == (5, 2)


def test_no_tracker_is_an_error(folders, tmp_path):
    with pytest.raises(InputError, match="at least one tracker"):
        write_report(tmp_path / "report.html", folders[0], {})

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest

from centertrack.app.answers import Answers, Questions
from centertrack.app.pipeline import FrameResult
from centertrack.app.web_view import Pane, WebView
from tests.tracker.io.servers import free_port
from tracker.counting.places import parse_place
from tracker.detections import Detections, Tracks
from tracker.errors import InputError
from tracker.io.frame import Frame
from tracker.io.images import as_rgb, decode_image

BOXES = np.array([[10, 10, 40, 50], [60, 10, 90, 50]], np.float32)


def result(number: int, ids: tuple[int, ...] | None = (1, 2), image: np.ndarray | None = None) -> FrameResult:
    frame = Frame(number, number / 10, np.full((64, 96, 3), 90, np.uint8) if image is None else image)
    detections = Detections(BOXES, [0.9, 0.8])
    if ids is None:
        return FrameResult(frame, detections=detections)
    count = len(ids)
    tracks = Tracks(np.array(ids, np.int64), BOXES[:count], np.ones(count), np.zeros(count, int), np.arange(count))
    return FrameResult(frame, detections=detections, tracks=tracks)


@pytest.fixture
def view() -> Iterator[WebView]:
    with WebView(port=0) as view:
        yield view


def counts(view: WebView) -> list[dict[str, object]]:
    found = json.loads(urlopen(f"{view.address}counts.json", timeout=20).read())
    for one in found:
        one.pop("rate")
    return found


def test_the_numbers_of_every_source(view):
    assert counts(view) == []
    with view.pane("door") as door, view.pane("photos") as photos:
        door.update(result(1))
        door.update(result(2, (2,)))
        door.update(result(3, (2, 5)))
        photos.update(result(7, None))
        assert counts(view) == [
            {"name": "door", "frame": 3, "time": 0.3, "objects": 2, "ids": 3, "ended": False},
            {"name": "photos", "frame": 7, "time": 0.7, "objects": 2, "ids": None, "ended": False},
        ]
    assert [one["ended"] for one in counts(view)] == [True, True]


def watch_one(view: WebView, pane: Pane, path: str) -> bytes:
    """Fetch a picture while frames come."""
    got: list[bytes] = []
    client = threading.Thread(target=lambda: got.append(urlopen(f"{view.address}{path}", timeout=20).read()))
    client.start()
    number = 0
    while client.is_alive():
        number += 1
        pane.update(result(number))
        client.join(0.01)
    return got[0]


def test_the_newest_frame_with_its_boxes(view):
    with view.pane("door") as pane:
        content = watch_one(view, pane, "0.jpg")
    shown = as_rgb(decode_image(content, 1), bgr=True)
    assert shown.shape == (64, 96, 3)
    assert np.abs(shown.astype(int) - 90).max() > 50  # boxes are drawn
    with pytest.raises(HTTPError, match="410"):
        urlopen(f"{view.address}0.jpg", timeout=20)


def test_what_outputs_know_is_drawn_over_the_frame(view):
    answers = Answers(Questions(places=[parse_place("line", "gate=50%,0,50%,100%")]), "door", (96, 64), str, "people")
    with view.pane("door", overlay=answers.draw_over) as pane:
        with_line = as_rgb(decode_image(watch_one(view, pane, "0.jpg"), 1), bgr=True).astype(int)
    with view.pane("plain") as pane:
        without = as_rgb(decode_image(watch_one(view, pane, "1.jpg"), 1), bgr=True).astype(int)
    assert np.abs(with_line - without)[:, 44:52].max() > 60  # the line in the middle


def test_nothing_is_drawn_while_nobody_watches(view, monkeypatch):
    drawn = []
    with view.pane("door") as pane:
        draw = pane._annotator.draw
        monkeypatch.setattr(pane._annotator, "draw", lambda one: drawn.append(one.number) or draw(one))
        for number in range(1, 30):
            pane.update(result(number))
        assert drawn == []
        watch_one(view, pane, "0.jpg")
        assert drawn


def test_a_viewer_who_takes_nothing_costs_nothing(view):
    """Its picture would fill every buffer; frames go on all the same, and so does another viewer."""
    noise = np.random.default_rng(0).integers(0, 255, (720, 1280, 3), dtype=np.uint8)
    port = int(view.address.rsplit(":", 1)[1].strip("/"))
    with view.pane("door") as pane, socket.create_connection(("127.0.0.1", port)) as idle:
        idle.sendall(f"GET /0.mjpeg HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        assert idle.recv(16)  # it is being served, and now reads no more
        for number in range(1, 40):
            pane.update(result(number, image=noise))
        assert watch_one(view, pane, "0.jpg")


def test_what_is_not_there(view):
    for path in ("0.mjpeg", "x.jpg", "..%2Fsecret", "0.txt"):
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"{view.address}{path}", timeout=20)


def test_a_page_of_another_name_that_leads_here_is_refused(view):
    with pytest.raises(HTTPError, match="403"):
        urlopen(Request(view.address, headers={"Host": "elsewhere.example:80"}), timeout=20)
    assert b"<title>centertrack</title>" in urlopen(view.address, timeout=20).read()


def test_it_listens_where_it_is_told_to():
    assert WebView.__init__.__defaults__ == ("127.0.0.1", 8000)
    with WebView("0.0.0.0", 0) as view:
        port = int(view.address.rsplit(":", 1)[1].strip("/"))
        request = Request(f"http://127.0.0.1:{port}/counts.json", headers={"Host": "camera.example"})
        assert urlopen(request, timeout=20).read() == b"[]"  # whoever opens it to the network may give it a name
        with pytest.raises(InputError, match=rf"cannot serve at 0\.0\.0\.0:{port}: .*; choose another port"):
            WebView("0.0.0.0", port)
    with pytest.raises(InputError, match=r"cannot serve at no-such-host\.invalid"):
        WebView("no-such-host.invalid", free_port())

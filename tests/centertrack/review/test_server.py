"""The server of the review page, asked as a browser asks."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from centertrack.review.server import ReviewServer
from tests.centertrack.review.conftest import FRAMES
from tracker.editing.edit_list import EditList, edits_beside
from tracker.editing.edits import Merge
from tracker.errors import InputError


def ask(server: ReviewServer, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(*server.server_address[:2], timeout=20)
    content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request("GET" if body is None else "POST", path, content, headers)
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return found


def columns(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    count = len(content) // 32
    return np.frombuffer(content[: 12 * count], "<i4").reshape(3, count), np.frombuffer(
        content[12 * count :], "<f4"
    ).reshape(5, count)


@pytest.mark.parametrize("name", ["", "index.html", "main.js", "timeline.js", "style.css", "review.css"])
def test_the_page_is_whole_and_asks_nobody_else(name: str, server: ReviewServer) -> None:
    status, headers, content = ask(server, f"/{name}")
    assert status == 200
    assert content
    assert b"http" not in content.replace(b"http://www.w3.org", b"")
    assert "default-src 'self'" in headers["Content-Security-Policy"]


def test_tracks_come_sorted_by_id_and_frame(server: ReviewServer) -> None:
    whole, real = columns(ask(server, "/tracks")[2])
    assert np.unique(whole[1]).tolist() == [1, 2, 3, 4]
    assert whole[0, :3].tolist() == [1, 2, 3]
    assert real[:, 0].tolist() == pytest.approx([0.9, 24, 59, 20, 48])
    some = columns(ask(server, "/tracks?ids=3,9,x")[2])[0]
    assert np.unique(some[1]).tolist() == [3]


def test_an_edit_is_applied_written_and_taken_back(server: ReviewServer, results: Path) -> None:
    before = results.read_bytes()
    status, _, content = ask(server, "/edits", {"edit": "merge", "id": 3, "other": 4})
    assert (status, json.loads(content)) == (200, {"changed": [3, 4], "edit_count": 1, "was": None})
    assert EditList(edits_beside(results), results).edits == [Merge(3, 4)]
    assert np.unique(columns(ask(server, "/tracks")[2])[0][1]).tolist() == [1, 2, 3]
    assert np.unique(columns(ask(server, "/tracks?original")[2])[0][1]).tolist() == [1, 2, 3, 4]
    answer = json.loads(ask(server, "/edits", {"edit": "undo"})[2])
    assert answer == {"changed": [3, 4], "edit_count": 0, "was": {"edit": "merge", "id": 3, "other": 4}}
    assert np.unique(columns(ask(server, "/tracks")[2])[0][1]).tolist() == [1, 2, 3, 4]
    assert results.read_bytes() == before


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({"edit": "merge", "id": 1, "other": 2}, "ids 1 and 2 are both in frame 1"),
        ({"edit": "melt"}, "expected one of merge"),
        (b"{", "the edit:1: not valid JSON"),
        ({"edit": "undo"}, "there is nothing to undo"),
        ({"edit": "rename", "id": 1, "new_id": 2**40}, "expected ids up to"),
        ({"edit": "boxes", "id": 9, "keys": [[FRAMES + 1, 1, 1, 5, 5]]}, f"street ends with frame {FRAMES}"),
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_no_line(
    edit: Any, words: str, server: ReviewServer, results: Path
) -> None:
    status, _, content = ask(server, "/edits", edit)
    assert status == 400
    assert words in json.loads(content)["error"]
    assert not edits_beside(results).exists()


def test_other_pages_and_hosts_are_refused(server: ReviewServer, results: Path) -> None:
    edit = {"edit": "merge", "id": 3, "other": 4}
    assert ask(server, "/edits", edit, Origin="http://elsewhere.example")[0] == 403
    assert ask(server, "/tracks", Host="elsewhere.example")[0] == 403
    assert ask(server, "/edits", edit, Origin=server.url.rstrip("/"))[0] == 200
    assert server.server_address[0] == "127.0.0.1"


def test_a_body_without_end_is_refused(server: ReviewServer) -> None:
    assert ask(server, "/edits", b"x", **{"Content-Length": str(2**40)})[0] == 400
    assert ask(server, "/other", b"x")[0] == 400


@pytest.mark.parametrize("path", ["/../street.txt", "/page/../session.py", "/frame/1", "/frame/x", "/video/.."])
def test_nothing_but_the_page_is_served(path: str, server: ReviewServer) -> None:
    assert ask(server, path)[0] == 404


def test_a_video_is_sent_whole_and_in_parts(server: ReviewServer, clip: Path) -> None:
    content = clip.read_bytes()
    status, headers, body = ask(server, "/video")
    assert (status, body, headers["Accept-Ranges"]) == (200, content, "bytes")
    status, headers, body = ask(server, "/video", Range="bytes=10-19")
    assert (status, body) == (206, content[10:20])
    assert headers["Content-Range"] == f"bytes 10-19/{len(content)}"
    assert ask(server, "/video", Range="bytes=-5")[2] == content[-5:]
    assert ask(server, "/video", Range=f"bytes={len(content)}-")[0] == 416


def test_times_are_those_of_the_frames(server: ReviewServer) -> None:
    numbers, times = np.frombuffer(ask(server, "/times")[2], "<f8").reshape(2, -1)
    assert numbers.tolist() == list(range(1, FRAMES + 1))
    assert np.allclose(times, (numbers - 1) / 25)


def test_suspicious_places_fit_the_tracks(server: ReviewServer) -> None:
    places = json.loads(ask(server, "/suspicions")[2])
    gap = next(place for place in places if place["kind"] == "gap")
    assert gap["ids"] == [3, 4]
    ask(server, "/edits", gap["alternatives"][1]["edits"][0])
    assert all(place["kind"] != "gap" for place in json.loads(ask(server, "/suspicions")[2]))


def test_a_port_that_is_taken_is_one_sentence(server: ReviewServer) -> None:
    with pytest.raises(InputError, match=f"--port {server.server_address[1]}: cannot be used"):
        ReviewServer(server.session, server.server_address[1])

"""The server behind the review page: on this computer only, one page, one video, one file of results."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from typing_extensions import override

from centertrack.review.session import ReviewSession
from tracker.editing.edits import edit_from_json
from tracker.errors import InputError
from tracker.io.reading import parse_json
from tracker.report.style import STYLE, TRACK_COLOURS, timeline_script

_LOG = logging.getLogger(__name__)
HOST = "127.0.0.1"
MAX_BODY = 2**20  # bytes of one edit
_CHUNK = 2**18
_PAGE = {
    "index.html": "text/html; charset=utf-8",
    "review.css": "text/css; charset=utf-8",
    "main.js": "text/javascript; charset=utf-8",
    "tracks.js": "text/javascript; charset=utf-8",
    "player.js": "text/javascript; charset=utf-8",
    "boxes.js": "text/javascript; charset=utf-8",
}
_VIDEOS = {".webm": "video/webm"}  # mp4, m4v and mov are told by the browser as video/mp4
_IMAGES = {".png": "image/png", ".bmp": "image/bmp", ".webp": "image/webp"}
_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; frame-ancestors 'none'"


class ReviewServer(ThreadingHTTPServer):
    """Serves the page of one session on this computer.

    Args:
        session: What is reviewed.
        port: 0 takes any that is free.

    Raises:
        InputError: The port is taken.
    """

    daemon_threads = True

    def __init__(self, session: ReviewSession, port: int = 0) -> None:
        self.session = session
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise InputError(
                f"--port {port}: cannot be used: {error.strerror or error}; leave it out for another"
            ) from error

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.server_address[1]}/"

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Leave out what a browser that went away causes."""
        _LOG.debug("a request ended early", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ReviewServer

    def do_GET(self) -> None:
        """Answer with a part of the page, pictures or tracks."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """Take an edit."""
        self._answer(self._post)

    def _answer(self, method: Callable[[], None]) -> None:
        if not self._is_ours():
            self._send_json({"error": "this page is for this computer only"}, HTTPStatus.FORBIDDEN)
            return
        try:
            method()
        except InputError as error:
            self._send_json({"error": str(error)}, HTTPStatus.BAD_REQUEST)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _is_ours(self) -> bool:
        """Tell whether the page itself asks, rather than another one that happens to be open in the same browser."""
        own = {f"{name}:{self.server.server_address[1]}" for name in (HOST, "localhost")}
        origin = self.headers.get("Origin")
        return self.headers.get("Host") in own and (origin is None or urlsplit(origin).netloc in own)

    def _get(self) -> None:
        address = urlsplit(self.path)
        query, session = parse_qs(address.query, keep_blank_values=True), self.server.session
        name = address.path.lstrip("/") or "index.html"
        if name in _PAGE:
            self._send((files("centertrack.review") / "page" / name).read_bytes(), _PAGE[name])
        elif name == "style.css":
            self._send(STYLE.encode(), "text/css; charset=utf-8")
        elif name == "timeline.js":
            self._send(timeline_script().encode(), "text/javascript; charset=utf-8")
        elif name == "about":
            self._send_json({**session.about(), "colours": TRACK_COLOURS})
        elif name == "times":
            media = session.media
            self._send(media.numbers.astype("<f8").tobytes() + media.times.astype("<f8").tobytes())
        elif name == "tracks":
            ids = [int(text) for text in query["ids"][0].split(",") if text.isdecimal()] if "ids" in query else None
            self._send(session.tracks(ids, original="original" in query))
        elif name == "suspicions":
            self._send_json(session.suspicions())
        elif name == "video" and session.media.video is not None:
            self._send_file(session.media.video, _VIDEOS.get(session.media.video.suffix.lower(), "video/mp4"))
        elif name.startswith("frame/") and name[6:].isdecimal() and int(name[6:]) in session.media.images:
            image = session.media.images[int(name[6:])]
            self._send_file(image, _IMAGES.get(image.suffix.lower(), "image/jpeg"))
        else:
            self._send_json({"error": f"there is no {address.path}"}, HTTPStatus.NOT_FOUND)

    def _post(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self.path != "/edits" or not length.isdecimal() or int(length) > MAX_BODY:
            self.close_connection = True
            self._send_json({"error": "expected an edit"}, HTTPStatus.BAD_REQUEST)
            return
        content = parse_json(self.rfile.read(int(length)).decode("utf-8", "replace"), "the edit")
        is_undo = isinstance(content, dict) and content.get("edit") == "undo"
        self._send_json(self.server.session.edit(None if is_undo else edit_from_json(content, "the edit")))

    def _send_json(self, content: object, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(json.dumps(content).encode(), "application/json", status)

    def _send(self, body: bytes, kind: str = "application/octet-stream", status: HTTPStatus = HTTPStatus.OK) -> None:
        self._head(status, {"Content-Type": kind, "Content-Length": str(len(body)), "Cache-Control": "no-store"})
        self.wfile.write(body)

    def _send_file(self, path: Path, kind: str) -> None:
        """Send a file, or the part that a `Range` asks for."""
        try:
            file = path.open("rb")
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror or error}") from error
        with file:
            size = path.stat().st_size
            part = _range(self.headers.get("Range"), size)
            first, end = (0, size) if part is None else part
            headers = {"Content-Type": kind, "Content-Length": str(max(end - first, 0)), "Accept-Ranges": "bytes"}
            if part is None:
                self._head(HTTPStatus.OK, headers)
            elif first >= size:
                self._head(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, {**headers, "Content-Range": f"bytes */{size}"})
                return
            else:
                self._head(HTTPStatus.PARTIAL_CONTENT, {**headers, "Content-Range": f"bytes {first}-{end - 1}/{size}"})
            file.seek(first)
            while first < end and (chunk := file.read(min(_CHUNK, end - first))):
                self.wfile.write(chunk)
                first += len(chunk)

    def _head(self, status: HTTPStatus, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}.items():
            self.send_header(name, value)
        self.end_headers()

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Keep the terminal quiet."""


def _range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the first byte and the one after the last that a `Range` header asks for; None for the whole file.

    >>> _range("bytes=10-19", 100), _range("bytes=90-", 100), _range("bytes=-10", 100), _range("frames=1-2", 100)
    ((10, 20), (90, 100), (90, 100), None)
    """
    unit, _, spans = (header or "").partition("=")
    low, dash, high = spans.partition("-")
    if unit.strip() != "bytes" or not dash or not (low.isdecimal() or high.isdecimal()):
        return None
    if not low:
        return max(size - int(high), 0), size
    return int(low), min(int(high) + 1, size) if high.isdecimal() else size

"""Annotated streams for a browser: a page with a pane for each, for machines without a screen.

Whoever watches gets the newest frame each time. A frame is drawn only while somebody watches, and encoded by the thread
of who asks for it first, so that slow viewers cost the tracking nothing.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from typing_extensions import override

from centertrack.app.pipeline import FrameResult
from centertrack.app.sinks import Annotator, Overlay
from centertrack.app.web_page import PAGE
from tracker.arrays import Image
from tracker.errors import InputError
from tracker.io.images import encode_image

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_BOUNDARY = "frame"
_JPEG_QUALITY = 80
_RATE_FRAMES = 30  # over which the frame rate is measured
_PATIENCE = 30.0  # seconds for which a viewer may take nothing, and for which one waits for a frame


class Pane:
    """What is shown of one source.

    Args:
        name: Of the source.
        class_names: Name of each label, where there are several.
        overlay: As of `Annotator`.
    """

    def __init__(self, name: str, class_names: Sequence[str] = (), overlay: Overlay | None = None) -> None:
        self.name = name
        self._annotator = Annotator(class_names, overlay)
        self._news = threading.Condition()
        self._encoding = threading.Lock()
        self._watchers = 0
        self._drawn: tuple[int, Image] | None = None  # version and picture
        self._jpeg: tuple[int, bytes] = (0, b"")
        self._has_ended = False
        self._ids: set[int] | None = None
        self._moments: deque[float] = deque(maxlen=_RATE_FRAMES)
        self._counts: dict[str, Any] = {"frame": 0, "time": 0.0, "objects": 0, "ids": None, "rate": 0.0}

    def update(self, result: FrameResult) -> None:
        """Show the next frame."""
        found = result.tracks if result.tracks is not None else result.detections
        if result.tracks is not None:
            self._ids = self._ids or set()
            self._ids.update(result.tracks.ids.tolist())
        self._moments.append(time.perf_counter())
        passed = self._moments[-1] - self._moments[0]
        with self._news:
            self._counts = {
                "frame": result.number,
                "time": round(result.time, 3),
                "objects": 0 if found is None else len(found),
                "ids": None if self._ids is None else len(self._ids),
                "rate": round((len(self._moments) - 1) / passed, 1) if passed > 0 else 0.0,
            }
            is_watched = self._watchers > 0
        if not is_watched:
            return
        picture = self._annotator.draw(result)
        with self._news:
            self._drawn = (self._drawn[0] + 1 if self._drawn else 1, picture)
            self._news.notify_all()

    def end(self) -> None:
        """Say that no frame follows."""
        with self._news:
            self._has_ended = True
            self._news.notify_all()

    def counts(self) -> dict[str, Any]:
        """Return the numbers of the last frame, for JSON."""
        with self._news:
            return {"name": self.name, **self._counts, "ended": self._has_ended}

    def jpegs(self) -> Iterator[bytes]:
        """Give the newest frame, then the newest one each time, until the source ends."""
        with self._news:
            self._watchers += 1
            seen = self._drawn[0] if self._drawn else 0
        try:
            while True:
                with self._news:
                    self._wait_for_newer(seen)
                    drawn, ended = self._drawn, self._has_ended
                if drawn is None or drawn[0] == seen:
                    if ended:
                        return
                    continue
                seen = drawn[0]
                yield self._encoded(drawn)
        finally:
            with self._news:
                self._watchers -= 1

    def _wait_for_newer(self, version: int) -> None:
        self._news.wait_for(lambda: self._has_ended or _version(self._drawn) > version, _PATIENCE)

    def _encoded(self, drawn: tuple[int, Image]) -> bytes:
        with self._encoding:
            if self._jpeg[0] < drawn[0]:
                pixels = np.ascontiguousarray(drawn[1][..., ::-1])
                self._jpeg = (drawn[0], encode_image(pixels, ".jpg", _JPEG_QUALITY))
            return self._jpeg[1]


def _version(drawn: tuple[int, Image] | None) -> int:
    return drawn[0] if drawn else 0


class WebView:
    """A server of a page with the annotated streams: `/`, `/counts.json`, `/0.mjpeg` and `/0.jpg` for the first one.

    Args:
        host: Address to listen at; others than those of the loopback let the network in.
        port: 0 takes a free one.

    Attributes:
        address: Of the page.

    Raises:
        InputError: The address cannot be listened at.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 8000) -> None:
        self._panes: list[Pane] = []
        self._server = _open_server(host, port, self)
        shown = f"[{host}]" if ":" in host else host
        self.is_local = host in LOOPBACK
        self.address = f"http://{shown}:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    @contextmanager
    def pane(self, name: str, class_names: Sequence[str] = (), overlay: Overlay | None = None) -> Iterator[Pane]:
        """Show a source while the block runs, see `Pane`; its last numbers stay on the page."""
        pane = Pane(name, class_names, overlay)
        self._panes.append(pane)
        try:
            yield pane
        finally:
            pane.end()

    def panes(self) -> list[Pane]:
        """Return what is shown, in the order in which it began."""
        return list(self._panes)

    def close(self) -> None:
        """End: viewers get no further frame."""
        for pane in self._panes:
            pane.end()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> WebView:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a viewer who takes nothing is not waited for
    view: WebView

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: viewers come and go."""


def _open_server(host: str, port: int, view: WebView) -> _Server:
    class Server(_Server):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    try:
        server = Server((host, port), _Handler)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot serve at {host}:{port}: {reason}; choose another port or address") from error
    server.view = view
    return server


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _PATIENCE

    def do_GET(self) -> None:
        """Answer with the page, the numbers, a stream or a picture."""
        view = self.server.view
        # a page of another name that leads here is not ours to answer
        if view.is_local and self.headers.get("Host", "").rpartition(":")[0].strip("[]") not in LOOPBACK:
            self.send_error(403)
            return
        path = self.path.partition("?")[0]
        if path == "/":
            self._answer("text/html; charset=utf-8", PAGE.encode())
        elif path == "/counts.json":
            self._answer("application/json", json.dumps([pane.counts() for pane in view.panes()]).encode())
        else:
            self._show(path)

    def _show(self, path: str) -> None:
        number, _, kind = path[1:].partition(".")
        panes = self.server.view.panes()
        if kind not in ("mjpeg", "jpg") or not number.isdecimal() or int(number) >= len(panes):
            self.send_error(404)
            return
        frames = panes[int(number)].jpegs()
        if kind == "jpg":
            jpeg = next(frames, None)
            frames.close()  # type: ignore[attr-defined]  # a generator
            if jpeg is None:
                self.send_error(410, "the source has ended")
            else:
                self._answer("image/jpeg", jpeg)
            return
        self.send_response(200)
        boundary = f"\r\n--{_BOUNDARY}\r\n".encode()
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        try:
            self.wfile.write(boundary)
            for jpeg in frames:  # browsers show one when they see the boundary behind it
                head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + boundary)
        except OSError:  # the viewer has left, or takes nothing
            pass
        finally:
            frames.close()  # type: ignore[attr-defined]  # a generator

    def _answer(self, kind: str, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    @override
    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing: viewers come and go."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pytest

from tests.tracker.io.servers import RATE, MjpegCamera, UdpCamera, free_port, rtsp_camera, rtsp_is_there
from tracker.errors import InputError
from tracker.io.frame import Frame, FrameSource
from tracker.io.network_stream import NetworkStream
from tracker.io.video import open_source

IMAGE = np.zeros((2, 4, 3), np.uint8)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Connection:
    """A stream whose frames come at set moments: (moment on the clock, number, time stamp)."""

    name, size, frame_rate = "rtsp://camera", (4, 2), 10.0

    def __init__(
        self, clock: Clock, frames: list[tuple[float, int, float]], end: str = "", is_pushed: bool = False
    ) -> None:
        self._clock, self._frames, self._end, self.is_pushed = clock, frames, end, is_pushed

    def __iter__(self) -> Iterator[Frame]:
        for now, number, time in self._frames:
            self._clock.now = now
            yield Frame(number, time, IMAGE)
        if self._end:
            raise InputError(f"{self.name}: {self._end}")

    def stop(self) -> None:
        pass

    def close(self) -> None:
        pass


def opening(clock: Clock, *steps: Connection | str) -> Callable[[], Connection]:
    """Return what opens one stream after the other; text is why that fails, after half a second."""
    left = list(steps)

    def open_video() -> Connection:
        step = left.pop(0)
        if isinstance(step, str):
            clock.now += 0.5
            raise InputError(f"rtsp://camera: {step}")
        return step

    return open_video


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.io.network_stream.FIRST_PAUSE", 0.01)
    monkeypatch.setattr("tracker.io.video_file.STALL_SECONDS", 2.0)


def places(source: FrameSource) -> list[tuple[int, float]]:
    return [(frame.number, round(frame.time, 3)) for frame in source]


def test_times_of_the_stream_are_kept_however_unsteadily_frames_arrive():
    clock = Clock()
    frames = [(100.0, 1, 0.0), (100.5, 2, 0.1), (100.5, 3, 0.2), (101.6, 5, 0.4)]
    stream = NetworkStream(lambda: Connection(clock, frames), None, clock)
    assert places(stream) == [(1, 0.0), (2, 0.1), (3, 0.2), (5, 0.4)]


def test_a_stream_that_begins_anew_goes_on_by_the_clock():
    clock = Clock()
    frames = [(100.0, 1, 0.0), (100.1, 2, 0.1), (107.1, 3, 0.2), (107.2, 4, 0.3), (100.9, 5, 900.0)]
    stream = NetworkStream(lambda: Connection(clock, frames), None, clock)
    assert places(stream)[:4] == [(1, 0.0), (2, 0.1), (72, 7.1), (73, 7.2)]  # the sender was away for seven seconds


def test_pictures_that_are_pushed_have_the_time_of_their_arrival():
    clock = Clock()
    counted = [(100 + 0.1 * i, i + 1, i / 25) for i in range(12)]  # FFmpeg takes them to be 25 a second
    later = [(103.0, 13, 0.5), (103.3, 14, 0.54), (103.4, 15, 0.58)]
    stream = NetworkStream(lambda: Connection(clock, counted + later, is_pushed=True), None, clock)
    assert stream.frame_rate == pytest.approx(10)
    assert places(stream) == [(1, 0.0), (2, 1.9), (3, 2.2), (4, 2.3)]  # from the second after the first on


def test_numbers_and_times_move_on_while_a_stream_is_away(caplog):
    clock = Clock()
    first = Connection(clock, [(100.0, 1, 0.0), (100.1, 2, 0.1)], "reading fails")
    second = Connection(clock, [(105.0, 1, 0.0), (105.1, 2, 0.1)])
    stream = NetworkStream(opening(clock, first, "refused", "refused", second, "gone"), 60.0, clock)
    found = []
    with pytest.raises(InputError, match=r"broke off after frame 52 and is not back after 1 attempt: gone"):
        for frame in stream:
            found.append((frame.number, round(frame.time, 3)))
            if frame.number == 52:
                stream._limit = 0.02
    assert found == [(1, 0.0), (2, 0.1), (51, 5.0), (52, 5.1)]
    assert caplog.messages == [
        "rtsp://camera: broke off after frame 2 (reading fails); trying again for 60 s",
        "rtsp://camera: back after 1 s",
        "rtsp://camera: broke off after frame 52 (it ended); trying again for 0.02 s",
    ]


@pytest.mark.parametrize(("end", "message"), [("", ""), ("reading fails after frame 1", "reading fails after frame 1")])
def test_without_reconnecting_a_break_is_the_end(end, message):
    clock = Clock()
    stream = NetworkStream(lambda: Connection(clock, [(100.0, 1, 0.0)], end), None, clock)
    if message:
        with pytest.raises(InputError, match=message):
            list(stream)
    else:
        assert len(list(stream)) == 1


def test_waiting_for_a_stream_can_be_ended():
    clock, tried = Clock(), threading.Event()
    first = Connection(clock, [(100.0, 1, 0.0)])

    def open_video() -> Connection:
        if not stream_is_open:
            stream_is_open.append(True)
            return first
        tried.set()
        raise InputError("refused")

    stream_is_open: list[bool] = []
    stream = NetworkStream(open_video, 3600.0, clock)
    reader = threading.Thread(target=lambda: list(stream))
    reader.start()
    assert tried.wait(10)
    stream.stop()
    reader.join(10)
    assert not reader.is_alive()


class Watching:
    """A source that is taken from bit by bit."""

    def __init__(self, source: FrameSource) -> None:
        self._frames = iter(source)

    def until(self, fits: Callable[[Frame], bool]) -> list[Frame]:
        seen = []
        for frame in self._frames:
            seen.append(frame)
            if fits(frame):
                return seen
        raise AssertionError("the stream ended")


def check_across_a_break(source: FrameSource, stop: Callable[[], None], again: Callable[[], object], caplog) -> None:
    """A stream is watched, its sender killed and started again: what comes then is later by what has passed."""
    with source:
        watching = Watching(source)
        before = watching.until(lambda frame: frame.number >= 10)
        stop()
        restarted = again()
        try:
            first_back = len(caplog.messages)
            watching.until(lambda frame: len(caplog.messages) >= 2)
            after = watching.until(lambda frame: frame.time > before[-1].time + 1)
        finally:
            restarted.stop()
    assert first_back <= 2
    pairs = list(pairwise(before + after))
    assert all(second.time > first.time and second.number > first.number for first, second in pairs)
    passed = after[-1].time - before[-1].time
    assert after[-1].number - before[-1].number == pytest.approx(passed * source.frame_rate, rel=0.35)
    assert "broke off after frame" in caplog.messages[0]
    assert "back after" in caplog.messages[1]


@pytest.mark.parametrize("path", ["/anything", "/clip.mp4"])
def test_what_http_pushes_is_live_by_its_content_type(path):
    with MjpegCamera(path=path) as camera, open_source(camera.address, reconnect=None) as source:
        assert source.is_live
        assert source.frame_rate < 1.15 * RATE  # FFmpeg says 25
        frames = Watching(source).until(lambda frame: frame.time > 0.5)
        assert len(frames) < 0.5 * 1.15 * RATE + 3
        assert frames[-1].image.shape == (64, 96, 3)


def test_http_comes_back(caplog):
    camera = MjpegCamera()
    source = open_source(camera.address)
    check_across_a_break(source, camera.stop, lambda: MjpegCamera(port=camera.port), caplog)


def test_udp_comes_back(caplog, monkeypatch):
    port = free_port(socket.SOCK_DGRAM)
    camera = UdpCamera(port)
    source = open_source(f"udp://127.0.0.1:{port}")
    noticed = threading.Event()

    class Notice(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            noticed.set()

    class Restarted:
        """The sender comes again once its absence was noticed."""

        def __init__(self) -> None:
            self._camera: UdpCamera | None = None
            self._thread = threading.Thread(target=self._start, daemon=True)
            self._thread.start()

        def _start(self) -> None:
            if noticed.wait(60):
                self._camera = UdpCamera(port)

        def stop(self) -> None:
            self._thread.join()
            if self._camera:
                self._camera.stop()

    logger = logging.getLogger("tracker.io.network_stream")
    handler = Notice()
    logger.addHandler(handler)
    monkeypatch.setattr("tracker.io.video_file.STALL_SECONDS", 1.0)
    try:
        check_across_a_break(source, camera.stop, Restarted, caplog)
    finally:
        logger.removeHandler(handler)


def test_rtsp_comes_back(caplog):
    if not rtsp_is_there():
        pytest.skip(
            "GStreamer's RTSP server is not there: apt install gir1.2-gst-rtsp-server-1.0 python3-gi, with x264"
        )
    port = free_port()
    first = rtsp_camera(port)
    source = open_source(first.__enter__())

    class Again:
        def __init__(self) -> None:
            self._camera = rtsp_camera(port)
            self._camera.__enter__()

        def stop(self) -> None:
            self._camera.__exit__(None, None, None)

    assert source.is_live
    check_across_a_break(source, lambda: first.__exit__(None, None, None), Again, caplog)

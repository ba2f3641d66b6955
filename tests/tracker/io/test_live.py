import threading

import numpy as np
import pytest

from tracker.errors import InputError
from tracker.io.frame import Frame, FrameSource
from tracker.io.live import LiveSource
from tracker.io.video import open_source


class Device(FrameSource):
    """A camera whose frames come when the test says so: `show` blocks until the last frame of a burst was taken."""

    name, size, frame_rate, frame_count = "device", (4, 2), 10.0, None
    is_pushed = False

    def __init__(self, end: Exception | None = None) -> None:
        self.is_closed, self._end = False, end
        self._more, self._taken, self._last = threading.Semaphore(0), threading.Semaphore(0), False

    def show(self, count: int) -> None:
        for _ in range(count):
            self._more.release()
            assert self._taken.acquire(timeout=10)

    def finish(self) -> None:
        self._last = True
        self._more.release()

    def __iter__(self):
        number = 0
        while self._more.acquire(timeout=10) and not self._last:
            number += 1
            yield Frame(number, number / 10, np.zeros((2, 4, 3), np.uint8))
            self._taken.release()  # the reader has come back: it holds the frame
        if self._end:
            raise self._end

    def stop(self) -> None:
        self.finish()

    def close(self) -> None:
        self.is_closed = True


def test_frames_that_were_overtaken_are_left_out_but_counted():
    device = Device()
    with LiveSource(device) as source:
        assert (source.name, source.size, source.frame_rate, source.frame_count) == ("device", (4, 2), 10.0, None)
        frames = iter(source)
        seen = []
        for burst in (1, 3, 1, 5):
            device.show(burst)
            frame = next(frames)
            seen.append((frame.number, frame.time))
        device.finish()
        assert list(frames) == []
    assert seen == [(1, 0.1), (4, 0.4), (5, 0.5), (10, 1.0)]


def test_the_last_frame_comes_before_the_error_that_ends_the_stream():
    device = Device(InputError("device stopped giving images after frame 2"))
    with LiveSource(device) as source:
        frames = iter(source)
        device.show(2)
        device.finish()
        assert next(frames).number == 2
        with pytest.raises(InputError, match="after frame 2"):
            next(frames)


def test_closing_stops_the_reader_before_the_device():
    device = Device()
    source = LiveSource(device)
    frames = iter(source)
    device.show(1)
    assert next(frames).number == 1
    source.close()
    assert device.is_closed
    assert list(frames) == []
    with pytest.raises(InputError, match="device: a live source can be read only once"):
        iter(source)


def test_what_came_before_the_first_frame_that_is_given_does_not_count():
    device = Device()
    with LiveSource(device) as source:
        device.show(4)  # while a network is loaded, say
        frames = iter(source)
        first = next(frames)
        device.show(2)
        second = next(frames)
        assert [(frame.number, round(frame.time, 3)) for frame in (first, second)] == [(1, 0.0), (3, 0.2)]
        device.finish()


@pytest.mark.parametrize("address", ["0", "/dev/video0", "rtsp://camera/door", "udp://127.0.0.1:5000"])
def test_cameras_and_streams_are_live(monkeypatch, address):
    monkeypatch.setattr("tracker.io.video.VideoFile", lambda address: Device(InputError("gone")))
    monkeypatch.setattr("tracker.io.video.Camera", lambda index: Device(InputError(f"gone {index}")))
    with open_source(address, reconnect=None) as source:
        assert source.is_live
        source._source.stop()


def test_a_device_is_the_camera_of_its_number():
    for name in ("97", "/dev/video97"):
        with pytest.raises(InputError, match="camera 97 gives no image"):
            open_source(name)


def test_a_live_source_can_end_but_not_start_later():
    device = Device()
    with pytest.raises(InputError, match="device: a live source starts when it is opened; leave out the start 2"):
        open_source(LiveSource(device), start=2)
    assert device.is_closed
    device = Device()
    with open_source(LiveSource(device), end=0.25, stride=2) as source:
        assert source.is_live
        frames = iter(source)
        device.show(1)
        assert next(frames).number == 1
        device.show(2)  # the second one is not wanted
        assert next(frames).number == 3
        device.show(1)
        assert next(frames, None) is None  # the fourth comes 0.3 s after the first
    assert device.is_closed

"""A live stream over a network: what comes is new, and where it breaks off it is opened again."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator

from typing_extensions import override

from tracker.errors import InputError
from tracker.io.frame import Frame, FrameSource
from tracker.io.video_file import VideoFile
from tracker.wording import counted

_LOG = logging.getLogger(__name__)
RECONNECT_SECONDS = 300.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds between attempts: doubled each time
_RATE_SECONDS = 1.0  # for which the frames of a stream without times are counted, to know its rate
_SLACK = 2.0  # seconds that time stamps and the clock may drift apart before the stream has begun anew


class NetworkStream(FrameSource):
    """The frames of a stream, with the times at which they were taken, across breaks.

    `Frame.time` follows the time stamps of the stream, or where it has none, or they jump, the clock of this computer.
    After a break time and frame numbers have moved on by as much as has passed, as if the frames between were missing.

    Args:
        open_video: Opens the stream; called again after every break.
        reconnect_seconds: For how long to try again after a break; None ends there.
        clock: Seconds, for times of arrival.

    Raises:
        InputError: The stream cannot be opened. While iterating: it has broken off, and did not come back in time.
    """

    is_live = True

    def __init__(
        self,
        open_video: Callable[[], VideoFile],
        reconnect_seconds: float | None = RECONNECT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open, self._limit, self._clock = open_video, reconnect_seconds, clock
        self._ending = threading.Event()
        self._pause = FIRST_PAUSE
        self._video = open_video()
        self._frames = iter(self._video)
        self.name, self.size, self.frame_count = self._video.name, self._video.size, None
        self.frame_rate = self._measured_rate() if self._video.is_pushed else self._video.frame_rate
        self._zero: float | None = None  # on the clock
        self._number, self._time = 0, 0.0  # of the last frame
        self._before: Frame | None = None  # as the connection gave it
        self._offset = 0.0  # between the times of the connection and ours

    def __iter__(self) -> Iterator[Frame]:
        while True:
            reason = "it ended"
            try:
                for frame in self._frames:
                    yield self._placed(frame)
                    self._pause = FIRST_PAUSE
                    if self._ending.is_set():
                        return
            except InputError as error:
                if self._limit is None:
                    raise
                reason = str(error).removeprefix(f"{self.name}: ")
            if self._limit is None or self._ending.is_set() or not self._reconnect(reason, self._limit):
                return

    @override
    def stop(self) -> None:
        """Ask an iteration in another thread to end soon, also where it waits to connect again."""
        self._ending.set()
        self._video.stop()

    @override
    def close(self) -> None:
        self._ending.set()
        self._video.close()

    def _placed(self, frame: Frame) -> Frame:
        """Return a frame of the connection with its number and time in the whole."""
        now = self._clock()
        self._zero = now if self._zero is None else self._zero
        arrival, before = now - self._zero, self._before
        step = 1 if before is None or self._video.is_pushed else frame.number - before.number
        moment = arrival if self._video.is_pushed else frame.time + self._offset
        begins = before is None or abs(moment - arrival) > _SLACK
        if begins:
            moment = arrival
            step = max(round((arrival - self._time) * self.frame_rate), 1)
            self._offset = arrival - frame.time
        self._before = frame
        self._number += max(step, 1)
        self._time = max(moment, self._time + 1e-3) if self._number > 1 else 0.0
        return Frame(self._number, self._time, frame.image)

    def _reconnect(self, reason: str, limit: float) -> bool:
        """Open the stream again; False where it is not wanted any more.

        Raises:
            InputError: It does not come back in time.
        """
        start, attempts = self._clock(), 0
        _LOG.warning("%s: broke off after frame %d (%s); trying again for %g s", self.name, self._number, reason, limit)
        while True:
            left = limit - (self._clock() - start)
            if left <= 0:
                tries = counted(attempts, "attempt")
                raise InputError(
                    f"{self.name}: broke off after frame {self._number} and is not back after {tries}: {reason}"
                )
            if self._ending.wait(min(self._pause, left)):
                return False
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
            attempts += 1
            try:
                self._video = self._open()
            except InputError as error:
                reason = str(error).removeprefix(f"{self.name}: ")
                continue
            self._frames, self._before = iter(self._video), None
            _LOG.warning("%s: back after %.0f s", self.name, self._clock() - start)
            return True

    def _measured_rate(self) -> float:
        """Return how many frames come in a second, by those of the first one."""
        start, count, elapsed = None, 0, 0.0
        for count, _ in enumerate(self._frames):
            start = self._clock() if start is None else start
            elapsed = self._clock() - start
            if count and elapsed >= _RATE_SECONDS:
                break
        return count / elapsed if count and elapsed > 0 else self._video.frame_rate

"""Live sources, watched without falling behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from typing_extensions import override

from tracker.errors import InputError
from tracker.io.frame import Frame, FrameSource

_JOIN_SECONDS = 5.0  # a thread that hangs in a device is left behind (it is a daemon) rather than waited for


class LiveSource(FrameSource):
    """Gives the newest frame of a camera or stream each time, however long the last one took.

    A thread reads all frames from the beginning; those that were overtaken while the caller was busy are left out.
    Numbers and times are those of the camera, counted from the first frame that is given, so that trackers know how
    much time has passed.

    Args:
        source: The camera or stream; closed with this one.

    Raises:
        InputError: While iterating: the source ends in one, or it is iterated over again.
    """

    is_live = True

    def __init__(self, source: FrameSource) -> None:
        self._source = source
        self.name, self.size, self.frame_rate, self.frame_count = source.name, source.size, source.frame_rate, None
        self._news = threading.Condition()
        self._newest: Frame | None = None
        self._has_ended = self._was_read = False
        self._error: BaseException | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()  # at once: a network that is loaded meanwhile must not find old frames

    def __iter__(self) -> Iterator[Frame]:
        if self._was_read:
            raise InputError(f"{self.name}: a live source can be read only once; open it again")
        self._was_read = True
        with self._news:
            waiting = self._newest
        return self._frames(waiting.number - 1, waiting.time) if waiting is not None else self._frames(0, 0.0)

    @override
    def stop(self) -> None:
        """End: an iteration in another thread gets no further frame."""
        with self._news:
            self._has_ended = self._was_read = True
            self._newest = None
            self._news.notify_all()
        self._source.stop()

    @override
    def close(self) -> None:
        """Stop reading, then let go of the device."""
        self.stop()
        if self._reader.is_alive():
            self._reader.join(_JOIN_SECONDS)
        self._source.close()

    def _frames(self, missed: int, start: float) -> Iterator[Frame]:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._newest is not None or self._has_ended)
                frame, self._newest = self._newest, None
            if frame is None:
                break
            yield Frame(frame.number - missed, frame.time - start, frame.image) if missed or start else frame
        if self._error is not None:
            raise self._error

    def _read(self) -> None:
        try:
            for frame in self._source:
                with self._news:
                    if self._has_ended:
                        return
                    self._newest = frame
                    self._news.notify_all()
        except BaseException as error:  # whatever it is belongs to the thread that iterates
            self._error = error
        finally:
            with self._news:
                self._has_ended = True
                self._news.notify_all()

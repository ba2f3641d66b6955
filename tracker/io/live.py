"""Live sources, watched without falling behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from tracker.errors import InputError
from tracker.io.frame import Frame, FrameSource

_JOIN_SECONDS = 5.0  # a thread that hangs in a device is left behind (it is a daemon) rather than waited for


class LiveSource(FrameSource):
    """Gives the newest frame of a camera or stream each time, however long the last one took.

    A thread reads all frames; those that were overtaken while the caller was busy are left out. Numbers and times stay
    those of the camera, so that trackers know how much time has passed.

    Args:
        source: The camera or stream; closed with this one.

    Raises:
        InputError: While iterating: the source ends in one, or it is iterated over again.
    """

    def __init__(self, source: FrameSource) -> None:
        self._source = source
        self.name, self.size, self.frame_rate, self.frame_count = source.name, source.size, source.frame_rate, None
        self._news = threading.Condition()
        self._newest: Frame | None = None
        self._has_ended = False
        self._error: BaseException | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __iter__(self) -> Iterator[Frame]:
        if self._reader.ident is not None:
            raise InputError(f"{self.name}: a live source can be read only once; open it again")
        self._reader.start()
        return self._frames()

    def close(self) -> None:
        """Stop reading, then let go of the device."""
        with self._news:
            self._has_ended = True
            self._newest = None
            self._news.notify_all()
        if self._reader.is_alive():
            self._reader.join(_JOIN_SECONDS)
        self._source.close()

    def _frames(self) -> Iterator[Frame]:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._newest is not None or self._has_ended)
                frame, self._newest = self._newest, None
            if frame is None:
                break
            yield frame
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

"""Video files and network streams as a source of frames."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

from tracker.arrays import Image
from tracker.errors import InputError
from tracker.io.decoding import decode_numbered
from tracker.io.frame import Frame, FrameSource

_FALLBACK_RATE = 25.0
# metadata that is not UTF-8 must not end a run; from 19 on PyAV sees to it itself, and no longer knows the option
_LENIENT: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}


class VideoFile(FrameSource):
    """A video, decoded frame by frame: true times, upright, any pixel format.

    A damaged or missing picture is left out with a warning; the frames after it keep their numbers and times.

    Args:
        source: Path, or URL of a stream.

    Attributes:
        address: Path or URL, without a password.

    Raises:
        InputError: It is missing, empty, no video, or no picture of it can be decoded. While iterating: it breaks off.
    """

    def __init__(self, source: str | Path) -> None:
        self._address = str(source)
        self._source = _without_login(self._address)  # for names and messages, which end up in files and logs
        self.address = self._source
        self.is_live = "://" in self._source
        self.name = self._source if self.is_live else Path(source).stem
        self._opened: tuple[Any, Iterator[tuple[int, Any]], tuple[int, Any]] | None = self._open()
        container, _, (_, first) = self._opened
        stream = container.streams.best("video")
        turned = first.rotation % 180 == 90
        self.size = (first.height, first.width) if turned else (first.width, first.height)
        self.frame_rate = _frame_rate(stream)
        # An AVI file promises a number of frames, and its time stamps are none; others promise a duration.
        self._is_counted = "avi" in container.format.name
        self._promised = 0.0 if self.is_live else self._promised_seconds(container, stream)
        self.frame_count = stream.frames or round(self._promised * self.frame_rate) or None

    def __iter__(self) -> Iterator[Frame]:
        if self._opened is None and self.is_live:
            raise InputError(f"{self._source}: a live stream can be read only once; open it again")
        container, pictures, first = self._opened or self._open()
        self._opened = None
        numbered: tuple[int, Any] | None = first
        start, time, number = None, -1.0, 0
        with container:
            while numbered is not None:
                number, picture = numbered
                counted = (number - 1) / self.frame_rate
                if time < 0:
                    time = counted
                    start = None if picture.time is None else picture.time - time
                else:
                    stamp = None if self._is_counted or picture.time is None or start is None else picture.time - start
                    # time never stands still, even where time stamps do
                    time = stamp if stamp is not None and stamp > time else max(counted, time + 1e-3)
                yield Frame(number, time, self._upright(picture))
                try:
                    numbered = next(pictures, None)
                except (av.FFmpegError, OSError) as error:
                    raise InputError(f"{self._source}: reading fails after frame {number}: {_reason(error)}") from error
        end = time + 1 / self.frame_rate
        # headers of sound files are off by a few frames
        if self._promised - end > max(4 / self.frame_rate, 0.01 * self._promised):
            raise InputError(
                f"{self._source}: the video breaks off after frame {number} of about "
                f"{round(self._promised * self.frame_rate)}; the file is damaged or incomplete"
            )

    def close(self) -> None:
        """Close the file if it was opened but not read."""
        if self._opened is not None:
            self._opened[0].close()
            self._opened = None

    def _open(self) -> tuple[Any, Iterator[tuple[int, Any]], tuple[int, Any]]:
        """The open container, its further pictures and the first one, with their numbers."""
        self._check_path()
        options = {"rtsp_transport": "tcp"} if self._source.startswith("rtsp") else {}
        try:
            # Titles and the like may be in any encoding.
            timeout = 15.0 if self.is_live else None
            container = av.open(self._address, options=options, timeout=timeout, **_LENIENT)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise InputError(f"{self._source}: cannot be opened as a video: {_reason(error)}") from error
        try:
            stream: Any = container.streams.best("video")
            if stream is None:
                raise InputError(f"{self._source}: expected a video, found a file without pictures")
            stream.thread_type = "AUTO"
            pictures = decode_numbered(container, stream, self._source)
            first = next(pictures, None)
            if first is None:
                raise InputError(f"{self._source}: none of its pictures can be decoded; the file is damaged")
        except (av.FFmpegError, OSError) as error:
            container.close()
            raise InputError(f"{self._source}: cannot be read as a video: {_reason(error)}") from error
        except InputError:
            container.close()
            raise
        return container, pictures, first

    def _check_path(self) -> None:
        if self.is_live:
            return
        path = Path(self._address)
        if not path.exists():
            raise InputError(f"{path}: no such file; check the path of the video")
        if path.is_file() and path.stat().st_size == 0:
            raise InputError(f"{path}: expected a video, the file is empty")

    def _promised_seconds(self, container: Any, stream: Any) -> float:
        """How long the header says the pictures last; 0 where it says nothing reliable."""
        if self._is_counted:
            return float(stream.frames / self.frame_rate)
        if stream.duration:
            return float(stream.duration * stream.time_base)
        if not container.duration or len(container.streams) > 1:  # the duration may be that of the sound
            return 0.0
        # Matroska says when the last picture ends, wherever the first one begins.
        start = container.start_time or 0 if "matroska" in container.format.name else 0
        return (container.duration - (start if 0 < start < container.duration else 0)) / av.time_base

    def _upright(self, picture: Any) -> Image:
        turns = round(picture.rotation / 90) % 4  # counterclockwise
        width, height = self.size[::-1] if turns % 2 else self.size
        image = picture.to_ndarray(format="rgb24", width=width, height=height)
        return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


def _without_login(address: str) -> str:
    """Leave user and password out of a URL.

    >>> _without_login("rtsp://user:p@ss@camera/stream?to=a@b")
    'rtsp://camera/stream?to=a@b'
    """
    return re.sub(r"(?<=://)[^/?#]*@", "", address)


def _frame_rate(stream: Any) -> float:
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < rate <= 1000:  # some containers put the ticks of their clock here
            return float(rate)
    return _FALLBACK_RATE


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)

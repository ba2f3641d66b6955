"""Video files and network streams as a source of frames."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from typing_extensions import override

from tracker.arrays import Image
from tracker.errors import InputError
from tracker.io.decoding import decode_numbered
from tracker.io.frame import Frame, FrameSource
from tracker.io.part import Chooser, Part
from tracker.io.seeking import Origin, find_beginning

_FALLBACK_RATE = 25.0
_NO_TIMESTAMPS = 0x80  # a flag of FFmpeg's formats: AVFMT_NOTIMESTAMPS
STALL_SECONDS = 15.0  # a stream that says nothing for so long has broken off
# metadata that is not UTF-8 must not end a run; from 19 on PyAV sees to it itself, and no longer knows the option
LENIENT: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}


class VideoFile(FrameSource):
    """A video, decoded frame by frame: true times, upright, any pixel format.

    A damaged or missing picture is left out with a warning; the frames after it keep their numbers and times.

    Args:
        source: Path, or URL of a stream.
        frame_rate: Of a stream of pictures without times, such as raw MJPEG; None assumes 25 frames per second there.
        pipe: Read this instead, once; `source` is its name.
        pipe_format: Of what comes out of the pipe, as FFmpeg calls it.

    Attributes:
        has_times: Whether the pictures have times of their own.
        is_pushed: Whether it is pushed picture by picture over HTTP (`multipart/x-mixed-replace`) and never ends.

    Attributes:
        address: Path or URL, without a password.

    Raises:
        InputError: It is missing, empty, no video, or no picture of it can be decoded; or a frame rate is given and it
            has times of its own. While iterating: it breaks off.
    """

    def __init__(
        self,
        source: str | Path,
        frame_rate: float | None = None,
        pipe: Any = None,
        pipe_format: str | None = None,
    ) -> None:
        self._address = str(source)
        self._source = _without_login(self._address)  # for names and messages, which end up in files and logs
        self.address = self._source
        self._pipe, self._format = pipe, pipe_format
        self._is_remote = "://" in self._source
        self._is_once = self._is_remote or pipe is not None
        self._given_rate = frame_rate
        self.name = self._source if self._is_once else Path(source).stem
        self._opened: tuple[Any, Iterator[tuple[int, Any]], tuple[int, Any]] | None = self._open()
        container, _, (_, first) = self._opened
        stream = container.streams.best("video")
        self.is_pushed = self._is_remote and container.format.name == "mpjpeg"
        self.has_times = not container.format.flags & _NO_TIMESTAMPS
        if frame_rate is not None and (self.has_times or self.is_pushed):
            self.close()
            raise InputError(f"{self._source}: has times of its own; leave out the frame rate of {frame_rate:g}")
        self.is_rate_guessed = not self.has_times and not self.is_pushed and frame_rate is None
        turned = first.rotation % 180 == 90
        self.size = (first.height, first.width) if turned else (first.width, first.height)
        self.frame_rate = _frame_rate(stream)
        # An AVI file promises a number of frames, and its time stamps are none; others promise a duration.
        self._is_counted = "avi" in container.format.name
        self._promised = 0.0 if self._is_once or not self.has_times else self._promised_seconds(container, stream)
        self.frame_count = stream.frames or round(self._promised * self.frame_rate) or None

    def __iter__(self) -> Iterator[Frame]:
        return self.frames_of(Part())

    @override
    def frames_of(self, part: Part) -> Iterator[Frame]:
        """Give the frames of a part, with the numbers and times that they have in the whole.

        Of a file, the pictures before the part are passed over without decoding them, where that leaves the numbers
        exact; see `seeking`.
        """
        if self._opened is None and self._is_once:
            raise InputError(f"{self._source}: a live stream can be read only once; open it again")
        opened, self._opened = self._opened or self._open(), None
        return self._read(part, *opened)

    def _read(
        self, part: Part, container: Any, pictures: Iterator[tuple[int, Any]], first: tuple[int, Any]
    ) -> Iterator[Frame]:
        number, picture = first
        time = (number - 1) / self.frame_rate
        offset = None if picture.time is None or self._is_counted else picture.time - time
        numbered: tuple[int, Any] | None = first
        moved = self._move(container, part, Origin(offset, self.frame_rate))
        if moved is not None:
            container, pictures = moved
            numbered, time = next(pictures, None), -math.inf
        chooser = Chooser(part)
        with container:
            while numbered is not None:
                number, picture = numbered
                if picture is not first[1]:
                    counted = (number - 1) / self.frame_rate
                    stamp = None if picture.time is None or offset is None else picture.time - offset
                    # time never stands still, even where time stamps do
                    time = stamp if stamp is not None and stamp > time else max(counted, time + 1e-3)
                if part.is_over(number, time):
                    return
                if chooser.takes(number, time):
                    yield Frame(number, time, self._upright(picture))
                try:
                    numbered = next(pictures, None)
                except (av.FFmpegError, OSError) as error:
                    raise InputError(f"{self._source}: reading fails after frame {number}: {reason(error)}") from error
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

    def _move(self, container: Any, part: Part, origin: Origin) -> tuple[Any, Iterator[tuple[int, Any]]] | None:
        """Go to a little before the start of a part; None where the file is read from its beginning."""
        if part.start is None or self._is_once or not self.has_times:
            return None
        try:
            found = find_beginning(container, container.streams.best("video"), part.start, origin, self._open_container)
        except (av.FFmpegError, OSError):  # what cannot be moved in is read
            return None
        if found is None:
            return None
        moved, stream, beginning = found
        stream.thread_type = "AUTO"
        return moved, decode_numbered(moved, stream, self._source, beginning)

    def _open_container(self) -> Any:
        self._check_path()
        options = {"rtsp_transport": "tcp"} if self._source.startswith("rtsp") else {}
        if self._given_rate is not None:
            options["framerate"] = f"{self._given_rate:.6f}"
        try:
            # Titles and the like may be in any encoding.
            timeout = STALL_SECONDS if self._is_remote else None
            source = self._address if self._pipe is None else self._pipe
            return av.open(source, format=self._format, options=options, timeout=timeout, **LENIENT)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise InputError(f"{self._source}: cannot be opened as a video: {reason(error)}") from error

    def _open(self) -> tuple[Any, Iterator[tuple[int, Any]], tuple[int, Any]]:
        """The open container, its further pictures and the first one, with their numbers."""
        container = self._open_container()
        try:
            stream: Any = container.streams.best("video")
            if stream is None:
                raise InputError(f"{self._source}: expected a video, found a file without pictures")
            # threads that work a frame each hold back as many frames
            stream.thread_type = "SLICE" if container.format.name == "mpjpeg" else "AUTO"
            pictures = decode_numbered(container, stream, self._source)
            first = next(pictures, None)
            if first is None:
                raise InputError(f"{self._source}: none of its pictures can be decoded; the file is damaged")
        except (av.FFmpegError, OSError) as error:
            container.close()
            raise InputError(f"{self._source}: cannot be read as a video: {reason(error)}") from error
        except InputError:
            container.close()
            raise
        return container, pictures, first

    def _check_path(self) -> None:
        if self._is_once:
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


def reason(error: Exception) -> str:
    """Return what FFmpeg or the system says, without its number."""
    if isinstance(error, av.error.ExitError):  # how PyAV calls a timeout
        return f"nothing has come for {STALL_SECONDS:g} s"
    return str(getattr(error, "strerror", None) or error)

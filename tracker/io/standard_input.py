"""Pictures that another program writes to this one: MJPEG or Y4M on standard input."""

from __future__ import annotations

import os
import sys

from tracker.errors import InputError
from tracker.io.video_file import VideoFile

_FORMATS = {b"YUV4MPEG2": "yuv4mpegpipe", b"\xff\xd8\xff": "mjpeg"}  # how it begins -> what FFmpeg calls it
_HEAD = max(map(len, _FORMATS))
_HOW = "ffmpeg -i SOURCE -f yuv4mpegpipe - | centertrack track -"


def open_standard_input(frame_rate: float | None = None) -> VideoFile:
    """Open what comes through standard input; it is named stdin, and all its frames are read, none is overtaken.

    Args:
        frame_rate: Of MJPEG, which says none; Y4M says its own.

    Raises:
        InputError: Nothing comes, or something else than MJPEG or Y4M.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise InputError(f"nothing is piped into standard input; expected MJPEG or Y4M, as from {_HOW}")
    if sys.platform == "win32":  # which takes it for lines of text otherwise
        import msvcrt

        msvcrt.setmode(sys.stdin.fileno(), os.O_BINARY)
    pipe = _Pipe(sys.stdin.fileno())
    if not pipe.head:
        raise InputError(f"standard input is empty; expected MJPEG or Y4M, as from {_HOW}")
    for beginning, name in _FORMATS.items():
        if pipe.head.startswith(beginning):
            return VideoFile("stdin", frame_rate, pipe, name)
    raise InputError(f"standard input begins with {pipe.head!r}; expected MJPEG or Y4M, as from {_HOW}")


class _Pipe:
    """A file that is read forwards only, whose first bytes are known.

    It reads the descriptor itself: a thread that waits in Python's own standard input would hold its lock, without
    which the interpreter cannot end.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.head = b""
        while len(self.head) < _HEAD and (more := os.read(descriptor, _HEAD - len(self.head))):
            self.head += more
        self._given = False

    def read(self, size: int) -> bytes:
        """Return up to so many bytes, as soon as there are any; none at the end."""
        if not self._given:
            self._given = True
            return self.head
        return os.read(self._descriptor, size)

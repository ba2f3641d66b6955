"""When each frame of a video file is shown, without decoding it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np

from tracker.arrays import Floats, Integers
from tracker.errors import InputError
from tracker.io.decoding import Clock, packets_of
from tracker.io.video_file import LENIENT, reason


def frame_times(path: str | Path) -> tuple[Integers, Floats]:
    """Return the numbers and times of the frames of a video file, from its packets.

    Numbers are those of `VideoFile` where no picture is damaged: from 1 for the first key frame, and where the
    container does not count its pictures, jumps of the time stamps are frames that are missing.

    Args:
        path: A video file.

    Returns:
        (F,) int64 ascending, and (F,) float64 seconds after the first frame.

    Raises:
        InputError: It cannot be read.
    """
    try:
        with av.open(str(path), **LENIENT) as container:
            stream: Any = container.streams.video[0]
            stamps, has_key = [], False
            for packet in packets_of(container, stream):
                has_key = has_key or packet.is_keyframe
                if packet.size and has_key and packet.pts is not None:
                    stamps.append(packet.pts)
            stamps.sort()
            clock = None if stream.frames else Clock(stream)
            numbers = np.arange(1, len(stamps) + 1)
            if clock is not None:
                numbers += np.cumsum([clock.absent(stamp, 1) for stamp in stamps], dtype=np.int64)
            times = np.array(stamps, np.float64) * float(stream.time_base)
    except (av.FFmpegError, OSError, IndexError) as error:
        raise InputError(f"{path}: cannot be read as a video: {reason(error)}") from error
    if not len(times):
        raise InputError(f"{path}: its pictures have no times")
    return numbers, times - times[0]

"""The pictures under the tracks: a video that the browser plays itself, or image files one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tracker.arrays import Floats, Integers
from tracker.errors import InputError
from tracker.io.frame_times import frame_times
from tracker.io.image_files import ImageFiles
from tracker.io.live import LiveSource
from tracker.io.video import VideoWriter, open_source

PLAYED = {".mp4": ("h264", "av1", "vp9"), ".m4v": ("h264",), ".mov": ("h264",), ".webm": ("vp8", "vp9", "av1")}
COPY_SUFFIX = ".review.mp4"
_PIXELS = ("yuv420p", "yuvj420p")


@dataclass(frozen=True, slots=True, eq=False)
class Media:
    """What a page shows frame by frame.

    Attributes:
        name: Of the source.
        size: Width and height in pixels.
        frame_rate: Frames a second.
        numbers: (F,) int64 ascending, frame numbers of the source, from 1.
        times: (F,) float64, seconds after the first frame at which each is shown.
        video: The file that the browser plays; None where there are images.
        images: The file of each frame where there is no video.
    """

    name: str
    size: tuple[int, int]
    frame_rate: float
    numbers: Integers
    times: Floats
    video: Path | None
    images: dict[int, Path]


def open_media(source: str | Path, copy: Path | None = None, on_frame: Callable[[int], None] | None = None) -> Media:
    """Open a video file, a folder or glob of images, or a sequence folder for a page.

    Args:
        source: As of `open_source`, but nothing live.
        copy: Where a video is encoded again, as one that browsers play, if they do not play this one; None refuses it.
        on_frame: Called with the number of each frame that was encoded.

    Raises:
        InputError: It cannot be opened, is live, or browsers do not play it.
    """
    frames = open_source(source)
    with frames:
        if isinstance(frames, LiveSource):
            raise InputError(f"{source}: a live stream cannot be reviewed; track it with --video and review the file")
        if isinstance(frames, ImageFiles):
            images = frames.numbered()
            numbers = np.array(list(images), np.int64)
            times = (numbers - numbers[0]) / frames.frame_rate
            return Media(frames.name, frames.size, frames.frame_rate, numbers, times, None, images)
    path = Path(source)
    why_not = why_not_played(path)
    if why_not is None:
        numbers, times = frame_times(path)
    elif copy is None:
        raise InputError(f"{path}: browsers do not play {why_not}; add --reencode to make a copy that they do")
    else:
        path, numbers, times = _encode(path, copy, on_frame)
    return Media(frames.name, frames.size, frames.frame_rate, numbers, times, path, {})


def copy_beside(results: Path) -> Path:
    """Return where a copy of the video that browsers play goes: beside the results, since videos may not be writable.

    >>> copy_beside(Path("out/street.txt")).as_posix()
    'out/street.review.mp4'
    """
    return results.with_suffix(COPY_SUFFIX)


def why_not_played(path: Path) -> str | None:
    """Return what browsers do not play about a video file: its kind of file, coding or colours; None where they do."""
    import av

    with av.open(str(path)) as container:
        stream: Any = container.streams.best("video")
        coding, pixels = stream.codec_context.name.removeprefix("lib"), stream.codec_context.pix_fmt
    suffix = path.suffix.lower()
    if suffix not in PLAYED:
        return f"{suffix or 'such'} files"
    coding = {"dav1d": "av1", "aom-av1": "av1", "vpx-vp9": "vp9", "vpx": "vp8"}.get(coding, coding)
    if coding not in PLAYED[suffix]:
        return f"{coding} in {suffix} files"
    if pixels not in _PIXELS:
        return f"{coding} with {pixels} pixels"
    return None


def _encode(video: Path, copy: Path, on_frame: Callable[[int], None] | None) -> tuple[Path, Integers, Floats]:
    numbers: list[int] = []
    times: list[float] = []
    with open_source(video) as frames, VideoWriter(copy, frames.size, frames.frame_rate) as writer:
        for frame in frames:
            writer.write(frame.image, frame.time)
            numbers.append(frame.number)
            times.append(frame.time)
            if on_frame is not None:
                on_frame(frame.number)
    shown = np.array(times, np.float64)
    return copy, np.array(numbers, np.int64), shown - shown[0]

"""Anything that can be watched: videos, images, MOTChallenge sequences, cameras and streams; and a writer."""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path

from tracker.errors import InputError
from tracker.io.camera import Camera
from tracker.io.excerpt import take_part
from tracker.io.frame import Frame, FrameSource
from tracker.io.frames import is_image, number_frames
from tracker.io.image_files import ImageFiles, folder_of_images, mot_sequence
from tracker.io.live import LiveSource
from tracker.io.mot import FRAME_RATES
from tracker.io.network_stream import RECONNECT_SECONDS, NetworkStream
from tracker.io.part import Part, parse_place
from tracker.io.standard_input import open_standard_input
from tracker.io.video_file import VideoFile
from tracker.io.writer import VideoWriter

__all__ = ["Frame", "FrameSource", "VideoWriter", "open_source"]

_LIVE = ("rtsp://", "rtsps://", "rtmp://", "rtp://", "srt://", "udp://")  # what does not wait; http may be a file
_DEVICE = re.compile(r"/dev/video(\d+)")


def open_source(
    source: str | Path | FrameSource,
    start: str | float | None = None,
    end: str | float | None = None,
    stride: int = 1,
    frame_rate: float | None = None,
    reconnect: float | None = RECONNECT_SECONDS,
) -> FrameSource:
    """Open something to watch.

    Args:
        source: A video file; a MOTChallenge sequence folder (it has `seqinfo.ini` or `img1`); a folder, a glob
            pattern or one file of images, taken in natural order; the number of a camera, or `/dev/video0`; a URL such
            as `rtsp://...`; or `-`, MJPEG or Y4M on standard input. Of cameras and live streams the newest frame is
            given each time, see `LiveSource`; over HTTP that is what comes as `multipart/x-mixed-replace`. A source
            that is open already is taken as it is.
        start: The first frame wanted, see `parse_place`. Numbers and times stay those of the whole.
        end: Frames from this time on, or behind this number, are left out.
        stride: Every how manieth frame is wanted.
        frame_rate: Frames per second of what says none: images and raw MJPEG.
        reconnect: Seconds for which a live stream that breaks off is opened again; None ends there.

    Returns:
        An iterable of `Frame`; use it as a context manager.

    Raises:
        InputError: It is missing, empty or not readable, has a frame rate of its own, or there is nothing in this part.
    """
    part = Part(
        None if start is None else parse_place(start, "start"), None if end is None else parse_place(end, "end"), stride
    )
    lowest, highest = FRAME_RATES
    if frame_rate is not None and not lowest <= frame_rate <= highest:
        raise InputError(f"the frame rate must be from {lowest:g} to {highest:g} frames per second, got {frame_rate:g}")
    if isinstance(source, FrameSource):
        if frame_rate is not None:
            raise InputError(
                f"{source.name}: is open and has its frame rate; leave out the frame rate of {frame_rate:g}"
            )
        return take_part(source, part)
    return take_part(_open(source, frame_rate, reconnect), part)


def may_be_live(source: str) -> bool:
    """Whether a source may be live, by its name: opening it tells."""
    return "://" in source or _camera_number(source) is not None


def _open(source: str | Path, frame_rate: float | None, reconnect: float | None) -> FrameSource:
    text = str(source)
    camera = _camera_number(text)
    if frame_rate is not None and (camera is not None or text.lower().startswith(_LIVE)):
        raise InputError(f"{text}: a live source has its own times; leave out the frame rate of {frame_rate:g}")
    if camera is not None:
        return LiveSource(Camera(camera))
    if text == "-":
        return open_standard_input(frame_rate)
    if "://" in text:
        return _open_url(text, frame_rate, reconnect)
    path = Path(source)
    if path.is_dir():
        is_sequence = (path / "seqinfo.ini").is_file() or (path / "img1").is_dir()
        return (mot_sequence if is_sequence else folder_of_images)(path, frame_rate)
    if not path.exists() and any(letter in text for letter in "*?["):
        return _matching(text, frame_rate)
    if is_image(path) and path.exists():
        return ImageFiles([path], path.stem, frame_rate)
    return VideoFile(path, frame_rate)


def _open_url(address: str, frame_rate: float | None, reconnect: float | None) -> FrameSource:
    if address.lower().startswith(_LIVE):
        return LiveSource(NetworkStream(partial(VideoFile, address), reconnect))
    video = VideoFile(address, frame_rate)
    if not video.is_pushed:
        return video
    first = [video]  # what was opened to know what it is
    return LiveSource(NetworkStream(lambda: first.pop() if first else VideoFile(address), reconnect))


def _camera_number(text: str) -> int | None:
    """Return the number of a camera; None for anything else.

    >>> _camera_number("0"), _camera_number("/dev/video2"), _camera_number("0.mp4")
    (0, 2, None)
    """
    if text.isdecimal() and not Path(text).exists():
        return int(text)
    name = text if _DEVICE.fullmatch(text) or not text.startswith("/dev/") else os.path.realpath(text)
    found = _DEVICE.fullmatch(name)
    return int(found[1]) if found else None


def _matching(pattern: str, frame_rate: float | None) -> FrameSource:
    """The images that a glob pattern finds."""
    base = Path(Path(pattern).anchor or ".")
    try:
        found = list(base.glob(pattern[len(Path(pattern).anchor) :]))
    except ValueError as error:
        raise InputError(
            f"{pattern}: not a pattern of file names: {error}; ** stands for whole folders only"
        ) from error
    files = number_frames(path for path in found if is_image(path))
    if not files:
        raise InputError(f"{pattern}: expected images that match this pattern, found none")
    paths = list(files.values())
    return ImageFiles(paths, paths[0].parent.resolve().name, frame_rate, list(files))

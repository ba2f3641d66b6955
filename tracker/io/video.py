"""Anything that can be watched: videos, images, MOTChallenge sequences, cameras and streams; and a writer."""

from __future__ import annotations

from pathlib import Path

from tracker.errors import InputError
from tracker.io.camera import Camera
from tracker.io.frame import Frame, FrameSource
from tracker.io.frames import is_image, number_frames
from tracker.io.image_files import ImageFiles, folder_of_images, mot_sequence
from tracker.io.live import LiveSource
from tracker.io.video_file import VideoFile
from tracker.io.writer import VideoWriter

__all__ = ["Frame", "FrameSource", "VideoWriter", "open_source"]

_LIVE = ("rtsp://", "rtsps://", "rtmp://", "rtp://", "srt://", "udp://")  # what does not wait; http may be a file


def open_source(source: str | Path) -> FrameSource:
    """Open something to watch.

    Args:
        source: A video file; a MOTChallenge sequence folder (it has `seqinfo.ini` or `img1`); a folder, a glob
            pattern or one file of images, taken in natural order; the number of a camera; or a URL such as `rtsp://...`.
            Of cameras and live streams the newest frame is given each time; see `LiveSource`.

    Returns:
        An iterable of `Frame`; use it as a context manager.

    Raises:
        InputError: It is missing, empty or not readable.
    """
    text = str(source)
    if text.isdecimal() and not Path(text).exists():
        return LiveSource(Camera(int(text)))
    if "://" in text:
        return LiveSource(VideoFile(text)) if text.lower().startswith(_LIVE) else VideoFile(text)
    path = Path(source)
    if path.is_dir():
        is_sequence = (path / "seqinfo.ini").is_file() or (path / "img1").is_dir()
        return mot_sequence(path) if is_sequence else folder_of_images(path)
    if not path.exists() and any(letter in text for letter in "*?["):
        return _matching(text)
    if is_image(path) and path.exists():
        return ImageFiles([path], path.stem)
    return VideoFile(path)


def _matching(pattern: str) -> FrameSource:
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
    return ImageFiles(paths, paths[0].parent.resolve().name, numbers=list(files))

"""Frames to a video file that plays anywhere."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from typing_extensions import override

from tracker.arrays import Image
from tracker.errors import InputError
from tracker.io.atomic import OutputFile, cannot_write

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv")
_TICKS = 90_000  # per second: exact for 24, 25, 30, 50, 60 and their NTSC siblings


class VideoWriter(OutputFile):
    """Writes H.264 with 4:2:0 colour and the index up front: what browsers, phones and editors play.

    The file takes its name when it is complete; after an exception the frames until then are kept beside it, see
    `OutputFile`. Of images with an odd width or height the last column or row is repeated, since 4:2:0 stores colour
    for blocks of 2 x 2. An image of another size than `size` is scaled to fit and centred on black.

    Args:
        path: Ends in one of `VIDEO_SUFFIXES`.
        size: Width and height in pixels.
        frame_rate: Frames per second, for frames that are written without a time.
        crf: Quality, 0 (lossless) to 51 (worst); 6 more is about half the size.
        preset: Encoder effort, `ultrafast` to `veryslow`.

    Raises:
        InputError: The path cannot be written to, or its ending is unknown.
    """

    def __init__(
        self, path: str | Path, size: tuple[int, int], frame_rate: float, crf: int = 23, preset: str = "veryfast"
    ) -> None:
        self.size, self.frame_rate = size, frame_rate
        if Path(path).suffix.lower() not in VIDEO_SUFFIXES:
            raise InputError(f"{path}: expected a video file name ending in {', '.join(VIDEO_SUFFIXES)}")
        if min(size) < 1 or frame_rate <= 0:
            raise ValueError(f"size and frame_rate must be positive, got {size} and {frame_rate}")
        super().__init__(path)
        flags = {} if self.path.suffix.lower() == ".mkv" else {"movflags": "+faststart"}
        self._container = av.open(str(self.temporary), "w", options=flags)
        rate = Fraction(frame_rate).limit_denominator(1001)
        self._stream: Any = self._container.add_stream("libx264", rate=rate)
        self._stream.width, self._stream.height = size[0] + size[0] % 2, size[1] + size[1] % 2
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = {"crf": str(crf), "preset": preset}
        self._stream.codec_context.time_base = Fraction(1, _TICKS)
        self._ticks = -1
        self._start: float | None = None

    def write(self, image: Image, time: float | None = None) -> None:
        """Add a frame.

        Args:
            image: (H, W, 3) uint8 RGB.
            time: Seconds on any clock; the first frame's time becomes 0. None continues at the frame rate.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"image must be (H, W, 3) uint8 RGB, got {image.shape} {image.dtype}")
        frame = av.VideoFrame.from_ndarray(_fitted(image, self.size), format="rgb24")
        frame.pts, frame.time_base = self._next_ticks(time), Fraction(1, _TICKS)
        self._encode(frame)

    @override
    def _finish(self) -> None:
        try:
            if self._ticks >= 0:
                self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()

    def _next_ticks(self, time: float | None) -> int:
        if time is None:
            ticks = self._ticks + max(round(_TICKS / self.frame_rate), 1) if self._ticks >= 0 else 0
        else:
            self._start = time if self._start is None else self._start
            ticks = round((time - self._start) * _TICKS)
        self._ticks = max(ticks, self._ticks + 1)
        return self._ticks

    def _encode(self, frame: Any) -> None:
        try:
            self._container.mux(self._stream.encode(frame))
        except (av.FFmpegError, OSError) as error:
            self.abandon()
            raise cannot_write(self.path, error, self.partial) from error


def _fitted(image: Image, size: tuple[int, int]) -> Image:
    """Bring an image to the (evened) size of the video."""
    width, height = size
    if image.shape[:2] != (height, width):
        scale = min(width / image.shape[1], height / image.shape[0])
        inner = max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1)
        scaled = cv2.resize(image, inner, interpolation=cv2.INTER_AREA)
        left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
        image = np.zeros((height, width, 3), np.uint8)
        image[top : top + inner[1], left : left + inner[0]] = scaled
    if width % 2 or height % 2:
        image = np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(image)

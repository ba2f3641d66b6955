"""One image of a video, and what every source of images has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType

from tracker.arrays import Image


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """An image and its place in the video.

    Attributes:
        number: Counted from 1.
        time: Seconds since the first frame.
        image: (H, W, 3) uint8 RGB.
    """

    number: int
    time: float
    image: Image


class FrameSource(ABC):
    """Gives frames in order. Files and folders can be iterated again and start anew; cameras cannot.

    A source that breaks off gives the frames until then; the iteration then raises `InputError`, which names the frame.

    Attributes:
        name: For file names and messages.
        size: Width and height of the (first) image in pixels.
        frame_rate: Frames per second, on average.
        frame_count: How many frames to expect, None where nothing says.
    """

    name: str
    size: tuple[int, int]
    frame_rate: float
    frame_count: int | None

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]: ...

    def close(self) -> None:  # noqa: B027  most sources hold nothing open between iterations
        """Let go of files and devices."""

    def __enter__(self) -> FrameSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

"""One image of a video, and what every source of images has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType

from tracker.arrays import Image
from tracker.io.part import Chooser, Part


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
        is_live: Whether its frames come when they come, and only once.
        is_rate_guessed: Whether nothing says the frame rate, so that it and all times are assumed.
    """

    is_live: bool = False
    is_rate_guessed: bool = False

    name: str
    size: tuple[int, int]
    frame_rate: float
    frame_count: int | None

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]: ...

    def frames_of(self, part: Part) -> Iterator[Frame]:
        """Give the frames of a part, with the numbers and times that they have in the whole."""
        chooser = Chooser(part)
        for frame in self:
            if part.is_over(frame.number, frame.time):
                return
            if chooser.takes(frame.number, frame.time):
                yield frame

    def stop(self) -> None:  # noqa: B027  most sources wait for nothing
        """Ask an iteration in another thread to end soon, also where it waits."""

    def close(self) -> None:  # noqa: B027  most sources hold nothing open between iterations
        """Let go of files and devices."""

    def __enter__(self) -> FrameSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

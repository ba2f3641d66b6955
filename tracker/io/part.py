"""Which frames of a source are wanted: from where, to where, and every how manieth."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from tracker.errors import InputError

_CLOCK = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?|\.\d+)")
_FRAME = re.compile(r"(\d+)f")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a source: one of the two is given.

    Attributes:
        seconds: Since the first frame of the source.
        frame: Number of a frame, from 1.
    """

    seconds: float | None = None
    frame: int | None = None

    def __str__(self) -> str:
        """Return it as `parse_place` reads it."""
        return f"{self.frame}f" if self.seconds is None else f"{self.seconds:g}"


def parse_place(given: str | float | Place, name: str = "place") -> Place:
    """Read a place: seconds as 12.5, 1:30 or 1:02:03.5, or a frame as 300f.

    Args:
        given: Text, or seconds as a number.
        name: What it is, for the error.

    Raises:
        InputError: It is neither.

    >>> parse_place("1:30"), parse_place(12.5), parse_place("300f")
    (Place(seconds=90.0, frame=None), Place(seconds=12.5, frame=None), Place(seconds=None, frame=300))
    """
    if isinstance(given, Place):
        return given
    text = str(given).strip()
    if (found := _FRAME.fullmatch(text)) and int(found[1]) >= 1:
        return Place(frame=int(found[1]))
    if not isinstance(given, bool) and (found := _CLOCK.fullmatch(text)):
        hours, minutes, seconds = (float(value or 0) for value in found.groups())
        return Place(seconds=3600 * hours + 60 * minutes + seconds)
    raise InputError(f"{name} must be seconds, as 12.5 or 1:30, or a frame from 1, as 300f, got {given!r}")


@dataclass(frozen=True, slots=True)
class Part:
    """Part of a source; all of it if nothing is given.

    Attributes:
        start: The first frame that is wanted; a time means the first frame from then on.
        end: Frames from this time on are not wanted; of a frame number, those after it.
        stride: Of the frames between, every how manieth is wanted, by their numbers.

    Raises:
        InputError: The stride is below 1, or the end is not behind the start.
    """

    start: Place | None = None
    end: Place | None = None
    stride: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.stride, int) or isinstance(self.stride, bool) or self.stride < 1:
            raise InputError(f"stride must be a whole number from 1, got {self.stride!r}")
        start, end = self.start, self.end
        if start is None or end is None:
            return
        in_time = start.seconds is not None and end.seconds is not None and end.seconds <= start.seconds
        in_frames = start.frame is not None and end.frame is not None and end.frame < start.frame
        if in_time or in_frames:
            raise InputError(f"the end must lie behind the start, got start {start} and end {end}")

    @property
    def is_all(self) -> bool:
        """Whether every frame is wanted."""
        return self.start is None and self.end is None and self.stride == 1

    def is_before(self, number: int, time: float) -> bool:
        """Whether a frame lies before the start."""
        return self.start is not None and _lies_before(number, time, self.start)

    def is_over(self, number: int, time: float) -> bool:
        """Whether a frame lies behind the end."""
        if self.end is None:
            return False
        return number > self.end.frame if self.end.frame is not None else not _lies_before(number, time, self.end)

    def count(self, frames: int, frame_rate: float) -> int:
        """Return how many of so many frames are wanted, at a constant rate.

        >>> Part(Place(seconds=1), Place(frame=20), 3).count(100, 10.0)  # 11, 14, 17, 20
        4
        """
        first, last = 1, frames
        if self.start is not None:
            first = self.start.frame or math.ceil(round((self.start.seconds or 0) * frame_rate, 3)) + 1
        if self.end is not None:
            last = min(last, self.end.frame or math.ceil(round((self.end.seconds or 0) * frame_rate, 3)))
        return max(math.ceil((last - first + 1) / self.stride), 0)


class Chooser:
    """Goes through the frames of a source and says which are wanted.

    The wanted numbers lie on a grid from the first wanted frame on; where one of the grid is missing, the next frame
    takes its place.

    >>> chooser = Chooser(Part(stride=3))
    >>> [number for number in (2, 3, 4, 5, 7, 8, 9, 11) if chooser.takes(number, 0.0)]
    [2, 5, 8, 11]
    """

    def __init__(self, part: Part) -> None:
        self._part = part
        self._first: int | None = None
        self._due = 0

    def takes(self, number: int, time: float) -> bool:
        """Whether the next frame is wanted."""
        if number < self._due or self._part.is_before(number, time):
            return False
        self._first = number if self._first is None else self._first
        stride = self._part.stride
        self._due = self._first + ((number - self._first) // stride + 1) * stride
        return True


def _lies_before(number: int, time: float, place: Place) -> bool:
    if place.frame is not None:
        return number < place.frame
    # 1e-6: a time stamp of 1.9999999 is one of 2 seconds
    return time < (place.seconds or 0.0) - 1e-6

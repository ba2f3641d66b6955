"""Tracks of a file shown frame by frame, as if they had just been tracked: for answers without any network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from types import MappingProxyType

import numpy as np
from typing_extensions import override

from centertrack.app.file_sink import FileSink
from centertrack.app.pipeline import FrameResult
from tracker.detections import Tracks
from tracker.errors import InputError
from tracker.io.frame import Frame, FrameSource
from tracker.io.tracked import TrackedSequence

_GREY = 160


class PlainFrames(FrameSource):
    """Frames without a picture: all grey.

    Args:
        name: Of the source.
        size: Width and height in pixels.
        frame_rate: Frames a second.
        count: How many.
        times: Frame -> seconds, where known; between two of them time runs evenly.
    """

    def __init__(
        self,
        name: str,
        size: tuple[int, int],
        frame_rate: float,
        count: int,
        times: Mapping[int, float] = MappingProxyType({}),
    ) -> None:
        self.name, self.size, self.frame_rate, self.frame_count = name, size, frame_rate, count
        self._count, self._times = count, times

    @override
    def __iter__(self) -> Iterator[Frame]:
        image = np.full((self.size[1], self.size[0], 3), _GREY, np.uint8)
        numbers = np.arange(1, self._count + 1)
        seconds = (numbers - 1) / self.frame_rate
        if self._times:
            known, at = np.array(sorted(self._times.items())).T
            before, after = np.minimum(numbers - known[0], 0), np.maximum(numbers - known[-1], 0)
            seconds = np.interp(numbers, known, at) + (before + after) / self.frame_rate
        return (Frame(number, time, image) for number, time in zip(numbers.tolist(), seconds.tolist(), strict=True))


def extent(sequence: TrackedSequence) -> tuple[int, int]:
    """Return width and height of an image that holds all boxes of a sequence."""
    high = sequence.rows.boxes_xyxy[:, 2:].max(axis=0, initial=64.0)
    width, height = np.ceil(high.clip(64, 10_000)).astype(int).tolist()
    return width, height


def replay(
    tracks: Mapping[int, Tracks],
    place: Callable[[int], str],
    frames: FrameSource,
    sinks: Iterable[FileSink],
    on_frame: Callable[[], None] = lambda: None,
) -> list[FileSink]:
    """Hand every frame with its tracks to sinks, and complete them; they are abandoned where something fails.

    Args:
        tracks: By frame number; a frame that is missing is one where nobody was.
        place: Says where the tracks of a frame stand: their file, and perhaps its line.
        frames: Where they were tracked.
        sinks: Are opened one after the other, and get every frame in this order.
        on_frame: Called after each.

    Returns:
        The sinks.

    Raises:
        InputError: The source ends before the tracks do, or breaks off, or an output cannot be written.
    """
    left = dict(tracks)
    opened: list[FileSink] = []
    with ExitStack() as stack:
        for sink in sinks:
            opened.append(stack.enter_context(sink))
        last = 0
        for frame in frames:
            last = frame.number
            result = FrameResult(frame, tracks=left.pop(last, None) or Tracks.empty())
            for sink in opened:
                sink.write(result)
            on_frame()
        if left:
            first = min(left)
            raise InputError(
                f"{place(first)}: frame {first} is not in {frames.name}, which ends with frame {last}; is it the right "
                "source?"
            )
    return opened

"""Pictures of a video with their frame numbers, where some may be damaged."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

import av

from tracker.wording import counted

_LOG = logging.getLogger(__name__)
_STEPS, _FEWEST_STEPS = 60, 4  # between pictures that are compared, at most and at least
_REGULAR = 0.75  # share of steps that are alike where the frame rate is constant
_GAP = 0.75  # of a step that a picture must be late
_LONGEST_GAP = 3600.0  # seconds; what jumps further has another clock
_GAPS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where the reading of a video begins: at a key frame.

    Attributes:
        number: Of the picture before it; 0 is the start of the video.
        key: Its time stamp; everything before it is passed over. None takes the first key frame.
        counts_leading: Whether pictures that are decoded after it and shown before it still count.
        clock: That has seen the pictures before it.
    """

    number: int = 0
    key: int | None = None
    counts_leading: bool = False
    clock: Clock | None = None


def decode_numbered(
    container: Any, stream: Any, source: str, beginning: Beginning | None = None
) -> Iterator[tuple[int, Any]]:
    """Decode a video; a picture that is missing or cannot be decoded is left out, as players do, but keeps its number.

    Where the container counts its pictures, as MP4 does, none is missing. Where it does not, as in Matroska, MPEG-TS
    and FLV, numbers follow the time stamps: a jump is as many pictures as fit into it.

    How many are damaged shows in the time stamps: those that went in with packets and did not come out with a picture.
    Counting the decoder's errors is not enough, since one of them can cost several pictures, or none.

    Args:
        container: The open file.
        stream: Its video.
        source: What to call it in warnings; the first losses are told with their frame numbers.
        beginning: Where the container stands; None: at the start.

    Yields:
        Frame number, from 1 for the first key frame, and picture.
    """
    stamps = _Stamps()
    beginning = beginning or Beginning()
    clock = None if stream.frames else beginning.clock or Clock(stream)
    number, key = beginning.number, beginning.key
    errors = lost = gaps = missing = 0
    has_key = False
    for packet in packets_of(container, stream):
        if key is not None and packet.size and packet.pts is not None and packet.pts < key:
            number += has_key and beginning.counts_leading
            continue
        has_key = has_key or packet.is_keyframe
        if packet.size and has_key:
            stamps.add(packet.pts)
        try:
            pictures = packet.decode()
        except av.error.InvalidDataError:
            errors += has_key
            continue
        for picture in pictures:
            skipped = stamps.skip_to(picture.pts, errors - lost)
            if skipped and not lost:
                _warn(source, number + 1)
            lost += skipped
            absent = clock.absent(picture.pts, 1 + skipped) if clock else 0
            if absent:
                gaps, missing = gaps + 1, missing + absent
                _warn_of_gap(source, number + skipped, absent, gaps)
            number += 1 + skipped + absent
            yield number, picture
    left = stamps.count_left(errors - lost)
    if left and not lost:
        _warn(source, number + 1)
    if lost + left > 1:
        _LOG.warning("%s: %s left out", source, counted(lost + left, "damaged picture was", "damaged pictures were"))
    if gaps > _GAPS_SHOWN:
        _LOG.warning("%s: %s missing at %s", source, counted(missing, "frame is", "frames are"), counted(gaps, "place"))


def packets_of(container: Any, stream: Any) -> Iterator[Any]:
    """Give all packets, also where damage makes another stream appear on the way, which PyAV does not know."""
    is_flushed = False
    while not is_flushed:
        try:
            for packet in container.demux(stream):
                is_flushed = not packet.size
                yield packet
        except IndexError:
            continue  # behind the packet of that stream; where the last, empty one has come, nothing is left
        return


def _warn(source: str, number: int) -> None:
    _LOG.warning("%s: frame %d is damaged and left out; the others keep their numbers", source, number)


def _warn_of_gap(source: str, number: int, absent: int, gaps: int) -> None:
    if gaps <= _GAPS_SHOWN:
        _LOG.warning(
            "%s: %s missing after frame %d; the others keep their numbers",
            source,
            counted(absent, "frame is", "frames are"),
            number,
        )


class Clock:
    """Steps between the time stamps of pictures: all alike where the frame rate is constant, but for gaps."""

    def __init__(self, stream: Any) -> None:
        rate = stream.average_rate or stream.guessed_rate
        self._nominal = float(1 / (rate * stream.time_base)) if rate and stream.time_base else 0.0  # in ticks
        self._longest = _LONGEST_GAP / float(stream.time_base) if stream.time_base else 0.0
        self._steps: deque[float] = deque(maxlen=_STEPS)
        self._last: int | None = None

    def absent(self, stamp: int | None, advance: int) -> int:
        """Return how many pictures are missing before this one, besides those that `advance` counts."""
        last, self._last = self._last, stamp
        if stamp is None or last is None or stamp <= last:
            return 0
        step = stamp - last
        interval = self._interval()
        self._steps.append(step / advance)
        if not interval or step > self._longest or step / interval - advance < _GAP:
            return 0
        return max(round(step / interval) - advance, 0)

    def _interval(self) -> float:
        """Ticks from picture to picture; 0 as long as nothing is known, or where the rate varies."""
        if len(self._steps) < _FEWEST_STEPS:
            return 0.0
        middle = sorted(self._steps)[len(self._steps) // 2]
        regular = [step for step in self._steps if abs(step - middle) <= max(middle / 4, 1.5)]
        if len(regular) < _REGULAR * len(self._steps):
            return 0.0
        mean = sum(regular) / len(regular)
        return self._nominal if abs(self._nominal - mean) <= 0.02 * mean else mean


class _Stamps:
    """Time stamps of packets whose picture has not come out yet."""

    def __init__(self) -> None:
        self._waiting: list[int] = []
        self._had_errors = False
        self._are_usable = True  # not where healthy packets give no picture of their own, as with hidden frames of VP8

    def add(self, stamp: int | None) -> None:
        if stamp is None:
            self._are_usable = False
        else:
            heappush(self._waiting, stamp)

    def skip_to(self, stamp: int | None, errors: int) -> int:
        """How many pictures are missing before the one with this stamp, after so many errors not yet explained."""
        skipped = 0
        while stamp is not None and self._waiting and self._waiting[0] <= stamp:
            skipped += heappop(self._waiting) < stamp
        self._had_errors = self._had_errors or errors > 0
        self._are_usable = self._are_usable and stamp is not None and (self._had_errors or not skipped)
        if self._are_usable:
            return skipped
        return max(errors, 0)

    def count_left(self, errors: int) -> int:
        """How many pictures are missing after the last one."""
        if not self._are_usable:
            return max(errors, 0)
        return len(self._waiting) if self._had_errors or errors > 0 else 0

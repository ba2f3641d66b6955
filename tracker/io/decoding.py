"""Pictures of a video with their frame numbers, where some may be damaged."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Any

import av

_LOG = logging.getLogger(__name__)


def decode_numbered(container: Any, stream: Any, source: str) -> Iterator[tuple[int, Any]]:
    """Decode a video; a picture that cannot be decoded is left out, as players do, but keeps its number.

    How many are lost shows in the time stamps: those that went in with packets and did not come out with a picture.
    Counting the decoder's errors is not enough, since one of them can cost several pictures, or none.

    Args:
        container: The open file.
        stream: Its video.
        source: What to call it in warnings; the first loss is told with its frame number.

    Yields:
        Frame number, from 1 for the first key frame, and picture.
    """
    stamps = _Stamps()
    number = errors = lost = 0
    has_key = False
    for packet in container.demux(stream):
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
            number += 1 + skipped
            yield number, picture
    left = stamps.count_left(errors - lost)
    if left and not lost:
        _warn(source, number + 1)
    if lost + left > 1:
        _LOG.warning("%s: %d damaged pictures were left out", source, lost + left)


def _warn(source: str, number: int) -> None:
    _LOG.warning("%s: frame %d is damaged and left out; the others keep their numbers", source, number)


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

"""A video from somewhere in the middle, with the frame numbers that its pictures have when all of it is read.

Reading starts at a key frame before the wanted place, and the pictures before it are counted without decoding them: by
the container's index where it has one (MP4, MOV, AVI), else by the time stamps of its packets. A video in which that
does not tell the numbers, for example since a packet may hold no picture, is read from its beginning.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tracker.io.decoding import Beginning, Clock, packets_of
from tracker.io.part import Place

_MARGIN = 32  # frames before the wanted one: more than any order of decoding mixes
_TRIES = 3
_ONE_A_PACKET = {  # codecs whose packets hold one shown picture each
    "av1", "ffv1", "h264", "hevc", "mjpeg", "mpeg1video", "mpeg2video", "mpeg4", "png", "prores", "rawvideo", "vp9",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Origin:
    """What is known of a video once its first picture is decoded.

    Attributes:
        offset: Seconds of the time stamp at 0 s; None where times are counted.
        frame_rate: Frames per second.
    """

    offset: float | None
    frame_rate: float


def find_beginning(
    container: Any, stream: Any, place: Place, origin: Origin, reopen: Callable[[], Any]
) -> tuple[Any, Any, Beginning] | None:
    """Move a video to a key frame before a place.

    Args:
        container: The open file.
        stream: Its video.
        place: What is wanted.
        origin: Of its times.
        reopen: Opens the file again.

    Returns:
        The container and stream to read from, and where that begins; None where nothing but reading from the beginning
        tells the numbers, or the place is near it. The container that was given stays at its place then, and is closed
        where another is returned.
    """
    if stream.codec_context.name not in _ONE_A_PACKET or not stream.time_base:
        return None
    entries = getattr(stream, "index_entries", None)
    if stream.frames and entries is not None and len(entries) == stream.frames:
        if origin.offset is None and stream.codec_context.has_b_frames:
            return None
        fresh = reopen()
        found = _by_index(fresh, fresh.streams.best("video"), place, origin)
    elif stream.frames or origin.offset is None:
        return None
    else:
        fresh = reopen()
        found = _by_packets(fresh, fresh.streams.best("video"), place, origin)
    if found is None:
        fresh.close()
        return None
    container.close()
    return fresh, fresh.streams.best("video"), found


def _by_index(container: Any, stream: Any, place: Place, origin: Origin) -> Beginning | None:
    """Count by the index: what is decoded before a key frame is also shown before it."""
    entries = list(stream.index_entries)
    if not entries[0].is_keyframe:
        return None
    shown, numbers = 0, {}
    for entry in entries:
        numbers[entry.timestamp] = shown
        shown += not entry.is_discard
    margin = _MARGIN / origin.frame_rate / float(stream.time_base)
    latest = _latest_stamp(stream, place, origin) - margin
    wanted = math.inf if place.frame is None else place.frame - 1 - _MARGIN
    keys = [entry.timestamp for entry in entries if entry.is_keyframe]
    keys = [stamp for stamp in keys if stamp <= latest and numbers[stamp] <= wanted]
    if len(numbers) != len(entries) or not keys or keys[-1] == entries[0].timestamp:
        return None
    target = keys[-1] + round(margin / 2)  # a key frame is shown later than it is decoded
    container.seek(target, stream=stream, backward=True)
    first = next(iter(packets_of(container, stream)), None)
    if first is None or first.pts is None or not first.is_keyframe or first.dts not in numbers:
        return None
    container.seek(target, stream=stream, backward=True)
    return Beginning(numbers[first.dts], first.pts, counts_leading=True)


def _by_packets(container: Any, stream: Any, place: Place, origin: Origin) -> Beginning | None:
    """Count by the time stamps of the packets until some way behind the place."""
    latest = _latest_stamp(stream, place, origin)
    wanted = math.inf if place.frame is None else float(place.frame)
    stamps: list[int] = []
    keys: list[int] = []
    behind = 0
    for packet in packets_of(container, stream):
        if not packet.size or (not keys and not packet.is_keyframe):
            continue
        if packet.pts is None:
            return None
        stamps.append(packet.pts)
        if packet.is_keyframe:
            keys.append(packet.pts)
        behind += packet.pts > latest or len(stamps) > wanted
        if behind > _MARGIN:
            break
    if len(set(stamps)) != len(stamps):
        return None
    stamps.sort()
    for key in reversed(keys[1:]):
        before = stamps[: stamps.index(key)]
        clock = Clock(stream)
        number = sum(1 + clock.absent(stamp, 1) for stamp in before)
        if number + 1 + _MARGIN > wanted or key > latest - _MARGIN / origin.frame_rate / float(stream.time_base):
            continue
        if _reaches(container, stream, key):
            return Beginning(number, key, clock=clock)
        return None
    return None


def _reaches(container: Any, stream: Any, key: int) -> bool:
    """Move to a key frame, or a little before it; whether that worked."""
    step = round(1 / float(stream.time_base))  # a second
    for attempt in range(_TRIES):
        target = key - attempt * step
        container.seek(target, stream=stream, backward=True)
        if any(packet.pts == key for packet in islice(_before(container, stream, key), 4096)):
            container.seek(target, stream=stream, backward=True)
            return True
    return False


def _before(container: Any, stream: Any, key: int) -> Iterator[Any]:
    """Give packets until those behind the key frame."""
    for packet in packets_of(container, stream):
        if packet.size and packet.is_keyframe and packet.pts is not None and packet.pts > key:
            return
        yield packet


def _latest_stamp(stream: Any, place: Place, origin: Origin) -> float:
    """Return the time stamp of the place, in ticks; infinite where it is a frame number."""
    if place.seconds is None:
        return math.inf
    return float((place.seconds + (origin.offset or 0.0)) / stream.time_base)

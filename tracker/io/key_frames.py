"""Few boxes that stand for many: key frames, between which a labelling tool moves a box evenly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from typing_extensions import override

from tracker.arrays import Array
from tracker.io.track_writer import TrackedSource, TrackFile, TrackRow

TOLERANCE, RELATIVE_TOLERANCE = 1.0, 0.02
"""How far off a side of a box between key frames may be: in pixels, or as a share of its height if that is more."""


def find_keys(frames: Array, boxes: Array) -> list[int]:
    """Return which boxes to keep so that the others lie on straight lines between them (Douglas and Peucker 1973).

    Args:
        frames: (N,) rising.
        boxes: (N, 4) float64 xyxy in pixels.

    >>> find_keys(np.arange(6), np.array([[x, 0.0, x + 9, 9] for x in (0, 1, 2, 3, 9, 15)]))
    [0, 3, 5]
    """
    allowed = np.maximum(TOLERANCE, RELATIVE_TOLERANCE * (boxes[:, 3] - boxes[:, 1]))
    kept = {0, len(boxes) - 1}
    parts = [(0, len(boxes) - 1)]
    while parts:
        first, last = parts.pop()
        if last - first < 2:
            continue
        inner = slice(first + 1, last)
        share = ((frames[inner] - frames[first]) / (frames[last] - frames[first]))[:, None]
        line = boxes[first] + share * (boxes[last] - boxes[first])
        off = np.abs(boxes[inner] - line).max(axis=1) / allowed[inner]
        if off.max() > 1:
            middle = first + 1 + int(off.argmax())
            kept.add(middle)
            parts += [(first, middle), (middle, last)]
    return sorted(kept)


class KeyBoxRow(NamedTuple):
    """A key frame of a track.

    Attributes:
        row: The box.
        gone: The next frame, in which the track is not there any more; None where it goes on, or the source ends.
    """

    row: TrackRow
    gone: int | None


class KeyFrameTracks(TrackFile):
    """Keeps all tracks until all frames are known, for a format with key frames; arguments are those of `TrackFile`."""

    def __init__(self, path: str | Path, source: TrackedSource) -> None:
        super().__init__(path, source)
        self._tracks: dict[int, list[TrackRow]] = {}
        self._frames: list[int] = []

    @property
    def frame_count(self) -> int:
        """The number of the last frame."""
        return max(self._frames, default=0)

    @override
    def _take(self, frame_number: int, seconds: float | None, rows: list[TrackRow]) -> None:
        self._frames.append(frame_number)
        for row in rows:
            self._tracks.setdefault(row.id, []).append(row)

    def _keys(self) -> Iterator[tuple[int, list[KeyBoxRow]]]:
        """Give every id, and its key frames: among them the frames beside a gap, and where it ceases to be seen."""
        place_of = {frame: place for place, frame in enumerate(self._frames)}
        for identity, rows in sorted(self._tracks.items()):
            places = np.array([place_of[row.frame] for row in rows])
            frames = np.array([row.frame for row in rows])
            boxes = np.array([row[5:9] for row in rows], np.float64)
            seen = np.array([row.seen for row in rows])
            is_gap = np.append(np.diff(places) != 1, True)
            starts = np.flatnonzero(is_gap[:-1] | (seen[1:] != seen[:-1])) + 1
            keys = []
            for part in np.split(np.arange(len(rows)), starts):
                for key in part[find_keys(frames[part], boxes[part])].tolist():
                    after = int(places[key]) + 1
                    ends = key == part[-1] and is_gap[key] and after < len(self._frames)
                    keys.append(KeyBoxRow(rows[key], self._frames[after] if ends else None))
            yield identity, keys

"""What every writer of tracks has in common: one call a frame, and columns that say the same in every format."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from typing_extensions import override

from tracker.detections import Tracks
from tracker.errors import InputError
from tracker.io.atomic import OutputFile, cannot_write
from tracker.io.class_names import label_name
from tracker.io.mot import MIN_SIDE, warn_of_left_out
from tracker.io.reading import MAX_CLASS, read_whole

SPEED_SECONDS = 0.5  # over which a speed is measured


class TrackWriter(Protocol):
    """Takes the tracks of one frame after the other.

    Attributes:
        labels: Id -> label of everybody who was written.
    """

    labels: dict[int, int]

    def write(self, frame_number: int, tracks: Tracks, time: float | None = None) -> None:
        """Take one frame.

        Args:
            frame_number: From 1.
            tracks: Boxes xyxy in pixels from 0.
            time: Seconds since the first frame, None where nothing tells.
        """

    def close(self) -> None:
        """Complete what was written."""

    def abandon(self) -> None:
        """Keep what there is."""

    @property
    def temporary(self) -> Path | None:
        """Where what there is lies until then."""


@dataclass(frozen=True, slots=True)
class TrackedSource:
    """What there is to say about a source beside its tracks.

    Attributes:
        name: Of the source.
        frame_rate: Frames a second; None where nothing tells.
        size: Width and height in pixels; None where nothing tells.
        class_names: Name of each label; a label beyond them is named by its number.
        has_classes: Whether the labels say classes; if not, everybody is of the first.
        file: Its path or address as it was given; "" where nothing tells.
    """

    name: str = ""
    frame_rate: float | None = None
    size: tuple[int, int] | None = None
    class_names: Sequence[str] = ()
    has_classes: bool = False
    file: str = ""

    def class_name(self, label: int) -> str:
        """Return the name of a label, see `label_name`."""
        return label_name(self.class_names, label)

    def class_number(self, label: int) -> int:
        """Return what column 8 of MOTChallenge rows says: the label + 1, or -1 where there is one class only."""
        return label + 1 if self.has_classes else -1


class TrackRow(NamedTuple):
    """One box of one track, as tables have it.

    Attributes:
        frame: From 1.
        seconds: Since the first frame; None where nothing tells.
        id: Of the track.
        class_name: Of its class.
        class_number: As in MOTChallenge rows: from 1, -1 where there is one class only.
        x1, y1, x2, y2: Corners in pixels from 0.
        score: Of the detection that it was last matched to.
        speed: Of the middle of the box in pixels a second, over the last `SPEED_SECONDS` or as long as it is known;
            None in its first row, and where nothing tells the time.
        seen: Whether it was detected in this frame; if not, the box is where its motion takes it, or interpolated.
    """

    frame: int
    seconds: float | None
    id: int
    class_name: str
    class_number: int
    x1: float
    y1: float
    x2: float
    y2: float
    score: float
    speed: float | None
    seen: bool


def read_class_number(value: Any, where: str) -> int:
    """Return the class number of a row that was written: from 1, or -1 for none.

    Raises:
        InputError: It is something else.
    """
    number = read_whole(value, where, "class_number", -1, MAX_CLASS + 1)
    if number == 0:
        raise InputError(f"{where}: expected class_number from 1, or -1 for none, got 0")
    return number


class Speedometer:
    """Measures how fast the middle of every box moves.

    Args:
        seconds: How far back it looks.

    >>> speedometer = Speedometer()
    >>> [speedometer.measure(1, time, 100 * time, 0.0) for time in (0.0, 0.1, 0.2)]
    [None, 100.0, 100.0]
    """

    def __init__(self, seconds: float = SPEED_SECONDS) -> None:
        self._seconds = seconds
        self._places: dict[int, deque[tuple[float, float, float]]] = {}

    def measure(self, identity: int, time: float, x: float, y: float) -> float | None:
        """Note where an id is now, in pixels, and return its speed in pixels a second; None if it is new."""
        places = self._places.setdefault(identity, deque())
        while places and places[0][0] < time - self._seconds - 1e-6:
            places.popleft()
        first = places[0] if places else None
        places.append((time, x, y))
        if first is None or time <= first[0]:
            return None
        return float(np.hypot(x - first[1], y - first[2])) / (time - first[0])


class TrackFile(OutputFile):
    """A file of tracks in a format with named columns.

    The file takes its name when it is complete; after an exception what was tracked so far is kept beside it, see
    `OutputFile`. Boxes that are narrower or lower than MOTChallenge rows can say are left out, with a warning in the
    end.

    Args:
        path: The file to write; missing folders are made.
        source: What is tracked.

    Attributes:
        labels: Id -> label of everybody who was written.

    Raises:
        InputError: The file cannot be written.
    """

    def __init__(self, path: str | Path, source: TrackedSource) -> None:
        super().__init__(path)
        self.source = source
        self.labels: dict[int, int] = {}
        self._speeds = Speedometer()
        self._left_out = 0

    def write(self, frame_number: int, tracks: Tracks, time: float | None = None) -> None:
        """Take one frame; the arguments are those of `TrackWriter.write`."""
        has_size = (tracks.boxes[:, 2:] - tracks.boxes[:, :2] > MIN_SIDE / 2).all(axis=1)
        if not has_size.all():
            self._left_out += int((~has_size).sum())
            tracks = tracks[has_size]
        ids, labels = tracks.ids.tolist(), tracks.labels.tolist()
        boxes = tracks.boxes.astype(np.float64).round(2).tolist()
        rows = []
        for identity, label, (x1, y1, x2, y2), score, seen in zip(
            ids, labels, boxes, tracks.scores.tolist(), tracks.seen.tolist(), strict=True
        ):
            speed = None if time is None else self._speeds.measure(identity, time, (x1 + x2) / 2, (y1 + y2) / 2)
            rows.append(
                TrackRow(
                    frame_number,
                    None if time is None else round(time, 4),
                    identity,
                    self.source.class_name(label),
                    self.source.class_number(label),
                    *(x1, y1, x2, y2),
                    round(score, 4),
                    None if speed is None else round(speed, 2),
                    seen,
                )
            )
        self.labels.update(zip(ids, labels, strict=True))
        try:
            self._take(frame_number, None if time is None else round(time, 4), rows)
        except OSError as error:
            self.abandon()
            raise cannot_write(self.path, error, self.partial) from error

    @abstractmethod
    def _take(self, frame_number: int, seconds: float | None, rows: list[TrackRow]) -> None:
        """Write the rows of a frame, or keep them until the end."""

    @override
    def _finish(self) -> None:
        self._write_rest()
        warn_of_left_out(self.path, self._left_out)

    @abstractmethod
    def _write_rest(self) -> None:
        """Write what is left and close the file."""

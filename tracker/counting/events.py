"""What happens to tracks at lines and in zones, one record each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

LINE_DIRECTIONS = ("in", "out")
ZONE_DIRECTIONS = ("entry", "exit", "appeared", "vanished")


class Step(NamedTuple):
    """One track on its way from where it was seen before to where it is seen now.

    Attributes:
        identity: Its id.
        label: Its class.
        point: x, y in pixels.
        before: Where it was seen last; None at its first sight, or where that was too long ago.
        time: Seconds of this frame.
        time_before: Of the frame before; `time` where there is none.
        frame: Number of this frame.
        size: Of its box: the square root of the area, in pixels.
        margin: How far from a border is clearly on one side of it, in pixels.
        probability: That the track follows an object.
    """

    identity: int
    label: int
    point: tuple[float, float]
    before: tuple[float, float] | None
    time: float
    time_before: float
    frame: int
    size: float
    margin: float
    probability: float

    def in_sizes(self, distance: float) -> float:
        """Return a distance in pixels, of either sign, in sizes of the box."""
        return abs(distance) / max(self.size, 1e-6)


class Passage(NamedTuple):
    """Where and when a track went over a border, interpolated between two frames.

    Attributes:
        time: Seconds.
        frame: The first one beyond the border.
        point: x, y in pixels.
    """

    time: float
    frame: int
    point: tuple[float, float]

    @classmethod
    def between(cls, step: Step, share: float) -> Passage:
        """Return the place at `share` (0 to 1) of the way of a step."""
        (x0, y0), (x1, y1) = step.before or step.point, step.point
        time = step.time_before + share * (step.time - step.time_before)
        return cls(time, step.frame, (x0 + share * (x1 - x0), y0 + share * (y1 - y0)))


@dataclass(frozen=True, slots=True)
class Event:
    """A track has crossed a line, or begun or ended a visit to a zone.

    Attributes:
        time: Seconds at which the track was on the border, interpolated between frames; for a track that appeared or
            vanished inside a zone, when it was seen first or last.
        frame: Number of the first frame beyond the border.
        identity: Id of the track.
        label: Its class.
        what: `line` or `zone`.
        name: Of the line or zone.
        direction: One of LINE_DIRECTIONS or ZONE_DIRECTIONS.
        probability: That it happened; see `tracker.counting.certainty`.
        point: x, y in pixels, where.
        certain_frame: Number of the frame in which the track was clearly on the other side; events come out then.
    """

    time: float
    frame: int
    identity: int
    label: int
    what: str
    name: str
    direction: str
    probability: float
    point: tuple[float, float]
    certain_frame: int


@dataclass(frozen=True, slots=True)
class Visit:
    """A track's stay in a zone.

    Attributes:
        identity: Id of the track.
        label: Its class.
        start: Seconds.
        end: Seconds; of a visit that goes on, the time of the last frame.
        began: `entry` over the border, or `appeared` inside.
        ended: `exit` over the border, `vanished` inside, or `open` where it goes on.
    """

    identity: int
    label: int
    start: float
    end: float
    began: str
    ended: str

    @property
    def seconds(self) -> float:
        """How long it took, as far as it was seen: the dwell time of a visit from `entry` to `exit`."""
        return self.end - self.start

    @property
    def is_whole(self) -> bool:
        """Whether both ends were seen at the border; otherwise the visit may have been longer."""
        return self.began == "entry" and self.ended == "exit"

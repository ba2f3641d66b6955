"""Lines, and who crosses them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tracker.arrays import Floats
from tracker.counting.certainty import HALF_PROBABILITY, passage_probability
from tracker.counting.events import LINE_DIRECTIONS, Event, Passage, Step
from tracker.errors import InputError

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """A line in the image, with a direction: "in" is from its left-hand to its right-hand side.

    The sides are those of somebody who stands on the first point and looks at the second one. So over a line that is
    drawn from left to right "in" is downwards in the image, and over one drawn downwards "in" is to the left.

    Attributes:
        name: Of the line.
        start: First point, x and y in pixels, where the image's upper left corner is (0, 0).
        end: Second point.

    Raises:
        InputError: The points are no numbers, or the same.

    >>> door = Line("door", (0, 10), (40, 10))
    >>> door.distances([[5, 4], [5, 16]]).tolist(), door.shares([[10, 4]]).tolist(), door.inward
    ([-6.0, 6.0], [0.25], (0.0, 1.0))
    """

    name: str
    start: Point
    end: Point

    def __post_init__(self) -> None:
        check_points("line", self.name, (self.start, self.end))
        if self.length == 0:
            raise InputError(f"line {self.name}: its two points are the same, {self.start[0]:g},{self.start[1]:g}")

    @property
    def points(self) -> tuple[Point, ...]:
        """Start and end."""
        return self.start, self.end

    @property
    def length(self) -> float:
        """In pixels."""
        return math.hypot(self.end[0] - self.start[0], self.end[1] - self.start[1])

    @property
    def inward(self) -> Point:
        """The direction "in" as x, y of length 1, at a right angle to the line."""
        dx, dy = self.end[0] - self.start[0], self.end[1] - self.start[1]
        return -dy / self.length + 0.0, dx / self.length + 0.0

    def distances(self, points: ArrayLike) -> Floats:
        """Return how far points (N, 2) lie on the "in" side: (N,) pixels, negative on the other one."""
        return np.asarray((np.asarray(points, np.float64).reshape(-1, 2) - self.start) @ np.array(self.inward))

    def shares(self, points: ArrayLike) -> Floats:
        """Return where points (N, 2) lie along the line: (N,), 0 at the start and 1 at the end."""
        way = np.array(self.end) - self.start
        return np.asarray((np.asarray(points, np.float64).reshape(-1, 2) - self.start) @ way / (way @ way))


@dataclass(slots=True)
class _State:
    """Where a track is relative to a line.

    Attributes:
        distance: At the last sight, in pixels; positive on the "in" side.
        step: The last one.
        side: 1 or -1, on which it was clearly last; 0 before.
        depth: How far it has been on that side, in sizes of its box.
        net: Passages over the line since then, those to the "in" side less those back; beside its ends they do not
            count.
        passage: The last one of these.
    """

    distance: float
    step: Step
    side: int = 0
    depth: float = 0.0
    net: int = 0
    passage: Passage | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has passed the line since it was clearly on a side, or since it was seen first, on balance."""
        return self.net != 0 and self.net * self.side <= 0


class LineCounter:
    """Counts who crosses a line: once a track is clearly on the other side, and came there over the line itself.

    "Clearly" is further away than the step's margin. So a track that stands on the line and trembles is not counted,
    nor one that goes around its end. Nor one that is seen first or last within the margin: whether it has crossed is
    not known, and it is among `possible`.

    Args:
        place: The line.

    Attributes:
        counts: Crossings until now, `in` and `out`.
        possible: Crossings that were not counted, of tracks that began or ended on the line.
    """

    def __init__(self, place: Line) -> None:
        self.place = place
        self.counts = dict.fromkeys(LINE_DIRECTIONS, 0)
        self.possible: list[Event] = []
        self._states: dict[int, _State] = {}

    def update(self, steps: Sequence[Step]) -> list[Event]:
        """Return who has crossed it, in the order of the steps."""
        distances = self.place.distances([step.point for step in steps]).tolist()
        events = []
        for step, distance in zip(steps, distances, strict=True):
            state = self._states.get(step.identity)
            if state is None:
                state = self._states[step.identity] = _State(distance, step)
            self._pass(state, step, distance)
            if abs(distance) > step.margin:
                event = self._settle(state, 1 if distance > 0 else -1)
                if event is not None:
                    self.counts[event.direction] += 1
                    events.append(event)
            if state.side * distance > 0:
                state.depth = max(state.depth, step.in_sizes(distance))
        return events

    def end(self, step: Step) -> list[Event]:
        """Forget a track that is not seen any more, after its last step; nothing has happened then."""
        state = self._states.pop(step.identity, None)
        if state is not None and state.is_over:
            self.possible.append(self._crossing(state, HALF_PROBABILITY))
        return []

    def pending(self) -> list[Event]:
        """Return the possible crossings of tracks that are over the line, and not clearly yet."""
        return [self._crossing(state, HALF_PROBABILITY) for state in self._states.values() if state.is_over]

    def _pass(self, state: _State, step: Step, distance: float) -> None:
        """Take a step; note a passage to the other side of the line, if it is one."""
        before, state.distance, state.step = state.distance, distance, step
        if (before >= 0) == (distance >= 0):
            return
        passage = Passage.between(step, before / (before - distance))
        if 0 <= self.place.shares(passage.point)[0] <= 1:
            state.net += 1 if distance >= 0 else -1
            state.passage = passage

    def _settle(self, state: _State, side: int) -> Event | None:
        """Take note that a track is clearly on one side; return an event if it was on the other one and has crossed."""
        event = None
        if state.side != side and state.net * side > 0:
            if state.side:
                event = self._crossing(state, passage_probability(state.depth))
            else:
                self.possible.append(self._crossing(state, HALF_PROBABILITY))
        state.depth = state.depth if state.side == side else 0.0
        state.side, state.net = side, 0
        return event

    def _crossing(self, state: _State, probability: float) -> Event:
        """Return the event of a track with a passage, of which `probability` says whether it was one."""
        passage = state.passage or Passage.between(state.step, 1.0)
        return Event(
            time=passage.time,
            frame=passage.frame,
            identity=state.step.identity,
            label=state.step.label,
            what="line",
            name=self.place.name,
            direction="in" if state.net > 0 else "out",
            probability=probability * state.step.probability,
            point=passage.point,
            certain_frame=state.step.frame,
        )


def check_points(what: str, name: str, points: Sequence[Point]) -> None:
    """Refuse points that are no finite numbers.

    Raises:
        InputError: A point is none.
    """
    if not np.isfinite(np.array(points, np.float64)).all():
        raise InputError(f"{what} {name}: expected finite numbers as x,y of its points, got {list(points)}")

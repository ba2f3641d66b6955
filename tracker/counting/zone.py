"""Zones, and who stays in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from tracker.arrays import Floats
from tracker.counting.certainty import passage_probability
from tracker.counting.events import Event, Passage, Step, Visit
from tracker.counting.line import Point, check_points
from tracker.errors import InputError


@dataclass(frozen=True, slots=True)
class Zone:
    """A polygon in the image.

    Attributes:
        name: Of the zone.
        points: At least three corners in order, x and y in pixels, where the image's upper left corner is (0, 0).

    Raises:
        InputError: There are fewer corners, they are no numbers, sides cross, or the polygon has no area.

    >>> zone = Zone("queue", ((0, 0), (10, 0), (10, 10), (0, 10)))
    >>> zone.distances([[4, 5], [13, 14]]).tolist(), zone.area
    ([4.0, -5.0], 100.0)
    """

    name: str
    points: tuple[Point, ...]

    def __post_init__(self) -> None:
        check_points("zone", self.name, self.points)
        if len(self.points) < 3:
            raise InputError(f"zone {self.name}: expected at least 3 points, got {len(self.points)}")
        if self.area == 0:
            raise InputError(f"zone {self.name}: its points lie on one line and enclose nothing")
        sides = [(self.points[i], self.points[(i + 1) % len(self.points)]) for i in range(len(self.points))]
        for (i, one), (j, other) in combinations(enumerate(sides), 2):
            if _cross(*one, *other):
                raise InputError(
                    f"zone {self.name}: its sides {i + 1} and {j + 1} cross; give the corners in the order in which "
                    "one walks around it"
                )

    @property
    def area(self) -> float:
        """In square pixels, by the shoelace formula."""
        x, y = np.array(self.points, np.float64).T
        return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)

    @property
    def largest_margin(self) -> float:
        """How wide a border may be beyond which a track is clearly inside: half the area by the perimeter, in pixels.

        That is at most half of the largest distance to the border that a point inside of a convex zone has.
        """
        corners = np.array(self.points, np.float64)
        perimeter = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1).sum()
        return float(0.5 * self.area / perimeter)

    def distances(self, points: ArrayLike) -> Floats:
        """Return how far points (N, 2) lie from the border: (N,) pixels, positive inside and negative outside."""
        at = np.asarray(points, np.float64).reshape(-1, 1, 2)
        start = np.array(self.points, np.float64)
        end = np.roll(start, -1, axis=0)
        way = end - start
        share = np.einsum("nsk,sk->ns", at - start, way) / np.maximum(np.einsum("sk,sk->s", way, way), 1e-12)
        nearest = start + np.clip(share, 0, 1)[..., None] * way
        distance = np.linalg.norm(at - nearest, axis=2).min(axis=1)
        # a ray to the right crosses an odd number of sides where it starts inside
        x, y = at[..., 0], at[..., 1]
        spans = (start[:, 1] > y) != (end[:, 1] > y)
        rise = np.where(way[:, 1] == 0, 1, way[:, 1])
        crossed = spans & (x < start[:, 0] + (y - start[:, 1]) * way[:, 0] / rise)
        return np.where(crossed.sum(axis=1) % 2 == 1, distance, -distance)


@dataclass(slots=True)
class _State:
    """Where a track is relative to a zone.

    Attributes:
        distance: At the last sight, in pixels; positive inside.
        first: When it was seen first, or again after too long.
        is_inside: What it was clearly last; None before.
        depth: How far from the border it has been there, in sizes of its box.
        passage: The last one over the border.
        start: When the visit began.
        began: How.
        label: Class at the last sight.
    """

    distance: float
    first: Passage
    is_inside: bool | None = None
    depth: float = 0.0
    passage: Passage | None = None
    start: float = 0.0
    began: str = ""
    label: int = 0


class ZoneCounter:
    """Follows who enters a zone, stays and leaves.

    A track is inside once it is further inside than the step's margin, and outside once it is further outside. In
    between it stays what it was, so that trembling on the border is no visit.

    Args:
        place: The zone.

    Attributes:
        visits: Those that have ended, in the order of their ends.
        highest: The most that were inside at a time.
    """

    def __init__(self, place: Zone) -> None:
        self.place = place
        self.visits: list[Visit] = []
        self._largest_margin = place.largest_margin
        self._states: dict[int, _State] = {}
        self._inside: set[int] = set()
        self._start: float | None = None
        self._time = 0.0
        self._seconds_inside = 0.0
        self.highest = 0

    @property
    def now(self) -> int:
        """How many are inside."""
        return len(self._inside)

    @property
    def mean(self) -> float:
        """How many were inside on average over time."""
        elapsed = self._time - (self._start or 0.0)
        return self._seconds_inside / elapsed if elapsed > 0 else float(self.now)

    def update(self, steps: Sequence[Step]) -> list[Event]:
        """Return who has entered, left or appeared, in the order of the steps."""
        distances = self.place.distances([step.point for step in steps]).tolist()
        events = []
        for step, distance in zip(steps, distances, strict=True):
            event = self._move(step, distance)
            if event is not None:
                events.append(event)
        return events

    def tick(self, time: float) -> None:
        """Add the occupancy until now; after the events of a frame at `time` seconds, whether there were any or not."""
        self.highest = max(self.highest, self.now)
        self._time = time
        self._start = time if self._start is None else self._start

    def pass_time(self, time: float) -> None:
        """Add the occupancy since the last frame, before the events of a frame at `time` seconds."""
        if self._start is not None:
            self._seconds_inside += self.now * (time - self._time)

    def end(self, step: Step) -> list[Event]:
        """Forget a track that is not seen any more, after its last step; its visit has ended where it was inside."""
        state = self._states.pop(step.identity, None)
        if state is None or not state.is_inside:
            return []
        last = Passage(step.time, step.frame, step.point)
        self._leave(state, step.identity, step.time, "vanished")
        return [self._event(step, last, "vanished", step.probability)]

    def open_visits(self, time: float) -> list[Visit]:
        """Return the visits that go on, up to `time` seconds."""
        inside = ((identity, self._states[identity]) for identity in sorted(self._inside))
        return [Visit(identity, state.label, state.start, time, state.began, "open") for identity, state in inside]

    def _move(self, step: Step, distance: float) -> Event | None:
        here = Passage(step.time, step.frame, step.point)
        state = self._states.get(step.identity)
        if state is None:
            state = self._states[step.identity] = _State(distance, here)
        elif (state.distance >= 0) != (distance >= 0):
            state.passage = Passage.between(step, state.distance / (state.distance - distance))
        state.distance, state.label = distance, step.label
        event = self._settle(state, step, distance > 0) if abs(distance) > self._margin(step) else None
        if state.is_inside == (distance > 0):
            state.depth = max(state.depth, step.in_sizes(distance))
        return event

    def _margin(self, step: Step) -> float:
        return min(step.margin, self._largest_margin)

    def _settle(self, state: _State, step: Step, is_inside: bool) -> Event | None:
        """Take note that a track is clearly inside or outside; return an event if it was not so before."""
        was_inside, depth, passage = state.is_inside, state.depth, state.passage
        if is_inside == was_inside:
            return None
        state.is_inside, state.depth = is_inside, 0.0
        if was_inside is None:
            return self._enter(state, step, state.first, "appeared", step.probability) if is_inside else None
        probability = passage_probability(depth) * step.probability
        passage = passage or Passage(step.time, step.frame, step.point)
        if is_inside:
            return self._enter(state, step, passage, "entry", probability)
        self._leave(state, step.identity, passage.time, "exit")
        return self._event(step, passage, "exit", probability)

    def _enter(self, state: _State, step: Step, passage: Passage, began: str, probability: float) -> Event:
        state.start, state.began = passage.time, began
        self._inside.add(step.identity)
        return self._event(step, passage, began, probability)

    def _leave(self, state: _State, identity: int, time: float, ended: str) -> None:
        self._inside.discard(identity)
        self.visits.append(Visit(identity, state.label, state.start, time, state.began, ended))

    def _event(self, step: Step, passage: Passage, direction: str, probability: float) -> Event:
        return Event(
            time=passage.time,
            frame=passage.frame,
            identity=step.identity,
            label=step.label,
            what="zone",
            name=self.place.name,
            direction=direction,
            probability=probability,
            point=passage.point,
            certain_frame=step.frame,
        )


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Tell whether two sides cross in the middle of both."""

    def turn(p: Point, q: Point, r: Point) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0

"""All tracks of a video at all lines and zones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tracker.boxes import anchor_points
from tracker.counting.certainty import track_probability
from tracker.counting.events import Event, Step
from tracker.counting.line import Line, LineCounter
from tracker.counting.zone import Zone, ZoneCounter
from tracker.detections import Tracks
from tracker.errors import InputError

MARGIN = 0.15
MAX_GAP_SECONDS = 3.0


@dataclass(slots=True)
class _Sight:
    """What is known of a track: when it was seen first, how often and how well, in which update last, and its step."""

    first: float
    update: int = 0
    scores: float = 0.0
    count: int = 0
    step: Step | None = None

    def look(self, score: float, time: float) -> float:
        """Add a sight, and return how probably the track follows an object."""
        self.scores += score
        self.count += 1
        return track_probability(self.scores / self.count, time - self.first)


class Counter:
    """Counts who crosses lines, and who is in zones, frame by frame.

    It keeps little: the tracks that were seen in the last seconds, all events, and the visits that have ended.

    Args:
        places: Lines and zones, each with a name of its own.
        anchor: The point of a box that counts: `bottom`, the middle of its lower side, where feet and wheels are; or
            `centre`.
        margin: How far a track must be beyond a border to be clearly on the other side, in sizes of its box; the size
            is the square root of its area.
        max_gap_seconds: A track that is not seen for longer begins anew: what it did meanwhile is not counted, and its
            visits to zones ended when it was seen last.

    Attributes:
        events: Of all frames, in the order in which they came out.
        frames: How many there were.
        start: Seconds of the first frame.
        time: Seconds of the last frame.

    Raises:
        InputError: Two places have the same name, or a value is out of range.

    >>> counter = Counter([Line("door", (0, 100), (80, 100))])
    >>> for number, bottom in enumerate((80, 95, 105, 130)):
    ...     box = [[30, bottom - 40, 50, bottom]]
    ...     tracks = Tracks(*(np.array(column) for column in ([7], box, [0.9], [0], [0])))
    ...     for event in counter.update(tracks, number / 25):
    ...         print(event.identity, event.direction, round(event.time, 3), event.frame)
    7 in 0.06 3
    """

    def __init__(
        self,
        places: Sequence[Line | Zone],
        anchor: str = "bottom",
        margin: float = MARGIN,
        max_gap_seconds: float = MAX_GAP_SECONDS,
    ) -> None:
        names = [place.name for place in places]
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"two lines or zones are called {name}; give each a name of its own")
        for option, value in (("margin", margin), ("max_gap_seconds", max_gap_seconds)):
            if not (value >= 0 and math.isfinite(value)):
                raise InputError(f"{option} must be a number from 0, got {value}")
        anchor_points(np.zeros((0, 4)), anchor)  # refuses an unknown one
        self.anchor, self.margin, self.max_gap_seconds = anchor, margin, max_gap_seconds
        self.lines = [LineCounter(place) for place in places if isinstance(place, Line)]
        self.zones = [ZoneCounter(place) for place in places if isinstance(place, Zone)]
        self._places: list[LineCounter | ZoneCounter] = [*self.lines, *self.zones]
        self.events: list[Event] = []
        self.frames, self.start, self.time = 0, 0.0, 0.0
        self._sights: dict[int, _Sight] = {}
        self._seen, self._hidden = 0, 0

    @property
    def hidden_share(self) -> float:
        """Of the frames of all tracks from first to last sight, the share in which they were not seen, from 0 to 1."""
        return self._hidden / max(self._seen + self._hidden, 1)

    def update(self, tracks: Tracks, time: float, frame: int | None = None) -> list[Event]:
        """Take the tracks of the next frame and return what has become certain in it.

        Boxes that a tracker only predicted (`indices` of -1) are left out: nobody saw what happened there.

        Args:
            tracks: Of the frame.
            time: Seconds of the frame, on any clock that does not run backwards.
            frame: Its number; by default frames are counted from 1.

        Raises:
            InputError: The time is no number, or runs backwards.
        """
        if not math.isfinite(time) or (self.frames and time < self.time):
            raise InputError(f"time must be a number of seconds that does not fall, got {time} after {self.time}")
        self.start = self.start if self.frames else time
        self.frames += 1
        number = self.frames if frame is None else frame
        for zone in self.zones:
            zone.pass_time(time)
        found = self._end_before(time - self.max_gap_seconds)
        steps = self._steps(tracks[tracks.indices >= 0], time, number) if self._places else []
        for place in self._places:
            found += place.update(steps)
        for zone in self.zones:
            zone.tick(time)
        self.time = time
        self.events += found
        return found

    def _steps(self, tracks: Tracks, time: float, frame: int) -> list[Step]:
        """Return the step of every track that was seen, and remember it."""
        points = anchor_points(tracks.boxes.astype(np.float64), self.anchor).tolist()
        sides = tracks.boxes[:, 2:].astype(np.float64) - tracks.boxes[:, :2]
        sizes = np.sqrt(sides.clip(0).prod(axis=1)).tolist()
        steps = []
        for identity, label, (x, y), score, size in zip(
            tracks.ids.tolist(), tracks.labels.tolist(), points, tracks.scores.tolist(), sizes, strict=True
        ):
            sight = self._sights.setdefault(identity, _Sight(time))
            before = sight.step
            self._seen += 1
            self._hidden += 0 if before is None else self.frames - sight.update - 1
            sight.update = self.frames
            step = sight.step = Step(
                identity=identity,
                label=label,
                point=(x, y),
                before=None if before is None else before.point,
                time=time,
                time_before=time if before is None else before.time,
                frame=frame,
                size=size,
                margin=self.margin * size,
                probability=sight.look(score, time),
            )
            steps.append(step)
        return steps

    def _end_before(self, time: float) -> list[Event]:
        """Forget the tracks that were seen last before `time` seconds."""
        gone = [sight.step for sight in self._sights.values() if sight.step is not None and sight.step.time < time]
        events = []
        for step in gone:
            del self._sights[step.identity]
            for place in self._places:
                events += place.end(step)
        return events

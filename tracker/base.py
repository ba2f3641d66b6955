"""What every tracker has in common: options, the input's check, the clock, ids, and the state of a stream."""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from numbers import Real
from typing import Any, ClassVar, Generic, TypeVar, cast, get_type_hints

import numpy as np

from tracker.arguments import check_arguments, check_option
from tracker.arrays import Array, check_frame
from tracker.detections import Detections, Tracks, as_detections
from tracker.errors import InputError
from tracker.memory import LongTermMemory
from tracker.search_space import Searched
from tracker.state import fit_state
from tracker.trackset import TRACKED, TrackSet


@dataclass(frozen=True, kw_only=True)
class TrackerOptions:
    """Options that every tracker knows.

    A `limit` is always the cost from which a pair is refused, and a `min` the smallest value that is accepted. A field
    whose range is not simply [0, inf) says so as `least` and `most` in its metadata.

    Attributes:
        frame_rate: Frames per second of the source; turns seconds into frames, and is the step of time where `update`
            is not told the `time`.
        max_lost_seconds: How long a confirmed track may stay unseen before it is removed.
        class_agnostic: Let a detection of another class continue a track; its label is then the majority's.
        min_area: Leave tracks whose box is smaller out of the result, in square pixels; 0 keeps all.
        max_aspect: Leave tracks whose box has a larger width / height out of the result; infinite keeps all. (The
            published FairMOT silently uses 1.6, which removes cars and animals.)
        memory_seconds: Long-term memory: how long the appearance of a removed track is kept, so that somebody who
            comes back after minutes gets the old id; 0 is off. Needs a tracker that uses embeddings.
        memory_limit: 1 - cos from which a new track is not taken for a remembered one.
    """

    frame_rate: float = 30.0
    max_lost_seconds: float = 1.0
    class_agnostic: bool = False
    min_area: float = 0.0
    max_aspect: float = math.inf
    memory_seconds: float = 0.0
    memory_limit: float = 0.2

    def __post_init__(self) -> None:
        kinds = get_type_hints(type(self))
        for option in fields(self):
            check_option(option.name, kinds[option.name], getattr(self, option.name), **option.metadata)
        if not 0 < self.frame_rate < math.inf:
            raise InputError(f"frame_rate must be positive and finite frames per second, got {self.frame_rate}")

    @property
    def max_lost_frames(self) -> float:
        """`max_lost_seconds` in frames."""
        return self.max_lost_seconds * self.frame_rate


OptionsT = TypeVar("OptionsT", bound=TrackerOptions)


class Tracker(ABC, Generic[OptionsT]):
    """Gives every object of a stream of detections an id that stays.

    A tracker object follows one stream: its ids start at 1, and two trackers share nothing. It can be copied and
    pickled. A subclass says in `_begin` what it remembers, and in `_track` what it does with a frame.

    Args:
        options: All options; the defaults if not given.
        changes: Single options by name, over `options`.

    Raises:
        InputError: An option is unknown or out of range.
    """

    Options: ClassVar[type[TrackerOptions]] = TrackerOptions
    """The class of its options."""
    parts: ClassVar[tuple[str, ...]] = ("tracks", "memory")
    """What belongs to the state of a stream: part "tracks" is the attribute `_tracks`, or None where it is not used."""

    search_space: ClassVar[Mapping[str, Searched]] = {}
    """Option -> values worth trying; what is not in it is left as it is."""

    options: OptionsT
    _tracks: TrackSet
    _memory: LongTermMemory
    _now: float  # tracker time in frames
    _previous: float  # that of the last update
    _time: float | None  # the source's clock at the last update, in seconds
    _updates: int
    _next_id: int
    _embedding_dim: int | None

    @property
    def needs_embeddings(self) -> bool:
        """Whether `update` refuses detections without embeddings; if not, embeddings are ignored."""
        return False

    @property
    def needs_frame(self) -> bool:
        """Whether `update` must be given the frame, because the tracker measures the camera's motion in it."""
        return False

    def __init__(self, options: OptionsT | None = None, **changes: Any) -> None:
        name = type(self).__name__
        if options is None:
            options = cast(OptionsT, self.Options())
        elif not isinstance(options, self.Options):
            raise InputError(f"{name} needs options of type {self.Options.__name__}, got {type(options).__name__}")
        check_arguments(self.Options, changes, name)
        self.options = replace(options, **changes) if changes else options
        if self.options.memory_seconds > 0 and not self.needs_embeddings:
            raise InputError(
                f"memory_seconds needs a tracker that uses embeddings, and {name} with these options does not; "
                "try fairmot or scene-reid"
            )
        self.reset()

    def update(self, detections: Any, frame: Array | None = None, time: float | None = None) -> Tracks:
        """Take the detections of the next frame and return the objects that are followed in it.

        Call it for every frame that was looked at, also with `Detections.empty()`: time moves on all the same. A call
        that raises InputError changes nothing.

        Args:
            detections: What was found in the frame: `Detections`, an array (N, 4 to 6) with the columns x1 y1 x2 y2
                [score [class]], or a `supervision.Detections`, see `Tracks.to_supervision`.
            frame: (H, W, 3) uint8 RGB image, only for trackers that measure the camera's motion.
            time: Seconds since any fixed moment, never falling. Without it, a frame follows the last one after
                1 / `frame_rate` seconds. Motion and memory use the real step, so frames may be skipped.

        Raises:
            InputError: These are no detections, embeddings or the frame are needed and missing, the frame is no image,
                the embeddings' dimension changed, or time ran backwards.
        """
        found = as_detections(detections)
        dimension = self._checked_dimension(found)
        self._check_frame(frame)
        elapsed, clock = self._elapsed(time)
        # From here on nothing is refused.
        self._embedding_dim, self._time = dimension, clock
        self._previous, self._now = self._now, self._now + elapsed
        self._updates += 1
        tracks = self._track(found, frame, elapsed)
        is_theirs = found is not detections and hasattr(detections, "xyxy")
        return replace(tracks, source=detections) if is_theirs else tracks

    def reset(self) -> None:
        """Drop all tracks: the next frame is the first of a new stream and ids start at 1 again."""
        self._now, self._previous, self._time, self._updates = 0.0, 0.0, None, 0
        self._next_id, self._embedding_dim = 1, None
        self._memory = LongTermMemory(self.options.memory_limit)
        self._begin()

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to resume the stream later: plain numbers, strings and arrays."""
        parts = {name: getattr(self, f"_{name}") for name in self.parts}
        return {
            "tracker": type(self).__name__,
            "options": asdict(self.options),
            "now": self._now,
            "time": self._time,
            "updates": self._updates,
            "next_id": self._next_id,
            "embedding_dim": self._embedding_dim,
            **{name: None if part is None else part.state_dict() for name, part in parts.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Resume from a `state_dict` of the same kind of tracker; its options are taken over too.

        Raises:
            InputError: It is not such a state; the tracker has not changed then.
        """
        what = f"the state of a {type(self).__name__}"
        if not isinstance(state, Mapping) or state.get("tracker") != type(self).__name__:
            got = type(state).__name__ if not isinstance(state, Mapping) else f"one of {state.get('tracker')}"
            raise InputError(f"expected {what}, got {got}")
        resumed = copy.copy(self)
        given = state.get("options")
        if not isinstance(given, Mapping):
            raise InputError(f"{what} must have the entry options, a mapping")
        check_arguments(self.Options, given, f"the options in {what}")
        resumed.options = cast(OptionsT, self.Options(**given))
        resumed.reset()
        fitted = fit_state(state, resumed.state_dict(), what)
        resumed._now, resumed._time, resumed._updates = fitted["now"], fitted["time"], fitted["updates"]
        resumed._next_id, resumed._embedding_dim = fitted["next_id"], fitted["embedding_dim"]
        for name in self.parts:
            part = getattr(resumed, f"_{name}")
            if part is not None:
                part.load_state_dict(fitted[name])
        vars(self).update(vars(resumed))

    @abstractmethod
    def _begin(self) -> None:
        """Make the empty track set, and whatever else the tracker remembers of a stream."""

    @abstractmethod
    def _track(self, detections: Detections, frame: Array | None, elapsed: float) -> Tracks:
        """Do the work of `update`: `elapsed` frames have passed since the last one, and the input has been checked."""

    def _confirm(self, rows: Array) -> None:
        """Give the tracks `rows` their ids: remembered ones, or the next."""
        if not len(rows):
            return
        tracks = self._tracks
        tracks.states[rows] = TRACKED
        if self.options.memory_seconds > 0:
            labels = None if self.options.class_agnostic else tracks.labels[rows]
            tracks.ids[rows] = self._memory.recall(tracks.embeddings[rows], labels)
            rows = rows[tracks.ids[rows] == 0]
        tracks.ids[rows] = np.arange(self._next_id, self._next_id + len(rows))
        self._next_id += len(rows)

    def _elapsed(self, time: float | None) -> tuple[float, float | None]:
        """Return the frames that passed since the last update, and the source's clock in seconds, None if unknown."""
        rate, last = self.options.frame_rate, self._time
        if time is None:
            return 1.0, None if last is None else last + 1.0 / rate
        if not isinstance(time, Real) or not math.isfinite(time):
            raise InputError(f"time must be a finite number of seconds, got {time}")
        # Rounded, so that 1/30 s in binary is one frame and not nearly one.
        elapsed = 1.0 if last is None else round((float(time) - last) * rate, 6)
        if elapsed < 0:
            raise InputError(f"time must not run backwards: got {time} s after {last} s; reset() starts anew")
        return elapsed, float(time)

    def _check_frame(self, frame: Array | None) -> None:
        if frame is not None:
            check_frame(frame)
        elif self.needs_frame:
            raise InputError(
                f"{type(self).__name__} measures the camera's motion and needs update(..., frame=image); "
                "for a still camera or without images use camera_motion='none'"
            )

    def _checked_dimension(self, detections: Detections) -> int | None:
        """Return the length of the embeddings of this stream, None as long as it is unknown."""
        if not self.needs_embeddings or not len(detections):
            return self._embedding_dim
        if detections.embeddings is None:
            raise InputError(
                f"{type(self).__name__} compares appearance and needs detections with embeddings, got none; "
                "use a model with a re-identification head, or ByteTracker, which needs boxes only"
            )
        dimension = detections.embeddings.shape[1]
        known = self._embedding_dim
        if known is not None and dimension != known:
            raise InputError(f"embeddings had {known} numbers until now and have {dimension}; reset() first")
        return dimension

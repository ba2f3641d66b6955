"""What every tracker has in common: options, time, and the shape of `update`."""

from __future__ import annotations

import difflib
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, get_args, get_origin, get_type_hints

import numpy as np

from tracker.detections import Array, Detections, Tracks
from tracker.errors import InputError
from tracker.memory import LongTermMemory
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
        memory_seconds: Long-term memory: how long the looks of a removed track are kept, so that somebody who comes
            back after minutes gets the old id; 0 is off. Needs a tracker that uses embeddings.
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
            _check_option(option.name, kinds[option.name], getattr(self, option.name), **option.metadata)
        if not 0 < self.frame_rate < math.inf:
            raise InputError(f"frame_rate must be positive and finite frames per second, got {self.frame_rate}")

    @property
    def max_lost_frames(self) -> float:
        """`max_lost_seconds` in frames."""
        return self.max_lost_seconds * self.frame_rate


class Tracker(ABC):
    """Gives every object of a stream of detections an id that stays.

    A tracker object follows one stream: its ids start at 1, and two trackers share nothing.

    Args:
        options: All options; the defaults if not given.
        changes: Single options by name, over `options`.

    Raises:
        InputError: An option is unknown or out of range.
    """

    Options: ClassVar[type[TrackerOptions]] = TrackerOptions
    options: TrackerOptions
    Set: ClassVar[type[TrackSet]] = TrackSet

    @property
    def needs_embeddings(self) -> bool:
        """Whether `update` refuses detections without embeddings; if not, embeddings are ignored."""
        return False

    def __init__(self, options: TrackerOptions | None = None, **changes: Any) -> None:
        self.options = _changed(self.Options() if options is None else options, changes, type(self).__name__)
        self.reset()

    def update(self, detections: Detections, frame: Array | None = None, time: float | None = None) -> Tracks:
        """Take the detections of the next frame and return the objects that are followed in it.

        Call it for every frame that was looked at, also with `Detections.empty()`: time moves on all the same.

        Args:
            detections: What was found in the frame.
            frame: (H, W, 3) uint8 RGB image, only for trackers that measure the camera's motion.
            time: Seconds since any fixed moment, never falling. Without it, a frame follows the last one after
                1 / `frame_rate` seconds. Motion and memory use the real step, so frames may be skipped.

        Raises:
            InputError: Embeddings or the frame are needed and missing, the embeddings' dimension changed, or time ran
                backwards.
        """
        self._check(detections, frame)
        return self._track(detections, frame, self._advance(time))

    def reset(self) -> None:
        """Forget everything: the next frame is the first of a new stream and ids start at 1 again."""
        self._now = 0.0  # tracker time in frames
        self._previous = 0.0  # that of the last update
        self._time: float | None = None  # the source's clock at the last update, in seconds
        self._updates = 0
        self._next_id = 1
        self._embedding_dim: int | None = None
        self._tracks = self.Set.empty()
        if self.options.memory_seconds > 0 and not self.needs_embeddings:
            raise InputError(
                f"memory_seconds needs a tracker that uses embeddings, and {type(self).__name__} with these options "
                "does not; try fairmot or scene-reid"
            )
        self._memory = LongTermMemory(self.options.memory_limit)

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to resume the stream later: plain numbers, strings and arrays."""
        return {
            "tracker": type(self).__name__,
            "options": asdict(self.options),
            "now": self._now,
            "time": self._time,
            "updates": self._updates,
            "next_id": self._next_id,
            "embedding_dim": self._embedding_dim,
            "tracks": self._tracks.state_dict(),
            "memory": self._memory.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Resume from a `state_dict` of the same kind of tracker; its options are taken over too.

        Raises:
            InputError: The state is of another kind of tracker.
        """
        if state.get("tracker") != type(self).__name__:
            raise InputError(f"expected the state of a {type(self).__name__}, got one of {state.get('tracker')}")
        self.options = type(self.options)(**state["options"])
        self.reset()
        self._now, self._time, self._updates = state["now"], state["time"], state["updates"]
        self._next_id, self._embedding_dim = state["next_id"], state["embedding_dim"]
        self._tracks.load_state_dict(state["tracks"])
        self._memory.load_state_dict(state["memory"])

    @abstractmethod
    def _track(self, detections: Detections, frame: Array | None, steps: float) -> Tracks:
        """Do the work of `update`; `steps` frames have passed since the last one."""

    def _remove_forgotten(self) -> None:
        """Drop tracks that were absent for too long, not counting the frame in which they might come back."""
        tracks, options = self._tracks, self.options
        stays = tracks.seen >= self._now - options.max_lost_frames - 1 - 1e-6
        if options.memory_seconds > 0:
            self._memory.forget(self._now - options.memory_seconds * options.frame_rate)
            gone = (~stays & (tracks.ids > 0)).nonzero()[0]
            self._memory.add(tracks.ids[gone], tracks.labels[gone], tracks.embeddings[gone], tracks.seen[gone])
        tracks.keep(stays)

    def _note_matches(self, rows: Array, columns: Array, detections: Detections, indices: Array) -> None:
        """Remember that tracks `rows` (P,) were seen now as detections `columns` (P,), rows `indices` of the input."""
        tracks = self._tracks
        tracks.scores[rows] = detections.scores[columns]
        if self.options.class_agnostic:
            tracks.vote(rows, detections.labels[columns])
        tracks.hits[rows] += 1
        tracks.seen[rows] = self._now
        tracks.indices.fill(-1)
        tracks.indices[rows] = indices[columns]

    def _confirm(self, rows: Array) -> None:
        """Give the tracks `rows` their ids: remembered ones, or the next."""
        tracks = self._tracks
        tracks.states[rows] = TRACKED
        if self.options.memory_seconds > 0 and len(rows):
            labels = None if self.options.class_agnostic else tracks.labels[rows]
            tracks.ids[rows] = self._memory.recall(tracks.embeddings[rows], labels)
            rows = rows[tracks.ids[rows] == 0]
        tracks.ids[rows] = np.arange(self._next_id, self._next_id + len(rows))
        self._next_id += len(rows)

    def _result(self, rows: Array, boxes: Array) -> Tracks:
        """Return the tracks `rows` (R,) with these boxes (R, 4) xyxy, less what the options leave out."""
        tracks, options = self._tracks, self.options
        boxes = boxes.astype(np.float32, copy=False)
        result = Tracks(tracks.ids[rows], boxes, tracks.scores[rows], tracks.labels[rows], tracks.indices[rows])
        if options.min_area > 0 or options.max_aspect < np.inf:
            width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
            return result[(width * height >= options.min_area) & (width <= options.max_aspect * height)]
        return result

    def _advance(self, time: float | None) -> float:
        """Move the clock and return the frames that passed."""
        rate = self.options.frame_rate
        steps = 1.0
        if time is not None:
            if not math.isfinite(time):
                raise InputError(f"time must be a finite number of seconds, got {time}")
            if self._time is not None:
                # Rounded, so that 1/30 s in binary is one frame and not nearly one.
                steps = round((time - self._time) * rate, 6)
            if steps < 0:
                raise InputError(f"time must not run backwards: got {time} s after {self._time} s; reset() starts anew")
            self._time = float(time)
        elif self._time is not None:
            self._time += 1.0 / rate
        self._previous = self._now
        self._now += steps
        self._updates += 1
        return steps

    def _check(self, detections: Detections, frame: Array | None) -> None:
        """Raise InputError, before anything has changed, if this tracker cannot use what it is given."""
        if not self.needs_embeddings or not len(detections):
            return
        if detections.embeddings is None:
            raise InputError(
                f"{type(self).__name__} compares appearance and needs detections with embeddings, got none; "
                "use a model with a re-identification head, or ByteTracker, which needs boxes only"
            )
        dim = detections.embeddings.shape[1]
        if self._embedding_dim is None:
            self._embedding_dim = dim
        elif dim != self._embedding_dim:
            raise InputError(f"embeddings had {self._embedding_dim} numbers until now and have {dim}; reset() first")


def _check_option(name: str, kind: Any, value: Any, least: float = 0, most: float = math.inf) -> None:
    """Raise InputError if the value is not of the option's kind, or not within [least, most] of its metadata."""
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise InputError(f"{name} must be one of {', '.join(get_args(kind))}, got {value!r}")
        return
    if value is None and type(None) in get_args(kind):
        return
    if kind is bool or isinstance(value, bool):
        if not (kind is bool and isinstance(value, bool)):
            raise InputError(f"{name} must be {'true or false' if kind is bool else 'a number'}, got {value!r}")
        return
    if not isinstance(value, Real) or not float(value) >= 0:
        raise InputError(f"{name} must be a number, not negative or NaN, got {value!r}")
    if kind is int and not isinstance(value, Integral):
        raise InputError(f"{name} must be a whole number, got {value!r}")
    if not least <= float(value) <= most:
        bounds = f"at least {least}" if most == math.inf else f"between {least} and {most}"
        raise InputError(f"{name} must be {bounds}, got {value!r}")


def _changed(options: TrackerOptions, changes: Mapping[str, Any], owner: str) -> TrackerOptions:
    names = [field.name for field in fields(options)]
    for name in changes:
        if name not in names:
            close = difflib.get_close_matches(name, names)
            hint = f"did you mean {' or '.join(close)}?" if close else f"there are: {', '.join(names)}"
            raise InputError(f"{owner} has no option {name!r}; {hint}")
    return replace(options, **changes) if changes else options

"""What can be done to tracks by hand: merge, split, swap, delete, rename, change the class, draw boxes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np
from typing_extensions import override

from tracker.arrays import Integers, Mask
from tracker.errors import InputError
from tracker.io.mot import MIN_SIDE, ResultRows
from tracker.io.reading import MAX_CLASS, MAX_FRAMES, MAX_NUMBER, MAX_WHOLE

HUMAN_SCORE = 1.0  # of a box that a person drew


@dataclass(frozen=True, slots=True)
class Edit(ABC):
    """One correction. A subclass names it, and its fields are those of its JSON object.

    Attributes:
        id: The track that is changed.
    """

    id: int
    kind: ClassVar[str] = ""

    def touches(self) -> set[int]:
        """Return the ids whose boxes may be others afterwards: all that it names."""
        return {getattr(self, one.name) for one in fields(self) if one.name in ("id", "other", "new_id")}

    @abstractmethod
    def apply(self, rows: ResultRows) -> ResultRows:
        """Return the corrected rows, sorted by frame; those given stay as they are.

        Raises:
            InputError: The edit does not fit these rows: one sentence, without a place.
        """

    def as_json(self) -> dict[str, Any]:
        """Return its JSON object: the kind as `edit`, then the fields that are set."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {"edit": self.kind, **{name: value for name, value in values.items() if value is not None}}


@dataclass(frozen=True, slots=True)
class Merge(Edit):
    """Two tracks are one object: the boxes of `other` take the id `id`."""

    other: int
    kind: ClassVar[str] = "merge"

    @override
    def apply(self, rows: ResultRows) -> ResultRows:
        if self.id == self.other:
            raise InputError(f"id {self.id} cannot be merged with itself")
        first, second = _frames_of(rows, self.id), _frames_of(rows, self.other)
        _refuse_both(self.id, self.other, first, second)
        return replace(rows, ids=np.where(rows.ids == self.other, self.id, rows.ids))


@dataclass(frozen=True, slots=True)
class Split(Edit):
    """One track is two objects: from `frame` on its boxes take the id `new_id`, which no track has."""

    frame: int
    new_id: int
    kind: ClassVar[str] = "split"

    @override
    def apply(self, rows: ResultRows) -> ResultRows:
        frames = _frames_of(rows, self.id)
        if not frames.min() < self.frame <= frames.max():
            raise InputError(
                f"id {self.id} lives from frame {frames.min()} to {frames.max()} and cannot be split at frame "
                f"{self.frame}"
            )
        _refuse_taken(rows, self.new_id)
        later = (rows.ids == self.id) & (rows.frames >= self.frame)
        return replace(rows, ids=np.where(later, self.new_id, rows.ids))


@dataclass(frozen=True, slots=True)
class Swap(Edit):
    """Two tracks took each other's object: from `frame` on they exchange their ids."""

    other: int
    frame: int
    kind: ClassVar[str] = "swap"

    @override
    def apply(self, rows: ResultRows) -> ResultRows:
        if self.id == self.other:
            raise InputError(f"id {self.id} cannot be swapped with itself")
        _frames_of(rows, self.id), _frames_of(rows, self.other)
        later = rows.frames >= self.frame
        one, two = later & (rows.ids == self.id), later & (rows.ids == self.other)
        return replace(rows, ids=np.where(one, self.other, np.where(two, self.id, rows.ids)))


@dataclass(frozen=True, slots=True)
class Delete(Edit):
    """The track, or its boxes in the frames from `first` to `last`, both included, are no object."""

    first: int | None = None
    last: int | None = None
    kind: ClassVar[str] = "delete"

    @override
    def apply(self, rows: ResultRows) -> ResultRows:
        _frames_of(rows, self.id)
        first = 0 if self.first is None else self.first
        last = MAX_FRAMES if self.last is None else self.last
        gone = (rows.ids == self.id) & (rows.frames >= first) & (rows.frames <= last)
        if not gone.any():
            raise InputError(f"id {self.id} has no box from frame {first} to {last}")
        return rows.where(~gone)


@dataclass(frozen=True, slots=True)
class Rename(Edit):
    """The track takes the id `new_id`, which no track has."""

    new_id: int
    kind: ClassVar[str] = "rename"

    @override
    def apply(self, rows: ResultRows) -> ResultRows:
        _frames_of(rows, self.id)
        _refuse_taken(rows, self.new_id)
        return replace(rows, ids=np.where(rows.ids == self.id, self.new_id, rows.ids))


@dataclass(frozen=True, slots=True)
class SetClass(Edit):
    """All boxes of the track are of class `number`, from 1."""

    number: int
    kind: ClassVar[str] = "class"

    @override
    def apply(self, rows: ResultRows) -> ResultRows:
        _frames_of(rows, self.id)
        return replace(rows, classes=np.where(rows.ids == self.id, self.number, rows.classes))


@dataclass(frozen=True, slots=True)
class DrawBoxes(Edit):
    """Boxes of the track at key frames, and evenly moving ones at all frames between; they replace what was there.

    Attributes:
        keys: (frame, left, top, width, height) by rising frame, in the pixels of MOTChallenge rows: the first is
            (1, 1). A track that there is not begins with them.
        number: Class of such a new track, -1 where there are no classes.
    """

    keys: tuple[tuple[float, ...], ...]
    number: int = -1
    kind: ClassVar[str] = "boxes"

    @override
    def apply(self, rows: ResultRows) -> ResultRows:
        keys = np.array(self.keys, np.float64)
        key_frames = keys[:, 0].astype(np.int64)
        frames = np.arange(key_frames[0], key_frames[-1] + 1)
        xywh = np.stack([np.interp(frames, keys[:, 0], keys[:, column]) for column in range(1, 5)], axis=1)
        mine = rows.ids == self.id
        number = _most_common(rows.classes[mine]) if mine.any() else self.number
        kept = rows.where(~(mine & (rows.frames >= frames[0]) & (rows.frames <= frames[-1])))
        count = len(frames)
        joined = replace(
            kept,
            lines=np.concatenate([kept.lines, np.zeros(count, np.int64)]),
            frames=np.concatenate([kept.frames, frames]),
            ids=np.concatenate([kept.ids, np.full(count, self.id)]),
            boxes_xywh=np.concatenate([kept.boxes_xywh, xywh]),
            scores=np.concatenate([kept.scores, np.full(count, HUMAN_SCORE)]),
            classes=np.concatenate([kept.classes, np.full(count, number)]),
            seen=None if kept.seen is None else np.concatenate([kept.seen, np.ones(count, np.bool_)]),
        )
        return joined.where(np.argsort(joined.frames, kind="stable"))


KINDS: Mapping[str, type[Edit]] = {one.kind: one for one in (Merge, Split, Swap, Delete, Rename, SetClass, DrawBoxes)}
_LEAST = {"frame": 1, "first": 1, "last": 1, "new_id": 1, "id": 0, "other": 0, "number": -1}
_MOST = {"id": MAX_WHOLE, "other": MAX_WHOLE, "new_id": MAX_WHOLE, "number": MAX_CLASS}


def edit_from_json(content: object, where: str) -> Edit:
    """Return the edit that a JSON object says.

    Args:
        content: Of `Edit.as_json`.
        where: For errors, such as a file and a line.

    Raises:
        InputError: It is no edit: a kind or field that there is not, one that is missing, or a value out of bounds.

    >>> edit_from_json({"edit": "merge", "id": 3, "other": 7}, "edits.jsonl:2")
    Merge(id=3, other=7)
    """
    if not isinstance(content, dict):
        raise InputError(f"{where}: expected an edit as a JSON object, got {str(content)[:40]!r}")
    kind = content.get("edit")
    if not isinstance(kind, str) or kind not in KINDS:
        raise InputError(f"{where}: expected one of {', '.join(KINDS)} as edit, got {str(kind)[:40]!r}")
    names = {one.name for one in fields(KINDS[kind])}
    optional = {"first", "last"} if kind == Delete.kind else {"number"} if kind == DrawBoxes.kind else set()
    given = {name: value for name, value in content.items() if name != "edit"}
    if not set(given) <= names or not names - optional <= set(given):
        raise InputError(f"{where}: expected {kind} with {', '.join(sorted(names))}, got {', '.join(sorted(given))}")
    values: dict[str, Any] = {
        name: _keys(value, where) if name == "keys" else _whole(value, name, where) for name, value in given.items()
    }
    if values.get("number") == 0:
        raise InputError(f"{where}: expected a class from 1, got 0")
    return KINDS[kind](**values)


def apply_edits(rows: ResultRows, edits: Sequence[Edit], places: Sequence[str] = ()) -> ResultRows:
    """Return rows corrected by edits one after the other.

    Args:
        rows: Of a tracker.
        edits: In the order in which they were made.
        places: For errors, where each edit stands.

    Raises:
        InputError: An edit does not fit what the ones before it left.
    """
    for number, edit in enumerate(edits):
        try:
            rows = edit.apply(rows)
        except InputError as error:
            place = places[number] if places else f"edit {number + 1}"
            raise InputError(f"{place}: {error}") from error
    return rows


def _frames_of(rows: ResultRows, identity: int) -> Integers:
    frames = rows.frames[rows.ids == identity]
    if not len(frames):
        raise InputError(f"there is no id {identity}")
    return frames


def _refuse_taken(rows: ResultRows, identity: int) -> None:
    taken: Mask = rows.ids == identity
    if taken.any():
        raise InputError(f"id {identity} is taken; merge the two, or choose another: {rows.ids.max() + 1} is free")


def _refuse_both(one: int, two: int, first: Integers, second: Integers) -> None:
    both = np.intersect1d(first, second)
    if len(both):
        more = f" and {len(both) - 1} more" if len(both) > 1 else ""
        raise InputError(
            f"ids {one} and {two} are both in frame {both[0]}{more}, so they are two objects; split or delete one first"
        )


def _most_common(values: Integers) -> int:
    found, counts = np.unique(values, return_counts=True)
    return int(found[counts.argmax()])


def _whole(value: Any, name: str, where: str) -> int:
    least, most = _LEAST[name], _MOST.get(name, MAX_FRAMES)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InputError(f"{where}: expected {name} from {least} to {most}, got {str(value)[:40]}")
    return value


def _keys(value: Any, where: str) -> tuple[tuple[float, ...], ...]:
    expected = "expected keys as a list of [frame, left, top, width, height] by rising frame"
    if not isinstance(value, list) or not value:
        raise InputError(f"{where}: {expected}, got {str(value)[:40]}")
    keys: list[tuple[float, ...]] = []
    for key in value:
        numbers = isinstance(key, list) and all(
            isinstance(one, int | float) and not isinstance(one, bool) for one in key
        )
        if not numbers or len(key) != 5 or not all(abs(one) <= MAX_NUMBER for one in key):
            raise InputError(f"{where}: {expected}, got {str(key)[:60]}")
        frame = _whole(key[0], "frame", where)
        if keys and frame <= keys[-1][0]:
            raise InputError(f"{where}: {expected}, got frame {frame} after {keys[-1][0]}")
        if min(key[3:]) < MIN_SIDE:
            raise InputError(f"{where}: expected a box of at least {MIN_SIDE} pixels, got {key[3]} x {key[4]}")
        keys.append((frame, *(float(one) for one in key[1:])))
    return tuple(keys)

"""What label files say, the same for every format, and the data set that is made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from centertrack.data.images import read_shrunk, read_size
from centertrack.data.sample import Array, Sample, no_boxes
from tracker.errors import InputError
from tracker.io.reading import MAX_CLASS, MAX_NUMBER, to_float

Classes = Sequence[str] | Mapping[str, int]
Report = Callable[[InputError], None]
IGNORED = -1  # label of a class that is neither learnt nor background


def stop_at(error: InputError) -> None:
    """Raise the first broken label; `data check` collects them instead."""
    raise error


class Box(NamedTuple):
    """One labelled box.

    Attributes:
        xyxy: Left, top, right, bottom.
        label: Class from 0; `IGNORED` marks a region where unlabelled objects may be.
        identity: As in the file, -1 where unknown.
        line: In the label file, from 1; 0 where it has none.
    """

    xyxy: tuple[float, float, float, float]
    label: int
    identity: int = -1
    line: int = 0


@dataclass(eq=False)
class Labels:
    """What is known about one image.

    Attributes:
        image: Its file.
        name: Unique within the data set, with `/` between folders.
        source: The label file.
        boxes: (K, 4) float32 xyxy, source pixels from 0, not clipped; fractions of the image's sides if `relative`.
        labels: (K,) int64, class from 0.
        ids: (K,) int64, identity as in the file, -1 where unknown.
        lines: (K,) int64, line of each box in `source`, 0 where it has none.
        ignore: (I, 4) float32 xyxy, like `boxes`: regions where unlabelled objects may be.
        mask_values: (K,) int64, value of each object's pixels in a mask image, where the set has masks.
        sequence: Video it is a frame of; identities are unique within a sequence.
        frame: Its number there, from 1; 0 where unknown.
        frame_rate: Images a second of the video, of those that are taken from it; 0 where unknown.
        relative: Unit of the boxes.
    """

    image: Path
    name: str
    source: Path
    boxes: Array = field(default_factory=no_boxes)
    labels: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    ids: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    lines: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    ignore: Array = field(default_factory=no_boxes)
    mask_values: Array = field(default_factory=lambda: np.zeros(0, np.int64))
    sequence: str = ""
    frame: int = 0
    frame_rate: float = 0.0
    relative: bool = False

    @classmethod
    def of(
        cls, image: Path, name: str, source: Path, boxes: Iterable[Box], sequence: str = "", frame: int = 0
    ) -> Labels:
        """Sort boxes into objects and regions to ignore."""
        boxes = list(boxes)
        xyxy = np.array([box.xyxy for box in boxes], np.float32).reshape(-1, 4)
        numbers = np.array([(box.label, box.identity, box.line) for box in boxes], np.int64).reshape(-1, 3)
        seen = numbers[:, 0] != IGNORED
        objects = numbers[seen]
        labels, ids, lines = objects.T.copy()
        return cls(image, name, source, xyxy[seen], labels, ids, lines, xyxy[~seen], sequence=sequence, frame=frame)

    def in_pixels(self, size: tuple[int, int]) -> Labels:
        """Return the labels in pixels of an image of this (width, height)."""
        if not self.relative:
            return self
        scale = np.array([*size, *size], np.float32)
        return replace(self, boxes=self.boxes * scale, ignore=self.ignore * scale, relative=False)


class LabelledImages:
    """Images with labels, as samples.

    Args:
        entries: One an image.
        class_names: Of each label in the entries.
        classes: Which classes to learn, by name: a list numbers them by place, a mapping gives each its number, so that
            several sets of one mixture agree; the number -1 makes regions to ignore. Classes that are not named are
            background. None: all, numbered as `class_names`.
        identities: `labels`: those of the file; `boxes`: every box is an identity of its own, which trains embeddings
            from single images (as FairMOT does on CrowdHuman); `none`.
        longest_side: Images are kept at most this large, in pixels. None: as they are.
        known: (N, 2) sequence number and identity of everybody to count; None: those in the entries.

    Attributes:
        entries: With labels as `classes` numbers them.
        class_names: Of each label.
        num_classes, num_identities: How many there are.
        notes: What was taken for granted, a sentence each.

    Raises:
        InputError: A class or a way to identify is not known.
    """

    def __init__(
        self,
        entries: Sequence[Labels],
        class_names: Sequence[str],
        classes: Classes | None = None,
        identities: str = "labels",
        longest_side: int | None = None,
        known: Array | None = None,
    ) -> None:
        self.class_names, mapping = _map_classes(list(class_names), classes)
        self.entries = list(entries) if mapping is None else [_relabelled(entry, mapping) for entry in entries]
        self.longest_side = longest_side
        self.notes: list[str] = []
        self._sizes: dict[int, tuple[int, int]] = {}
        self.num_classes = len(self.class_names)
        self.identities, self.num_identities = _number_identities(self.entries, identities, known)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.entries)

    def __getitem__(self, index: int) -> Sample:
        """Return one sample."""
        return self.read(index)

    def size(self, index: int) -> tuple[int, int]:
        """Return width and height of an image file, in pixels."""
        if index not in self._sizes:
            self._sizes[index] = read_size(self.entries[index].image)
        return self._sizes[index]

    def read(self, index: int, reduction: int = 1) -> Sample:
        """Return one sample, its image as large as the file says over `reduction`, 1, 2, 4 or 8, or smaller."""
        entry = self.entries[index]
        image, factor = read_shrunk(entry.image, self.longest_side, reduction)
        if entry.relative:
            entry, factor = entry.in_pixels((image.shape[1], image.shape[0])), 1.0
        scale = np.float32(factor)
        ids = self.identities[index].copy()
        return Sample(image, entry.boxes * scale, entry.labels.copy(), ids, entry.ignore * scale)


def _map_classes(names: list[str], classes: Classes | None) -> tuple[list[str], Array | None]:
    """Return the names of the new labels, and the new label of each old one; -2 for background."""
    if classes is None:
        return names, None
    wanted = dict(classes) if isinstance(classes, Mapping) else {name: i for i, name in enumerate(classes)}
    if unknown := [name for name in wanted if name not in names]:
        raise InputError(f"there is no class {unknown[0]!r} in these labels; there are {', '.join(names)}")
    number = np.array([wanted.get(name, IGNORED - 1) for name in names], np.int64)
    count = max(number.max(initial=-1) + 1, 1)
    of_number = {label: name for name, label in reversed(wanted.items()) if label >= 0}
    return [of_number.get(i, f"class {i}") for i in range(count)], number


def _relabelled(entry: Labels, number: Array) -> Labels:
    labels = number[entry.labels]
    kept = labels >= 0
    return replace(
        entry,
        boxes=entry.boxes[kept],
        labels=labels[kept],
        ids=entry.ids[kept],
        lines=entry.lines[kept],
        mask_values=entry.mask_values[kept] if len(entry.mask_values) else entry.mask_values,
        ignore=np.concatenate((entry.ignore, entry.boxes[labels == IGNORED])),
    )


def _number_identities(entries: list[Labels], kind: str, known: Array | None) -> tuple[list[Array], int]:
    """Return dense identities from 0 of every entry, ordered by sequence and id, and how many there are."""
    if kind not in ("labels", "boxes", "none"):
        raise InputError(f"identities must be labels, boxes or none, got {kind!r}")
    counts = [len(entry.boxes) for entry in entries]
    ends: Array = np.cumsum(counts, dtype=np.int64)[:-1]
    if kind == "none":
        return [np.full(count, -1) for count in counts], 0
    if kind == "boxes":
        return (np.split(np.arange(sum(counts)), ends) if counts else []), sum(counts)
    order = {name: i for i, name in enumerate(dict.fromkeys(entry.sequence for entry in entries))}
    keys = np.array([(order[entry.sequence], i) for entry in entries for i in entry.ids.tolist()], np.int64).reshape(
        -1, 2
    )
    counted = keys[keys[:, 1] >= 0] if known is None else known
    unique = np.unique(counted, axis=0)
    number = {key: i for i, key in enumerate(map(tuple, unique.tolist()))}
    dense = np.array([number.get(key, -1) for key in map(tuple, keys.tolist())], np.int64)
    return (np.split(dense, ends) if counts else []), len(unique)


def parse_numbers(text: str, where: str, columns: Sequence[int], expected: str) -> list[float]:
    """Split a row into finite numbers.

    Args:
        text: The row, separated by blanks.
        where: Its `file:line`.
        columns: Allowed counts.
        expected: What the columns are, for the error.

    Raises:
        InputError: Another count, or no number.
    """
    fields = text.split()
    try:
        values = [to_float(field) for field in fields]
    except ValueError as error:
        raise InputError(f"{where}: expected numbers ({expected}), got: {text[:120]}") from error
    if len(values) not in columns or not all(abs(value) <= MAX_NUMBER for value in values):  # nan is not
        count = " or ".join(map(str, columns))
        raise InputError(f"{where}: expected {count} finite numbers ({expected}), got {len(values)}: {text[:120]}")
    return values


def read_class(label: float, identities: Sequence[float], where: str, text: str) -> tuple[int, int]:
    """Return the class and the identity of a row, -1 if it has none.

    Raises:
        InputError: One of them is no whole number, or there cannot be such a class.
    """
    if not 0 <= label <= MAX_CLASS or label % 1 or any(value % 1 for value in identities):
        raise InputError(f"{where}: expected a whole class from 0 to {MAX_CLASS} and a whole id, got: {text[:120]}")
    return int(label), int(identities[0]) if identities else -1


def corners_of_centre(xc: float, yc: float, width: float, height: float) -> tuple[float, float, float, float]:
    """Turn centre and size into corners, in any unit."""
    return xc - width / 2, yc - height / 2, xc + width / 2, yc + height / 2

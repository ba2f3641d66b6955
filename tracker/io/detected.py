"""What another program has detected in a sequence: MOTChallenge text, COCO JSON or YOLO labels, read alike."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from tracker.arrays import Array
from tracker.detections import Detections
from tracker.errors import InputError
from tracker.io.class_names import choose_numbers
from tracker.wording import agreed, counted

_LOG = logging.getLogger(__name__)
MOST_EMPTY_FRAMES = 100_000  # on end: an hour at 28 frames a second


@dataclass(frozen=True, slots=True, eq=False)
class DetectedSequence:
    """The detections of a sequence, frame by frame.

    Attributes:
        name: As written; `clean_name` makes a file name of it.
        frame_rate: Frames a second; None where nothing says.
        length: Number of frames.
        frames: (N,) int64, the frame of each detection, from 1, not falling.
        detections: N detections of all frames.
        has_classes: Whether labels + 1 are the classes that the file tells; otherwise labels are 0.
        names: Class number -> name; empty where the file does not name them.
    """

    name: str
    frame_rate: float | None
    length: int
    frames: Array
    detections: Detections
    has_classes: bool
    names: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        name: str,
        frame_rate: float | None,
        length: int,
        frames: Array,
        boxes: Array,
        scores: Array,
        classes: Array | None,
        source: Path,
        names: Mapping[int, str] | None = None,
    ) -> DetectedSequence:
        """Sort detections by frame, and check that no stretch of frames is empty for so long that it must be a mistake.

        Args:
            name, frame_rate, length: As the attributes.
            frames: (N,), in any order.
            boxes: (N, 4) xyxy, 0-based.
            scores: (N,).
            classes: (N,), from 1; None where the file tells none, or one only.
            source: Where they are from, for errors.
            names: Class number -> name, as far as the file tells.

        Raises:
            InputError: Such a stretch.
        """
        order = np.argsort(frames, kind="stable")
        frames = frames[order]
        seen = np.concatenate([[0], frames, [length]])
        gap = int(np.diff(seen).argmax())
        if seen[gap + 1] - seen[gap] > MOST_EMPTY_FRAMES:
            raise InputError(
                f"{source}: expected at most {MOST_EMPTY_FRAMES} frames without detections on end, got those between "
                f"frames {seen[gap]} and {seen[gap + 1]}"
            )
        labels = None if classes is None else classes[order] - 1
        detections = Detections(boxes[order], scores[order], labels)
        return cls(name, frame_rate, length, frames, detections, labels is not None, names or {})

    def of_classes(self, wanted: Sequence[str | int]) -> DetectedSequence:
        """Return the detections of some classes, which are told as they were.

        Args:
            wanted: Names or numbers, as in `choose_numbers`.

        Raises:
            InputError: There is no such class, or the file does not tell the classes.
        """
        if not self.has_classes and len(self.names) != 1:
            raise InputError(f"--classes: the detections of {self.name} tell no classes; leave the option out")
        numbers = choose_numbers(wanted, self.names, f"the detections of {self.name}")
        if not self.has_classes:  # everything is of the one class, and chosen
            return self
        kept = np.isin(self.detections.labels + 1, numbers)
        return replace(self, frames=self.frames[kept], detections=self.detections[kept.nonzero()[0]])

    def __iter__(self) -> Iterator[tuple[int, Detections]]:
        """Give number and detections of each frame, also of those without any."""
        starts = np.searchsorted(self.frames, np.arange(1, self.length + 2))
        for number, (start, end) in enumerate(pairwise(starts.tolist()), start=1):
            yield number, self.detections[start:end]


def warn_of_no_size(source: Path, count: int) -> None:
    """Say that boxes have no size and are left out.

    Args:
        source: The file or folder.
        count: How many; nothing is said of none.
    """
    if count:
        boxes = counted(count, "box has", "boxes have")
        _LOG.warning("%s: %s no size and %s left out", source, boxes, agreed(count, "is", "are"))

"""What another program has detected in a sequence: MOTChallenge text, COCO JSON or YOLO labels, read alike."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from tracker.arrays import Array
from tracker.detections import Detections
from tracker.errors import InputError

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
    """

    name: str
    frame_rate: float | None
    length: int
    frames: Array
    detections: Detections
    has_classes: bool

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
    ) -> DetectedSequence:
        """Sort detections by frame, and check that no stretch of frames is empty for so long that it must be a mistake.

        Args:
            name, frame_rate, length: As the attributes.
            frames: (N,), in any order.
            boxes: (N, 4) xyxy, 0-based.
            scores: (N,).
            classes: (N,), from 1; None where the file tells none, or one only.
            source: Where they are from, for errors.

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
        return cls(name, frame_rate, length, frames, detections, labels is not None)

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
        boxes = f"{count} boxes have" if count > 1 else "1 box has"
        _LOG.warning("%s: %s no size and %s left out", source, boxes, "are" if count > 1 else "is")

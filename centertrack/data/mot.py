"""MOTChallenge sequences as training data: every frame a sample, every track an identity."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from centertrack.data.images import read_rgb
from centertrack.data.sample import Array, Sample, no_boxes, shrink_to
from tracker.errors import InputError
from tracker.io.mot import GroundTruthRows, read_ground_truth, read_sequence_info

PEDESTRIAN = 1
UNCERTAIN = (1, 2, 7, 8, 12)  # flagged pedestrians, people on vehicles, static people, distractors, reflections
MIN_VISIBILITY = 0.1


class MotSet:
    """Frames of one MOTChallenge sequence.

    Pedestrians with flag 1 are objects; flagged ones and look-alikes (people on vehicles, static people, distractors,
    reflections) are ignore regions; other classes are background. Almost invisible people are ignored too.

    Args:
        path: Sequence folder with `gt/gt.txt` and images.
        frames: First and last frame, from 1, both included. None: all.
        step: Take every n-th frame; neighbours look alike.
        longest_side: Images are kept at most this large, in pixels. None: as they are.
        min_visibility: People less visible than this are ignored, not learnt.

    Raises:
        InputError: The folder is not a sequence with ground truth, or `frames` lies outside of it.
    """

    num_classes = 1

    def __init__(
        self,
        path: str | Path,
        frames: Sequence[int] | None = None,
        step: int = 1,
        longest_side: int | None = None,
        min_visibility: float = MIN_VISIBILITY,
    ) -> None:
        self.info = read_sequence_info(path)
        self.rows = read_ground_truth(Path(path) / "gt" / "gt.txt")
        self.images = sorted(self.info.image_folder.glob(f"*{self.info.extension}"))
        self.longest_side = longest_side
        self.min_visibility = min_visibility
        length = min(self.info.length, len(self.images))
        first, last = frames or (1, length)
        if not 1 <= first <= last <= length:
            raise InputError(f"{path}: frames must lie within 1 to {length}, got {first} to {last}")
        self.frames = range(first, last + 1, step)
        used = _objects(self.rows, min_visibility) & (self.rows.frames >= first) & (self.rows.frames <= last)
        self.identity_of = {int(track): i for i, track in enumerate(np.unique(self.rows.ids[used]))}
        self.num_identities = len(self.identity_of)

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.frames)

    def __getitem__(self, index: int) -> Sample:
        """Return one frame."""
        number = self.frames[index]
        image, factor = shrink_to(read_rgb(self.images[number - 1]), self.longest_side)
        rows = self.rows.where(self.rows.frames == number)
        boxes = rows.boxes_xyxy * np.float32(factor)
        objects = _objects(rows, self.min_visibility)
        ignored = np.isin(rows.classes, UNCERTAIN) & ~objects
        ids = np.array([self.identity_of[int(track)] for track in rows.ids[objects]], np.int64)
        labels = np.zeros(len(ids), np.int64)
        return Sample(image, boxes[objects], labels, ids, boxes[ignored] if ignored.any() else no_boxes())


def _objects(rows: GroundTruthRows, min_visibility: float) -> Array:
    return (rows.flags != 0) & (rows.classes == PEDESTRIAN) & (rows.visibilities >= min_visibility)

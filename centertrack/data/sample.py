"""The one item every data set gives: an image and what is known about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def no_boxes() -> Array:
    """Return (0, 4) float32."""
    return np.zeros((0, 4), np.float32)


@dataclass
class Sample:
    """An image with its objects.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        boxes: (K, 4) float32 xyxy in pixels of the image, 0-based, not clipped.
        labels: (K,) int64, class from 0.
        ids: (K,) int64, identity within the data set from 0, -1 where unknown.
        ignore: (I, 4) float32 xyxy, regions where unlabelled objects may be.
        masks: (H, W) uint8, value k for pixels of object k - 1 and 0 for none, where the set has masks.
    """

    image: Array
    boxes: Array
    labels: Array
    ids: Array
    ignore: Array = field(default_factory=no_boxes)
    masks: Array | None = None

    def keep(self, rows: Array) -> Sample:
        """Return the sample with only the objects that a mask or an index array selects."""
        return Sample(self.image, self.boxes[rows], self.labels[rows], self.ids[rows], self.ignore)


class SampleSet(Protocol):
    """A data set: samples by number, and how many identities and which classes they use."""

    num_identities: int
    num_classes: int
    class_names: list[str]

    def __len__(self) -> int:
        """Return the number of samples."""

    def __getitem__(self, index: int) -> Sample:
        """Return one sample, always freshly built: callers may change it."""

    def size(self, index: int) -> tuple[int, int]:
        """Return width and height of a sample's image in its source, in pixels."""

    def read(self, index: int, reduction: int) -> Sample:
        """Return one sample with an image of that size over `reduction`, 1, 2, 4 or 8, or smaller."""


def shrink_to(image: Array, longest_side: float | None) -> tuple[Array, float]:
    """Return the image with its longer side at most `longest_side`, and the factor.

    Training inputs are smaller than most sources.
    """
    import cv2

    factor = min(1.0, longest_side / max(image.shape[:2])) if longest_side else 1.0
    if factor == 1.0:
        return image, 1.0
    size = (round(image.shape[1] * factor), round(image.shape[0] * factor))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA), factor

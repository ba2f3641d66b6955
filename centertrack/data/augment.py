"""Several samples in one: mosaics, blends, people cut out of one image and pasted into another; and holes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from centertrack.data.sample import Array, Sample, SampleSet
from centertrack.data.transforms import narrow_upright

HOLE = 127  # grey value
HIDDEN = 0.75  # part of a box under pasted people above which nobody can be expected to see it


def mosaic(samples: Sequence[Sample], centre: tuple[int, int], size: tuple[int, int]) -> Sample:
    """Join four samples around a point.

    Args:
        samples: Top left, top right, bottom left, bottom right, each exactly as large as its quarter.
        centre: Column and row where the four meet.
        size: Width and height of the whole.
    """
    width, height = size
    canvas = np.empty((height, width, 3), np.uint8)
    corners = ((0, 0), (centre[0], 0), (0, centre[1]), centre)
    for sample, (left, top) in zip(samples, corners, strict=True):
        rows, columns = sample.image.shape[:2]
        canvas[top : top + rows, left : left + columns] = sample.image
    shifts = [np.array([left, top, left, top], np.float32) for left, top in corners]
    return Sample(
        canvas,
        np.concatenate([sample.boxes + shift for sample, shift in zip(samples, shifts, strict=True)]),
        np.concatenate([sample.labels for sample in samples]),
        np.concatenate([sample.ids for sample in samples]),
        np.concatenate([sample.ignore + shift for sample, shift in zip(samples, shifts, strict=True)]),
    )


@dataclass(frozen=True)
class CutOut:
    """A person without background.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        alpha: (H, W) float32 in [0, 1].
        identity: Its identity within its data set.
        label: Its class.
    """

    image: Array
    alpha: Array
    identity: int
    label: int


def cut_outs(samples: SampleSet, min_height: int = 60) -> list[CutOut]:
    """Cut every object with a mask out of a data set.

    Args:
        samples: A set whose samples have masks and identities.
        min_height: Pixels; smaller objects have no detail worth pasting.
    """
    found = []
    for index in range(len(samples)):
        sample = samples[index]
        if sample.masks is None:
            continue
        for row in range(len(sample.boxes)):
            mask = (sample.masks == row + 1).astype(np.uint8)
            left, top, width, height = cv2.boundingRect(mask)
            if height < min_height:
                continue
            window = slice(top, top + height), slice(left, left + width)
            person = (int(sample.ids[row]), int(sample.labels[row]))
            found.append(CutOut(sample.image[window].copy(), _soft_edge(mask[window]), *person))
    return found


def _soft_edge(mask: Array) -> Array:
    """Shrink a (H, W) mask of 0 and 1 by a pixel, which holds background, and blur its edge; float32 in [0, 1]."""
    margin = 3
    shrunk = cv2.erode(np.pad(mask, margin), np.ones((3, 3), np.uint8)).astype(np.float32)
    return cv2.GaussianBlur(shrunk, (0, 0), 0.8)[margin:-margin, margin:-margin]


def paste(
    sample: Sample, cut_out: CutOut, box: Array, identity: int, mirrored: bool, upright_aspect: float | None = None
) -> Sample:
    """Put a cut-out into a sample, in front of everybody.

    People who are now almost hidden become ignore regions.

    Args:
        sample: Changed in place and returned.
        cut_out: The person.
        box: (4,) xyxy in pixels: where its silhouette goes.
        identity: Its identity in the mixture.
        mirrored: Flip it.
        upright_aspect: Of its new label, see `narrow_upright`.
    """
    left, top, right, bottom = (round(float(v)) for v in box)
    height, width = sample.image.shape[:2]
    size = (max(1, right - left), max(1, bottom - top))
    image = cv2.resize(cut_out.image, size, interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(cut_out.alpha, size, interpolation=cv2.INTER_AREA)
    if mirrored:
        image, alpha = image[:, ::-1], alpha[:, ::-1]
    x1, y1, x2, y2 = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if x2 <= x1 or y2 <= y1:
        return sample
    part = slice(y1 - top, y2 - top), slice(x1 - left, x2 - left)
    weight = alpha[part][..., None]
    target = sample.image[y1:y2, x1:x2]
    target[:] = (weight * image[part] + (1 - weight) * target).astype(np.uint8)
    hidden = _part_under(sample.boxes, np.array([x1, y1, x2, y2], np.float32)) > HIDDEN
    ignore = np.concatenate((sample.ignore, sample.boxes[hidden]))
    kept = sample.keep(~hidden)
    drawn = narrow_upright(np.array([[left, top, right, bottom]], np.float32), upright_aspect)
    return Sample(
        kept.image,
        np.concatenate((kept.boxes, drawn)),
        np.append(kept.labels, cut_out.label),
        np.append(kept.ids, identity),
        ignore,
    )


def blend(sample: Sample, other: Sample, weight: float) -> Sample:
    """Show two samples of one size at once, as after a double exposure (mixup, arXiv 1710.09412).

    Args:
        sample: The first.
        other: The second.
        weight: Of the first, in [0, 1].
    """
    return Sample(
        cv2.addWeighted(sample.image, weight, other.image, 1 - weight, 0),
        np.concatenate((sample.boxes, other.boxes)),
        np.concatenate((sample.labels, other.labels)),
        np.concatenate((sample.ids, other.ids)),
        np.concatenate((sample.ignore, other.ignore)),
    )


def erase(sample: Sample, hole: Array) -> Sample:
    """Paint a rectangle grey; people who are now almost hidden become ignore regions.

    Args:
        sample: Its image is left as it is.
        hole: (4,) xyxy in pixels, within the image.
    """
    left, top, right, bottom = (round(float(v)) for v in hole)
    image = sample.image.copy()
    image[top:bottom, left:right] = HOLE
    hidden = _part_under(sample.boxes, np.asarray(hole, np.float32)) > HIDDEN
    kept = sample.keep(~hidden)
    return Sample(image, kept.boxes, kept.labels, kept.ids, np.concatenate((sample.ignore, sample.boxes[hidden])))


def _part_under(boxes: Array, cover: Array) -> Array:
    overlap = np.minimum(boxes[:, 2:], cover[2:]) - np.maximum(boxes[:, :2], cover[:2])
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return np.prod(np.maximum(overlap, 0), axis=1) / np.maximum(area, 1e-6)

"""Augmentation of one sample: one geometric warp for the image and its boxes, then changes of light and lens."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from centertrack.data.images import spare_reduction
from centertrack.data.sample import Array, Sample, no_boxes
from tracker.io.images import encode_image

MIN_SIDE = 3.0  # px of the training image; smaller people are ignored, not learnt
MIN_INSIDE = 0.3  # part of a box that must lie in the image to be learnt
PADDING = (127, 127, 127)
UPRIGHT = (0.0, 1.0, 1.8, 2.5)  # widths of boxes, where one is somebody who stands ...
UPRIGHT_NARROWED = (0.0, 1.0, 1.24, 2.5)  # ... and what benchmarks make of them


@dataclass(frozen=True)
class WarpOptions:
    """Ranges of the random warp.

    Attributes:
        scale: Factor on the size at which the image just fits the canvas, drawn log-uniformly.
        aspect: Factor on the width against the height, log-uniform; undoes images that were stretched to a square.
        rotation: Degrees to either side.
        shear: Degrees to either side.
        flip: Probability of mirroring.
    """

    scale: tuple[float, float] = (0.9, 1.8)
    aspect: tuple[float, float] = (0.9, 1.1)
    rotation: float = 4.0
    shear: float = 2.0
    flip: float = 0.5


def random_matrix(
    source: tuple[int, int], size: tuple[int, int], options: WarpOptions, rng: np.random.Generator
) -> Array:
    """Draw a warp that scales, stretches, rotates, shears, mirrors and shifts an image onto a canvas.

    Args:
        source: Width and height of the image in pixels.
        size: Width and height of the canvas.
        options: Ranges.
        rng: Source of chance.

    Returns:
        (2, 3) float32, from pixels of the image to those of the canvas.
    """
    width, height = source
    aspect = _log_uniform(rng, *options.aspect)
    fit = min(size[0] / (width * aspect), size[1] / height)
    scale = fit * _log_uniform(rng, *options.scale)
    mirror = -1.0 if rng.random() < options.flip else 1.0
    angle = np.deg2rad(rng.uniform(-options.rotation, options.rotation))
    shear = np.tan(np.deg2rad(rng.uniform(-options.shear, options.shear)))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ np.array([[1.0, shear], [0.0, 1.0]]) @ np.diag([scale * aspect * mirror, scale])
    extent = np.array([scale * aspect * width, scale * height])
    slack = np.abs(np.array(size) - extent) / 2  # free play: inside the canvas, or the canvas inside the image
    middle = np.array(size) / 2 + rng.uniform(-1, 1, 2) * slack
    shift = middle - linear @ np.array([width / 2, height / 2])
    return np.column_stack((linear, shift)).astype(np.float32)


def wasted_reduction(matrix: Array) -> int:
    """Return by which of 1, 2, 4, 8 an image may be divided before a warp, which still makes it smaller, or no larger.

    What is read that small is read sooner, and its finest details do not alias.

    Args:
        matrix: (2, 3), of the whole image.

    >>> [wasted_reduction(np.diag([scale, 0.1])) for scale in (1.0, 0.6, 0.5, 0.3, 0.01)]
    [1, 1, 2, 2, 8]
    """
    return spare_reduction(float(np.hypot(matrix[0, :2], matrix[1, :2]).max()))


def warp(sample: Sample, matrix: Array, size: tuple[int, int]) -> Sample:
    """Apply a (2, 3) matrix to image, boxes and ignore regions; people who mostly left it become ignore regions.

    A box becomes the box around the ellipse that it held, because a person does not fill the corners: those of a
    standing person, turned by 4 degrees, would make the box nearly a fifth wider. It is not clipped: how far a person
    reaches beyond the border is worth learning.
    """
    of_centres = matrix.copy()  # OpenCV counts pixels from the middle of the first one, boxes from its corner
    of_centres[:, 2] += (matrix[:, :2].sum(axis=1) - 1) / 2
    image = cv2.warpAffine(sample.image, of_centres, size, borderMode=cv2.BORDER_CONSTANT, borderValue=PADDING)
    boxes, ignore = _warp_boxes(sample.boxes, matrix), _warp_boxes(sample.ignore, matrix)
    return keep_visible(Sample(image, boxes, sample.labels, sample.ids, ignore))


def keep_visible(sample: Sample) -> Sample:
    """Drop objects that are tiny, or too far outside the image to be learnt; what is visible of them becomes ignored.

    Args:
        sample: As after a change of its geometry. Boxes that stay are not clipped, ignore regions are.
    """
    size = (sample.image.shape[1], sample.image.shape[0])
    boxes, inside = sample.boxes, _clip(sample.boxes, size)
    area, visible = _area(boxes), _area(inside)
    learnt = (visible >= MIN_INSIDE * area) & (boxes[:, 2:] - boxes[:, :2] >= MIN_SIDE).all(axis=1)
    dropped = inside[~learnt & (visible > 0)]
    ignore = _clip(sample.ignore, size)
    ignore = np.concatenate((ignore[_area(ignore) > 0], dropped))
    return Sample(sample.image, boxes[learnt], sample.labels[learnt], sample.ids[learnt], ignore)


def _warp_boxes(boxes: Array, matrix: Array) -> Array:
    if not len(boxes):
        return no_boxes()
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2 @ matrix[:, :2].T + matrix[:, 2]
    half = np.sqrt(((boxes[:, 2:] - boxes[:, :2]) / 2) ** 2 @ matrix[:, :2].T ** 2)
    return np.concatenate((middle - half, middle + half), axis=1).astype(np.float32)


def narrow_upright(boxes: Array, aspect: float | None) -> Array:
    """Narrow the boxes of people who stand or walk, as MOTChallenge draws them: around the body, not around each step.

    Boxes up to `aspect` stay; from there to 1.8 times as wide they grow three tenths as fast; those of 2.5 times and
    more, which hold somebody who sits, bends or is cut off, stay again. Centres and heights stay.

    Args:
        boxes: (N, 4) xyxy.
        aspect: Width over height of somebody who stands; None leaves all boxes as they are.

    >>> narrow_upright(np.array([[0, 0, 60, 100], [0, 0, 30, 100], [0, 0, 90, 100]], float), 0.36)[:, ::2].round(1)
    array([[ 8.4, 51.6],
           [ 0. , 30. ],
           [ 0. , 90. ]])
    """
    if aspect is None:
        return boxes
    size = boxes[:, 2:] - boxes[:, :2]
    ratio = size[:, 0] / np.maximum(size[:, 1] * aspect, 1e-6)
    factor = np.interp(ratio, UPRIGHT, UPRIGHT_NARROWED) / np.clip(ratio, 1e-6, UPRIGHT[-1])
    spared = (1 - factor) * size[:, 0] / 2
    return boxes + np.stack((spared, 0 * spared, -spared, 0 * spared), axis=1).astype(boxes.dtype)


def _clip(boxes: Array, size: tuple[int, int]) -> Array:
    return np.clip(boxes, 0, np.array([*size, *size], np.float32))


def _area(boxes: Array) -> Array:
    return np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def random_light(image: Array, rng: np.random.Generator) -> Array:
    """Change hue, saturation, brightness, contrast; now and then grey, blur, noise or JPEG blocks.

    Args:
        image: (H, W, 3) uint8 RGB.
        rng: Source of chance.
    """
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    hue = np.arange(180, dtype=np.float32) + rng.uniform(-8, 8)
    ramp = np.arange(256, dtype=np.float32)
    saturation = np.clip(ramp * rng.uniform(0.5, 1.5), 0, 255)
    value = 255 * np.clip((ramp / 255 - 0.5) * rng.uniform(0.7, 1.3) + 0.5 + rng.uniform(-0.15, 0.15), 0, 1)
    value = 255 * (value / 255) ** np.exp(rng.uniform(-0.4, 0.4))
    table = np.stack((np.pad(hue % 180, (0, 76)), saturation, value), axis=1).astype(np.uint8)[None]
    image = cv2.cvtColor(cv2.LUT(hsv, table), cv2.COLOR_HSV2RGB)
    if rng.random() < 0.08:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if rng.random() < 0.15:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < 0.08:
        image = cv2.filter2D(image, -1, _motion_kernel(int(rng.integers(3, 10)), rng.uniform(0, np.pi)))
    if rng.random() < 0.2:
        noise = rng.integers(-int(rng.integers(3, 15)), 16, image.shape[:2], dtype=np.int16)[..., None]
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.25:
        encoded = np.frombuffer(encode_image(np.asarray(image, np.uint8), ".jpg", int(rng.integers(25, 80))), np.uint8)
        image = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))  # both ways without a change of channel order
    return image


def _motion_kernel(length: int, angle: float) -> Array:
    kernel = np.zeros((length, length), np.float32)
    middle = (length - 1) / 2
    reach = np.array([np.cos(angle), np.sin(angle)]) * middle
    start, end = (tuple(np.rint(middle + sign * reach).astype(int).tolist()) for sign in (-1, 1))
    cv2.line(kernel, start, end, 1.0)
    return kernel / max(kernel.sum(), 1.0)

"""Transforms of torchvision (`torchvision.transforms.v2`) on samples, with everything that is known about the boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms.v2 import Transform
from torchvision.transforms.v2.functional import convert_bounding_box_format

from centertrack.data.sample import Sample
from centertrack.data.transforms import keep_visible
from tracker.errors import InputError

IGNORED = 2  # column of `labels` that tells ignore regions from objects


def apply_transforms(sample: Sample, transforms: Sequence[Transform], seed: int) -> Sample:
    """Apply transforms in order.

    They draw from torch's global generator; it is seeded for them, and afterwards goes on as if nothing had happened.

    Args:
        sample: Left as it is; masks are not carried over.
        transforms: Each takes and gives the dictionary of `to_torchvision`.
        seed: In [0, 2^64); all chance comes from it.

    Returns:
        A sample of the same size; objects that left the image are treated as `keep_visible` does it.

    Raises:
        InputError: A transform of torchvision fails on the sample, the image came out with another size or type, or
            boxes and labels no longer belong together.
    """
    item = to_torchvision(sample)
    with torch.random.fork_rng(devices=()):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed accelerators, too
        for transform in transforms:
            item = _apply(transform, item)
    _check_image(item["image"], sample.image.shape)
    return keep_visible(from_torchvision(item))


def _apply(transform: Transform, item: dict[str, Any]) -> dict[str, Any]:
    try:
        changed: dict[str, Any] = transform(item)
    except Exception as error:
        if not type(transform).__module__.startswith("torchvision."):  # whoever wrote it wants to see where it failed
            raise
        reason = " ".join(str(error).split())
        raise InputError(f"data.transforms: {type(transform).__name__} cannot change a sample: {reason}") from error
    return changed


def to_torchvision(sample: Sample) -> dict[str, Any]:
    """Turn a sample into what transforms understand.

    Returns:
        `image`: Image, (3, H, W) uint8 RGB.
        `boxes`: BoundingBoxes, (K + I, 4) float32 xyxy in pixels, objects and then ignore regions. One tensor for both,
        because transforms that choose boxes look at one alone. `clamping_mode` is None: nothing is clipped unasked.
        `labels`: (K + I, 3) int64: class, identity or -1, and 1 for an ignore region. All in one tensor, because
        `SanitizeBoundingBoxes` drops rows of the boxes and, by default, of the labels.
    """
    height, width = sample.image.shape[:2]
    boxes = torch.from_numpy(np.concatenate((sample.boxes, sample.ignore)).astype(np.float32))
    labels = torch.zeros((len(boxes), 3), dtype=torch.int64)
    count = len(sample.boxes)
    labels[:count, 0], labels[:count, 1] = torch.from_numpy(sample.labels), torch.from_numpy(sample.ids)
    labels[count:] = torch.tensor([-1, -1, 1])
    return {
        "image": tv_tensors.Image(torch.from_numpy(sample.image.transpose(2, 0, 1).copy())),
        "boxes": tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=(height, width), clamping_mode=None),
        "labels": labels,
    }


def from_torchvision(item: dict[str, Any]) -> Sample:
    """Turn what `to_torchvision` gave, and transforms may have changed, back into a sample.

    Raises:
        InputError: There are not as many labels as boxes.
    """
    boxes, labels = item["boxes"], item["labels"].numpy()
    if len(boxes) != len(labels):
        raise InputError(
            f"data.transforms must drop a box and its label together, got {len(boxes)} boxes and {len(labels)} labels; "
            "leave out labels_getter of SanitizeBoundingBoxes"
        )
    converted = convert_bounding_box_format(boxes, new_format=tv_tensors.BoundingBoxFormat.XYXY)
    corners = converted.as_subclass(Tensor).numpy()
    image = np.ascontiguousarray(item["image"].as_subclass(Tensor).permute(1, 2, 0).numpy())
    ignored = labels[:, IGNORED] == 1
    return Sample(image, corners[~ignored], labels[~ignored, 0], labels[~ignored, 1], corners[ignored])


def _check_image(image: Any, shape: tuple[int, ...]) -> None:
    height, width, channels = shape
    if not isinstance(image, Tensor):
        came = type(image).__name__
    elif image.shape != (channels, height, width) or image.dtype != torch.uint8:
        came = f"{image.shape[-1]} x {image.shape[-2]} with {image.shape[-3]} channels of {image.dtype}"
    else:
        return
    raise InputError(
        f"the image must come out of data.transforms as it goes in, a tensor of the training size (width x height) "
        f"{width} x {height} with {channels} channels of torch.uint8, got {came}"
    )

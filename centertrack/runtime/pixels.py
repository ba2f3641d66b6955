"""Pixels as networks of other projects want them: their range, their channels' order, and the layout of the array."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.errors import InputError

Array = NDArray[Any]
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # RGB, of pixels in [0, 1]


@dataclass(frozen=True)
class PixelFormat:
    """How the numbers of an image are made: (pixel / scale - mean) / std.

    Attributes:
        scale: 255 for pixels in [0, 1], 1 for pixels in [0, 255].
        mean, std: Of each channel, after `scale`, in the order of `channel_order`; one number counts for all three.
        channel_order: `rgb` or `bgr`.

    Raises:
        InputError: A value that cannot be used.
    """

    scale: float = 255.0
    mean: tuple[float, float, float] | float = 0.0
    std: tuple[float, float, float] | float = 1.0
    channel_order: str = "rgb"

    def __post_init__(self) -> None:
        if not _is_number(self.scale) or self.scale <= 0:
            raise InputError(f"scale must be a number above 0, such as 255 or 1, got {self.scale!r}")
        for name in ("mean", "std"):
            values = getattr(self, name)
            values = (values,) * 3 if _is_number(values) else values
            if not isinstance(values, list | tuple) or len(values) != 3 or not all(map(_is_number, values)):
                raise InputError(f"{name} must be one number or three, such as 0.485,0.456,0.406, got {values!r}")
            object.__setattr__(self, name, tuple(float(value) for value in values))
        if min(self.triple("std")) <= 0:
            raise InputError(f"std must be above 0, got {self.std!r}")
        if self.channel_order not in ("rgb", "bgr"):
            raise InputError(f"channel_order must be rgb or bgr, got {self.channel_order!r}")

    def triple(self, name: str) -> tuple[float, float, float]:
        """Return `mean` or `std` of all three channels."""
        first, second, third = getattr(self, name)
        return first, second, third

    def fill(self, image: Array, planes: Array) -> None:
        """Write one image into an array.

        Args:
            image: (H, W, 3) uint8 RGB.
            planes: (3, H, W) float32.
        """
        channels = cv2.split(image)[:: 1 if self.channel_order == "rgb" else -1]
        for plane, channel, mean, std in zip(planes, channels, self.triple("mean"), self.triple("std"), strict=True):
            np.multiply(channel, np.float32(1 / (self.scale * std)), out=plane, casting="unsafe")
            if mean:
                plane -= np.float32(mean / std)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))


@dataclass(frozen=True)
class ImageInput:
    """An input of a graph that takes images.

    Attributes:
        shape: (N, 3, H, W), (N, H, W, 3) or without N; None where a length may vary.
        dtype: Of the numbers; images of uint8 are taken as they are, but for their channels' order.
    """

    shape: tuple[int | None, ...]
    dtype: np.dtype[Any]

    @property
    def is_image(self) -> bool:
        """Whether this may be an image: three or four axes, one of them for three channels."""
        if len(self.shape) not in (3, 4):
            return False
        channels = self.shape[self._channels]
        return channels == 3 or (channels is None and len(self.shape) == 4)

    @property
    def size(self) -> tuple[int | None, int | None]:
        """Width and height; None where they may vary."""
        height, width = self.shape[-2:] if self._channels == -3 else self.shape[-3:-1]
        return width, height

    @property
    def _channels(self) -> int:
        """The axis of the channels."""
        return -1 if self.shape[-1] == 3 and self.shape[-3] != 3 else -3

    def array(self, images: list[Array], pixels: PixelFormat) -> Array:
        """Return images as this input wants them.

        Args:
            images: (H, W, 3) uint8 RGB, all of one size.
            pixels: What the numbers mean.
        """
        height, width = images[0].shape[:2]
        if self.dtype == np.uint8:
            step = 1 if pixels.channel_order == "rgb" else -1
            values = np.stack([image[..., ::step].transpose(2, 0, 1) for image in images])
        else:
            values = np.empty((len(images), 3, height, width), np.float32)
            for image, planes in zip(images, values, strict=True):
                pixels.fill(image, planes)
        if self._channels == -1:
            values = values.transpose(0, 2, 3, 1)
        if len(self.shape) == 3:
            values = values[0]
        return np.ascontiguousarray(values, self.dtype)

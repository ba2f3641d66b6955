"""From a source image to the network's input and exactly back.

`InputFormat` says what a network wants to see, `Placement` where one source image went, so that boxes found in the
input return to source pixels without rounding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.errors import InputError

Array = NDArray[Any]
RESIZES = ("letterbox", "stretch", "keep")
STRIDE = 32  # every neck with feature fusion needs sides divisible by this


@dataclass(frozen=True)
class InputFormat:
    """What a network was trained to see.

    Attributes:
        size: Width and height in pixels, multiples of `stride`.
        mean, std: Of each channel, for pixels in [0, 1], in the order of `channel_order`.
        channel_order: `rgb` or `bgr`.
        resize: `letterbox` keeps the aspect ratio and pads around the middle, `stretch` does not; `keep` leaves the
            resolution of the source and pads it to the next multiples of 32, whatever `size` says.
        padding: Grey value of the padding, 0 to 255.
        adapts: Whether sources of another aspect ratio may get a letterbox of their own shape and the same area.
        box_origin: What the boxes that the network was trained on call the first pixel: 1 for MOTChallenge labels taken
            as they are. It is taken off on the way back to the source, whose first pixel is 0.
        stride: What the sides must be divisible by.
    """

    size: tuple[int, int] = (640, 384)
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    channel_order: str = "rgb"
    resize: str = "letterbox"
    padding: float = 127.5
    adapts: bool = True
    box_origin: float = 0.0
    stride: int = STRIDE

    def __post_init__(self) -> None:
        for name in ("size", "mean", "std"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not isinstance(self.stride, int) or self.stride < 1:
            raise InputError(f"stride must be a whole number from 1, got {self.stride!r}")
        if len(self.size) != 2 or min(self.size) < self.stride or any(side % self.stride for side in self.size):
            raise InputError(
                f"input size must be WIDTHxHEIGHT in multiples of {self.stride}, got {'x'.join(map(str, self.size))}"
            )
        if self.channel_order not in ("rgb", "bgr"):
            raise InputError(f"channel_order must be rgb or bgr, got {self.channel_order!r}")
        if self.resize not in RESIZES:
            raise InputError(f"resize must be one of {', '.join(RESIZES)}, got {self.resize!r}")

    def for_source(self, source_size: tuple[int, int]) -> InputFormat:
        """Return what the network sees of sources of this (width, height)."""
        if not self.adapts or self.resize != "letterbox":
            return self
        return replace(self, size=fit_input_size(source_size, self.size, self.stride))


def fit_input_size(source_size: tuple[int, int], budget: tuple[int, int], stride: int = STRIDE) -> tuple[int, int]:
    """Return the input size that shows a source largest without spending more pixels than planned.

    A 4:3 or an upright video would lose a third or more of a 16:9 input to padding; here it gets an input of its own
    shape, of at most the same area and so the same cost.

    Args:
        source_size: Width and height of the source.
        budget: Width and height that the weights were made for; their product is the limit.
        stride: What the sides must be divisible by.

    Returns:
        Width and height.

    >>> fit_input_size((1920, 1080), (640, 384)), fit_input_size((640, 480), (640, 384))
    ((640, 384), (576, 416))
    """
    area = budget[0] * budget[1]
    widths = range(stride, area // stride + 1, stride)
    sizes = [(width, area // width // stride * stride) for width in widths]

    def shown(size: tuple[int, int]) -> tuple[float, int]:
        return min(size[0] / source_size[0], size[1] / source_size[1]), -size[0] * size[1]

    scale = shown(max(sizes, key=shown))[0]
    # rounded first: 576.0000001 needs no further 32 pixels
    width, height = (math.ceil(round(side * scale, 3) / stride) * stride for side in source_size)
    return width, height


@dataclass(frozen=True)
class Placement:
    """Where a source image lies in the input: input = (source + box_origin) * scale + shift, in continuous pixels.

    Attributes:
        scale: Along x and y.
        shift: Input pixels.
        source_size: Width and height of the source.
        input_size: Width and height of the input.
        box_origin: See `InputFormat`.

    >>> place = Placement.letterbox((1920, 1080), (640, 384))
    >>> place.scale[0] == place.scale[1], place.shift
    (True, (0.0, 12.0))
    >>> place.to_source(place.to_input(np.array([[30.0, 60.0, 90.0, 240.0]]))).tolist()
    [[30.0, 60.0, 90.0, 240.0]]
    """

    scale: tuple[float, float]
    shift: tuple[float, float]
    source_size: tuple[int, int]
    input_size: tuple[int, int]
    box_origin: float = 0.0

    @classmethod
    def letterbox(cls, source_size: tuple[int, int], input_size: tuple[int, int]) -> Placement:
        """Fit the source inside the input, centred; the resized sides are whole pixels, and so is the padding.

        Args:
            source_size: Width and height of the source.
            input_size: Width and height of the input.
        """
        ratio = min(input_size[0] / source_size[0], input_size[1] / source_size[1])
        width, height = (max(1, round(side * ratio)) for side in source_size)
        scale = (width / source_size[0], height / source_size[1])
        shift = (float((input_size[0] - width) // 2), float((input_size[1] - height) // 2))
        return cls(scale, shift, source_size, input_size)

    @classmethod
    def stretch(cls, source_size: tuple[int, int], input_size: tuple[int, int]) -> Placement:
        """Fill the input, whatever becomes of the aspect ratio.

        Args:
            source_size: Width and height of the source.
            input_size: Width and height of the input.
        """
        scale = (input_size[0] / source_size[0], input_size[1] / source_size[1])
        return cls(scale, (0.0, 0.0), source_size, input_size)

    @classmethod
    def keep(cls, source_size: tuple[int, int]) -> Placement:
        """Leave the resolution as it is and pad each side to a multiple of 32 above it, as CenterNet's tables do.

        >>> Placement.keep((640, 427)).input_size
        (672, 448)
        """
        width, height = ((side | (STRIDE - 1)) + 1 for side in source_size)
        shift = (float(width // 2 - source_size[0] // 2), float(height // 2 - source_size[1] // 2))
        return cls((1.0, 1.0), shift, source_size, (width, height))

    @classmethod
    def of(cls, source_size: tuple[int, int], input_format: InputFormat) -> Placement:
        """Place a source as a network was trained to see it.

        Args:
            source_size: Width and height of the source.
            input_format: What the network sees.
        """
        if input_format.resize == "keep":
            placement = cls.keep(source_size)
        else:
            place = cls.letterbox if input_format.resize == "letterbox" else cls.stretch
            placement = place(source_size, input_format.size)
        return replace(placement, box_origin=input_format.box_origin)

    def to_input(self, boxes: Array) -> Array:
        """Map (..., 4) xyxy boxes from source to input pixels."""
        return (boxes + self.box_origin) * np.array(self.scale * 2) + np.array(self.shift * 2)

    def to_source(self, boxes: Array) -> Array:
        """Map (..., 4) xyxy boxes from input to source pixels."""
        return (boxes - np.array(self.shift * 2)) / np.array(self.scale * 2) - self.box_origin

    def draw(self, image: Array, padding: float = 127.5) -> Array:
        """Resize an image of the source's size and pad it to the input's.

        Args:
            image: (H, W, 3) uint8.
            padding: Grey value around it.

        Returns:
            (input height, input width, 3) uint8, same channel order.
        """
        width = round(self.source_size[0] * self.scale[0])
        height = round(self.source_size[1] * self.scale[1])
        if (width, height) != self.source_size:
            shrinks = width < self.source_size[0]
            image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        if (width, height) == self.input_size:
            return image
        canvas = np.full((self.input_size[1], self.input_size[0], 3), math.ceil(padding - 0.5), dtype=np.uint8)
        left, top = int(self.shift[0]), int(self.shift[1])
        canvas[top : top + height, left : left + width] = image
        return canvas


def parse_size(text: str) -> tuple[int, int]:
    """Read a size as users write it, WIDTHxHEIGHT.

    Raises:
        InputError: Not two whole numbers.

    >>> parse_size("640x384")
    (640, 384)
    """
    parts = text.lower().replace("*", "x").split("x")
    if len(parts) != 2 or not all(part.strip().isdigit() for part in parts):
        raise InputError(f"expected a size as WIDTHxHEIGHT, for example 640x384, got {text!r}")
    return int(parts[0]), int(parts[1])

"""Embeddings of boxes from a re-identification network of another project, which sees each box cut out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from centertrack.configuration import build
from centertrack.runtime.network_file import open_network
from centertrack.runtime.pixels import IMAGENET_MEAN, IMAGENET_STD, ImageInput, PixelFormat
from tracker.errors import InputError

Array = NDArray[Any]
BATCH = 8  # crops a call, where the file leaves it open
DEFAULT_SIZE = (128, 256)  # width and height of a crop, where the file leaves it open
DEFAULT_PIXELS = {"scale": 255.0, "mean": IMAGENET_MEAN, "std": IMAGENET_STD, "channel_order": "rgb"}


class CropNetwork:
    """Cuts the boxes out, brings them to the network's size, and runs it.

    Args:
        weights: `.onnx`, or `.xml` with a `.bin` beside it: images (N, 3, H, W) in, embeddings (N, D) out.
        options: Fields of `PixelFormat`; by default RGB with ImageNet's mean and standard deviation, as OSNet and most
            others have them.
        runtime: `auto`, or one that can execute the file.
        device: `cpu` or `cuda[:INDEX]`.
        streams: Calls worth making at the same time, where the runtime can.

    Raises:
        InputError: The file cannot be read, is no such network, or an option is unknown.
    """

    def __init__(
        self,
        weights: Path,
        options: Mapping[str, Any] | None = None,
        runtime: str = "auto",
        device: str = "cpu",
        streams: int = 1,
    ) -> None:
        self._pixels: PixelFormat = build(PixelFormat, "the embedding network", {**DEFAULT_PIXELS, **(options or {})})
        self._file = open_network(weights, runtime, device, streams)
        ports = self._file.inputs
        self._image = ImageInput(ports[0].shape, ports[0].dtype) if len(ports) == 1 else ImageInput((), np.dtype("f4"))
        if not self._image.is_image:
            raise self._no_embeddings("inputs", ports)
        width, height = self._image.size
        self._size = (width or DEFAULT_SIZE[0], height or DEFAULT_SIZE[1])
        self._batch = (self._image.shape[0] or BATCH) if len(self._image.shape) == 4 else 1
        blank = self._image.array(self._crops(np.zeros((1, 1, 3), np.uint8), np.zeros((0, 4))), self._pixels)
        outputs = self._file.outputs_for([blank.shape])
        lengths = [int(np.prod([length or 0 for length in port.shape])) // self._batch for port in outputs]
        if len(outputs) != 1 or outputs[0].shape[0] != self._batch or lengths[0] < 2:
            raise self._no_embeddings("outputs", outputs)
        self._length = lengths[0]

    def _no_embeddings(self, what: str, ports: Any) -> InputError:
        return InputError(
            f"{self._file.path}: is no network for embeddings: expected images (N, 3, H, W) in and (N, D) out, found "
            f"{what} {', '.join(map(str, ports))}"
        )

    def __call__(self, image: Array, boxes: Array) -> Array:
        """Return (N, D) embeddings.

        Args:
            image: (H, W, 3) uint8 RGB.
            boxes: (N, 4) xyxy in its pixels.
        """
        found = np.zeros((len(boxes), self._length), np.float32)
        for first in range(0, len(boxes), self._batch):
            part = boxes[first : first + self._batch]
            values = self._file([self._image.array(self._crops(image, part), self._pixels)])[0]
            found[first : first + len(part)] = values.reshape(self._batch, -1)[: len(part)]
        return found

    def _crops(self, image: Array, boxes: Array) -> list[Array]:
        """Return a batch of crops (H, W, 3); those beyond the boxes are black."""
        crops = [cv2.resize(crop(image, box), self._size, interpolation=cv2.INTER_LINEAR) for box in boxes]
        rest = self._batch - len(crops)
        return crops + [np.zeros((self._size[1], self._size[0], 3), np.uint8)] * rest


def crop(image: Array, box: Array) -> Array:
    """Return the part of an image in a box, at least one pixel of it.

    Args:
        image: (H, W, 3).
        box: (4,) xyxy in its pixels.
    """
    height, width = image.shape[:2]
    left, top = (int(np.clip(np.floor(box[i]), 0, side - 1)) for i, side in ((0, width), (1, height)))
    right, bottom = (int(np.clip(np.ceil(box[i]), 1, side)) for i, side in ((2, width), (3, height)))
    return image[top : max(bottom, top + 1), left : max(right, left + 1)]

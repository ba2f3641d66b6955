"""Images to detections in their own pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from centertrack.configuration import build
from centertrack.geometry import STRIDE, InputFormat, Placement
from centertrack.models.weights_header import class_names
from centertrack.runtime.choose import choose_runtime, make_runtime
from centertrack.runtime.contract import DecodeOptions, Runtime
from centertrack.runtime.device import resolve_device
from centertrack.runtime.exported import ExportedFile, ExportedRuntime, is_exported, read_exported
from centertrack.runtime.weights import DEFAULT_WEIGHTS, open_weights
from tracker.boxes import iou_matrix
from tracker.detections import Detections
from tracker.errors import InputError
from tracker.io.mot import MIN_SIDE

if TYPE_CHECKING:
    from centertrack.models.network import CenterNetwork

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class PreparedImage:
    """An image as the network wants to see it.

    Attributes:
        pixels: (H, W, 3) uint8 RGB at the input's size.
        placement: The way back to the source.
    """

    pixels: Array
    placement: Placement


class Predictor:
    """Finds objects in images of any size.

    Args:
        weights: Name of bundled weights, a weights file, or a network in evaluation mode.
        device: `auto`, `cpu` or `cuda[:INDEX]`.
        runtime: One of `runtime.choose.RUNTIMES`; `auto` is the fastest that is installed for the device, see
            `runtime.choose`.
        image_size: Width and height of the network's input, multiples of 32. None takes as many pixels as the weights
            were made for, in the aspect ratio of each source (see `fit_input_size`), unless the weights forbid it.
        min_score: Detections below are left out.
        max_detections: Detections kept per image, the best ones.
        nms_kernel: Odd side, in cells, of the neighbourhood in which only the highest peak counts; None: 3, or 1 for
            weights whose overlapping boxes are suppressed.
        streams: Calls of the network worth making at the same time from several threads, where the runtime can.

    Attributes:
        input_format: What the network sees.
        class_names: Name of each label.
        has_embeddings: Whether detections carry the appearance that re-identification needs.
        device: `cpu` or `cuda[:INDEX]`.
        runtime: What executes the network.

    Raises:
        InputError: No such weights, device, runtime or image size.
    """

    def __init__(
        self,
        weights: str | Path | CenterNetwork = DEFAULT_WEIGHTS,
        device: str = "auto",
        runtime: str = "auto",
        image_size: tuple[int, int] | None = None,
        min_score: float = 0.1,
        max_detections: int = 300,
        nms_kernel: int | None = None,
        streams: int = 1,
    ) -> None:
        self.device = resolve_device(device)
        opened = read_exported(weights) if is_exported(weights) else open_weights(weights)
        self.class_names = class_names(opened.config)
        self.has_embeddings = "reid" in opened.config["output_heads"]
        self.input_format = _read_input_format(opened.config["input_format"], weights)
        if image_size is not None:
            resize = "letterbox" if self.input_format.resize == "keep" else self.input_format.resize
            self.input_format = replace(self.input_format, size=image_size, resize=resize, adapts=False)
        self.min_score = min_score
        self.max_detections, self.nms_iou = max_detections, float(opened.config.get("nms_iou", 1.0))
        if isinstance(opened, ExportedFile):
            self.runtime: Runtime = ExportedRuntime(opened, runtime, self.device, image_size)
        else:
            decoding = DecodeOptions.of_weights(opened.config, max_detections, nms_kernel)
            self.runtime = make_runtime(opened, choose_runtime(runtime, self.device), self.device, decoding, streams)

    def __call__(self, images: Array | Sequence[Array]) -> list[Detections]:
        """Find the objects of one image or several.

        Args:
            images: (H, W, 3) uint8 RGB, or a list of such images, of any sizes.

        Returns:
            One `Detections` an image, boxes in its own pixels, by falling score; with embeddings if the network has a
            re-identification head.

        Raises:
            ValueError: Not such an image.
        """
        if isinstance(images, np.ndarray) and images.ndim == 3:
            images = [images]
        return self.detect([self.prepare(image) for image in images])

    def prepare(self, image: Array) -> PreparedImage:
        """Bring one (H, W, 3) uint8 RGB image to the network's input size."""
        if not isinstance(image, np.ndarray) or image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            found = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
            raise ValueError(f"an image must be an array (H, W, 3) of uint8 in RGB order, got {found}")
        source_size = (image.shape[1], image.shape[0])
        placement = Placement.of(source_size, self.input_format_for(source_size))
        return PreparedImage(placement.draw(image, self.input_format.padding), placement)

    def warm_up(self, source_size: tuple[int, int]) -> None:
        """Load, convert and compile what sources of this (width, height) need, so that the first frame is quick."""
        self([np.zeros((source_size[1], source_size[0], 3), np.uint8)])

    def input_format_for(self, source_size: tuple[int, int]) -> InputFormat:
        """Return what the network sees of sources of this (width, height)."""
        if not self.input_format.adapts or self.input_format.resize != "letterbox":
            return self.input_format
        return replace(self.input_format, size=fit_input_size(source_size, self.input_format.size))

    def detect(self, prepared: Sequence[PreparedImage]) -> list[Detections]:
        """Run the network on prepared images; neighbours of one size go in one batch."""
        detections = []
        for _, group in groupby(prepared, key=lambda image: image.pixels.shape):
            batch = list(group)
            pixels = np.stack([image.pixels for image in batch]) if len(batch) > 1 else batch[0].pixels[None]
            found = self.runtime(pixels)
            for image, boxes, scores, labels, embeddings in zip(batch, *found, strict=True):
                boxes = image.placement.to_source(boxes)
                # Boxes of published formats are not clamped: a weak peak may have one of no or negative size.
                kept = (scores >= self.min_score) & (boxes[:, 2:] - boxes[:, :2] >= MIN_SIDE).all(axis=1)
                if self.nms_iou < 1:
                    kept = suppress(boxes, labels, kept.nonzero()[0], self.nms_iou)[: self.max_detections]
                detections.append(
                    Detections(
                        boxes[kept],
                        scores[kept],
                        labels[kept],
                        embeddings[kept] if embeddings.shape[1] else None,
                    )
                )
        return detections


def suppress(boxes: Array, labels: Array, rows: Array, max_iou: float) -> Array:
    """Of boxes that overlap, keep the best (greedy non-maximum suppression).

    Args:
        boxes: (N, 4) xyxy.
        labels: (N,), only boxes of one class compete.
        rows: (K,) int64, those to choose from, by falling score.
        max_iou: Of two with a higher IoU the later one goes.

    Returns:
        The rows that are left, in order.

    >>> boxes = np.array([[0, 0, 4, 4], [0, 0, 4, 5], [9, 9, 12, 12]], float)
    >>> suppress(boxes, np.zeros(3, int), np.arange(3), 0.6)
    array([0, 2])
    """
    rivals = (iou_matrix(boxes[rows], boxes[rows]) > max_iou) & (labels[rows, None] == labels[rows])
    beaten = np.zeros(len(rows), bool)
    for i in range(len(rows)):
        if not beaten[i]:
            beaten[i + 1 :] |= rivals[i, i + 1 :]
    return np.asarray(rows[~beaten])


def _read_input_format(options: dict[str, Any], weights: object) -> InputFormat:
    try:
        return build(InputFormat, "input_format", options)
    except InputError as error:
        raise InputError(f"{weights}: its input_format cannot be used: {error}") from error


def fit_input_size(source_size: tuple[int, int], budget: tuple[int, int]) -> tuple[int, int]:
    """Return the input size that shows a source largest without spending more pixels than planned.

    A 4:3 or an upright video would lose a third or more of a 16:9 input to padding; here it gets an input of its own
    shape, of at most the same area and so the same cost.

    Args:
        source_size: Width and height of the source.
        budget: Width and height that the weights were made for; their product is the limit.

    Returns:
        Width and height, multiples of 32.

    >>> fit_input_size((1920, 1080), (640, 384)), fit_input_size((640, 480), (640, 384))
    ((640, 384), (576, 416))
    """
    area = budget[0] * budget[1]
    widths = range(STRIDE, area // STRIDE + 1, STRIDE)
    sizes = [(width, area // width // STRIDE * STRIDE) for width in widths]

    def shown(size: tuple[int, int]) -> tuple[float, int]:
        return min(size[0] / source_size[0], size[1] / source_size[1]), -size[0] * size[1]

    width, height = max(sizes, key=shown)
    scale = shown((width, height))[0]
    # rounded first: 576.0000001 needs no further 32 pixels
    return _ceil_to_stride(round(source_size[0] * scale, 3)), _ceil_to_stride(round(source_size[1] * scale, 3))


def _ceil_to_stride(length: float) -> int:
    return math.ceil(length / STRIDE) * STRIDE

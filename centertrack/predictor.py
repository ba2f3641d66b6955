"""Images to detections in their own pixels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from centertrack.configuration import build
from centertrack.geometry import InputFormat, Placement
from centertrack.models.weights_header import class_names
from centertrack.runtime.choose import choose_runtime, make_runtime
from centertrack.runtime.contract import DecodeOptions, Runtime
from centertrack.runtime.detectors.detector import DETECTOR_FORMATS, Detector
from centertrack.runtime.device import resolve_device
from centertrack.runtime.embedder import Embedder, open_embedder
from centertrack.runtime.exported import (
    ExportedFile,
    ExportedRuntime,
    device_for,
    find_exported,
    is_exported,
    read_exported,
)
from centertrack.runtime.suppression import suppress
from centertrack.runtime.weights import DEFAULT_WEIGHTS, Weights, open_weights
from tracker.detections import Detections
from tracker.errors import InputError
from tracker.io.class_names import choose_numbers
from tracker.io.images import as_rgb
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
        source: (H, W, 3) uint8 RGB as it came, where embeddings are made of it.
    """

    pixels: Array
    placement: Placement
    source: Array | None = None


class Predictor:
    """Finds objects in images of any size.

    Args:
        weights: Name of bundled weights, a weights file, a network in evaluation mode, or a detector of another project
            in ONNX (`.onnx`) or OpenVINO (`.xml`), see docs/detectors.md.
        device: `auto`, `cpu`, `cuda[:INDEX]` or `mps`.
        runtime: One of `runtime.choose.RUNTIMES`; `auto` is the fastest that is installed for the device, see
            `runtime.choose`.
        image_size: Width and height of the network's input, multiples of 32. None takes as many pixels as the weights
            were made for, in the aspect ratio of each source (see `fit_input_size`), unless the weights forbid it.
        min_score: Detections below are left out.
        max_detections: Detections kept per image, the best ones.
        nms_kernel: Odd side, in cells, of the neighbourhood in which only the highest peak counts; None: 3, or 1 for
            weights whose overlapping boxes are suppressed.
        streams: Calls of the network worth making at the same time from several threads, where the runtime can.
        detector_options: What the file of another project does not say, fields of
            `runtime.detectors.options.DetectorOptions`.
        embeddings: Who describes the appearance of the detections: weights with a re-identification head, by name or as
            a file, or a network of crops in ONNX or OpenVINO. None: the detector itself, if it can.
        embedding_options: Of a network of crops, fields of `runtime.pixels.PixelFormat`.
        precision: In which the network computes, one of `runtime.choose.PRECISIONS`: `auto` is the fastest that the
            processor has units for and that was measured to lose little with these weights, and f32 otherwise.
        classes: Only these classes are found: names, or numbers from 1 as column 8 of MOTChallenge rows has them; a
            sequence, or text with commas between them. None: all.

    Attributes:
        input_format: What the network sees.
        class_names: Name of each label; empty for a detector that does not tell how many classes it has.
        tells_classes: Whether the network knows several classes.
        finds_several_classes: Whether detections may be of several classes.
        has_embeddings: Whether detections carry the appearance that re-identification needs.
        device: `cpu`, `cuda[:INDEX]` or `mps`.
        runtime: What executes the network.

    Raises:
        InputError: No such weights, device, runtime or image size, an option that does not belong to them, or a file of
            another project that cannot be read or told.
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
        detector_options: Mapping[str, Any] | None = None,
        embeddings: str | Path | None = None,
        embedding_options: Mapping[str, Any] | None = None,
        precision: str = "auto",
        classes: str | Sequence[str | int] | None = None,
    ) -> None:
        self.device = resolve_device(device)
        self.min_score, self.max_detections, self.nms_iou = min_score, max_detections, 1.0
        opened = _open(weights)
        if device == "auto" and is_exported(weights):
            self.device = device_for(Path(weights), self.device)
        if opened is None:
            detector = Detector(
                Path(str(weights)),
                detector_options,
                runtime,
                self.device,
                image_size,
                min_score,
                max_detections,
                streams,
                precision,
            )
            self.runtime: Runtime = detector
            self.class_names, self.input_format = detector.class_names, detector.input_format
            self.tells_classes = detector.tells_classes
        else:
            if detector_options:
                raise InputError(
                    f"{', '.join(detector_options)}: {weights} says itself what it is; leave the options out"
                )
            self.class_names = class_names(opened.config)
            self.tells_classes = len(self.class_names) > 1
            self.input_format = _own_input_format(opened.config["input_format"], weights, image_size)
            self.nms_iou = float(opened.config.get("nms_iou", 1.0))
            if isinstance(opened, ExportedFile):
                self.runtime = ExportedRuntime(opened, runtime, self.device, image_size, precision)
            else:
                decoding = DecodeOptions.of_weights(opened.config, max_detections, nms_kernel)
                chosen = choose_runtime(runtime, self.device)
                self.runtime = make_runtime(opened, chosen, self.device, decoding, streams, precision)
        self._kept = None if classes is None else self._labels_of(classes, weights)
        self.finds_several_classes = self.tells_classes and (self._kept is None or len(self._kept) > 1)
        self._embedder: Embedder | None = None
        if embeddings is not None:
            self._embedder = open_embedder(embeddings, embedding_options, self.device, streams)
        elif embedding_options:
            raise InputError(f"{', '.join(embedding_options)}: belong to a network for embeddings, and none is given")
        has_head = opened is not None and "reid" in opened.config["output_heads"]
        self.has_embeddings = has_head or self._embedder is not None

    def __call__(self, images: Any, bgr: bool = False) -> list[Detections]:
        """Find the objects of one image or several.

        Args:
            images: An image, or a list of them, of any sizes. An image is an array of uint8, (H, W, 3) in RGB,
                (H, W, 4) with opacity, which is left out, or (H, W) grey; a picture of Pillow; or the path of a file.
            bgr: Arrays have their colours in the order of OpenCV.

        Returns:
            One `Detections` an image, boxes in its own pixels, by falling score; with embeddings if the network has a
            re-identification head.

        Raises:
            InputError: Not such an image, or a file that cannot be read.
        """
        is_several = isinstance(images, Iterable) and not isinstance(images, str | np.ndarray)
        if not is_several and not (isinstance(images, np.ndarray) and images.ndim == 4):
            images = [images]
        return self.detect([self.prepare(image, bgr) for image in images])

    def _labels_of(self, classes: str | Sequence[str | int], weights: object) -> Array:
        """Return the labels of the classes that somebody chose."""
        wanted = [one for one in classes.split(",") if one.strip()] if isinstance(classes, str) else list(classes)
        where = weights if isinstance(weights, str | Path) else "the network"
        numbers = choose_numbers(wanted, dict(enumerate(self.class_names, start=1)), str(where))
        if not numbers:
            raise InputError("classes: expected at least one class, got none")
        labels = np.array(numbers, np.int64) - 1
        if isinstance(self.runtime, Detector):
            self.runtime.keep_only(labels.tolist())
        return labels

    def prepare(self, image: Any, bgr: bool = False) -> PreparedImage:
        """Bring one image to the network's input size.

        Args:
            image: As of `__call__`.
            bgr: As of `__call__`.
        """
        image = as_rgb(image, bgr)
        source_size = (image.shape[1], image.shape[0])
        placement = Placement.of(source_size, self.input_format.for_source(source_size))
        pixels = placement.draw(image, self.input_format.padding)
        return PreparedImage(pixels, placement, None if self._embedder is None else image)

    def warm_up(self, source_size: tuple[int, int]) -> None:
        """Load, convert and compile what sources of this (width, height) need, so that the first frame is quick."""
        self([np.zeros((source_size[1], source_size[0], 3), np.uint8)])

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
                if self._kept is not None:
                    kept &= np.isin(labels, self._kept)
                if self.nms_iou < 1:
                    kept = suppress(boxes, labels, kept.nonzero()[0], self.nms_iou)[: self.max_detections]
                boxes = boxes[kept]
                vectors = embeddings[kept] if embeddings.shape[1] else None
                if self._embedder is not None and image.source is not None:
                    vectors = self._embedder(image.source, boxes)
                detections.append(Detections(boxes, scores[kept], labels[kept], vectors))
        return detections


def _open(weights: str | Path | CenterNetwork) -> Weights | ExportedFile | None:
    """Return what is known of weights; None for a graph of another project."""
    if not is_exported(weights):
        return open_weights(weights)
    if Path(weights).suffix in DETECTOR_FORMATS:
        return find_exported(weights)
    return read_exported(weights)


def _own_input_format(options: dict[str, Any], weights: object, image_size: tuple[int, int] | None) -> InputFormat:
    """Return what our own network sees, at its own size or at the one asked for."""
    try:
        input_format: InputFormat = build(InputFormat, "input_format", options)
    except InputError as error:
        raise InputError(f"{weights}: its input_format cannot be used: {error}") from error
    if image_size is None:
        return input_format
    resize = "letterbox" if input_format.resize == "keep" else input_format.resize
    return replace(input_format, size=image_size, resize=resize, adapts=False)

"""A detector of another project as a runtime: pixels in, boxes in pixels of its input out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from centertrack.configuration import build
from centertrack.geometry import STRIDE, InputFormat
from centertrack.runtime.contract import Array, RawDetections
from centertrack.runtime.detectors.family import GREY, Candidates, Family, Signature
from centertrack.runtime.detectors.options import DetectorOptions, names_in, size_in, stride_in
from centertrack.runtime.detectors.registry import choose_family
from centertrack.runtime.network_file import NetworkFile, open_network
from centertrack.runtime.pixels import ImageInput, PixelFormat
from centertrack.runtime.suppression import suppress
from tracker.errors import InputError
from tracker.wording import counted

DETECTOR_FORMATS = (".onnx", ".xml")
DEFAULT_SIZE = (640, 640)  # of an input that may have any, to find out the family


class Detector:
    """Executes a detector of another project.

    Args:
        weights: `.onnx`, or `.xml` with a `.bin` beside it.
        options: Fields of `DetectorOptions`.
        runtime: `auto`, or one that can execute the file.
        device: `cpu` or `cuda[:INDEX]`.
        image_size: Width and height that a user asked for, or None.
        min_score: Boxes below are not read.
        max_detections: Boxes kept per image, the best ones.
        streams: Calls worth making at the same time, where the runtime can.
        precision: See `choose.PRECISIONS`; `auto` is f32.

    Attributes:
        name: What executes it.
        precision: In which it computes.
        streams: Calls worth making at the same time.
        input_format: What it sees; how its pixels are scaled is its own matter.
        class_names: Name of each label; empty where nothing tells how many there are.
        tells_classes: Whether boxes may be of several classes.

    Raises:
        InputError: The file cannot be read, its kind cannot be told, or an option does not fit it.
    """

    def __init__(
        self,
        weights: str | Path,
        options: Mapping[str, Any] | None = None,
        runtime: str = "auto",
        device: str = "cpu",
        image_size: tuple[int, int] | None = None,
        min_score: float = 0.0,
        max_detections: int = 300,
        streams: int = 1,
        precision: str = "auto",
    ) -> None:
        given: DetectorOptions = build(DetectorOptions, "the detector", options or {})
        self._file = open_network(Path(weights), runtime, device, streams, precision)
        self.name, self.streams, self.precision = self._file.name, self._file.streams, self._file.precision
        self._image_place, self._image = _image_input(self._file)
        self._min_score, self._max_detections = min_score, max_detections
        names = given.names() or names_in(self._file.metadata)
        own_size = _full(self._image.size)
        size = image_size or own_size or size_in(self._file.metadata)
        try:
            self._family = self._choose_family(given, size or DEFAULT_SIZE, names)
        except InputError as error:
            if image_size in (None, own_size) or own_size is None:
                raise
            made = f"was made for images of {own_size[0]}x{own_size[1]}, and does not work at another size"
            raise InputError(f"{weights}: {made}: leave out the image size, or export it again") from error
        self._pixels = given.change(self._family.pixels)
        self._check_pixels(given)
        self._nms_iou = self._family.nms_iou if given.nms_iou is None else float(given.nms_iou)
        self.class_names = _class_names(self._file.path, names, self._family.class_count)
        self._kept = given.kept(self.class_names)
        self.tells_classes = len(self._kept or self.class_names) != 1
        self.input_format = self._input_format(given, size or self._family.size, image_size)

    def __call__(self, images: Array) -> RawDetections:
        """Find objects in (N, H, W, 3) uint8 RGB images of one size.

        Returns:
            K boxes an image, by falling score; where an image has fewer the rest have no size and score 0.
        """
        found = [self._detect(image) for image in images]
        count = max(len(one.scores) for one in found)
        boxes = np.zeros((len(found), count, 4), np.float32)
        scores, labels = np.zeros((len(found), count), np.float32), np.zeros((len(found), count), np.int64)
        for row, one in enumerate(found):
            boxes[row, : len(one.boxes)] = one.boxes
            scores[row, : len(one.scores)], labels[row, : len(one.labels)] = one.scores, one.labels
        return RawDetections(boxes, scores, labels, np.zeros((len(found), count, 0), np.float32))

    def keep_only(self, labels: list[int]) -> None:
        """Leave out all labels but these, before boxes are counted and suppressed.

        Raises:
            InputError: The options of the detector have chosen classes, and none of these.
        """
        kept = [label for label in labels if label in (self._kept or labels)]
        if not kept:
            raise InputError(
                "the detector's option classes leaves out all of the classes that are chosen; leave it out"
            )
        self._kept = kept

    def _detect(self, image: Array) -> Candidates:
        size = (image.shape[1], image.shape[0])
        found = self._family.read(self._execute(image), size)
        usable = np.isfinite(found.boxes).all(axis=1) & np.isfinite(found.scores) & (found.labels >= 0)
        usable &= found.scores >= self._min_score
        if self._kept:
            usable &= np.isin(found.labels, self._kept)
        rows = usable.nonzero()[0]
        rows = rows[np.argsort(-found.scores[rows], kind="stable")]
        if self._nms_iou < 1 and len(rows):
            rows = suppress(found.boxes, found.labels, rows, self._nms_iou)
        rows = rows[: self._max_detections]
        return Candidates(found.boxes[rows], found.scores[rows], found.labels[rows])

    def _execute(self, image: Array) -> list[Array]:
        values = self._family.further_inputs((image.shape[1], image.shape[0]))
        values.insert(self._image_place, self._image.array([image], self._pixels))
        return [_single(output) for output in self._file(values)]

    def _choose_family(self, given: DetectorOptions, size: tuple[int, int], names: tuple[str, ...]) -> Family:
        """Find out what the file is when it sees images of this (width, height)."""
        others = [port for place, port in enumerate(self._file.inputs) if place != self._image_place]
        shapes = [tuple(1 if length is None else length for length in port.shape) for port in self._file.inputs]
        grey = self._image.array([np.full((size[1], size[0], 3), GREY, np.uint8)], PixelFormat())
        shapes[self._image_place] = grey.shape

        @cache
        def blank() -> list[Array]:
            return [_single(output) for output in self._file([grey])]

        outputs = self._file.outputs_for(shapes)
        signature = Signature(tuple(others), outputs, self._file.metadata, size, names, blank)
        return choose_family(self._file.path, self._file.inputs[self._image_place], signature, given.family)

    def _check_pixels(self, given: DetectorOptions) -> None:
        if self._image.dtype == np.uint8 and (given.scale, given.mean, given.std) != (None, None, None):
            raise InputError(
                f"{self._file.path}: takes pixels as they are (uint8); leave out scale, mean and std, which are inside"
            )

    def _input_format(
        self, given: DetectorOptions, size: tuple[int, int], image_size: tuple[int, int] | None
    ) -> InputFormat:
        may_vary = None in self._image.size and image_size is None
        return InputFormat(
            size=size,
            resize=given.resize or self._family.resize,
            padding=self._family.padding if given.padding is None else float(given.padding),
            adapts=may_vary,
            stride=(stride_in(self._file.metadata) or STRIDE) if may_vary else 1,
        )


def _image_input(file: NetworkFile) -> tuple[int, ImageInput]:
    """Return which input takes the image, and how."""
    found = [
        (place, ImageInput(port.shape, port.dtype))
        for place, port in enumerate(file.inputs)
        if ImageInput(port.shape, port.dtype).is_image
    ]
    if len(found) != 1:
        raise InputError(
            f"{file.path}: is no detector that can be used here: expected one input for images, (1, 3, H, W) or "
            f"(1, H, W, 3), found {', '.join(map(str, file.inputs))}"
        )
    return found[0]


def _full(size: tuple[int | None, int | None]) -> tuple[int, int] | None:
    width, height = size
    return (width, height) if width and height else None


def _single(values: Array) -> Array:
    """Return half precision as single, and anything else as it is."""
    return values.astype(np.float32) if values.dtype == np.float16 else values


def _class_names(path: Path, names: tuple[str, ...], count: int | None) -> list[str]:
    """Return a name for each class; numbers where there are no names.

    Raises:
        InputError: There are more or fewer names than classes.
    """
    if names and count is not None and len(names) != count:
        raise InputError(
            f"{path}: its outputs have {counted(count, 'class', 'classes')}, but "
            f"{counted(len(names), 'is', 'are')} named: {', '.join(names[:9])}"
        )
    return list(names) or [f"class {i}" for i in range(count or 0)]

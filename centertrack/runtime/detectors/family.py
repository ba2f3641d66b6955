"""What a family of detectors has in common: how its files are told from others, and how boxes are read from outputs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from centertrack.runtime.network_file import Port
from centertrack.runtime.pixels import PixelFormat

Array = NDArray[Any]
GREY = 114  # of the padding, as ultralytics and YOLOX have it
USUAL_TASKS = ("", "detect", "segment", "pose")  # of ultralytics, whose outputs have upright boxes


class Candidates(NamedTuple):
    """Boxes that a detector gives for one image, in any order.

    Attributes:
        boxes: (M, 4) float32 xyxy in input pixels.
        scores: (M,) float32 in [0, 1].
        labels: (M,) int64, from 0.
    """

    boxes: Array
    scores: Array
    labels: Array


@dataclass(frozen=True)
class Signature:
    """What is known of a graph before it has seen an image.

    Attributes:
        inputs: Beside the image.
        outputs: At the size below.
        metadata: Of the file.
        size: Width and height of the image it takes.
        names: Of the classes, empty where nothing says.
        blank: Returns the outputs for a grey image.
    """

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    metadata: Mapping[str, Any]
    size: tuple[int, int]
    names: tuple[str, ...]
    blank: Callable[[], list[Array]]

    def find(self, rank: int, last: int | None = None, whole: bool | None = None) -> int | None:
        """Return the place of the one output of a rank.

        Args:
            rank: Number of axes.
            last: Length of the last axis; None: any.
            whole: Whether its numbers are whole; None: either.

        Returns:
            None if there is none, or several.
        """
        places = [
            place
            for place, port in enumerate(self.outputs)
            if len(port.shape) == rank
            and (last is None or port.shape[-1] == last)
            and (whole is None or whole == (port.dtype.kind in "iu"))
        ]
        return places[0] if len(places) == 1 else None

    def find_all(self, *wanted: tuple[int, int | None, bool]) -> tuple[int, ...]:
        """Return the places of several outputs, each by `find`'s arguments; () if one of them is missing."""
        places = [self.find(*each) for each in wanted]
        return tuple(place for place in places if place is not None) if None not in places else ()

    def says(self, name: str) -> str:
        """Return an entry of the metadata in small letters, "" where there is none."""
        return str(self.metadata.get(name, "")).lower()


class Family(ABC):
    """Reads the outputs of one kind of detector.

    Args:
        signature: Of a graph that `fits`.

    Attributes:
        name: For `--detector-option family=NAME`.
        expects: Its outputs in words.
        pixels, resize, padding: What the images were in its training.
        size: Width and height of the input where neither the file nor the user says.
        nms_iou: Of two boxes of one class with a higher IoU the one with the lower score goes; 1 where the graph itself
            gives every object once.
        class_count: None where the outputs do not tell.
        inputs: What the graph takes beside the image.
    """

    name: ClassVar[str]
    expects: ClassVar[str]
    pixels: PixelFormat = PixelFormat()
    resize: ClassVar[str] = "letterbox"
    padding: ClassVar[float] = GREY
    size: ClassVar[tuple[int, int]] = (640, 640)
    nms_iou: ClassVar[float] = 1.0
    class_count: int | None = None

    def __init__(self, signature: Signature) -> None:
        self.inputs = signature.inputs

    @classmethod
    def fits(cls, signature: Signature) -> bool:
        """Whether a graph is of this family, as far as its inputs, outputs and metadata tell."""
        return cls.has_shapes(signature)

    @classmethod
    @abstractmethod
    def has_shapes(cls, signature: Signature) -> bool:
        """Whether the outputs of a graph can be read at all if a user says that it is of this family."""

    @abstractmethod
    def read(self, outputs: Sequence[Array], size: tuple[int, int]) -> Candidates:
        """Return the boxes of one image.

        Args:
            outputs: Of the graph.
            size: Width and height of the image it has seen.
        """

    def further_inputs(self, size: tuple[int, int]) -> list[Array]:
        """Return the values of the inputs beside an image of this (width, height)."""
        return []


class TableFamily(Family):
    """A family whose boxes are the rows, or columns, of one output (1, A, B) of a graph that takes the image alone."""

    def __init__(self, signature: Signature) -> None:
        super().__init__(signature)
        self._place = signature.find(3)

    @staticmethod
    def table(signature: Signature) -> tuple[int, int]:
        """Return A and B; (0, 0) for a graph without such an output."""
        place = signature.find(3)
        if place is None or signature.inputs or signature.outputs[place].shape[0] != 1:
            return 0, 0
        first, second = signature.outputs[place].shape[1:]
        return (first, second) if first and second else (0, 0)

    def rows(self, outputs: Sequence[Array]) -> Array:
        """Return the output (A, B) of one image."""
        rows: Array = outputs[self._place or 0][0]
        return rows


def best_class(boxes: Array, class_scores: Array) -> Candidates:
    """Give every box the class that scores highest.

    Args:
        boxes: (M, 4) xyxy.
        class_scores: (M, C).
    """
    labels = class_scores.argmax(axis=1)
    return Candidates(boxes, np.take_along_axis(class_scores, labels[:, None], axis=1)[:, 0], labels)


def corners_of_cxcywh(boxes: Array) -> Array:
    """Turn (M, 4) centre x, centre y, width, height into xyxy.

    >>> corners_of_cxcywh(np.array([[10.0, 20.0, 4.0, 8.0]])).tolist()
    [[8.0, 16.0, 12.0, 24.0]]
    """
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)

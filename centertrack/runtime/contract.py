"""What the application asks of a runtime: one call from pixels to arrays.

A runtime is a callable (N, H, W, 3) uint8 RGB -> `RawDetections`. It prepares itself for every new shape once, and may
be called from as many threads as it has streams.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

Array = NDArray[Any]
CANDIDATES = 3  # boxes read for each that may be kept, where overlapping ones are suppressed


@dataclass(frozen=True)
class DecodeOptions:
    """How boxes are read from the network's maps.

    Attributes:
        max_detections: K, boxes kept per image.
        nms_kernel: Odd side, in cells, of the neighbourhood in which only the highest peak counts.
    """

    max_detections: int = 300
    nms_kernel: int = 3

    @classmethod
    def of_weights(
        cls, config: Mapping[str, Any], max_detections: int = 300, nms_kernel: int | None = None
    ) -> DecodeOptions:
        """Return how the boxes of certain weights are read.

        Where overlapping boxes are suppressed afterwards (`nms_iou`), every cell is a candidate, since neighbouring
        cells may see two people, and more of them are read than are kept.

        Args:
            config: Options of the `CenterNetwork`.
            max_detections: Objects kept per image.
            nms_kernel: As the attribute; None: 1 where boxes are suppressed, else 3.
        """
        suppresses = config.get("nms_iou", 1.0) < 1
        kernel = nms_kernel if nms_kernel is not None else 1 if suppresses else 3
        return cls(max_detections * CANDIDATES if suppresses else max_detections, kernel)


class RawDetections(NamedTuple):
    """The K best objects of every image, by falling score.

    Attributes:
        boxes: (N, K, 4) float32 xyxy in input pixels.
        scores: (N, K) float32 in [0, 1].
        labels: (N, K) int64.
        embeddings: (N, K, D) float32 unit rows; D = 0 for a network without a re-identification head.
    """

    boxes: Array
    scores: Array
    labels: Array
    embeddings: Array


class Runtime(Protocol):
    """Executes one network.

    Attributes:
        name: One of `choose.RUNTIMES`.
        streams: Calls worth making at the same time.
        precision: In which it computes, one of `choose.PRECISIONS` but `auto`.
    """

    name: str
    streams: int
    precision: str

    def __call__(self, images: Array) -> RawDetections:
        """Find objects in (N, H, W, 3) uint8 RGB images whose sides are divisible by 32."""

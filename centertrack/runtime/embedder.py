"""Where the embeddings of detections come from if the detector gives none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from centertrack.runtime.crops import CropNetwork
from centertrack.runtime.exported import FORMATS, device_for
from centertrack.runtime.reid_map import ReidMap
from tracker.errors import InputError
from tracker.io.reading import is_file

Array = NDArray[Any]


class Embedder(Protocol):
    """Describes the appearance of boxes."""

    def __call__(self, image: Array, boxes: Array) -> Array:
        """Return (N, D) float32 embeddings of boxes (N, 4) xyxy in the pixels of an image (H, W, 3) uint8 RGB."""


def open_embedder(
    source: str | Path, options: Mapping[str, Any] | None = None, device: str = "cpu", streams: int = 1
) -> Embedder:
    """Return what makes embeddings.

    Args:
        source: Our own weights with a re-identification head, by name or as a file; or a network of crops, `.onnx` or
            `.xml`.
        options: Of a network of crops, see `CropNetwork`.
        device: `cpu`, `cuda[:INDEX]` or `mps`: of the detector. A network of crops is executed there if it can be; our
            own head is read on the CPU in any case.
        streams: Calls worth making at the same time, where the runtime can.

    Raises:
        InputError: There is no such source, or an option does not belong to it.
    """
    if Path(source).suffix in FORMATS:
        path = Path(source)
        return CropNetwork(path, options, device=device_for(path, device) if is_file(path) else "cpu", streams=streams)
    if options:
        raise InputError(f"embeddings: {source} has no options, got {', '.join(options)}; a network of crops has")
    return ReidMap(str(source), streams)

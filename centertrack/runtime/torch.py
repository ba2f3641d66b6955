"""Networks executed by PyTorch."""

from __future__ import annotations

import numpy as np
import torch

from centertrack.models.network import CenterNetwork
from centertrack.runtime.contract import Array, DecodeOptions, RawDetections
from centertrack.runtime.graph import DetectionGraph


class TorchRuntime:
    """Executes with PyTorch, on a CPU or a GPU.

    Args:
        model: In evaluation mode; it is moved to the device.
        device: `cpu`, `cuda[:INDEX]` or `mps`.
        decoding: How boxes are read from its maps.
        precision: `f32`, or `f16` for convolutions and products in half precision.
    """

    name = "torch"
    streams = 1

    def __init__(self, model: CenterNetwork, device: str, decoding: DecodeOptions, precision: str = "f32") -> None:
        self.precision = precision
        self._device = torch.device(device)
        self._graph = DetectionGraph(model, decoding).to(self._device).eval()

    def __call__(self, images: Array) -> RawDetections:
        """Find objects in (N, H, W, 3) uint8 RGB images."""
        half = torch.autocast(self._device.type, torch.float16, enabled=self.precision == "f16")
        with torch.inference_mode(), half:
            found = self._graph(torch.from_numpy(np.ascontiguousarray(images)).to(self._device))
            return RawDetections(*(values.cpu().numpy() for values in found))

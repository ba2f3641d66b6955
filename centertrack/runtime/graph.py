"""Everything between pixels and boxes as one graph: what every runtime executes and every export writes."""

from __future__ import annotations

from torch import Tensor, nn
from typing_extensions import override

from centertrack.decode import Detection2D
from centertrack.models.network import CenterNetwork
from centertrack.runtime.contract import DecodeOptions


class DetectionGraph(nn.Module):
    """A network with its normalisation before it and its peaks, top-k and gathering behind it.

    Args:
        model: The network, in evaluation mode.
        decoding: How many boxes are returned per image, and what a peak is.
    """

    def __init__(self, model: CenterNetwork, decoding: DecodeOptions | None = None) -> None:
        super().__init__()
        self.model = model
        self.decoding = decoding or DecodeOptions.of_weights(model.config)

    @override
    def forward(self, images: Tensor) -> Detection2D:
        """Find the K best objects of every image.

        Args:
            images: (N, H, W, 3) uint8 RGB; H and W divisible by 32.

        Returns:
            Boxes (N, K, 4) xyxy in input pixels, scores (N, K), labels (N, K), embeddings (N, K, D).
        """
        x = self.model.normalize(images.permute(0, 3, 1, 2))  # (N, 3, H, W)
        return self.model.detect(x, self.decoding.max_detections, self.decoding.nms_kernel)

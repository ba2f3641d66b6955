"""Everything between pixels and boxes as one graph: what every runtime executes and every export writes."""

from __future__ import annotations

from torch import Tensor, nn

from centertrack.models import CenterNet
from centertrack.models.centernet import Detection2D


class DetectionGraph(nn.Module):
    """A network with its normalisation before it and its peaks, top-k and gathering behind it.

    Args:
        model: The network, in evaluation mode.
        max_detections: K, boxes returned per image.
    """

    def __init__(self, model: CenterNet, max_detections: int = 300) -> None:
        super().__init__()
        self.model = model
        self.max_detections = max_detections

    def forward(self, images: Tensor) -> Detection2D:
        """Find the K best objects of every image.

        Args:
            images: (N, H, W, 3) uint8 RGB; H and W divisible by 32.

        Returns:
            Boxes (N, K, 4) xyxy in input pixels, scores (N, K), labels (N, K), embeddings (N, K, D).
        """
        x = self.model.normalize(images.permute(0, 3, 1, 2))  # (N, 3, H, W)
        return self.model.detect(x, self.max_detections)

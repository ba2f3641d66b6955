"""Output heads: layers and their initialisation; what a value means is said here, how it is decoded in `decode.py`."""

from __future__ import annotations

from torch import Tensor, nn

from centertrack.models.layers import conv_block

FOCAL_PRIOR_BIAS = -2.19  # logit of about 0.1, the prior of CornerNet and CenterNet


class BaseHead(nn.Module):
    """A few 3x3 convolutions, then 1x1 to the output channels.

    Args:
        in_channels: Channels of the neck's map.
        out_channels: Channels out.
        width: Channels in between.
        depth: Number of 3x3 convolutions. With `conv_type="plain"` they have a bias and no batch norm, as published.
        conv_type: `plain`, or one of `layers.conv_block`.
        init_bias: Start value of the last layer's bias; None leaves PyTorch's.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        width: int = 256,
        depth: int = 1,
        conv_type: str = "plain",
        init_bias: float | None = None,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for i in range(depth):
            channels = in_channels if i == 0 else width
            if conv_type == "plain":
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
            else:
                layers.append(conv_block(channels, width, conv_type))
        last = nn.Conv2d(width if depth else in_channels, out_channels, 1)
        if init_bias is not None:
            nn.init.constant_(last.bias, init_bias)
        self.layers = nn.Sequential(*layers, last)
        self.out_channels = out_channels

    def forward(self, features: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H, W)."""
        return self.layers(features)


class HeatmapHead(BaseHead):
    """Logits of the probability that an object of a class has its centre in a cell.

    Args:
        in_channels: Channels of the neck's map.
        num_classes: Channels out.
        width, depth, conv_type: See `BaseHead`.
        init_bias: Logit of the prior; -2.19 is a probability of about 0.1.

    >>> HeatmapHead(64, 2).out_channels
    2
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        width: int = 256,
        depth: int = 1,
        conv_type: str = "plain",
        init_bias: float = FOCAL_PRIOR_BIAS,
    ) -> None:
        super().__init__(in_channels, num_classes, width, depth, conv_type, init_bias)
        nn.init.normal_(self.layers[-1].weight, std=1e-2)


class Box2DHead(BaseHead):
    """Distances left, top, right, bottom from the cell centre, in cells, before clamping at 0.

    Args:
        in_channels: Channels of the neck's map.
        width, depth, conv_type: See `BaseHead`.
        init_bias: Positive, because the clamp at 0 has no gradient below it.
        box_multiplier: The layer's output times this is the distance in cells; 16 lets small weights reach large boxes.
    """

    def __init__(
        self,
        in_channels: int,
        width: int = 256,
        depth: int = 1,
        conv_type: str = "plain",
        init_bias: float | None = 10.0,
        box_multiplier: float = 1.0,
    ) -> None:
        bias = None if init_bias is None else init_bias / box_multiplier
        super().__init__(in_channels, 4, width, depth, conv_type, bias)
        self.box_multiplier = box_multiplier

    def forward(self, features: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, 4, H, W), l t r b in cells."""
        return super().forward(features) * self.box_multiplier


class ReIDHead(BaseHead):
    """Appearance embedding of the object centred in a cell, not yet normalised to unit length.

    Args:
        in_channels: Channels of the neck's map.
        embedding_dim: Channels out. FairMOT's paper argues for 64; its published weights have 128.
        width, depth, conv_type: See `BaseHead`.
    """

    def __init__(
        self, in_channels: int, embedding_dim: int = 64, width: int = 256, depth: int = 1, conv_type: str = "plain"
    ) -> None:
        super().__init__(in_channels, embedding_dim, width, depth, conv_type, init_bias=0.0)

"""MobileNetV2 (arXiv 1801.04381) without batch norm: convolutions with a bias, as networks for inference have them.

A batch norm after a convolution is a factor and a shift per channel, and published inference networks have both folded
into the convolution. This is that network, so that such weights can be read, used and trained further. Unlike the
paper's, its first block expands its channels too, by a 1x1 convolution of as many channels in as out.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from typing_extensions import override

STEM = 32
# (expansion, channels out, stride of the first) of the blocks; a stage ends before each block of stride 2
STAGES = (
    ((1, 16, 1),),
    ((6, 24, 2), (6, 24, 1)),
    ((6, 32, 2), (6, 32, 1), (6, 32, 1)),
    ((6, 64, 2), *[(6, 64, 1)] * 3, *[(6, 96, 1)] * 3),
    ((6, 160, 2), (6, 160, 1), (6, 160, 1), (6, 320, 1)),
)
CHANNELS = tuple(stage[-1][1] for stage in STAGES)


class InvertedResidual(nn.Module):
    """Expand by 1x1, convolve each channel by 3x3, project by 1x1; add the input where the shapes agree.

    Args:
        in_channels: Channels in.
        out_channels: Channels out.
        stride: Of the 3x3 convolution.
        expansion: Channels in between over channels in.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        width = in_channels * expansion
        self.layers = nn.Sequential(
            nn.Conv2d(in_channels, width, 1),
            nn.ReLU6(inplace=True),
            nn.Conv2d(width, width, 3, stride, 1, groups=width),
            nn.ReLU6(inplace=True),
            nn.Conv2d(width, out_channels, 1),
        )
        self.adds = stride == 1 and in_channels == out_channels

    @override
    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H / stride, W / stride)."""
        return x + self.layers(x) if self.adds else self.layers(x)


class FusedMobileNetV2(nn.Module):
    """The feature part of MobileNetV2 as five stages of strides 2, 4, 8, 16 and 32.

    Its channels are those of `CHANNELS`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stages = nn.ModuleList()
        before = STEM
        for i, blocks in enumerate(STAGES):
            widths = [before, *(channels for _, channels, _ in blocks)]
            units: list[nn.Module] = [
                InvertedResidual(a, b, stride, expansion)
                for (a, b), (expansion, _, stride) in zip(pairwise(widths), blocks, strict=True)
            ]
            stem = [nn.Conv2d(3, STEM, 3, 2, 1), nn.ReLU6(inplace=True)] if i == 0 else []
            self.stages.append(nn.Sequential(*stem, *units))
            before = widths[-1]

    @override
    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, 3, H, W) -> maps of stride 2, 4, 8, 16, 32."""
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features

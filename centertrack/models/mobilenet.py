"""MobileNetV2 (arXiv 1801.04381) without batch norm: convolutions with a bias, as networks for inference have them.

A batch norm after a convolution is a factor and a shift per channel, and published inference networks have both folded
into the convolution. This is that network, so that such weights can be read, used and trained further. Unlike the
paper's, its first block expands its channels too, by a 1x1 convolution of as many channels in as out.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from typing_extensions import override

from tracker.errors import InputError

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
BLOCKS = sum(map(len, STAGES))


class InvertedResidual(nn.Module):
    """Expand by 1x1, convolve each channel by 3x3, project by 1x1; add the input where the shapes agree.

    Args:
        in_channels: Channels in.
        out_channels: Channels out.
        stride: Of the 3x3 convolution.
        width: Channels in between.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, width: int) -> None:
        super().__init__()
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

    Args:
        widths: Channels in between, of each of the 17 blocks; None: the paper's. Fewer make a network that
            `tools/prune_channels.py` fills from one of the paper's widths.

    Raises:
        InputError: Not as many widths as blocks, or a width below 1.
    """

    def __init__(self, widths: Sequence[int] | None = None) -> None:
        super().__init__()
        if widths is not None and (len(widths) != BLOCKS or min(widths) < 1):
            raise InputError(f"expected {BLOCKS} widths of MobileNetV2's blocks, each at least 1, got {list(widths)}")
        narrowed = iter(widths or ())
        self.stages = nn.ModuleList()
        before = STEM
        for i, blocks in enumerate(STAGES):
            channels = [before, *(after for _, after, _ in blocks)]
            units: list[nn.Module] = [
                InvertedResidual(a, b, stride, next(narrowed, a * expansion))
                for (a, b), (expansion, _, stride) in zip(pairwise(channels), blocks, strict=True)
            ]
            stem = [nn.Conv2d(3, STEM, 3, 2, 1), nn.ReLU6(inplace=True)] if i == 0 else []
            self.stages.append(nn.Sequential(*stem, *units))
            before = channels[-1]

    @override
    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, 3, H, W) -> maps of stride 2, 4, 8, 16, 32."""
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features

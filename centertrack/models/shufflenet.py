"""ShuffleNetV2 (arXiv 1807.11164), the smallest backbone: the one below the shipped `fairmot-nano`.

The paper's unit splits the channels in halves and shuffles after the concatenation. Here the unit splits them by parity
(even channels pass through, odd ones take the branch) and concatenates without a shuffle: the same network up to a
renaming of channels, and the layout in which pretrained weights of small detectors are published.

`FusedShuffleNet` is the paper's layout again, with what batch norms did folded into the convolutions, as the small
detectors are published for inference.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import override

WIDTHS = {
    "x0.5": (24, 48, 96, 192),
    "x0.8": (24, 96, 192, 384),  # not of the paper: two x0.5 side by side, joined by their 1x1 convolutions
    "x1.0": (24, 116, 232, 464),
    "x1.5": (24, 176, 352, 704),
}
GROUPS = {"x0.8": 2}
REPEATS = (4, 8, 4)


class ShuffleUnit(nn.Module):
    """One unit: half of the channels pass, half are convolved; with stride 2 both halves are convolved.

    Args:
        in_channels: Channels in; must equal `out_channels` for stride 1.
        out_channels: Channels out, an even number.
        stride: 1 or 2.
        groups: The channels are so many times the channels of a narrower unit; each part is shuffled like that unit's.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, groups: int = 1) -> None:
        super().__init__()
        self.stride, self.groups = stride, groups
        half = out_channels // 2
        main_in = in_channels if stride == 2 else in_channels // 2
        self.branch_main = nn.Sequential(
            nn.Conv2d(main_in, half, 1, bias=False),
            nn.BatchNorm2d(half),
            nn.ReLU(inplace=True),
            nn.Conv2d(half, half, 3, stride, 1, groups=half, bias=False),
            nn.BatchNorm2d(half),
            nn.Conv2d(half, half, 1, bias=False),
            nn.BatchNorm2d(half),
            nn.ReLU(inplace=True),
        )
        if stride == 2:
            self.branch_proj = nn.Sequential(
                nn.Conv2d(in_channels, in_channels, 3, stride, 1, groups=in_channels, bias=False),
                nn.BatchNorm2d(in_channels),
                nn.Conv2d(in_channels, half, 1, bias=False),
                nn.BatchNorm2d(half),
                nn.ReLU(inplace=True),
            )

    @override
    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H / stride, W / stride)."""
        if self.stride == 2:
            return self._join(self.branch_proj(x), self.branch_main(x))
        passing, main = F.channel_shuffle(x, x.shape[1] // 2).chunk(2, dim=1)  # even channels, odd channels
        return self._join(passing, self.branch_main(main))

    def _join(self, first: Tensor, second: Tensor) -> Tensor:
        if self.groups == 1:
            return torch.cat((first, second), dim=1)
        pairs = zip(first.chunk(self.groups, dim=1), second.chunk(self.groups, dim=1), strict=True)
        return torch.cat([part for pair in pairs for part in pair], dim=1)


class ShuffleNet(nn.Module):
    """The feature part of ShuffleNetV2, under the names of its published weights: what `ShuffleNetBackbone` is made of.

    Args:
        width: `x0.5`, `x0.8`, `x1.0` or `x1.5`.

    Attributes:
        out_channels: Channels of the five maps.
    """

    def __init__(self, width: str = "x0.5") -> None:
        super().__init__()
        channels = WIDTHS[width]
        self.out_channels = (channels[0], *channels)
        self.first_conv = nn.Sequential(
            nn.Conv2d(3, channels[0], 3, 2, 1, bias=False), nn.BatchNorm2d(channels[0]), nn.ReLU(inplace=True)
        )
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        groups = GROUPS.get(width, 1)
        stages = []
        for before, after, repeats in zip(channels[:-1], channels[1:], REPEATS, strict=True):
            units = [ShuffleUnit(before if i == 0 else after, after, 1 if i else 2, groups) for i in range(repeats)]
            stages.append(nn.Sequential(*units))
        self.stage2, self.stage3, self.stage4 = stages


SLOPE = 0.1  # of the activation of `FusedShuffleNet` below 0


class FusedShuffleUnit(nn.Module):
    """One unit in the paper's layout, of convolutions with a bias: split in halves, convolve, join, shuffle.

    Args:
        in_channels: Channels in; must equal `out_channels` for stride 1.
        out_channels: Channels out, an even number.
        stride: 1 or 2.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        half = out_channels // 2
        self.branch_main = nn.Sequential(
            nn.Conv2d(in_channels if stride == 2 else half, half, 1),
            nn.LeakyReLU(SLOPE, inplace=True),
            nn.Conv2d(half, half, 3, stride, 1, groups=half),
            nn.Conv2d(half, half, 1),
            nn.LeakyReLU(SLOPE, inplace=True),
        )
        self.branch_proj = (
            nn.Sequential(
                nn.Conv2d(in_channels, in_channels, 3, stride, 1, groups=in_channels),
                nn.Conv2d(in_channels, half, 1),
                nn.LeakyReLU(SLOPE, inplace=True),
            )
            if stride == 2
            else None
        )

    @override
    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H / stride, W / stride)."""
        passing, main = (self.branch_proj(x), x) if self.branch_proj is not None else x.chunk(2, dim=1)
        return F.channel_shuffle(torch.cat((passing, self.branch_main(main)), dim=1), 2)


class FusedShuffleNet(nn.Module):
    """The feature part of ShuffleNetV2 without batch norm, as five stages of strides 2, 4, 8, 16 and 32.

    Args:
        width: `x0.5`, `x1.0` or `x1.5`.

    Attributes:
        out_channels: Channels of the five maps.
    """

    def __init__(self, width: str = "x1.0") -> None:
        super().__init__()
        channels = WIDTHS[width]
        self.out_channels = (channels[0], *channels)
        stem = nn.Sequential(nn.Conv2d(3, channels[0], 3, 2, 1), nn.LeakyReLU(SLOPE, inplace=True))
        self.stages = nn.ModuleList([stem, nn.MaxPool2d(3, 2, 1)])
        for before, after, repeats in zip(channels[:-1], channels[1:], REPEATS, strict=True):
            units = [FusedShuffleUnit(before if i == 0 else after, after, 1 if i else 2) for i in range(repeats)]
            self.stages.append(nn.Sequential(*units))

    @override
    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, 3, H, W) -> maps of stride 2, 4, 8, 16, 32."""
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features

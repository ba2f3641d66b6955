"""ShuffleNetV2 (arXiv 1807.11164), the smallest backbone: the one below the shipped `fairmot-nano`.

The paper's unit splits the channels in halves and shuffles after the concatenation. Here the unit splits them by parity
(even channels pass through, odd ones take the branch) and concatenates without a shuffle: the same network up to a
renaming of channels, and the layout in which pretrained weights of small detectors are published.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTHS = {"x0.5": (24, 48, 96, 192), "x1.0": (24, 116, 232, 464), "x1.5": (24, 176, 352, 704)}
REPEATS = (4, 8, 4)


class ShuffleUnit(nn.Module):
    """One unit: half of the channels pass, half are convolved; with stride 2 both halves are convolved.

    Args:
        in_channels: Channels in; must equal `out_channels` for stride 1.
        out_channels: Channels out, an even number.
        stride: 1 or 2.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
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

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H / stride, W / stride)."""
        if self.stride == 2:
            return torch.cat((self.branch_proj(x), self.branch_main(x)), dim=1)
        passing, main = F.channel_shuffle(x, x.shape[1] // 2).chunk(2, dim=1)  # even channels, odd channels
        return torch.cat((passing, self.branch_main(main)), dim=1)


class ShuffleNet(nn.Module):
    """The feature part of ShuffleNetV2: stem, max-pool and three stages.

    Args:
        width: `x0.5`, `x1.0` or `x1.5`.
    """

    def __init__(self, width: str = "x0.5") -> None:
        super().__init__()
        channels = WIDTHS[width]
        self.first_conv = nn.Sequential(
            nn.Conv2d(3, channels[0], 3, 2, 1, bias=False), nn.BatchNorm2d(channels[0]), nn.ReLU(inplace=True)
        )
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        stages = []
        for before, after, repeats in zip(channels[:-1], channels[1:], REPEATS, strict=True):
            units = [ShuffleUnit(before, after, 2), *(ShuffleUnit(after, after, 1) for _ in range(repeats - 1))]
            stages.append(nn.Sequential(*units))
        self.stage2, self.stage3, self.stage4 = stages

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, 3, H, W) -> maps of stride 2, 4, 8, 16, 32."""
        features = [self.first_conv(x)]
        for stage in (self.maxpool, self.stage2, self.stage3, self.stage4):
            features.append(stage(features[-1]))
        return features

"""Necks: backbone maps in, one map of stride 4 out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from centertrack.models.layers import Upsample, conv_block
from tracker.errors import InputError

DEFAULT_CHANNELS = (256, 128, 64)


class FPNNeck(nn.Module):
    """Feature pyramid (arXiv 1612.03144) read at its finest level.

    t5 = 1x1(f5); then three times x = 1x1(next shallower map) + up(t), t = conv(x).

    Args:
        in_channels: Channels of the backbone's maps, shallow to deep; the last four are used.
        upsample_channels: Width of the three steps; the last is `out_channels`.
        conv_type: See `layers.conv_block`.
        upsample_type: See `layers.Upsample`.
        weighted_fusion: x = (1x1(f) + w up(t)) / (1 + w) with a learned w >= 0.

    Attributes:
        out_channels: Channels of the map that comes out.
        upsample_stride: 8: how much finer it is than the deepest map in.

    Raises:
        InputError: Fewer than four maps, or not three widths.
    """

    upsample_stride = 8

    def __init__(
        self,
        in_channels: Sequence[int],
        upsample_channels: Sequence[int] = DEFAULT_CHANNELS,
        conv_type: str = "normal",
        upsample_type: str = "nearest",
        weighted_fusion: bool = False,
    ) -> None:
        super().__init__()
        if len(in_channels) < 4:
            raise InputError(f"FPNNeck needs the last 4 backbone maps (return_features=True), got {len(in_channels)}")
        if len(upsample_channels) != 3:
            raise InputError(f"upsample_channels must hold 3 widths, got {list(upsample_channels)}")
        deep_to_shallow = list(in_channels)[:-5:-1]
        widths = list(upsample_channels)
        self.out_channels = widths[-1]
        self.project = nn.Conv2d(deep_to_shallow[0], widths[0], 1)
        self.laterals = nn.ModuleList(nn.Conv2d(c, w, 1) for c, w in zip(deep_to_shallow[1:], widths, strict=True))
        self.upsamples = nn.ModuleList(Upsample(w, upsample_type) for w in widths)
        self.convs = nn.ModuleList(
            conv_block(a, b, conv_type) for a, b in zip(widths, [*widths[1:], widths[-1]], strict=True)
        )
        self.fusion_weights = nn.Parameter(torch.ones(3)) if weighted_fusion else None

    def forward(self, features: list[Tensor]) -> Tensor:
        """Maps of stride ..., 4, 8, 16, 32 -> (N, out_channels, H / 4, W / 4)."""
        deep_to_shallow = features[:-5:-1]
        top = self.project(deep_to_shallow[0])
        for i, (lateral, upsample, conv) in enumerate(zip(self.laterals, self.upsamples, self.convs, strict=True)):
            side = lateral(deep_to_shallow[i + 1])
            above = upsample(top)
            if self.fusion_weights is None:
                fused = side + above
            else:
                weight = self.fusion_weights[i].relu()
                fused = (side + weight * above) / (1 + weight)
            top = conv(fused)
        return top

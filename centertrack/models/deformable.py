"""Deformable convolution, version 2 (arXiv 1811.11168): one layer, two ways to compute it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.ops import deform_conv2d
from typing_extensions import override

from centertrack.models.precision import full_precision

TAPS = 9  # of a 3x3 kernel
OPERATOR_DEVICES = ("cpu", "cuda", "meta")


class DeformableConv2d(nn.Module):
    """A 3x3 convolution of stride 1 that looks, at every cell, at nine places of its own choice.

    Another convolution predicts for each tap an offset (dy, dx) in cells and, with `modulated`, a weight in (0, 1). It
    starts at zero: all taps in their usual places, with weight 0.5.

    Args:
        in_channels: Channels in.
        out_channels: Channels out.
        modulated: Predict the weights too (version 2); without them it is version 1 (arXiv 1703.06211).

    Attributes:
        pure_torch: Compute with `deformable_conv2d` instead of torchvision's operator, for devices and runtimes that
            lack it; see `pure_torch_deformable`.
    """

    def __init__(self, in_channels: int, out_channels: int, modulated: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, 3, 3))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self.conv_offset_mask = nn.Conv2d(in_channels, (3 if modulated else 2) * TAPS, 3, padding=1)
        self.pure_torch = False
        nn.init.kaiming_normal_(self.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(self.conv_offset_mask.weight)
        assert self.conv_offset_mask.bias is not None
        nn.init.zeros_(self.conv_offset_mask.bias)

    @override
    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H, W)."""
        offset_mask = self.conv_offset_mask(x)
        offset = offset_mask[:, : 2 * TAPS]
        mask = offset_mask[:, 2 * TAPS :].sigmoid() if offset_mask.shape[1] > 2 * TAPS else None
        # Half precision places a tap only to a quarter of a cell in column 300: sample in float32 at least.
        exact = torch.promote_types(x.dtype, torch.float32)
        compute = deformable_conv2d if self.pure_torch or x.device.type not in OPERATOR_DEVICES else _operator
        with full_precision(x.device.type):
            out = compute(
                x.to(exact),
                offset.to(exact),
                self.weight.to(exact),
                self.bias.to(exact),
                None if mask is None else mask.to(exact),
            )
        return out.to(offset_mask.dtype)


def _operator(x: Tensor, offset: Tensor, weight: Tensor, bias: Tensor, mask: Tensor | None) -> Tensor:
    return deform_conv2d(x, offset, weight, bias, padding=(1, 1), mask=mask)


def deformable_conv2d(x: Tensor, offset: Tensor, weight: Tensor, bias: Tensor | None, mask: Tensor | None) -> Tensor:
    """Compute a 3x3 deformable convolution with ordinary operations only.

    The nine taps are read by bilinear interpolation, with zeros outside the map, and meet the weights in a 1x1
    convolution: the same numbers as torchvision's operator up to rounding, at a few times its cost and memory.

    Args:
        x: (N, C, H, W).
        offset: (N, 18, H, W): dy, dx in cells for each tap, row by row.
        weight: (D, C, 3, 3).
        bias: (D,) or None.
        mask: (N, 9, H, W), the weight of each tap, or None for 1.

    Returns:
        (N, D, H, W).
    """
    count, channels, height, width = x.shape
    dy, dx = offset.view(count, TAPS, 2, height, width).unbind(dim=2)
    tap = torch.arange(TAPS, device=x.device).view(TAPS, 1, 1)
    row = torch.arange(height, device=x.device).view(height, 1) + tap // 3 - 1  # (9, H, 1)
    column = torch.arange(width, device=x.device) + tap % 3 - 1  # (9, 1, W)
    # grid_sample counts from -1 to 1 between the outer edges of the border cells
    grid = torch.stack(((2 * (column + dx) + 1) / width - 1, (2 * (row + dy) + 1) / height - 1), dim=-1)
    taps = F.grid_sample(x, grid.view(count, TAPS * height, width, 2), align_corners=False)
    taps = taps.view(count, channels, TAPS, height, width)
    if mask is not None:
        taps = taps * mask.unsqueeze(1)
    return F.conv2d(taps.flatten(1, 2), weight.flatten(1)[:, :, None, None], bias)


@contextmanager
def pure_torch_deformable(network: nn.Module) -> Iterator[None]:
    """Let all deformable layers of a network compute without torchvision's operator, for an export that lacks it."""
    layers = [layer for layer in network.modules() if isinstance(layer, DeformableConv2d)]
    before = [layer.pure_torch for layer in layers]
    for layer in layers:
        layer.pure_torch = True
    try:
        yield
    finally:
        for layer, value in zip(layers, before, strict=True):
            layer.pure_torch = value

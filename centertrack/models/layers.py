"""Small building blocks that necks and heads share: convolutions, upsampling, weighted fusion."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import override

from centertrack.models.deformable import DeformableConv2d
from tracker.errors import InputError

CONV_TYPES = ("normal", "separable", "deformable", "instance")
UPSAMPLE_TYPES = ("nearest", "bilinear", "conv_transpose")
DOWNSAMPLE_TYPES = ("max", "average", "conv")


def conv_block(in_channels: int, out_channels: int, conv_type: str = "normal") -> nn.Sequential:
    """Return a 3x3 convolution of stride 1 with batch norm and activation.

    Args:
        in_channels: Channels in.
        out_channels: Channels out.
        conv_type: `normal` (3x3, BN, ReLU), `separable` (depthwise 3x3, BN, ReLU6, pointwise 1x1, BN, ReLU6),
            `deformable` (3x3 of version 2, BN, ReLU; alias `dcn`) or `instance` (3x3, instance norm, ReLU).

    Raises:
        InputError: `conv_type` is not one of these.
    """
    if conv_type == "normal":
        return nn.Sequential(
            _kaiming(nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )
    if conv_type == "separable":
        return nn.Sequential(
            _kaiming(nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False)),
            nn.BatchNorm2d(in_channels),
            nn.ReLU6(inplace=True),
            _kaiming(nn.Conv2d(in_channels, out_channels, 1, bias=False)),
            nn.BatchNorm2d(out_channels),
            nn.ReLU6(inplace=True),
        )
    if conv_type in ("deformable", "dcn"):
        return nn.Sequential(
            DeformableConv2d(in_channels, out_channels), nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True)
        )
    if conv_type == "instance":
        return nn.Sequential(
            _kaiming(nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)),
            nn.GroupNorm(out_channels, out_channels),
            nn.ReLU(inplace=True),
        )
    raise InputError(f"conv_type must be one of {', '.join(CONV_TYPES)}, got {conv_type!r}")


def _kaiming(conv: nn.Conv2d) -> nn.Conv2d:
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


class Upsample(nn.Module):
    """Double the height and width of a map.

    Args:
        channels: Channels in and out.
        upsample_type: `nearest`, `bilinear`, or `conv_transpose` (learned, initialised as bilinear, with BN and ReLU).
        kernel: Kernel of the transposed convolution.

    Raises:
        InputError: `upsample_type` is not one of these.
    """

    def __init__(self, channels: int, upsample_type: str = "nearest", kernel: int = 4) -> None:
        super().__init__()
        if upsample_type not in UPSAMPLE_TYPES:
            raise InputError(f"upsample_type must be one of {', '.join(UPSAMPLE_TYPES)}, got {upsample_type!r}")
        self.mode = upsample_type
        if upsample_type == "conv_transpose":
            output_padding = kernel % 2
            padding = (kernel + output_padding) // 2 - 1
            self.conv = nn.ConvTranspose2d(
                channels, channels, kernel, stride=2, padding=padding, output_padding=output_padding, bias=False
            )
            initialise_bilinear(self.conv)
            self.norm = nn.BatchNorm2d(channels)

    @override
    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, 2H, 2W)."""
        if self.mode == "conv_transpose":
            return F.relu(self.norm(self.conv(x)))
        if self.mode == "bilinear":
            return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
        return F.interpolate(x, scale_factor=2.0, mode="nearest")


@torch.no_grad()
def initialise_bilinear(conv: nn.ConvTranspose2d) -> None:
    """Make a transposed convolution interpolate bilinearly, channel by channel.

    A depthwise layer has one kernel a channel. A full one gets the kernel on its diagonal only: writing
    `weight[:, 0]`, as is often seen, would send every channel to output channel 0.

    >>> conv = nn.ConvTranspose2d(2, 2, 4, stride=2, padding=1, bias=False)
    >>> initialise_bilinear(conv)
    >>> conv.weight[1, 1, 1].tolist(), conv.weight[1, 0].abs().sum().item()
    ([0.1875, 0.5625, 0.5625, 0.1875], 0.0)
    """
    size = conv.kernel_size[0]
    factor = (size + 1) // 2
    centre = (2 * factor - 1 - factor % 2) / (2 * factor)
    line = 1 - (torch.arange(size, dtype=conv.weight.dtype) / factor - centre).abs()
    kernel = torch.outer(line, line)
    conv.weight.zero_()
    for channel in range(conv.in_channels):
        conv.weight[channel, 0 if conv.groups > 1 else channel] = kernel


def downsample(channels: int, downsample_type: str = "max") -> nn.Module:
    """Return a layer that halves the height and width: `max` or `average` pooling, or `conv` (3x3 / 2, BN, ReLU).

    Raises:
        InputError: `downsample_type` is not one of these.
    """
    if downsample_type == "max":
        return nn.MaxPool2d(2)
    if downsample_type == "average":
        return nn.AvgPool2d(2)
    if downsample_type == "conv":
        return nn.Sequential(
            _kaiming(nn.Conv2d(channels, channels, 3, stride=2, padding=1, bias=False)),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        )
    raise InputError(f"downsample_type must be one of {', '.join(DOWNSAMPLE_TYPES)}, got {downsample_type!r}")


def project(in_channels: int, out_channels: int) -> nn.Module:
    """Return a 1x1 convolution, or nothing to do where the channels are right already."""
    return nn.Identity() if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, 1)


class GhostConv(nn.Module):
    """A 1x1 convolution to half of the channels, and a depthwise 3x3 of those for the rest (arXiv 1911.11907).

    Args:
        in_channels: Channels in.
        out_channels: Channels out, an even number.
        slope: Of the leaky ReLU after each of the two; None leaves it out.
    """

    def __init__(self, in_channels: int, out_channels: int, slope: float | None = None) -> None:
        super().__init__()
        half = out_channels // 2
        self.primary = nn.Conv2d(in_channels, half, 1)
        self.cheap = nn.Conv2d(half, half, 3, padding=1, groups=half)
        self.activation = nn.Identity() if slope is None else nn.LeakyReLU(slope)

    @override
    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H, W)."""
        x = self.activation(self.primary(x))
        return torch.cat((x, self.activation(self.cheap(x))), dim=1)


class GhostBottleneck(nn.Module):
    """Two ghost convolutions beside a depthwise separable 5x5 shortcut, without norms.

    Args:
        in_channels: Channels in.
        out_channels: Channels out, an even number.
        slope: Of the leaky ReLU in the first ghost convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, slope: float = 0.1) -> None:
        super().__init__()
        self.ghosts = nn.Sequential(GhostConv(in_channels, out_channels, slope), GhostConv(out_channels, out_channels))
        self.shortcut = nn.Sequential(
            nn.Conv2d(in_channels, in_channels, 5, padding=2, groups=in_channels),
            nn.Conv2d(in_channels, out_channels, 1),
        )

    @override
    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H, W)."""
        return self.ghosts(x) + self.shortcut(x)


class Fuse(nn.Module):
    """Add maps of one shape, plainly or with learned weights, then convolve.

    Weighted: sum(relu(w_i) x_i) / (sum relu(w_i) + 1e-6), "fast normalised fusion" of EfficientDet (arXiv 1911.09070).

    Args:
        inputs: Number of maps.
        channels: Channels of each.
        conv_type: See `conv_block`.
        weighted: Learn one weight per input.
    """

    def __init__(self, inputs: int, channels: int, conv_type: str = "normal", weighted: bool = False) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.ones(inputs)) if weighted else None
        self.conv = conv_block(channels, channels, conv_type)

    @override
    def forward(self, maps: list[Tensor]) -> Tensor:
        """List of (N, C, H, W) -> (N, C, H, W)."""
        if self.weights is None:
            return self.conv(sum(maps[1:], maps[0]))
        weights = self.weights.relu()
        weights = weights / (weights.sum() + 1e-6)
        return self.conv(sum((w * x for w, x in zip(weights[1:], maps[1:], strict=True)), weights[0] * maps[0]))

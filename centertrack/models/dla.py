"""DLA-34 with its deformable up-path: the network of the published FairMOT and of CenterNet's best real-time model.

Deep layer aggregation (arXiv 1707.06484), as wired in "Objects as Points" (arXiv 1904.07850). Module names inside a
tree are those of the published weights, so that `published.py` only has to rename prefixes. Two projections of the
published network that nothing reads (of the outer trees of stage 3 and 4) and its classifier are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import override

from centertrack.models.backbones import Backbone, resolve_aliases
from centertrack.models.layers import conv_block, initialise_bilinear
from centertrack.models.necks import Neck
from centertrack.models.pretrained import load_local
from tracker.errors import InputError

CHANNELS = (32, 64, 128, 256, 512)


class Block(nn.Module):
    """Two 3x3 convolutions and a residual that the caller may bring along.

    Args:
        in_channels: Channels in.
        out_channels: Channels out.
        stride: Of the first convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)

    @override
    def forward(self, x: Tensor, residual: Tensor) -> Tensor:
        """(N, in, H, W) and (N, out, H / stride, W / stride) -> (N, out, H / stride, W / stride)."""
        x = self.bn1(self.conv1(x)).relu()
        return (self.bn2(self.conv2(x)) + residual).relu()


class Root(nn.Module):
    """Join the maps of a tree: concatenate, 1x1, BN, ReLU."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.bn = nn.BatchNorm2d(out_channels)

    @override
    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Maps of one size -> (N, out_channels, H, W)."""
        return self.bn(self.conv(torch.cat(list(maps), dim=1))).relu()


class Tree(nn.Module):
    """Two blocks and the root that joins them with all maps handed down from outer trees.

    Args:
        in_channels: Channels in.
        out_channels: Channels out.
        stride: 1 or 2, of the first block.
        handed_down: Channels of the maps handed down, together.
        level_root: Hand the (pooled) input to the root as well.
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int, handed_down: int = 0, level_root: bool = False
    ) -> None:
        super().__init__()
        self.level_root = level_root
        self.pool = nn.MaxPool2d(stride) if stride > 1 else nn.Identity()
        self.project = (
            nn.Identity()
            if in_channels == out_channels
            else nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels))
        )
        self.tree1 = Block(in_channels, out_channels, stride)
        self.tree2 = Block(out_channels, out_channels, 1)
        self.root = Root(2 * out_channels + handed_down + (in_channels if level_root else 0), out_channels)

    @override
    def forward(self, x: Tensor, handed_down: Sequence[Tensor] = ()) -> Tensor:
        """(N, in, H, W) -> (N, out, H / stride, W / stride)."""
        bottom = self.pool(x)
        children = [*handed_down, bottom] if self.level_root else handed_down
        x1 = self.tree1(x, self.project(bottom))
        x2 = self.tree2(x1, x1)
        return self.root([x2, x1, *children])


class DeepTree(nn.Module):
    """A tree of two trees: stage 3 and 4. The first tree's output and the pooled input reach the second one's root.

    Args:
        in_channels: Channels in.
        out_channels: Channels out.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(2)
        self.tree1 = Tree(in_channels, out_channels, stride=2)
        self.tree2 = Tree(out_channels, out_channels, stride=1, handed_down=in_channels + out_channels)

    @override
    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) -> (N, out, H / 2, W / 2)."""
        x1 = self.tree1(x)
        return self.tree2(x1, [self.pool(x), x1])


class DLA34Backbone(Backbone):
    """DLA-34: stages of stride 2, 4, 8, 16, 32 with 32, 64, 128, 256, 512 channels.

    Args:
        backbone_name: `dla34` (alias `name`).
        pretrained: False, or the path of a local state dict in this layout; whole networks come by `load_published`.
        return_features: Return 5 maps instead of the deepest one.
        frozen_stages: How many of the stages to freeze (alias `frozen_stage`).
    """

    def __init__(
        self,
        backbone_name: str = "dla34",
        pretrained: bool | str = False,
        return_features: bool = False,
        frozen_stages: int = 0,
        **aliases: Any,
    ) -> None:
        backbone_name, frozen_stages = resolve_aliases(backbone_name, frozen_stages, aliases)
        if backbone_name != "dla34":
            raise InputError(f"DLA34Backbone knows dla34, got {backbone_name!r}")
        stem = nn.Sequential(_conv(3, 16, kernel=7), _conv(16, 16), _conv(16, 32, stride=2))
        stages = [
            stem,
            Tree(32, 64, stride=2),
            DeepTree(64, 128),
            DeepTree(128, 256),
            Tree(256, 512, stride=2, level_root=True),
        ]
        super().__init__(stages, CHANNELS, return_features, frozen_stages)
        load_local(self, pretrained, "DLA34Backbone")


def _conv(in_channels: int, out_channels: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


class Aggregation(nn.Module):
    """Fold maps of rising depth into the first, one after the other: y = node(up(proj(x)) + y).

    Args:
        channels: Channels out.
        in_channels: Channels of each map that is folded in.
        factors: How much coarser each of them is than the first.
        conv_type: See `layers.conv_block`; published: `deformable`.
    """

    def __init__(self, channels: int, in_channels: Sequence[int], factors: Sequence[int], conv_type: str) -> None:
        super().__init__()
        self.proj = nn.ModuleList(conv_block(c, channels, conv_type) for c in in_channels)
        self.node = nn.ModuleList(conv_block(channels, channels, conv_type) for _ in in_channels)
        self.up = nn.ModuleList(_upsample(channels, factor) for factor in factors)

    @override
    def forward(self, first: Tensor, deeper: Sequence[Tensor]) -> list[Tensor]:
        """Return the map after each step."""
        steps = []
        for proj, up, node, x in zip(self.proj, self.up, self.node, deeper, strict=True):
            first = node(up(proj(x)) + first)
            steps.append(first)
        return steps


def _upsample(channels: int, factor: int) -> nn.ConvTranspose2d:
    conv = nn.ConvTranspose2d(channels, channels, 2 * factor, factor, factor // 2, groups=channels, bias=False)
    initialise_bilinear(conv)
    return conv


class DLANeck(Neck):
    """The up-path of DLA-34 in CenterNet and FairMOT.

    Aggregates the deepest two maps at stride 16, those and the next at stride 8, and so on to stride 4; then folds the
    results at stride 8 and 16 into the one at stride 4.

    Args:
        in_channels: Channels of the backbone's maps, shallow to deep; the last four are used.
        conv_type: See `layers.conv_block`; published: `deformable`.
    """

    def __init__(self, in_channels: Sequence[int], conv_type: str = "deformable") -> None:
        super().__init__(in_channels, list(in_channels)[-4] if len(in_channels) >= 4 else 0)
        c4, c8, c16, c32 = list(in_channels)[-4:]
        self.ida_0 = Aggregation(c16, [c32], [2], conv_type)
        self.ida_1 = Aggregation(c8, [c16, c16], [2, 2], conv_type)
        self.ida_2 = Aggregation(c4, [c8, c8, c8], [2, 2, 2], conv_type)
        self.ida_up = Aggregation(c4, [c8, c16], [2, 4], conv_type)

    @override
    def forward(self, features: list[Tensor]) -> Tensor:
        """Maps of stride ..., 4, 8, 16, 32 -> (N, channels of the first, H / 4, W / 4)."""
        x4, x8, x16, x32 = features[-4:]
        at_16 = self.ida_0(x16, [x32])
        at_8 = self.ida_1(x8, [x16, at_16[-1]])
        at_4 = self.ida_2(x4, [x8, *at_8])
        return self.ida_up(at_4[-1], [at_8[-1], at_16[-1]])[-1]

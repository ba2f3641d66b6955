"""Necks: backbone maps in, one map of stride 4 out.

Every neck has `out_channels`, `upsample_stride` (8: how much finer its finest map is than the deepest map in),
`strides` of the maps it returns, and `uses`: how many of the last backbone maps it fuses, each half as large as the one
before. FPN and BiFPN can return one map a level (`levels: 3` for strides 4, 8 and 16), finest first, instead of the
finest alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from typing_extensions import override

from centertrack.models.layers import Fuse, GhostBottleneck, Upsample, conv_block, downsample, project
from centertrack.models.shufflenet import SLOPE
from tracker.errors import InputError

DEFAULT_CHANNELS = (256, 128, 64)
STRIDES = (4, 8, 16)


class Neck(nn.Module):
    """What all necks share.

    Args:
        in_channels: Channels of the backbone's maps, shallow to deep.
        out_channels: Channels of what comes out.
        uses: How many of the last maps are needed.
        levels: How many maps come out.

    Raises:
        InputError: The backbone gives too few maps, or there are not so many levels.
    """

    upsample_stride = 8

    def __init__(self, in_channels: Sequence[int], out_channels: int, uses: int = 4, levels: int = 1) -> None:
        super().__init__()
        if len(in_channels) < uses:
            name = type(self).__name__
            raise InputError(
                f"{name} needs the last {uses} backbone maps (return_features=True), got {len(in_channels)}"
            )
        if not 1 <= levels <= len(STRIDES):
            raise InputError(f"levels must be between 1 and {len(STRIDES)}, got {levels}")
        self.out_channels = out_channels
        self.uses = uses
        self.strides = STRIDES[:levels]


class SimpleNeck(Neck):
    """Convolve and upsample the deepest map three times: the neck of CenterNet's ResNets.

    Args:
        in_channels: Channels of the backbone's maps; the last is used.
        upsample_channels: Width of the three steps; the last is `out_channels`.
        conv_type: See `layers.conv_block`.
        upsample_type: See `layers.Upsample`.

    >>> SimpleNeck([512])([torch.zeros(1, 512, 2, 3)]).shape
    torch.Size([1, 64, 16, 24])
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        upsample_channels: Sequence[int] = DEFAULT_CHANNELS,
        conv_type: str = "normal",
        upsample_type: str = "conv_transpose",
    ) -> None:
        widths = _three(upsample_channels)
        super().__init__(in_channels, widths[-1], uses=1)
        self.convs = nn.ModuleList(conv_block(a, b, conv_type) for a, b in pairwise([in_channels[-1], *widths]))
        self.upsamples = nn.ModuleList(Upsample(width, upsample_type) for width in widths)

    @override
    def forward(self, features: list[Tensor] | Tensor) -> Tensor:
        """Maps of which the last has stride 32, or that map alone -> (N, out_channels, H / 4, W / 4)."""
        x = features if isinstance(features, Tensor) else features[-1]
        for conv, upsample in zip(self.convs, self.upsamples, strict=True):
            x = upsample(conv(x))
        return x


class FPNNeck(Neck):
    """Feature pyramid (arXiv 1612.03144), read at its finest level.

    t5 = 1x1(f5); then three times x = 1x1(next shallower map) + up(t), t = conv(x).

    Args:
        in_channels: Channels of the backbone's maps, shallow to deep; the last four are used.
        upsample_channels: Width of the three steps; the last is `out_channels`.
        conv_type: See `layers.conv_block`.
        upsample_type: See `layers.Upsample`.
        weighted_fusion: x = (1x1(f) + w up(t)) / (1 + w) with a learned w >= 0.
        levels: Maps returned, finest first; coarser ones are brought to `out_channels` by a 1x1 convolution.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        upsample_channels: Sequence[int] = DEFAULT_CHANNELS,
        conv_type: str = "normal",
        upsample_type: str = "nearest",
        weighted_fusion: bool = False,
        levels: int = 1,
    ) -> None:
        widths = _three(upsample_channels)
        super().__init__(in_channels, widths[-1], levels=levels)
        deep_to_shallow = list(in_channels)[:-5:-1]
        after = [*widths[1:], widths[-1]]
        self.project = nn.Conv2d(deep_to_shallow[0], widths[0], 1)
        self.laterals = nn.ModuleList(nn.Conv2d(c, w, 1) for c, w in zip(deep_to_shallow[1:], widths, strict=True))
        self.upsamples = nn.ModuleList(Upsample(w, upsample_type) for w in widths)
        self.convs = nn.ModuleList(conv_block(a, b, conv_type) for a, b in zip(widths, after, strict=True))
        self.fusion_weights = nn.Parameter(torch.ones(3)) if weighted_fusion else None
        self.coarser = nn.ModuleList(project(width, widths[-1]) for width in after[::-1][1:levels])

    @override
    def forward(self, features: list[Tensor]) -> Any:
        """Maps of stride ..., 4, 8, 16, 32 -> (N, out_channels, H / 4, W / 4), or a tuple, one a level."""
        deep_to_shallow = features[:-5:-1]
        top = self.project(deep_to_shallow[0])
        maps = []
        for i, (lateral, upsample, conv) in enumerate(zip(self.laterals, self.upsamples, self.convs, strict=True)):
            side = lateral(deep_to_shallow[i + 1])
            above = upsample(top)
            if self.fusion_weights is None:
                fused = side + above
            else:
                weight = self.fusion_weights[i].relu()
                fused = (side + weight * above) / (1 + weight)
            top = conv(fused)
            maps.append(top)
        if not self.coarser:
            return top
        return top, *(reduce(x) for reduce, x in zip(self.coarser, maps[-2::-1], strict=False))


class TwinNeck(Neck):
    """A pyramid that tells objects apart, to stand beside one that finds them, on levels of stride 8, 16 and 32.

    What makes a person is not what makes this person: a pyramid that was trained to find people has forgotten who they
    are. This one runs top-down (arXiv 1612.03144); its maps are convolved with norm and activation, and its finest sees
    the map of stride 4 too.

    Args:
        in_channels: Channels of the backbone's maps, shallow to deep; the last four are used.
        channels: Of each map of the pyramid that finds objects.
        appearance_channels: Of each map of this one. They follow those of the other in the maps that come out.
        conv_type: Of this one, see `layers.conv_block`.
    """

    upsample_stride = 4

    def __init__(self, in_channels: Sequence[int], channels: int, appearance_channels: int, conv_type: str) -> None:
        super().__init__(in_channels, channels + appearance_channels, levels=3)
        finest, *rest = list(in_channels)[-4:]
        self.appearance_laterals = nn.ModuleList(nn.Conv2d(width, appearance_channels, 1) for width in rest)
        self.appearance_finest = nn.Conv2d(finest, appearance_channels, 3, stride=2, padding=1)
        self.appearance_convs = nn.ModuleList(
            conv_block(appearance_channels, appearance_channels, conv_type) for _ in rest
        )

    @override
    def forward(self, features: list[Tensor]) -> tuple[Tensor, ...]:
        """Maps of stride ..., 4, 8, 16, 32 -> three maps (N, out_channels, H / s, W / s), s = 8, 16, 32."""
        finest, *rest = features[-4:]
        seen = [lateral(x) for lateral, x in zip(self.appearance_laterals, rest, strict=True)]
        seen[0] = seen[0] + self.appearance_finest(finest)
        seen = [conv(x) for conv, x in zip(self.appearance_convs, _sum_down(seen), strict=True)]
        return tuple(torch.cat(pair, dim=1) for pair in zip(self._find(rest), seen, strict=True))

    def _find(self, features: list[Tensor]) -> list[Tensor]:
        """Maps of stride 8, 16, 32 of the backbone -> as many of the pyramid that finds objects."""
        raise NotImplementedError


def _sum_down(maps: list[Tensor]) -> list[Tensor]:
    """Add to every map all coarser ones, shallow to deep."""
    summed = [maps[-1]]
    for x in maps[-2::-1]:
        summed.append(x + F.interpolate(summed[-1], scale_factor=2.0, mode="nearest"))
    return summed[::-1]


class TwinPyramidNeck(TwinNeck):
    """Two pyramids side by side, one to find objects and one to tell them apart, see `TwinNeck`.

    The first is that of one-stage detectors, linear, its maps convolved by 3x3.

    Args:
        in_channels, channels, appearance_channels, conv_type: See `TwinNeck`.

    >>> [x.shape[1:] for x in TwinPyramidNeck([24, 32, 96, 320], 32, 64)(
    ...     [torch.zeros(1, c, 64 // s, 64 // s) for c, s in ((24, 4), (32, 8), (96, 16), (320, 32))])]
    [torch.Size([96, 8, 8]), torch.Size([96, 4, 4]), torch.Size([96, 2, 2])]
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        channels: int = 32,
        appearance_channels: int = 96,
        conv_type: str = "normal",
    ) -> None:
        super().__init__(in_channels, channels, appearance_channels, conv_type)
        rest = list(in_channels)[-3:]
        self.laterals = nn.ModuleList(nn.Conv2d(width, channels, 1) for width in rest)
        self.outputs = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in rest)

    @override
    def _find(self, features: list[Tensor]) -> list[Tensor]:
        maps = _sum_down([lateral(x) for lateral, x in zip(self.laterals, features, strict=True)])
        return [output(x) for output, x in zip(self.outputs, maps, strict=True)]


class GhostPyramidNeck(TwinNeck):
    """Ghost-PAN of NanoDet-Plus with its towers, and a pyramid that tells objects apart beside it, see `TwinNeck`.

    Three levels of one width go top-down and bottom-up through ghost bottlenecks (arXiv 1911.11907). Each level then
    has a tower of its own, two depthwise separable 5x5 convolutions and one of 1x1, whose few channels the heads read.

    Args:
        in_channels, appearance_channels, conv_type: See `TwinNeck`.
        channels: That each tower says.
        width: Of the maps in between.

    >>> [x.shape[1:] for x in GhostPyramidNeck([24, 116, 232, 464], 33, 48)(
    ...     [torch.zeros(1, c, 64 // s, 64 // s) for c, s in ((24, 4), (116, 8), (232, 16), (464, 32))])]
    [torch.Size([81, 8, 8]), torch.Size([81, 4, 4]), torch.Size([81, 2, 2])]
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        channels: int = 33,
        appearance_channels: int = 48,
        conv_type: str = "separable",
        width: int = 96,
    ) -> None:
        super().__init__(in_channels, channels, appearance_channels, conv_type)
        self.reduces = nn.ModuleList(
            nn.Sequential(nn.Conv2d(w, width, 1), nn.LeakyReLU(SLOPE, inplace=True)) for w in list(in_channels)[-3:]
        )
        self.downs = nn.ModuleList(GhostBottleneck(2 * width, width) for _ in range(2))
        self.shrinks = nn.ModuleList(_separable(width, stride=2) for _ in range(2))
        self.ups = nn.ModuleList(GhostBottleneck(2 * width, width) for _ in range(2))
        self.towers = nn.ModuleList(
            nn.Sequential(_separable(width), _separable(width), nn.Conv2d(width, channels, 1)) for _ in range(3)
        )

    @override
    def _find(self, features: list[Tensor]) -> list[Tensor]:
        fine, middle, coarse = (reduce(x) for reduce, x in zip(self.reduces, features, strict=True))
        middle = self.downs[0](torch.cat((_double(coarse), middle), dim=1))
        fine = self.downs[1](torch.cat((_double(middle), fine), dim=1))
        middle = self.ups[0](torch.cat((self.shrinks[0](fine), middle), dim=1))
        coarse = self.ups[1](torch.cat((self.shrinks[1](middle), coarse), dim=1))
        return [tower(x) for tower, x in zip(self.towers, (fine, middle, coarse), strict=True)]


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def _separable(channels: int, stride: int = 1) -> nn.Sequential:
    """Return a depthwise 5x5 and a 1x1 convolution, each with an activation and no norm."""
    return nn.Sequential(
        nn.Conv2d(channels, channels, 5, stride, 2, groups=channels),
        nn.LeakyReLU(SLOPE, inplace=True),
        nn.Conv2d(channels, channels, 1),
        nn.LeakyReLU(SLOPE, inplace=True),
    )


class IDANeck(Neck):
    """Iterative deep aggregation (arXiv 1707.06484): fuse neighbouring maps until one is left.

    Each round turns every pair (deep, shallow) of neighbours into conv(1x1(shallow) + up(1x1(deep))); four maps become
    three, two, one.

    Args:
        in_channels: Channels of the backbone's maps, shallow to deep; the last four are used.
        upsample_channels: Width at stride 16, 8 and 4; the last is `out_channels`.
        conv_type: See `layers.conv_block`.
        upsample_type: See `layers.Upsample`.
        weighted_fusion: Learn a weight for each summand, see `layers.Fuse`.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        upsample_channels: Sequence[int] = DEFAULT_CHANNELS,
        conv_type: str = "normal",
        upsample_type: str = "nearest",
        weighted_fusion: bool = False,
    ) -> None:
        widths = _three(upsample_channels)
        super().__init__(in_channels, widths[-1])
        channels = list(in_channels)[:-5:-1]
        self.rounds = nn.ModuleList()
        for done in range(3):
            pairs = zip(pairwise(channels), widths[done:], strict=True)
            merges = (_Merge(deep, side, w, conv_type, upsample_type, weighted_fusion) for (deep, side), w in pairs)
            self.rounds.append(nn.ModuleList(merges))
            channels = widths[done:]

    @override
    def forward(self, features: list[Tensor]) -> Tensor:
        """Maps of stride ..., 4, 8, 16, 32 -> (N, out_channels, H / 4, W / 4)."""
        maps = features[:-5:-1]
        for merges in self.rounds:
            assert isinstance(merges, nn.ModuleList)
            maps = [merge(deep, shallow) for merge, (deep, shallow) in zip(merges, pairwise(maps), strict=True)]
        return maps[0]


class _Merge(nn.Module):
    """Fuse a map with the next deeper one."""

    def __init__(self, deep: int, shallow: int, width: int, conv_type: str, upsample_type: str, weighted: bool) -> None:
        super().__init__()
        self.project_deep = project(deep, width)
        self.project_shallow = project(shallow, width)
        self.upsample = Upsample(width, upsample_type)
        self.fuse = Fuse(2, width, conv_type, weighted)

    @override
    def forward(self, deep: Tensor, shallow: Tensor) -> Tensor:
        return self.fuse([self.project_shallow(shallow), self.upsample(self.project_deep(deep))])


class BiFPNNeck(Neck):
    """Bidirectional feature pyramid of EfficientDet (arXiv 1911.09070), read at its finest level.

    All maps are brought to one width; each layer runs top-down, then bottom-up, fusing with learned weights.

    Args:
        in_channels: Channels of the backbone's maps, shallow to deep; the last four are used.
        num_layers: Layers in a row.
        num_channels: Width of every map, and `out_channels`.
        conv_type: See `layers.conv_block`.
        upsample_type: See `layers.Upsample`.
        downsample_type: See `layers.downsample`.
        weighted_fusion: Learn a weight for each summand, see `layers.Fuse`.
        levels: Maps returned, finest first.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        num_layers: int = 3,
        num_channels: int = 64,
        conv_type: str = "normal",
        upsample_type: str = "nearest",
        downsample_type: str = "max",
        weighted_fusion: bool = True,
        levels: int = 1,
    ) -> None:
        super().__init__(in_channels, num_channels, levels=levels)
        if num_layers < 1:
            raise InputError(f"num_layers must be at least 1, got {num_layers}")
        self.projects = nn.ModuleList(project(channels, num_channels) for channels in list(in_channels)[-4:])
        options = (num_channels, conv_type, upsample_type, downsample_type, weighted_fusion)
        # The last layer needs no map above those that are returned.
        tops = [4] * (num_layers - 1) + [levels]
        self.layers = nn.ModuleList(_BiFPNLayer(top, *options) for top in tops)

    @override
    def forward(self, features: list[Tensor]) -> Any:
        """Maps of stride ..., 4, 8, 16, 32 -> (N, out_channels, H / 4, W / 4), or a tuple, one a level."""
        maps = [reduce(x) for reduce, x in zip(self.projects, features[-4:], strict=True)]
        for layer in self.layers:
            maps = layer(maps)
        return maps[0] if len(self.strides) == 1 else tuple(maps)


class _BiFPNLayer(nn.Module):
    """One pass down and one pass up over four maps, shallow to deep; the `outputs` shallowest come out."""

    def __init__(
        self, outputs: int, channels: int, conv_type: str, upsample_type: str, downsample_type: str, weighted: bool
    ) -> None:
        super().__init__()
        self.upsamples = nn.ModuleList(Upsample(channels, upsample_type) for _ in range(3))
        self.down_fuses = nn.ModuleList(Fuse(2, channels, conv_type, weighted) for _ in range(3))
        self.downsamples = nn.ModuleList(downsample(channels, downsample_type) for _ in range(outputs - 1))
        self.up_fuses = nn.ModuleList(
            Fuse(3 if level < 3 else 2, channels, conv_type, weighted) for level in range(1, outputs)
        )

    @override
    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        inner = [maps[3]]  # deep to shallow
        for level in (2, 1, 0):
            inner.append(self.down_fuses[level]([maps[level], self.upsamples[level](inner[-1])]))
        inner.reverse()
        outputs = [inner[0]]
        for level, (shrink, fuse) in enumerate(zip(self.downsamples, self.up_fuses, strict=True), start=1):
            below = shrink(outputs[-1])
            outputs.append(fuse([maps[level], inner[level], below] if level < 3 else [maps[level], below]))
        return outputs


def _three(upsample_channels: Sequence[int]) -> list[int]:
    if len(upsample_channels) != 3:
        raise InputError(f"upsample_channels must hold 3 widths, got {list(upsample_channels)}")
    return list(upsample_channels)

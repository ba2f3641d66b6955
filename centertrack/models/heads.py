"""Output heads: layers and their initialisation; what a value means is said here, how it is decoded in `decode.py`.

A head of your own is a subclass of `BaseHead` and an entry in `models.build.HEADS`; its map then comes out of
`get_encoded_outputs` and `forward` under its name, and its `loss` joins the total:

    class SpeedHead(BaseHead):
        def __init__(self, in_channels, width=64):
            super().__init__(in_channels, out_channels=1, width=width)

        def loss(self, values, truth):  # values (K, 1) at the centres of K objects; truth["speed"] (K,) of the batch
            return (values[:, 0] - truth["speed"]).abs().mean()

    HEADS["speed"] = SpeedHead
    model = CenterNet(..., output_heads={"heatmap": {"num_classes": 1}, "box_2d": {}, "speed": {"width": 32}})
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from typing_extensions import override

from centertrack.models.layers import conv_block
from centertrack.models.precision import full_precision
from tracker.errors import InputError
from tracker.io.reading import MAX_CLASS

MAX_LOG_SIZE = 4.0  # a box 55 times as large as its anchor: beyond any image, before any overflow
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
        kernel: Side of the last convolution, odd.
        reads: First channel of the neck's map that the head sees, and the one after the last; None: all.

    Attributes:
        loss_weight: Factor of `loss` in the total.

    Raises:
        InputError: No channels out, no width, a negative depth, or channels that the neck's map does not have.
    """

    loss_weight = 1.0

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        width: int = 256,
        depth: int = 1,
        conv_type: str = "plain",
        init_bias: float | None = None,
        kernel: int = 1,
        reads: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.reads = _check_reads(reads, in_channels)
        in_channels = self.reads.stop - self.reads.start if self.reads else in_channels
        if out_channels < 1 or width < 1 or depth < 0:
            got = f"{out_channels}, {width} and {depth}"
            raise InputError(f"a head needs at least 1 channel out, a width of 1 and a depth of 0, got {got}")
        if max(out_channels, width) > MAX_CLASS + 1:
            raise InputError(f"a head has at most {MAX_CLASS + 1} channels, got {out_channels} and {width}")
        layers: list[nn.Module] = []
        for i in range(depth):
            channels = in_channels if i == 0 else width
            if conv_type == "plain":
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
            else:
                layers.append(conv_block(channels, width, conv_type))
        last = nn.Conv2d(width if depth else in_channels, out_channels, kernel, padding=kernel // 2)
        if init_bias is not None:
            assert last.bias is not None
            nn.init.constant_(last.bias, init_bias)
        self.layers = nn.Sequential(*layers, last)
        self.out_channels = out_channels

    @override
    def forward(self, features: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, out_channels, H, W)."""
        last = self.layers[-1]
        hidden = self.layers[:-1](features if self.reads is None else features[:, self.reads])
        # A box of 300 px in half precision is rounded to the pixel, and neighbouring scores to a tie.
        with full_precision(features.device.type):
            return last(hidden.to(last.weight.dtype))

    def last_layer(self) -> nn.Conv2d:
        """Return the 1x1 convolution to the output channels."""
        last = self.layers[-1]
        assert isinstance(last, nn.Conv2d)
        return last

    def loss(self, values: Tensor, truth: Mapping[str, Tensor]) -> Tensor | None:
        """Return the loss of a head of your own; None, as here, trains nothing. Must be finite without objects.

        Args:
            values: (K, out_channels) float32, the map at the centres of the batch's K objects.
            truth: What the batch says about these objects: each of its (N, M, ...) entries as (K, ...).
        """
        return None


class HeatmapHead(BaseHead):
    """Logits of the probability that an object of a class has its centre in a cell.

    Args:
        in_channels: Channels of the neck's map.
        num_classes: Channels out.
        width, depth, conv_type, kernel, reads: See `BaseHead`.
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
        kernel: int = 1,
        reads: Sequence[int] | None = None,
    ) -> None:
        super().__init__(in_channels, num_classes, width, depth, conv_type, init_bias, kernel, reads)
        nn.init.normal_(self.last_layer().weight, std=1e-2)


class Box2DHead(BaseHead):
    """Distances left, top, right, bottom from the cell centre, in cells, before clamping at 0.

    Args:
        in_channels: Channels of the neck's map.
        width, depth, conv_type, kernel, reads: See `BaseHead`.
        init_bias: Start value in cells. Positive, because the clamp at 0 has no gradient below it; None for L1 losses.
        box_multiplier: The layer's output times this is the distance in cells; 16 lets small weights reach large boxes.
        exponential: The distance is exp(output) times the multiplier, and so always positive.
        anchor: Side, in cells, of a square around the cell's centre. The layer then says where in it the box's centre
            lies and the logarithms of its size over the square's (R-CNN, arXiv 1311.2524), and the distances follow
            from them. 0: the layer says distances.
        bins: The layer says for each side how likely it is 0, 1, ... `bins` - 1 cells from the cell's upper left
            corner, as logits; the distance is the mean (arXiv 2006.04388). 0: no such distributions.
        coordinates: 4; or 2 for width and height, as published CenterNets have them.
    """

    def __init__(
        self,
        in_channels: int,
        width: int = 256,
        depth: int = 1,
        conv_type: str = "plain",
        init_bias: float | None = 10.0,
        box_multiplier: float = 1.0,
        exponential: bool = False,
        coordinates: int = 4,
        anchor: float = 0.0,
        bins: int = 0,
        kernel: int = 1,
        reads: Sequence[int] | None = None,
    ) -> None:
        if anchor or bins:
            init_bias = 0.0
        bias = None if init_bias is None else init_bias / box_multiplier
        if exponential and bias is not None:
            bias = math.log(bias)
        super().__init__(in_channels, coordinates * max(bins, 1), width, depth, conv_type, bias, kernel, reads)
        self.out_channels = coordinates
        self.anchor = anchor
        self.bins = bins
        self.box_multiplier = box_multiplier
        self.exponential = exponential

    @override
    def forward(self, features: Tensor) -> Tensor:
        """(N, in_channels, H, W) -> (N, 4, H, W), l t r b in cells."""
        values = super().forward(features)
        if self.anchor:
            shift, size = values.float().split(2, dim=1)
            half = size.clamp(max=MAX_LOG_SIZE).exp() / 2
            return torch.cat((half - shift, half + shift), dim=1) * self.anchor
        if self.bins:
            likely = values.float().unflatten(1, (self.out_channels, self.bins)).softmax(dim=2)
            values = (likely * torch.arange(self.bins, device=values.device).view(-1, 1, 1)).sum(dim=2)
            return values + values.new_tensor([0.5, 0.5, -0.5, -0.5]).view(4, 1, 1)
        if self.exponential:
            values = torch.exp(values.float().clamp(max=10.0))  # e^10 cells: beyond any image, before any overflow
        return values * self.box_multiplier


class OffsetHead(BaseHead):
    """Where in its cell a centre lies, dx and dy in cells: part of published CenterNets and FairMOTs.

    Args:
        in_channels: Channels of the neck's map.
        width, depth, conv_type: See `BaseHead`.
    """

    def __init__(self, in_channels: int, width: int = 256, depth: int = 1, conv_type: str = "plain") -> None:
        super().__init__(in_channels, 2, width, depth, conv_type, init_bias=0.0)


class ReIDHead(BaseHead):
    """Appearance embedding of the object centred in a cell, not yet normalised to unit length.

    Args:
        in_channels: Channels of the neck's map.
        embedding_dim: Channels out. FairMOT's paper argues for 64; its published weights have 128.
        width, depth, conv_type, reads: See `BaseHead`.
    """

    def __init__(
        self,
        in_channels: int,
        embedding_dim: int = 64,
        width: int = 256,
        depth: int = 1,
        conv_type: str = "plain",
        reads: Sequence[int] | None = None,
    ) -> None:
        super().__init__(in_channels, embedding_dim, width, depth, conv_type, init_bias=0.0, reads=reads)


def _check_reads(reads: Sequence[int] | None, channels: int) -> slice | None:
    if reads is None:
        return None
    if len(reads) != 2 or not 0 <= reads[0] < reads[1] <= channels:
        raise InputError(f"a head reads from one channel up to another, both from 0 to {channels}, got {list(reads)}")
    return slice(*reads)

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from centertrack.models import BiFPNNeck, FPNNeck, GhostPyramidNeck, IDANeck, SimpleNeck, TwinPyramidNeck
from centertrack.models.layers import Fuse, Upsample, conv_block, downsample
from tracker.errors import InputError

CHANNELS = [8, 16, 24, 32]
NECKS = [SimpleNeck, FPNNeck, IDANeck, BiFPNNeck]
FUSING = NECKS[1:]


def make_features(channels: list[int] = CHANNELS, height: int = 64, width: int = 96) -> list[Tensor]:
    torch.manual_seed(0)
    strides = [4, 8, 16, 32][-len(channels) :]
    return [torch.randn(1, c, height // s, width // s) for c, s in zip(channels, strides, strict=True)]


def small(neck: Any, **options: Any) -> Any:
    widths = {"num_channels": 12} if neck is BiFPNNeck else {"upsample_channels": [24, 16, 12]}
    return neck(CHANNELS, **widths, **options)


@pytest.mark.parametrize("neck", NECKS)
@pytest.mark.parametrize("conv_type", ["normal", "separable", "deformable", "dcn"])
def test_a_map_of_stride_four_comes_out(neck: Any, conv_type: str) -> None:
    net = small(neck, conv_type=conv_type).eval()
    assert (net.out_channels, net.upsample_stride, net.strides) == (12, 8, (4,))
    with torch.no_grad():
        assert net(make_features()).shape == (1, 12, 16, 24)


@pytest.mark.parametrize("neck", NECKS)
@pytest.mark.parametrize("upsample_type", ["nearest", "bilinear", "conv_transpose"])
def test_every_way_to_upsample_keeps_the_shape(neck: Any, upsample_type: str) -> None:
    with torch.no_grad():
        assert small(neck, upsample_type=upsample_type).eval()(make_features()).shape == (1, 12, 16, 24)


@pytest.mark.parametrize("neck", FUSING)
@pytest.mark.parametrize("weighted", [False, True])
def test_fusion_weights_are_learned_where_asked_for(neck: Any, weighted: bool) -> None:
    net = small(neck, weighted_fusion=weighted)
    learned = [name for name, p in net.named_parameters() if "weights" in name and p.ndim == 1]
    assert bool(learned) == weighted
    net(make_features()).sum().backward()
    assert all(p.grad is not None for p in net.parameters())  # no dead parameters: they break distributed training


@pytest.mark.parametrize("neck", [FPNNeck, BiFPNNeck])
@pytest.mark.parametrize("levels", [2, 3])
def test_several_levels_come_out_finest_first(neck: Any, levels: int) -> None:
    net = small(neck, levels=levels)
    maps = net(make_features())
    assert net.strides == (4, 8, 16)[:levels]
    assert [tuple(x.shape) for x in maps] == [(1, 12, 64 // s, 96 // s) for s in net.strides]
    sum(x.sum() for x in maps).backward()
    assert all(p.grad is not None for p in net.parameters())


@pytest.mark.parametrize("neck", [TwinPyramidNeck, partial(GhostPyramidNeck, width=6)])
def test_two_pyramids_lie_side_by_side(neck: Any) -> None:
    net = neck(CHANNELS, channels=5, appearance_channels=7).eval()
    maps = net(make_features())
    assert (net.out_channels, 32 // net.upsample_stride) == (12, 8)
    assert [tuple(x.shape) for x in maps] == [(1, 12, 64 // s, 96 // s) for s in (8, 16, 32)]
    sum(x.sum() for x in maps).backward()
    assert all(p.grad is not None for p in net.parameters())
    finest_changed = make_features()
    finest_changed[-4] = finest_changed[-4] + 1
    with torch.no_grad():
        before, after = net(make_features())[0], net(finest_changed)[0]
    torch.testing.assert_close(before[:, :5], after[:, :5])  # what finds people does not read the map of stride 4
    assert not torch.allclose(before[:, 5:], after[:, 5:])


@pytest.mark.parametrize("downsample_type", ["max", "average", "conv"])
def test_bifpn_downsampling(downsample_type: str) -> None:
    assert small(BiFPNNeck, downsample_type=downsample_type)(make_features()).shape == (1, 12, 16, 24)
    assert downsample(4, downsample_type)(torch.zeros(1, 4, 6, 8)).shape == (1, 4, 3, 4)


def test_the_simple_neck_needs_only_the_deepest_map() -> None:
    assert SimpleNeck([512]).out_channels == 64
    net = small(SimpleNeck).eval()
    features = make_features()
    with torch.no_grad():
        torch.testing.assert_close(net(features), net(features[-1]))


@pytest.mark.parametrize("neck", FUSING)
def test_too_few_maps_are_refused(neck: Any) -> None:
    with pytest.raises(InputError, match="return_features"):
        neck([512])


@pytest.mark.parametrize(
    ("neck", "options", "word"),
    [
        (FPNNeck, {"upsample_channels": [64, 32]}, "3 widths"),
        (FPNNeck, {"conv_type": "dilated"}, "dilated"),
        (IDANeck, {"upsample_type": "cubic"}, "cubic"),
        (BiFPNNeck, {"downsample_type": "min"}, "min"),
        (BiFPNNeck, {"num_layers": 0}, "num_layers"),
        (FPNNeck, {"levels": 4}, "levels"),
    ],
)
def test_mistakes_are_named(neck: Any, options: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        neck(CHANNELS, **options)


def silence(net: nn.Module) -> None:
    """Turn every conv block into the identity on its first channels, so that the wiring can be added up by hand."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.dirac_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    net.eval()


def decimal_features() -> list[Tensor]:
    """Maps of stride 4, 8, 16, 32, full of 1, 10, 100, 1000."""
    return [torch.full((1, 4, 16 // 2**i, 16 // 2**i), 10.0**i) for i in range(4)]


@pytest.mark.parametrize(
    ("neck", "expected"),
    [
        # f2, f3, f4, f5 as ones of 1, 10, 100, 1000; nearest upsampling adds up.
        (FPNNeck, 1111.0),
        # rounds: [1100, 110, 11] -> [1210, 121] -> [1331]
        (IDANeck, 1331.0),
    ],
)
def test_the_wiring_adds_up(neck: Any, expected: float) -> None:
    net = neck([4] * 4, upsample_channels=[4, 4, 4])
    silence(net)
    features = decimal_features()
    with torch.no_grad():
        torch.testing.assert_close(net(features), torch.full((1, 4, 16, 16), expected), rtol=1e-4, atol=0)


def test_the_wiring_of_bifpn_adds_up() -> None:
    net = BiFPNNeck([4] * 4, num_layers=2, num_channels=4, weighted_fusion=False)
    silence(net)
    features = decimal_features()
    # layer 1, down: 1000, 1100, 1110, 1111; up: 1111, 10 + 1110 + 1111, 100 + 1100 + 2231, 1000 + 3431
    # layer 2, down only: 4431 + 3431 + 2231 + 1111
    with torch.no_grad():
        torch.testing.assert_close(net(features), torch.full((1, 4, 16, 16), 11204.0), rtol=1e-4, atol=0)


def test_fusion_weights_are_normalised_and_never_negative() -> None:
    fuse = Fuse(2, 4, weighted=True)
    fuse.conv = nn.Sequential()
    assert fuse.weights is not None
    a, b = torch.rand(1, 4, 2, 2), torch.rand(1, 4, 2, 2)
    torch.testing.assert_close(fuse([a, b]), (a + b) / 2)
    fuse.weights.data = torch.tensor([3.0, -1.0])
    torch.testing.assert_close(fuse([a, b]), a)


@pytest.mark.parametrize("kernel", [2, 3, 4])
def test_transposed_convolutions_double_the_size(kernel: int) -> None:
    upsample = Upsample(3, "conv_transpose", kernel=kernel)
    assert upsample(torch.zeros(1, 3, 5, 7)).shape == (1, 3, 10, 14)


def test_transposed_convolutions_start_as_bilinear_interpolation() -> None:
    x = torch.rand(1, 3, 6, 6)
    found = Upsample(3, "conv_transpose").conv(x)
    expected = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
    torch.testing.assert_close(found[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1])


def test_conv_blocks_start_with_unit_gain() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 64, 16, 16)
    for conv_type in ("normal", "separable", "deformable"):
        assert 0.3 < conv_block(64, 64, conv_type)(x).std() < 1.0

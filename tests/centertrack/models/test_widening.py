"""A widened network computes what the narrow one does, and its copies can learn different things."""

from __future__ import annotations

import pytest
import torch

from centertrack.models import CenterNet
from centertrack.models.widening import widen
from tracker.errors import InputError


def make_network(backbone: str, channels: list[int], width: int) -> CenterNet:
    torch.manual_seed(len(backbone) + width)
    heads = {
        "heatmap": {"num_classes": 2, "width": width, "conv_type": "separable"},
        "box_2d": {"width": width},
        "reid": {"embedding_dim": 8, "width": width, "conv_type": "separable"},
    }
    net = CenterNet({"name": backbone, "pretrained": False}, {"name": "FPNNeck", "upsample_channels": channels}, heads)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # statistics of a trained network differ from channel to channel
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return net.eval()


@pytest.fixture(scope="module")
def networks() -> tuple[CenterNet, CenterNet]:
    narrow = make_network("shufflenet_v2_x0.5", [48, 32, 16], 16)
    wide = make_network("shufflenet_v2_x0.8", [64, 32, 24], 40)
    widen(narrow, wide)
    return narrow, wide


def test_the_wide_network_computes_the_same_maps(networks):
    image = torch.randn(2, 3, 64, 96)
    for narrow, wide in zip(*(net(image) for net in networks), strict=True):
        assert narrow.std() > 1e-4
        torch.testing.assert_close(wide, narrow, rtol=1e-4, atol=1e-5 * narrow.abs().max().item())


def test_copies_of_a_channel_get_different_gradients(networks):
    wide = networks[1]
    wide.zero_grad()
    (wide(torch.randn(1, 3, 64, 64)).box_2d ** 2).mean().backward()
    stem = wide.backbone.stages[2][0].branch_main[0].weight
    assert len(stem) == 48
    torch.testing.assert_close(stem[:24], stem[24:], rtol=0, atol=0)
    first, second = stem.grad[:24].flatten(1), stem.grad[24:].flatten(1)
    alive = first.norm(dim=1) > 0  # behind a ReLU that lets anything through
    assert alive.sum() > 12
    assert ((first - second).norm(dim=1)[alive] > 0.01 * first.norm(dim=1)[alive]).all()


def test_the_shares_of_a_channel_sum_to_its_weight(networks):
    narrow, wide = (net.neck.convs[0][0].weight for net in networks)  # 48 -> 32 and 64 -> 32: 16 channels come twice
    torch.testing.assert_close(wide[:, :16] + wide[:, 48:], narrow[:, :16], rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(wide[:, 16:48], narrow[:, 16:], rtol=0, atol=0)


@pytest.mark.parametrize(
    ("backbone", "channels", "width", "complaint"),
    [
        ("shufflenet_v2_x0.8", [48, 16, 16], 16, r"cannot widen neck.laterals.1.weight from \(32, 48, 1, 1\)"),
        ("resnet18", [48, 32, 16], 16, r"cannot widen backbone.stages.0.0.weight from \(24, 3, 3, 3\)"),
    ],
)
def test_what_cannot_be_widened_is_named(networks, backbone, channels, width, complaint):
    with pytest.raises(InputError, match=complaint):
        widen(networks[0], make_network(backbone, channels, width))

"""One contract for every backbone: channels, strides, frozen stages, names, weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
import torchvision
from torch import nn

from centertrack.models import (
    FusedMobileNetBackbone,
    FusedShuffleNetBackbone,
    MobileNetBackbone,
    ResNetBackbone,
    ShuffleNetBackbone,
    TimmBackbone,
)
from centertrack.models.mobilenet import InvertedResidual
from tracker.errors import InputError

NETWORKS = [
    (ResNetBackbone, "resnet18", [64, 64, 128, 256, 512]),
    (ResNetBackbone, "resnet34", [64, 64, 128, 256, 512]),
    (ResNetBackbone, "resnet50", [64, 256, 512, 1024, 2048]),
    (MobileNetBackbone, "mobilenet_v2", [16, 24, 32, 96, 320]),
    (MobileNetBackbone, "mobilenet_v3_small", [16, 16, 24, 48, 96]),
    (MobileNetBackbone, "mobilenet_v3_large", [16, 24, 40, 112, 160]),
    (FusedMobileNetBackbone, "mobilenet_v2_fused", [16, 24, 32, 96, 320]),
    (ShuffleNetBackbone, "shufflenet_v2_x0.5", [24, 24, 48, 96, 192]),
    (ShuffleNetBackbone, "shufflenet_v2_x1.0", [24, 24, 116, 232, 464]),
    (FusedShuffleNetBackbone, "shufflenet_v2_x1.0_fused", [24, 24, 116, 232, 464]),
]


@pytest.mark.parametrize(
    ("family", "name", "channels"), NETWORKS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_features_have_the_channels_and_strides_promised(family: Any, name: str, channels: list[int]) -> None:
    backbone = family(name, pretrained=False, return_features=True).eval()
    with torch.no_grad():
        features = backbone(torch.zeros(1, 3, 64, 96))
    assert backbone.out_channels == channels == [f.shape[1] for f in features]
    assert [64 // f.shape[2] for f in features] == [96 // f.shape[3] for f in features] == [2, 4, 8, 16, 32]
    assert backbone.output_stride == 32


@pytest.mark.parametrize("family", [ResNetBackbone, MobileNetBackbone, TimmBackbone])
def test_without_features_the_deepest_map_comes_out(family: Any) -> None:
    name = {ResNetBackbone: "resnet18", MobileNetBackbone: "mobilenet_v2", TimmBackbone: "mobilenetv4_conv_small"}[
        family
    ]
    backbone = family(name, pretrained=False).eval()
    with torch.no_grad():
        out = backbone(torch.zeros(1, 3, 64, 96))
    assert [out.shape[1]] == list(backbone.out_channels)
    assert out.shape[2:] == (2, 3)


def test_resnet_equals_the_network_of_torchvision() -> None:
    torch.manual_seed(0)
    net = torchvision.models.resnet18(weights=None).eval()
    backbone = ResNetBackbone("resnet18", pretrained=False).eval()
    own = dict(backbone.named_parameters())
    for (_, theirs), mine in zip(net.named_parameters(), own.values(), strict=False):
        mine.data.copy_(theirs)
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        pooled = net.fc(backbone(x).mean(dim=(2, 3)))
        torch.testing.assert_close(pooled, net(x))


def test_the_fused_mobilenet_is_that_of_torchvision_with_its_norms_folded_in() -> None:
    torch.manual_seed(0)
    net = torchvision.models.mobilenet_v2(weights=None).eval()
    for norm in (m for m in net.modules() if isinstance(m, nn.BatchNorm2d)):
        nn.init.uniform_(norm.running_var, 0.5, 2)
        nn.init.normal_(norm.running_mean)
        nn.init.normal_(norm.bias)
    backbone = FusedMobileNetBackbone("mobilenet_v2_fused").eval()
    own = [m for m in backbone.modules() if isinstance(m, nn.Conv2d)]
    expansion = own.pop(1)  # which torchvision's first block lacks
    nn.init.dirac_(expansion.weight)
    nn.init.zeros_(expansion.bias)
    layers = [m for m in net.features[:18].modules() if isinstance(m, nn.Conv2d | nn.BatchNorm2d)]
    for mine, conv, norm in zip(own, layers[::2], layers[1::2], strict=True):
        fused = nn.utils.fuse_conv_bn_eval(conv, norm)
        mine.load_state_dict(fused.state_dict())
    x = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        torch.testing.assert_close(backbone(x), net.features[:18](x), rtol=1e-4, atol=1e-4)


def test_the_fused_shufflenet_is_that_of_torchvision_with_its_norms_folded_in() -> None:
    torch.manual_seed(0)
    net = torchvision.models.shufflenet_v2_x1_0(weights=None).eval()
    for norm in (m for m in net.modules() if isinstance(m, nn.BatchNorm2d)):
        nn.init.uniform_(norm.running_var, 0.5, 2)
        nn.init.normal_(norm.running_mean)
        nn.init.normal_(norm.bias)
    backbone = FusedShuffleNetBackbone("shufflenet_v2_x1.0_fused").eval()
    for unit in (m for m in backbone.modules() if isinstance(m, nn.LeakyReLU)):
        unit.negative_slope = 0.0
    units = [unit for stage in (net.stage2, net.stage3, net.stage4) for unit in stage]
    theirs = [net.conv1, *(part for unit in units for part in (unit.branch2, unit.branch1))]
    layers = [m for part in theirs for m in part.modules() if isinstance(m, nn.Conv2d | nn.BatchNorm2d)]
    own = [m for m in backbone.modules() if isinstance(m, nn.Conv2d)]
    for mine, conv, norm in zip(own, layers[::2], layers[1::2], strict=True):
        mine.load_state_dict(nn.utils.fuse_conv_bn_eval(conv, norm).state_dict())
    x = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        expected = net.stage4(net.stage3(net.stage2(net.maxpool(net.conv1(x)))))
        torch.testing.assert_close(backbone(x), expected, rtol=1e-4, atol=1e-4)


def test_blocks_of_a_mobilenet_have_the_widths_they_are_given() -> None:
    widths = [8 + i for i in range(17)]
    backbone = FusedMobileNetBackbone("mobilenet_v2_fused", widths=widths)
    blocks = [m for m in backbone.modules() if isinstance(m, InvertedResidual)]
    assert [block.layers[2].groups for block in blocks] == widths
    for wrong in (widths[:-1], [0, *widths[1:]]):
        with pytest.raises(InputError, match="expected 17 widths"):
            FusedMobileNetBackbone("mobilenet_v2_fused", widths=wrong)


def test_frozen_stages_stay_frozen_through_train() -> None:
    backbone = ResNetBackbone("resnet18", pretrained=False, frozen_stages=2)
    assert backbone.train() is backbone
    frozen, free = backbone.stages[:2], backbone.stages[2:]
    assert not any(p.requires_grad for p in frozen.parameters())
    assert all(p.requires_grad for p in free.parameters())
    assert not any(m.training for m in frozen.modules() if isinstance(m, nn.BatchNorm2d))
    assert all(m.training for m in free.modules() if isinstance(m, nn.BatchNorm2d))
    before = frozen[0][1].running_mean.clone()
    backbone(torch.randn(2, 3, 64, 64))
    assert torch.equal(frozen[0][1].running_mean, before)


def test_frozen_stages_stay_frozen_inside_a_larger_network() -> None:
    whole = nn.Sequential(ResNetBackbone("resnet18", pretrained=False, frozen_stages=1))
    whole.eval()
    whole.train()
    assert not whole[0].stages[0][1].training
    assert whole[0].stages[1][1][0].bn1.training


@pytest.mark.parametrize("frozen_stages", [-1, 6])
def test_more_frozen_stages_than_there_are_is_refused(frozen_stages: int) -> None:
    with pytest.raises(InputError, match="frozen_stages"):
        ResNetBackbone("resnet18", pretrained=False, frozen_stages=frozen_stages)


def test_the_names_of_the_documents_are_aliases() -> None:
    backbone = ResNetBackbone(name="resnet18", pretrained=False, frozen_stage=1)
    assert backbone.frozen_stages == 1
    with pytest.raises(InputError, match="stages_frozen"):
        ResNetBackbone("resnet18", pretrained=False, stages_frozen=1)


@pytest.mark.parametrize("family", [ResNetBackbone, MobileNetBackbone, ShuffleNetBackbone, TimmBackbone])
def test_unknown_networks_are_refused(family: Any) -> None:
    with pytest.raises(InputError, match="resnet17"):
        family("resnet17", pretrained=False)


def test_timm_cannot_freeze_and_says_so() -> None:
    with pytest.raises(InputError, match="does not support frozen_stages"):
        TimmBackbone("mobilenetv4_conv_small", pretrained=False, frozen_stages=1)


def test_without_a_network_pretrained_names_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def unplugged(*_: object, **__: object) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr("torch.hub.download_url_to_file", unplugged)
    monkeypatch.setattr("torch.hub.load_state_dict_from_url", unplugged)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", unplugged)
    with pytest.raises(InputError, match=r"pretrained.*local state dict"):
        ResNetBackbone("resnet18", pretrained=True)


def test_pretrained_takes_a_local_file(tmp_path: Path) -> None:
    net = torchvision.models.resnet18(weights=None)
    torch.save(net.state_dict(), tmp_path / "resnet18.pth")
    backbone = ResNetBackbone("resnet18", pretrained=str(tmp_path / "resnet18.pth"))
    assert torch.equal(backbone.stages[0][0].weight, net.conv1.weight)


def test_pretrained_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), tmp_path / "resnet18.pth")
    for family, name in ((ResNetBackbone, "resnet34"), (MobileNetBackbone, "mobilenet_v2")):
        with pytest.raises(InputError, match="does not fit"):
            family(name, pretrained=str(tmp_path / "resnet18.pth"))


@pytest.mark.parametrize("content", [None, b"not a checkpoint"], ids=["missing", "garbage"])
def test_an_unreadable_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "weights.pth"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"weights\.pth"):
        ResNetBackbone("resnet18", pretrained=str(path))


def test_timm_takes_a_local_file_of_the_whole_classifier(tmp_path: Path) -> None:
    import timm

    net, path = timm.create_model("mobilenetv4_conv_small"), tmp_path / "classifier.pth"
    torch.save(net.state_dict(), path)
    backbone = TimmBackbone("mobilenetv4_conv_small", pretrained=str(path))
    assert torch.equal(backbone.net.state_dict()["conv_stem.weight"], net.state_dict()["conv_stem.weight"])
    with pytest.raises(InputError, match="resnet26d"):
        TimmBackbone("resnet26d", pretrained=str(path))
    with pytest.raises(InputError, match="no such"):
        TimmBackbone("resnet26d", pretrained=str(tmp_path / "nothing.pth"))

"""Classification networks as feature extractors, one contract for all.

Every backbone has `out_channels` and `strides` (lists of ints, shallow to deep), `output_stride` (the last of them) and
a forward pass (N, 3, H, W) -> list of maps when `return_features`, else the deepest map alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torchvision
from torch import Tensor, nn
from typing_extensions import Self, override

from centertrack.models.mobilenet import CHANNELS, FusedMobileNetV2
from centertrack.models.pretrained import fetch, load_exactly, load_local, read_state_dict
from centertrack.models.shufflenet import WIDTHS, FusedShuffleNet, ShuffleNet
from tracker.errors import InputError

RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101")
MOBILENETS = {
    # stages of `features`: a stage begins at each block of stride 2; the last 1x1 expansion is dropped
    "mobilenet_v2": ((0, 2, 4, 7, 14, 18), (16, 24, 32, 96, 320)),
    "mobilenet_v3_small": ((0, 1, 2, 4, 9, 12), (16, 16, 24, 48, 96)),
    "mobilenet_v3_large": ((0, 2, 4, 7, 13, 16), (16, 24, 40, 112, 160)),
}
SHUFFLENETS = tuple(f"shufflenet_v2_{width}" for width in WIDTHS)
FUSED_SHUFFLENETS = ("shufflenet_v2_x1.0_fused",)
STRIDES = (2, 4, 8, 16, 32)


class FeatureExtractor(nn.Module):
    """What a neck knows of every backbone.

    Args:
        channels: Channels of the maps that the network computes, shallow to deep.
        strides: Their strides.
        return_features: Return all of them, not the deepest alone.
    """

    def __init__(self, channels: Sequence[int], strides: Sequence[int], return_features: bool) -> None:
        super().__init__()
        self.out_channels = list(channels) if return_features else [channels[-1]]
        self.strides = list(strides) if return_features else [strides[-1]]
        self.output_stride = strides[-1]
        self.return_features = return_features


class Backbone(FeatureExtractor):
    """Stages in a row, of which the first few can be frozen.

    Args:
        stages: Modules applied one after the other, each halving the resolution.
        channels: Channels after each stage.
        return_features: Return the map of every stage, not the last alone.
        frozen_stages: Freeze the first k stages (1 = the stem): no gradient, batch norm in evaluation mode.
    """

    def __init__(
        self, stages: Sequence[nn.Module], channels: Sequence[int], return_features: bool, frozen_stages: int
    ) -> None:
        super().__init__(channels, STRIDES, return_features)
        if not 0 <= frozen_stages <= len(stages):
            raise InputError(f"frozen_stages must be between 0 and {len(stages)}, got {frozen_stages}")
        self.stages = nn.ModuleList(stages)
        self.frozen_stages = frozen_stages
        for stage in self.stages[:frozen_stages]:
            stage.requires_grad_(False)
        self.train()

    @override
    def forward(self, x: Tensor) -> Any:
        """(N, 3, H, W) -> list of maps, strides 2, 4, 8, 16, 32, or the last map."""
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features if self.return_features else x

    @override
    def train(self, mode: bool = True) -> Self:
        """Set training mode; frozen stages stay in evaluation mode."""
        super().train(mode)
        for stage in self.stages[: self.frozen_stages]:
            stage.eval()
        return self


class ResNetBackbone(Backbone):
    """ResNet of torchvision: `resnet18`, `resnet34`, `resnet50`, `resnet101`.

    Args:
        backbone_name: One of these names (alias `name`).
        pretrained: True loads ImageNet weights, a path loads a local torchvision state dict, False loads nothing.
        return_features: Return 5 maps (strides 2 to 32) instead of the deepest one.
        frozen_stages: How many of [stem, layer1 .. layer4] to freeze (alias `frozen_stage`).

    Raises:
        InputError: Unknown name, or the ImageNet weights cannot be fetched.

    >>> ResNetBackbone("resnet18", pretrained=False, return_features=True).out_channels
    [64, 64, 128, 256, 512]
    """

    def __init__(
        self,
        backbone_name: str = "",
        pretrained: bool | str = True,
        return_features: bool = False,
        frozen_stages: int = 0,
        **aliases: Any,
    ) -> None:
        backbone_name, frozen_stages = resolve_aliases(backbone_name, frozen_stages, aliases)
        _check_name(backbone_name, RESNETS, "ResNetBackbone")
        net = _torchvision_model(backbone_name, pretrained)
        stem = nn.Sequential(net.conv1, net.bn1, net.relu)
        stages = [stem, nn.Sequential(net.maxpool, net.layer1), net.layer2, net.layer3, net.layer4]
        wide = backbone_name in ("resnet50", "resnet101")
        channels = (64, 256, 512, 1024, 2048) if wide else (64, 64, 128, 256, 512)
        super().__init__(stages, channels, return_features, frozen_stages)


class MobileNetBackbone(Backbone):
    """MobileNet of torchvision: `mobilenet_v2`, `mobilenet_v3_small`, `mobilenet_v3_large`.

    Args and errors: as `ResNetBackbone`; the stages are cut at the blocks of stride 2.

    >>> MobileNetBackbone("mobilenet_v2", pretrained=False, return_features=True).out_channels
    [16, 24, 32, 96, 320]
    """

    def __init__(
        self,
        backbone_name: str = "",
        pretrained: bool | str = True,
        return_features: bool = False,
        frozen_stages: int = 0,
        **aliases: Any,
    ) -> None:
        backbone_name, frozen_stages = resolve_aliases(backbone_name, frozen_stages, aliases)
        _check_name(backbone_name, tuple(MOBILENETS), "MobileNetBackbone")
        blocks = _torchvision_model(backbone_name, pretrained).features
        cuts, channels = MOBILENETS[backbone_name]
        stages = [blocks[start:end] for start, end in pairwise(cuts)]
        super().__init__(stages, channels, return_features, frozen_stages)


class FusedMobileNetBackbone(Backbone):
    """MobileNetV2 without batch norm (see `mobilenet.py`): `mobilenet_v2_fused`.

    Args and errors: as `ResNetBackbone`, but `pretrained` takes only False or the path of a local state dict, and
    `widths` are the channels inside of each block, see `FusedMobileNetV2`.

    >>> FusedMobileNetBackbone("mobilenet_v2_fused", return_features=True).out_channels
    [16, 24, 32, 96, 320]
    """

    def __init__(
        self,
        backbone_name: str = "",
        pretrained: bool | str = False,
        return_features: bool = False,
        frozen_stages: int = 0,
        widths: Sequence[int] | None = None,
        **aliases: Any,
    ) -> None:
        backbone_name, frozen_stages = resolve_aliases(backbone_name, frozen_stages, aliases)
        _check_name(backbone_name, ("mobilenet_v2_fused",), "FusedMobileNetBackbone")
        net = FusedMobileNetV2(widths)
        load_local(net, pretrained, "FusedMobileNetBackbone")
        super().__init__(list(net.stages), CHANNELS, return_features, frozen_stages)


class ShuffleNetBackbone(Backbone):
    """ShuffleNetV2 in parity layout (see `shufflenet.py`): `shufflenet_v2_x0.5`, `_x0.8`, `_x1.0`, `_x1.5`.

    Args and errors: as `ResNetBackbone`, but `pretrained` takes only False or the path of a local state dict whose keys
    start with `first_conv` (or `backbone.first_conv`, as detectors store them).

    >>> ShuffleNetBackbone("shufflenet_v2_x0.5", return_features=True).out_channels
    [24, 24, 48, 96, 192]
    """

    def __init__(
        self,
        backbone_name: str = "",
        pretrained: bool | str = False,
        return_features: bool = False,
        frozen_stages: int = 0,
        **aliases: Any,
    ) -> None:
        backbone_name, frozen_stages = resolve_aliases(backbone_name, frozen_stages, aliases)
        _check_name(backbone_name, SHUFFLENETS, "ShuffleNetBackbone")
        net = ShuffleNet(backbone_name.removeprefix("shufflenet_v2_"))
        if isinstance(pretrained, str) and pretrained:
            state = read_state_dict(pretrained)
            prefix = "backbone." if any(key.startswith("backbone.") for key in state) else ""
            own = {key: state[prefix + key] for key in net.state_dict() if prefix + key in state}
            load_exactly(net, own, pretrained)
        else:
            load_local(net, pretrained, "ShuffleNetBackbone")
        stages = [net.first_conv, net.maxpool, net.stage2, net.stage3, net.stage4]
        super().__init__(stages, net.out_channels, return_features, frozen_stages)


class FusedShuffleNetBackbone(Backbone):
    """ShuffleNetV2 without batch norm (see `shufflenet.py`): `shufflenet_v2_x1.0_fused`.

    Args and errors: as `ResNetBackbone`, but `pretrained` takes only False or the path of a local state dict.

    >>> FusedShuffleNetBackbone("shufflenet_v2_x1.0_fused", return_features=True).out_channels
    [24, 24, 116, 232, 464]
    """

    def __init__(
        self,
        backbone_name: str = "",
        pretrained: bool | str = False,
        return_features: bool = False,
        frozen_stages: int = 0,
        **aliases: Any,
    ) -> None:
        backbone_name, frozen_stages = resolve_aliases(backbone_name, frozen_stages, aliases)
        _check_name(backbone_name, FUSED_SHUFFLENETS, "FusedShuffleNetBackbone")
        net = FusedShuffleNet(backbone_name.removeprefix("shufflenet_v2_").removesuffix("_fused"))
        load_local(net, pretrained, "FusedShuffleNetBackbone")
        super().__init__(list(net.stages), net.out_channels, return_features, frozen_stages)


class TimmBackbone(FeatureExtractor):
    """Any timm model that can be built with `features_only`.

    Args:
        backbone_name: timm's name, for example `mobilenetv4_conv_small` (alias `name`).
        pretrained: True fetches timm's weights, a path loads a local state dict, False loads nothing.
        return_features: Return all maps instead of the deepest one.
        frozen_stages: Not supported: timm models share no stage layout. Must be 0.

    Raises:
        InputError: Unknown name, `frozen_stages` given, or the weights cannot be fetched.
    """

    def __init__(
        self,
        backbone_name: str = "",
        pretrained: bool | str = True,
        return_features: bool = False,
        frozen_stages: int = 0,
        **aliases: Any,
    ) -> None:
        import timm  # takes longer to import than a small network to run

        backbone_name, frozen_stages = resolve_aliases(backbone_name, frozen_stages, aliases)
        if frozen_stages:
            raise InputError(
                "TimmBackbone does not support frozen_stages: timm models share no stage layout; set it to 0"
            )
        if backbone_name not in timm.list_models() and backbone_name.split(".")[0] not in timm.list_models():
            raise InputError(f"timm has no model {backbone_name!r}; `timm.list_models('*resnet*')` lists what there is")
        net = _timm_model(backbone_name, pretrained)
        super().__init__(net.feature_info.channels(), net.feature_info.reduction(), return_features)
        self.net = net

    @override
    def forward(self, x: Tensor) -> Any:
        """(N, 3, H, W) -> list of maps, or the last map."""
        features = self.net(x)
        return features if self.return_features else features[-1]


def resolve_aliases(name: str, frozen_stages: int, aliases: dict[str, Any]) -> tuple[str, int]:
    """Accept `name` for `backbone_name` and `frozen_stage` for `frozen_stages`, and nothing else.

    Raises:
        InputError: Another option.
    """
    name = aliases.pop("name", name)
    frozen_stages = aliases.pop("frozen_stage", frozen_stages)
    if aliases:
        raise InputError(f"unknown backbone option {sorted(aliases)[0]!r}")
    return name, frozen_stages


def _check_name(name: str, known: Sequence[str], owner: str) -> None:
    if name not in known:
        raise InputError(f"{owner} knows {', '.join(known)}, got {name!r}")


def _torchvision_model(name: str, pretrained: bool | str) -> Any:
    weights = "DEFAULT" if pretrained is True else None
    net = fetch(lambda: torchvision.models.get_model(name, weights=weights), name)
    if isinstance(pretrained, str) and pretrained:
        load_exactly(net, read_state_dict(pretrained), pretrained)
    return net


def _timm_model(name: str, pretrained: bool | str) -> Any:
    import timm

    options: dict[str, Any] = {"features_only": True, "pretrained": bool(pretrained)}
    if isinstance(pretrained, str) and pretrained:
        if not Path(pretrained).is_file():
            raise InputError(f"no such weights file: {pretrained}")
        options["pretrained_cfg_overlay"] = {"file": pretrained}
    try:
        return fetch(lambda: timm.create_model(name, **options), name)
    except InputError:
        raise
    except Exception as error:  # of a network without features, or of a file that does not fit
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"timm cannot build {name} with features_only and these weights: {reason}") from error

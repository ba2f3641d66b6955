"""Names of a configuration to modules. The tables are plain dictionaries: add a class of your own under its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from centertrack.configuration import build
from centertrack.models.backbones import (
    MOBILENETS,
    RESNETS,
    SHUFFLENETS,
    MobileNetBackbone,
    ResNetBackbone,
    ShuffleNetBackbone,
    TimmBackbone,
)
from centertrack.models.dla import DLA34Backbone, DLANeck
from centertrack.models.heads import BaseHead, Box2DHead, HeatmapHead, OffsetHead, ReIDHead
from centertrack.models.necks import BiFPNNeck, FPNNeck, IDANeck, SimpleNeck
from tracker.errors import InputError

BACKBONES: dict[str, Any] = {
    **dict.fromkeys(RESNETS, ResNetBackbone),
    **dict.fromkeys(MOBILENETS, MobileNetBackbone),
    **dict.fromkeys(SHUFFLENETS, ShuffleNetBackbone),
    "dla34": DLA34Backbone,
}
NECKS: dict[str, Any] = {
    "SimpleNeck": SimpleNeck,
    "FPNNeck": FPNNeck,
    "BiFPNNeck": BiFPNNeck,
    "IDANeck": IDANeck,
    "DLANeck": DLANeck,
}
HEADS: dict[str, type[BaseHead]] = {
    "heatmap": HeatmapHead,
    "box_2d": Box2DHead,
    "reid": ReIDHead,
    "offset": OffsetHead,
}


def build_backbone(options: Mapping[str, Any]) -> nn.Module:
    """Build a backbone from `{name: ..., **options}`; maps of all stages are returned.

    Args:
        options: `name` is one of `BACKBONES`, or a name of timm, with `timm/` before it where both know it.

    Raises:
        InputError: No such backbone or option.

    >>> build_backbone({"name": "resnet18", "pretrained": False}).out_channels
    [64, 64, 128, 256, 512]
    """
    options = {"return_features": True, **options}
    name = str(options.pop("name", ""))
    if name in BACKBONES:
        return build(BACKBONES[name], f"backbone {name}", options, name)
    return build(TimmBackbone, f"backbone {name}", options, name.removeprefix("timm/"))


def build_neck(options: Mapping[str, Any], backbone: nn.Module) -> nn.Module:
    """Build a neck from `{name: FPNNeck, **options}` on the maps of a backbone.

    Raises:
        InputError: No such neck or option, or the backbone's maps do not halve from one to the next.
    """
    options = dict(options)
    name = options.pop("name", None)
    if name not in NECKS:
        raise InputError(f"neck must be one of {', '.join(NECKS)}, got {name!r}")
    neck: nn.Module = build(NECKS[name], f"neck {name}", options, backbone.out_channels)
    strides: Sequence[int] = backbone.strides
    if neck.uses > 1 and list(strides[-neck.uses :]) != [4, 8, 16, 32]:
        raise InputError(f"{name} fuses maps of stride 4, 8, 16 and 32, and this backbone gives {list(strides)}")
    return neck


def build_head(name: str, options: Mapping[str, Any], in_channels: int) -> BaseHead:
    """Build the head called `name` on the neck's channels.

    Raises:
        InputError: No such head or option.
    """
    if name not in HEADS:
        raise InputError(f"output heads are {', '.join(HEADS)}, got {name!r}")
    return build(HEADS[name], f"head {name}", options, in_channels)

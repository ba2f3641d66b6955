"""Names of a configuration to modules. The tables are plain dictionaries: add a class of your own under its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from centertrack.models.backbones import (
    MOBILENETS,
    RESNETS,
    SHUFFLENETS,
    FusedMobileNetBackbone,
    MobileNetBackbone,
    ResNetBackbone,
    ShuffleNetBackbone,
    TimmBackbone,
)
from centertrack.models.dla import DLA34Backbone, DLANeck
from centertrack.models.heads import BaseHead, Box2DHead, HeatmapHead, OffsetHead, ReIDHead
from centertrack.models.necks import BiFPNNeck, FPNNeck, IDANeck, SimpleNeck, TwinPyramidNeck
from tracker.errors import InputError

BACKBONES: dict[str, Any] = {
    **dict.fromkeys(RESNETS, ResNetBackbone),
    **dict.fromkeys(MOBILENETS, MobileNetBackbone),
    **dict.fromkeys(SHUFFLENETS, ShuffleNetBackbone),
    "mobilenet_v2_fused": FusedMobileNetBackbone,
    "dla34": DLA34Backbone,
}
NECKS: dict[str, Any] = {
    "SimpleNeck": SimpleNeck,
    "FPNNeck": FPNNeck,
    "BiFPNNeck": BiFPNNeck,
    "IDANeck": IDANeck,
    "DLANeck": DLANeck,
    "TwinPyramidNeck": TwinPyramidNeck,
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
        return _build(BACKBONES[name], f"backbone {name}", name, **options)
    return _build(TimmBackbone, f"backbone {name}", name.removeprefix("timm/"), **options)


def build_neck(options: Mapping[str, Any], backbone: nn.Module) -> nn.Module:
    """Build a neck from `{name: FPNNeck, **options}` on the maps of a backbone.

    Raises:
        InputError: No such neck or option, or the backbone's maps do not halve from one to the next.
    """
    options = dict(options)
    name = options.pop("name", None)
    if name not in NECKS:
        raise InputError(f"neck must be one of {', '.join(NECKS)}, got {name!r}")
    neck = _build(NECKS[name], f"neck {name}", backbone.out_channels, **options)
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
    return _build(HEADS[name], f"head {name}", in_channels, **options)


def _build(factory: Any, what: str, *args: Any, **options: Any) -> Any:
    try:
        return factory(*args, **options)
    except TypeError as error:
        raise InputError(f"options of {what}: {str(error).split('__init__() ')[-1]}") from error

"""Names of a configuration to modules. The tables are plain dictionaries: add a class of your own under its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from centertrack.configuration import build
from centertrack.models.backbones import (
    FUSED_SHUFFLENETS,
    MOBILENETS,
    RESNETS,
    SHUFFLENETS,
    FeatureExtractor,
    FusedMobileNetBackbone,
    FusedShuffleNetBackbone,
    MobileNetBackbone,
    ResNetBackbone,
    ShuffleNetBackbone,
    TimmBackbone,
)
from centertrack.models.dla import DLA34Backbone, DLANeck
from centertrack.models.heads import BaseHead, Box2DHead, HeatmapHead, OffsetHead, ReIDHead
from centertrack.models.necks import BiFPNNeck, FPNNeck, GhostPyramidNeck, IDANeck, Neck, SimpleNeck, TwinPyramidNeck
from tracker.errors import InputError

BACKBONES: dict[str, type[FeatureExtractor]] = {
    **dict.fromkeys(RESNETS, ResNetBackbone),
    **dict.fromkeys(MOBILENETS, MobileNetBackbone),
    **dict.fromkeys(SHUFFLENETS, ShuffleNetBackbone),
    **dict.fromkeys(FUSED_SHUFFLENETS, FusedShuffleNetBackbone),
    "mobilenet_v2_fused": FusedMobileNetBackbone,
    "dla34": DLA34Backbone,
}
NECKS: dict[str, type[Neck]] = {
    "SimpleNeck": SimpleNeck,
    "FPNNeck": FPNNeck,
    "BiFPNNeck": BiFPNNeck,
    "IDANeck": IDANeck,
    "DLANeck": DLANeck,
    "TwinPyramidNeck": TwinPyramidNeck,
    "GhostPyramidNeck": GhostPyramidNeck,
}
HEADS: dict[str, type[BaseHead]] = {
    "heatmap": HeatmapHead,
    "box_2d": Box2DHead,
    "reid": ReIDHead,
    "offset": OffsetHead,
}


def build_backbone(options: Mapping[str, Any]) -> FeatureExtractor:
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


def build_neck(options: Mapping[str, Any], backbone: FeatureExtractor) -> Neck:
    """Build a neck from `{name: FPNNeck, **options}` on the maps of a backbone.

    Raises:
        InputError: No such neck or option, or the backbone's maps do not halve from one to the next.
    """
    options = dict(options)
    name = options.pop("name", None)
    if name not in NECKS:
        raise InputError(f"neck must be one of {', '.join(NECKS)}, got {name!r}")
    neck = build(NECKS[name], f"neck {name}", options, backbone.out_channels)
    if neck.uses > 1 and backbone.strides[-neck.uses :] != [4, 8, 16, 32]:
        raise InputError(f"{name} fuses maps of stride 4, 8, 16 and 32, and this backbone gives {backbone.strides}")
    return neck


def build_head(name: str, options: Mapping[str, Any], in_channels: int) -> BaseHead:
    """Build the head called `name` on the neck's channels.

    Raises:
        InputError: No such head or option.
    """
    if name not in HEADS:
        raise InputError(f"output heads are {', '.join(HEADS)}, got {name!r}")
    return build(HEADS[name], f"head {name}", options, in_channels)

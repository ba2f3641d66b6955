"""The network: backbones, necks, heads and the CenterNet that wires them."""

from typing import TYPE_CHECKING

from centertrack.doors import door

if TYPE_CHECKING:
    from centertrack.losses.objective import LossOptions
    from centertrack.models.backbones import (
        FusedMobileNetBackbone,
        FusedShuffleNetBackbone,
        MobileNetBackbone,
        ResNetBackbone,
        ShuffleNetBackbone,
        TimmBackbone,
    )
    from centertrack.models.build import BACKBONES, HEADS, NECKS
    from centertrack.models.dla import DLA34Backbone, DLANeck
    from centertrack.models.heads import BaseHead, Box2DHead, HeatmapHead, OffsetHead, ReIDHead
    from centertrack.models.necks import BiFPNNeck, FPNNeck, GhostPyramidNeck, IDANeck, SimpleNeck, TwinPyramidNeck
    from centertrack.models.network import CenterNetwork
    from centertrack.models.report import LoadReport
    from centertrack.models.weights_file import save_weights
    from centertrack.training.checkpoints import build_centernet, from_pretrained, load_published
    from centertrack.training.module import CenterNet

__all__ = [
    "BACKBONES",
    "HEADS",
    "NECKS",
    "BaseHead",
    "BiFPNNeck",
    "Box2DHead",
    "CenterNet",
    "CenterNetwork",
    "DLA34Backbone",
    "DLANeck",
    "FPNNeck",
    "FusedMobileNetBackbone",
    "FusedShuffleNetBackbone",
    "GhostPyramidNeck",
    "HeatmapHead",
    "IDANeck",
    "LoadReport",
    "LossOptions",
    "MobileNetBackbone",
    "OffsetHead",
    "ReIDHead",
    "ResNetBackbone",
    "ShuffleNetBackbone",
    "SimpleNeck",
    "TimmBackbone",
    "TwinPyramidNeck",
    "build_centernet",
    "from_pretrained",
    "load_published",
    "save_weights",
]

__getattr__, __dir__ = door(
    __name__,
    {
        "LossOptions": "centertrack.losses.objective",
        "FusedMobileNetBackbone": "centertrack.models.backbones",
        "FusedShuffleNetBackbone": "centertrack.models.backbones",
        "MobileNetBackbone": "centertrack.models.backbones",
        "ResNetBackbone": "centertrack.models.backbones",
        "ShuffleNetBackbone": "centertrack.models.backbones",
        "TimmBackbone": "centertrack.models.backbones",
        "BACKBONES": "centertrack.models.build",
        "HEADS": "centertrack.models.build",
        "NECKS": "centertrack.models.build",
        "DLA34Backbone": "centertrack.models.dla",
        "DLANeck": "centertrack.models.dla",
        "BaseHead": "centertrack.models.heads",
        "Box2DHead": "centertrack.models.heads",
        "HeatmapHead": "centertrack.models.heads",
        "OffsetHead": "centertrack.models.heads",
        "ReIDHead": "centertrack.models.heads",
        "BiFPNNeck": "centertrack.models.necks",
        "FPNNeck": "centertrack.models.necks",
        "GhostPyramidNeck": "centertrack.models.necks",
        "IDANeck": "centertrack.models.necks",
        "SimpleNeck": "centertrack.models.necks",
        "TwinPyramidNeck": "centertrack.models.necks",
        "CenterNetwork": "centertrack.models.network",
        "LoadReport": "centertrack.models.report",
        "save_weights": "centertrack.models.weights_file",
        "build_centernet": "centertrack.training.checkpoints",
        "from_pretrained": "centertrack.training.checkpoints",
        "load_published": "centertrack.training.checkpoints",
        "CenterNet": "centertrack.training.module",
    },
)

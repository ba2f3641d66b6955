"""The network: backbones, necks, heads and the CenterNet that wires them."""

from centertrack.losses import LossOptions
from centertrack.models.backbones import (
    FusedMobileNetBackbone,
    MobileNetBackbone,
    ResNetBackbone,
    ShuffleNetBackbone,
    TimmBackbone,
)
from centertrack.models.build import BACKBONES, HEADS, NECKS
from centertrack.models.centernet import CenterNet
from centertrack.models.dla import DLA34Backbone, DLANeck
from centertrack.models.heads import BaseHead, Box2DHead, HeatmapHead, OffsetHead, ReIDHead
from centertrack.models.necks import BiFPNNeck, FPNNeck, IDANeck, SimpleNeck, TwinPyramidNeck
from centertrack.models.published import load_published
from centertrack.models.report import LoadReport
from centertrack.models.zoo import build_centernet, from_pretrained, save_weights

__all__ = [
    "BACKBONES",
    "HEADS",
    "NECKS",
    "BaseHead",
    "BiFPNNeck",
    "Box2DHead",
    "CenterNet",
    "DLA34Backbone",
    "DLANeck",
    "FPNNeck",
    "FusedMobileNetBackbone",
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

"""The network: backbones, necks, heads and the CenterNet that wires them."""

from centertrack.models.backbones import MobileNetBackbone, ResNetBackbone, ShuffleNetBackbone, TimmBackbone
from centertrack.models.centernet import CenterNet, LossOptions
from centertrack.models.heads import Box2DHead, HeatmapHead, ReIDHead
from centertrack.models.necks import FPNNeck
from centertrack.models.zoo import build_centernet, from_pretrained, save_weights

__all__ = [
    "Box2DHead",
    "CenterNet",
    "FPNNeck",
    "HeatmapHead",
    "LossOptions",
    "MobileNetBackbone",
    "ReIDHead",
    "ResNetBackbone",
    "ShuffleNetBackbone",
    "TimmBackbone",
    "build_centernet",
    "from_pretrained",
    "save_weights",
]

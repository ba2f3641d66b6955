"""Losses of the heads and how they are joined; all on float32, all finite on empty input."""

from centertrack.losses.balance import UncertaintyBalance
from centertrack.losses.box import BOX_LOSSES, box_loss
from centertrack.losses.heatmap import focal_loss, quality_focal_loss
from centertrack.losses.objective import LossOptions
from centertrack.losses.reid import ReIDLoss, triplet_loss

__all__ = [
    "BOX_LOSSES",
    "LossOptions",
    "ReIDLoss",
    "UncertaintyBalance",
    "box_loss",
    "focal_loss",
    "quality_focal_loss",
    "triplet_loss",
]
